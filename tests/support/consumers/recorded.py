"""The objects of which real control planes made the recorded xDS, in as few words as the rules need."""

from __future__ import annotations

from typing import Any

Body = dict[str, Any]
MODEL = "x-selected-model"
GATEWAY_GROUP, ENVOY_GROUP = "gateway.networking.k8s.io", "gateway.envoyproxy.io"
BUFFER = "envoy.filters.http.buffer"
MANAGERS = "$..filters[?(@.name=='envoy.filters.network.http_connection_manager')]"
FILTERS = "$.default_filter_chain.filters[0].typed_config.http_filters"
FIRST: Body = {"op": "add", "path": "/default_filter_chain/filters/0/typed_config/http_filters/0"}
BEFORE_BUFFER: Body = {"op": "add", "jsonPath": f'{FILTERS}[?(@.name=="{BUFFER}")]'}
BEFORE_ROUTER: Body = {"op": "add", "jsonPath": f'{FILTERS}[?(@.name=="envoy.filters.http.router")]'}
EXT_PROC: Body = {
    "name": "vsr.ext_proc",
    "typed_config": {
        "@type": "type.googleapis.com/envoy.extensions.filters.http.ext_proc.v3.ExternalProcessor",
        "grpc_service": {"envoy_grpc": {"cluster_name": "semantic-router"}},
        "processing_mode": {"request_header_mode": "SEND", "request_body_mode": "BUFFERED"},
    },
}


def make(kind: str, namespace: str, name: str, **spec: object) -> Body:
    """Return an object."""
    return {"kind": kind, "metadata": {"name": name, "namespace": namespace}, "spec": spec}


def reference(kind: str, name: str, section: str | None = None) -> Body:
    """Return a targetRef."""
    body = {"group": GATEWAY_GROUP, "kind": kind, "name": name}
    return body if section is None else body | {"sectionName": section}


def gateway(controller: str, namespace: str, name: str) -> list[Body]:
    """Return a Gateway with one HTTP listener, and its class."""
    admits = {"namespaces": {"from": "All"}}
    listeners = [{"name": "http", "port": 80, "protocol": "HTTP", "allowedRoutes": admits}]
    return [
        {"kind": "GatewayClass", "metadata": {"name": "class"}, "spec": {"controllerName": controller}},
        make("Gateway", namespace, name, gatewayClassName="class", listeners=listeners),
    ]


def http_route(parent: tuple[str, str], namespace: str, name: str, rule: Body) -> Body:
    """Return an HTTPRoute with one rule."""
    ref = {"namespace": parent[0], "name": parent[1]}
    return make("HTTPRoute", namespace, name, parentRefs=[ref], rules=[rule])


def model_rule(model: str, backend: Body, **more: str) -> Body:
    """Return the rule of a model."""
    headers = [{"name": name, "value": value} for name, value in {**more, MODEL: model}.items()]
    return {"matches": [{"headers": headers}], "backendRefs": [backend]}


def catch_all(parent: tuple[str, str], *, real: bool = False) -> list[Body]:
    """Return the route without conditions that answers 404, or leads to a backend."""
    ref = {"group": ENVOY_GROUP, "kind": "HTTPRouteFilter", "name": "no-model"}
    rule: Body = {"matches": [{"path": {"type": "PathPrefix", "value": "/"}}]}
    if real:
        return [http_route(parent, parent[0], "no-model", rule | {"backendRefs": [{"name": "none", "port": 80}]})]
    return [
        make("HTTPRouteFilter", parent[0], "no-model", directResponse={"statusCode": 404}),
        http_route(parent, parent[0], "no-model", rule | {"filters": [{"type": "ExtensionRef", "extensionRef": ref}]}),
    ]


def patch(namespace: str, name: str, operation: Body) -> Body:
    """Return an EnvoyPatchPolicy that adds the router's filter to the listener `http`."""
    listener = {
        "type": "type.googleapis.com/envoy.config.listener.v3.Listener",
        "name": f"{namespace}/{name}/http",
        "operation": operation | {"value": EXT_PROC},
    }
    return make("EnvoyPatchPolicy", namespace, "router", targetRef=reference("Gateway", name), jsonPatches=[listener])


JWT: Body = {"jwt": {"providers": [{"name": "me", "issuer": "me"}]}}
EXT_AUTH: Body = {"extAuth": {"http": {"backendRefs": [{"name": "authz"}]}}}
AUTHORIZATION: Body = {"authorization": {"defaultAction": "Deny"}}
CORS: Body = {"cors": {"allowOrigins": ["https://a.example.com"]}}
ALL = JWT | EXT_AUTH | AUTHORIZATION | CORS
LIMIT: Body = {"rateLimit": {"local": {"rules": []}}}
REQUEST_BUFFER: Body = {"requestBuffer": {"limit": "8Mi"}}


def security(namespace: str, refs: list[Body], spec: Body) -> Body:
    """Return a SecurityPolicy."""
    return make("SecurityPolicy", namespace, "s", targetRefs=refs, **spec)


def traffic(namespace: str, name: str, refs: list[Body], spec: Body) -> Body:
    """Return a BackendTrafficPolicy."""
    return make("BackendTrafficPolicy", namespace, name, targetRefs=refs, **spec)


def small(operation: Body | None, *more: Body) -> list[Body]:
    """Return the small policy of the authentication cases on Envoy Gateway."""
    parent = ("edge", "gw-e")
    patches = [] if operation is None else [patch(*parent, operation)]
    routes = [http_route(parent, "edge", name, model_rule(name, {"name": name, "port": 80})) for name in MODELS]
    return [*gateway("gateway.envoyproxy.io/gatewayclass-controller", *parent), *patches, *routes, *more]


MODELS = ("small", "ext")
PARENT = ("edge", "gw-e")
ON_GATEWAY = [reference("Gateway", "gw-e")]
ON_ROUTES = [reference("HTTPRoute", name) for name in MODELS]
ON_SMALL = [reference("HTTPRoute", "small")]
EXTENSION = make(
    "EnvoyExtensionPolicy",
    "edge",
    "gw-e-semantic-router",
    targetRefs=ON_GATEWAY,
    extProc=[{"backendRefs": [{"name": "semantic-router", "port": 50051}]}],
)


def recorded_objects() -> dict[str, list[Body]]:
    """Return the objects behind each recorded file, by its name without suffix."""
    closed = catch_all(PARENT)
    first = small(FIRST)
    buffered = traffic("edge", "buffer", ON_GATEWAY, REQUEST_BUFFER)
    limited = traffic("edge", "lim", ON_SMALL, LIMIT)
    return {
        "auth-1a-jwt-gw": [*first, security("edge", ON_GATEWAY, JWT)],
        "auth-1b-jwt-route": [*first, security("edge", ON_ROUTES, JWT)],
        "auth-1d-ext-route": [*first, security("edge", ON_ROUTES, EXT_AUTH)],
        "auth-2a-jwt-route": small(BEFORE_ROUTER, security("edge", ON_ROUTES, JWT)),
        "auth-2d-ext-gw": small(BEFORE_ROUTER, security("edge", ON_GATEWAY, EXT_AUTH)),
        "auth-3a-ext-gw-first-catchall": [*first, *closed, security("edge", ON_GATEWAY, EXT_AUTH)],
        "auth-3b2-all-route-last-catchall": small(BEFORE_ROUTER, *closed, security("edge", ON_ROUTES, ALL)),
        "auth-3b3-limit-last-catchall": small(BEFORE_ROUTER, *closed, limited),
        "auth-5a-eep-replace": small(None, *closed, EXTENSION, security("edge", ON_GATEWAY, ALL)),
        "auth-7d-eep-cors-real-catchall": _with_key(
            small(None, *catch_all(PARENT, real=True), EXTENSION, security("edge", ON_GATEWAY, JWT | CORS))
        ),
        "auth-9-eep-full": small(None, *closed, EXTENSION, security("edge", ON_GATEWAY, ALL), limited),
        "auth-9b-epp-buffer-full": small(BEFORE_BUFFER, *closed, security("edge", ON_GATEWAY, ALL), buffered, limited),
        "auth-9e-ai-epp-buffer": _ai_gateway_small(),
        **dict.fromkeys(("ai-gateway-1.1.0-on-1.8.3", "ai-gateway-1.1.0-on-1.9.0"), _ai_gateway()),
        **dict.fromkeys(("envoy-gateway-1.8.3", "envoy-gateway-1.9.0"), _envoy_gateway()),
        "istiod-1.31.0-rc.0-quickstart": _istio(pools=False),
        "istiod-1.31.0-rc.0-llm-d": _istio(pools=True),
    }


def _with_key(bodies: list[Body]) -> list[Body]:
    """Give the provider's route a filter that adds the key."""
    route = next(body for body in bodies if body["metadata"]["name"] == "ext")
    ref = {"group": ENVOY_GROUP, "kind": "HTTPRouteFilter", "name": "provider-key"}
    route["spec"]["rules"][0]["filters"] = [{"type": "ExtensionRef", "extensionRef": ref}]
    return [*bodies, make("HTTPRouteFilter", "edge", "provider-key", credentialInjection={})]


def _ai_route(parent: tuple[str, str], namespace: str, rules: list[Body]) -> Body:
    ref = {"namespace": parent[0], "name": parent[1]}
    return make("AIGatewayRoute", namespace, parent[1], parentRefs=[ref], rules=rules)


def _ai_gateway_small() -> list[Body]:
    parent = ("edge", "gw-a")
    refs, router = [reference("Gateway", "gw-a")], "vllm-semantic-router-system"
    return [
        *gateway("gateway.envoyproxy.io/gatewayclass-controller", *parent),
        patch(*parent, BEFORE_BUFFER),
        _ai_route(parent, "edge", [{"name": "small"} | model_rule("small", {"name": "near"}, **{AI: "small"})]),
        _ai_route(parent, router, [{"name": "ext"} | model_rule("ext", {"name": "prov"}, **{AI: "example-1"})]),
        security("edge", refs, ALL),
        traffic("edge", "buffer", refs, REQUEST_BUFFER),
        traffic("edge", "lim", [reference("HTTPRoute", "gw-a", "small")], LIMIT | {"mergeType": "StrategicMerge"}),
    ]


AI = "x-ai-eg-model"


def pool(name: str) -> Body:
    """Return an InferencePool."""
    return {"kind": "InferencePool", "name": name}


def _ai_gateway() -> list[Body]:
    parent = ("default", "inference-pool-with-aigwroute")
    models = {
        "meta-llama/Llama-3.1-8B-Instruct": pool("vllm-llama3-8b-instruct"),
        "mistral:latest": pool("mistral"),
        "some-cool-self-hosted-model": {"name": "testupstream"},
    }
    rules = [model_rule(name, backend, **{AI: name}) for name, backend in models.items()]
    return [
        *gateway("gateway.envoyproxy.io/gatewayclass-controller", *parent),
        patch(*parent, FIRST),
        _ai_route(parent, "default", rules),
        *(_pool(name) for name in ("vllm-llama3-8b-instruct", "mistral")),
    ]


def _pool(name: str) -> Body:
    picker = {"name": f"{name}-epp", "port": {"number": 9002}}
    return make("InferencePool", "default", name, selector={"matchLabels": {"app": name}}, endpointPickerRef=picker)


def _envoy_gateway() -> list[Body]:
    parent = ("default", "inference-gateway")
    return [
        *gateway("gateway.envoyproxy.io/gatewayclass-controller", *parent),
        patch(*parent, FIRST),
        *(http_route(parent, "default", name, model_rule(name, {"name": name})) for name in ("large", "llama3-8b")),
    ]


def _istio(*, pools: bool) -> list[Body]:
    parent = ("default", "inference-gateway")
    names = {"llama3-8b": "llama-8b", "phi4-mini": "phi4-mini"}
    manager = {"listener": {"filterChain": {"filter": {"name": "envoy.filters.network.http_connection_manager"}}}}
    first = {"operation": "INSERT_FIRST", "value": EXT_PROC}
    patches = [{"applyTo": "HTTP_FILTER", "match": {"context": "GATEWAY"} | manager, "patch": first}]
    return [
        *gateway("istio", *parent),
        make("EnvoyFilter", "default", "router", targetRefs=[reference("Gateway", parent[1])], configPatches=patches),
        *(
            http_route(parent, "default", model, model_rule(model, pool(name) if pools else {"name": name}))
            for model, name in names.items()
        ),
        *(_pool(name) for name in names.values() if pools),
    ]
