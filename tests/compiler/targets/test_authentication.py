"""Authentication at the gateway, in the real Envoy: filter chains of real control planes with our output applied.

The chains and routes are those that Envoy Gateway and Istio made for a small policy with two models: `small` inside the
cluster, `ext` at a provider whose key the router knows. A user's authentication is attached as each project does it.
"""

from __future__ import annotations

import base64
import copy
import hashlib
import hmac
import http.client
import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from support import rendering, xds
from support.common import linked
from support.consumers.json_patches import applied
from support.gateway_client import REAL_ENVOY
from vsr_compiler import ir
from vsr_compiler.deploy.output.write import write
from vsr_compiler.pipeline import compile_policy, read_policy
from vsr_compiler.releases import filter_order
from vsr_compiler.targets.common.extproc import FILTER_NAME, MARK_NAME, TYPES
from vsr_runtime.sandbox.backend import Backend, Provider
from vsr_schemas.headers import CREDENTIALS, SELECTED_MODEL

Body = dict[str, Any]
POLICY = """\
apiVersion: vsr.dev/v1alpha1
kind: RoutingPolicy
metadata: {name: e}
router: {image: "vsr-runtime:0.1.0", responseHeaders: on-request, deadline: 20s}
gateway: {name: gw-e, namespace: edge}
endpoints:
  near: {service: {name: near, port: 8000}}
  prov: {external: {url: "https://api.example.com/v1", apiKey: {secret: provider-api, key: apiKey}}}
models:
  small: {endpoints: near}
  ext: {endpoints: prov, providerModel: example-1}
signals:
  out: {keywords: [external]}
routes:
  - {name: out, when: {signal: out}, model: ext}
default: small
environments:
  eg: {target: envoy-gateway}
  ai: {target: ai-gateway}
  mesh: {target: istio}
"""
KEY = "Bearer key-of-the-provider"
SECRET = b"a-secret-of-thirty-two-characters"
CHAT = "/v1/chat/completions"
AI_FILTER = "envoy.filters.http.ext_proc/aigateway"
READS_MODEL = """
function envoy_on_request(handle)
  local body = handle:body()
  local text = body and body:getBytes(0, body:length()) or ""
  handle:headers():replace("x-ai-eg-model", text:match('"model"%s*:%s*"([^"]*)"') or "")
  handle:clearRouteCache()
end
"""
JWT, EXT, BASIC, API = (
    f"envoy.filters.http.{name}" for name in ("jwt_authn", "ext_authz", "basic_auth", "api_key_auth")
)
pytestmark = REAL_ENVOY


def encoded(data: bytes) -> str:
    """Base64 for a token."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def token(secret: bytes = SECRET) -> str:
    """A token that the gateway accepts if the secret is the right one."""
    parts = (
        {"alg": "HS256", "typ": "JWT", "kid": "k"},
        {"iss": "me", "aud": "llm", "sub": "ada", "exp": 4_102_444_800},
    )
    text = ".".join(encoded(json.dumps(part).encode()) for part in parts)
    return f"{text}.{encoded(hmac.new(secret, text.encode(), hashlib.sha256).digest())}"


JWKS = json.dumps({"keys": [{"kty": "oct", "alg": "HS256", "kid": "k", "k": encoded(SECRET)}]})
USERS = "ada:{SHA}" + base64.b64encode(hashlib.sha1(b"right").digest()).decode()  # noqa: S324 - the form of htpasswd
VALID: Mapping[str, Mapping[str, str]] = {
    JWT: {"authorization": f"Bearer {token()}"},
    EXT: {"authorization": "Bearer right"},
    BASIC: {"authorization": "Basic " + base64.b64encode(b"ada:right").decode()},
    API: {"x-api-key": "right"},
}
WRONG: Mapping[str, Mapping[str, str]] = {
    JWT: {"authorization": f"Bearer {token(b'another')}"},
    EXT: {"authorization": "Bearer wrong"},
    BASIC: {"authorization": "Basic " + base64.b64encode(b"ada:wrong").decode()},
    API: {"x-api-key": "wrong"},
}
REFUSED = {JWT: 401, EXT: 403, BASIC: 401, API: 401}


def authentication(kind: str) -> tuple[Body, Body]:
    """A filter, and what a route says of it. All but that of JWT are disabled, and enabled by a route."""
    typed = f"{TYPES}.filters.http"
    if kind == JWT:
        provider = {"issuer": "me", "audiences": ["llm"], "forward": True, "local_jwks": {"inline_string": JWKS}}
        config: Body = {
            "@type": f"{typed}.jwt_authn.v3.JwtAuthentication",
            "providers": {"me": provider},
            "requirement_map": {"me": {"provider_name": "me"}},
        }
        return config, {"@type": f"{typed}.jwt_authn.v3.PerRouteConfig", "requirement_name": "me"}
    if kind == EXT:
        server = {"uri": "http://authz.edge", "cluster": "authz", "timeout": "10s"}
        config = {"@type": f"{typed}.ext_authz.v3.ExtAuthz", "http_service": {"server_uri": server}}
        return config, {"@type": f"{typed}.ext_authz.v3.ExtAuthzPerRoute", "check_settings": {}}
    if kind == BASIC:
        users = {"users": {"inline_string": USERS}}
        return {"@type": f"{typed}.basic_auth.v3.BasicAuth"} | users, {
            "@type": f"{typed}.basic_auth.v3.BasicAuthPerRoute"
        } | users
    keys = {"credentials": [{"key": "right", "client": "ada"}], "key_sources": [{"header": "x-api-key"}]}
    return {"@type": f"{typed}.api_key_auth.v3.ApiKeyAuth"} | keys, {
        "@type": f"{typed}.api_key_auth.v3.ApiKeyAuthPerRoute"
    } | keys


class Service:
    """An authorization service that records what it is shown, in its own thread."""

    def __init__(self) -> None:
        self.shown: list[str] = []
        service = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                given = self.headers.get("authorization", "")
                service.shown.append(given)
                self.send_response(200 if given == VALID[EXT]["authorization"] else 403)
                self.send_header("content-length", "0")
                self.end_headers()

            do_GET = do_OPTIONS = do_POST  # noqa: N815 - the names that the library looks up

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.port = int(self._server.server_address[1])
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def stop(self) -> None:
        """Stop serving."""
        self._server.shutdown()
        self._server.server_close()


class World:
    """What stands around the proxy: models, the router, an authorization service."""

    def __init__(self, parts: ExitStack, folder: Path) -> None:
        (folder / "policy.yaml").write_text(POLICY, encoding="utf-8")
        result = compile_policy(read_policy(folder / "policy.yaml"), lambda _: None)
        write(folder / "out", result.tree, result.lock)
        keys = folder / "keys" / "prov"
        keys.mkdir(parents=True)
        (keys / "api-key").write_text(KEY.removeprefix("Bearer "), encoding="utf-8")
        self.policy: ir.Policy = linked(POLICY)
        self.authz = Service()
        parts.callback(self.authz.stop)
        self.models = {
            "small": Backend("small", ["small"]),
            "ext": Backend("ext", ["example-1"], Provider("/v1", KEY)),
        }
        for backend in self.models.values():
            parts.callback(backend.stop)
        self.router = parts.enter_context(xds.router(folder / "out" / "e" / "router", folder / "keys"))

    def port(self, cluster: str) -> int:
        """The local port of a cluster."""
        if "semantic-router" in cluster:
            return self.router
        if cluster == "authz" or cluster.startswith("securitypolicy/"):
            return self.authz.port
        return self.models["ext" if "ext" in cluster or "example.com" in cluster else "small"].port


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """The surroundings, once for all tests."""
    with ExitStack() as parts:
        yield World(parts, tmp_path_factory.mktemp("authentication"))


def emitted(world: World, target: str, kind: str) -> list[Body]:
    """Our objects of a kind."""
    return [item.body for item in rendering.objects(world.policy, target) if item.kind == kind]


def without_ours(recorded: Body) -> Body:
    """A recorded gateway without our filter and cluster: what its control plane made of a user's objects alone."""
    for listener in recorded["listeners"]:
        for manager in xds.managers(listener):
            manager["http_filters"] = [item for item in manager["http_filters"] if item["name"] != FILTER_NAME]
    recorded["clusters"] = [item for item in recorded["clusters"] if not item["name"].startswith("vsr/")]
    return recorded


def envoy_gateway(world: World, kinds: Mapping[str, bool], *, tls: bool = False, patched: bool = True) -> Body:
    """Envoy Gateway 1.8.3 with authentication on the Gateway, and our catch-all, buffer and patch.

    Args:
        world: The surroundings.
        kinds: Filters that authenticate, and whether the route that a request matches on arrival names them.
        tls: Whether the listener has a list of filter chains, as one with TLS.
        patched: Whether the patch hits the listener.
    """
    made = without_ours(xds.dump("auth-9b-epp-buffer-full"))
    (listener,) = made["listeners"]
    (manager,) = xds.managers(listener)
    buffer, last = filter_order.ENVOY_GATEWAY_ANCHOR, "envoy.filters.http.router"
    kept = [item for item in manager["http_filters"] if item["name"] in {buffer, last}]
    own = []
    for name, on_arrival in kinds.items():
        config, by_route = authentication(name)
        own.append({"name": name, "typed_config": config, **({} if name == JWT else {"disabled": True})})
        for route in xds.routes(made):
            if on_arrival or "direct_response" not in route:
                route["typed_per_filter_config"][name] = by_route
    manager["http_filters"] = [*own, *kept]
    for route in xds.routes(made):
        settings = route["typed_per_filter_config"]
        route["typed_per_filter_config"] = {key: settings[key] for key in settings if key in {*kinds, buffer}}
    fit_routes(world, made, "envoy-gateway")
    # A user's ClientTrafficPolicy has replaced ours: nothing is removed early.
    del manager["early_header_mutation_extensions"]
    if tls:
        listener["filter_chains"] = [listener.pop("default_filter_chain")]
    if patched:
        (policy,) = emitted(world, "envoy-gateway", "EnvoyPatchPolicy")
        for patch in policy["spec"]["jsonPatches"]:
            if patch["type"].endswith("v3.Cluster"):
                made["clusters"].append(patch["operation"]["value"])
            else:
                assert patch["name"] == listener["name"]
                made["listeners"][0] = applied(made["listeners"][0], patch["operation"])
    made["clusters"].append({"name": "authz", "connect_timeout": "1s"})
    slow(made)
    return made


def ai_gateway(world: World, kinds: Mapping[str, bool]) -> Body:
    """AI Gateway 1.1.0 on Envoy Gateway 1.8.3; a script in the place of its filter reads the model from the body."""
    made = without_ours(xds.dump("auth-9e-ai-epp-buffer"))
    (manager,) = xds.managers(made["listeners"][0])
    buffer, own, last = filter_order.ENVOY_GATEWAY_ANCHOR, AI_FILTER, "envoy.filters.http.router"
    manager["http_filters"] = [
        *({"name": name, "typed_config": authentication(name)[0], "disabled": name != JWT} for name in kinds),
        *(item for item in manager["http_filters"] if item["name"] in {buffer, own, last}),
    ]
    for item in manager["http_filters"]:
        if item["name"] == own:
            script = {"inline_string": READS_MODEL}
            item["typed_config"] = {"@type": f"{TYPES}.filters.http.lua.v3.Lua", "default_source_code": script}
    rules = {
        rule["name"]: rule["matches"][0]["headers"]
        for body in emitted(world, "ai-gateway", "AIGatewayRoute")
        for rule in body["spec"]["rules"]
    }
    assert rules.keys() == world.models.keys()
    for route in xds.routes(made):
        settings = route["typed_per_filter_config"]
        enabled = {name: authentication(name)[1] for name in kinds}
        route["typed_per_filter_config"] = enabled | {key: settings[key] for key in (buffer, own) if key in settings}
        if "route" in route:
            model = "ext" if "vllm-semantic-router-system" in route["name"] else "small"
            route["route"] = {"cluster": f"models/{model}"}
            route["match"]["headers"] = [
                {"name": item["name"], "string_match": {"exact": item["value"]}} for item in rules[model]
            ]
    made["clusters"] = [{"name": name, "connect_timeout": "1s"} for name in ("models/small", "models/ext", "authz")]
    (policy,) = emitted(world, "ai-gateway", "EnvoyPatchPolicy")
    for patch in policy["spec"]["jsonPatches"]:
        if patch["type"].endswith("v3.Cluster"):
            made["clusters"].append(patch["operation"]["value"])
        else:
            made["listeners"][0] = applied(made["listeners"][0], patch["operation"])
    slow(made)
    return made


def slow(made: Body) -> None:
    """Give the router the time that a busy machine takes."""
    for listener in made["listeners"]:
        for manager in xds.managers(listener):
            for item in manager["http_filters"]:
                if item["name"] == FILTER_NAME:
                    item["typed_config"]["message_timeout"] = "20s"


def fit_routes(world: World, made: Body, target: str) -> None:
    """Give routes to models the conditions of our HTTPRoutes."""
    wanted = {
        body["metadata"]["name"]: body["spec"]["rules"][0]["matches"][0].get("headers", [])
        for body in emitted(world, target, "HTTPRoute")
    }
    for route in xds.routes(made):
        if "route" in route:
            (name,) = (model for model in world.models if f"/{model}/" in route["name"])
            conditions = [{"name": item["name"], "string_match": {"exact": item["value"]}} for item in wanted[name]]
            route["match"]["headers"] = conditions


def istio(world: World, kinds: Mapping[str, bool], *, anchored: bool = True) -> Body:
    """Istio's gateway with authentication where Istio puts it, and our EnvoyFilter."""
    made = without_ours(xds.dump("istiod-1.31.0-rc.0-quickstart"))
    (manager,) = xds.managers(made["listeners"][0])
    manager["http_filters"] = [
        *({"name": name, "typed_config": authentication(name)[0]} for name in kinds),
        *(item for item in manager["http_filters"] if anchored or item["name"] != filter_order.ISTIO_ANCHOR),
    ]
    for item in manager["http_filters"]:
        if item["name"] == JWT:
            item["typed_config"]["rules"] = [{"match": {"prefix": "/"}, "requires": {"provider_name": "me"}}]
            del item["typed_config"]["requirement_map"]
    for route, model in zip(xds.routes(made), world.models, strict=False):
        route["name"], route["route"]["cluster"] = f"route/{model}/0", f"models/{model}"
        if model == "ext":
            route["route"]["host_rewrite_literal"] = "api.example.com"
    made["clusters"] = [{"name": f"models/{model}", "connect_timeout": "1s"} for model in world.models]
    fit_routes(world, made, "istio")
    (envoy_filter,) = emitted(world, "istio", "EnvoyFilter")
    for patch in envoy_filter["spec"]["configPatches"]:
        if patch["applyTo"] == "HTTP_FILTER":
            assert patch["patch"]["operation"] == "INSERT_BEFORE"
            anchor = patch["match"]["listener"]["filterChain"]["filter"]["subFilter"]["name"]
            names = [item["name"] for item in manager["http_filters"]]
            if anchor in names:
                manager["http_filters"].insert(names.index(anchor), copy.deepcopy(patch["patch"]["value"]))
    for patch in envoy_filter["spec"]["configPatches"]:
        if patch["applyTo"] == "HTTP_ROUTE":
            assert patch["patch"]["operation"] == "ADD"
            made["routes"][0]["virtual_hosts"][0]["routes"].append(patch["patch"]["value"])
    router = {"name": world.policy.router.grpc.istio_cluster, "connect_timeout": "1s"}
    http2 = {
        "@type": f"{TYPES}.upstreams.http.v3.HttpProtocolOptions",
        "explicit_http_config": {"http2_protocol_options": {}},
    }
    router["typed_extension_protocol_options"] = {"envoy.extensions.upstreams.http.v3.HttpProtocolOptions": http2}
    made["clusters"] += [router, {"name": "authz", "connect_timeout": "1s"}]
    slow(made)
    return made


@contextmanager
def running(world: World, made: Body) -> Iterator[str]:
    """The address of the gateway's listener."""
    world.authz.shown.clear()
    with xds.envoy(xds.bootstrap(made, world.port)) as addresses:
        (address,) = addresses.values()
        yield address


def ask(
    address: str, model: str, headers: Mapping[str, str], method: str = "POST", path: str = CHAT
) -> tuple[int, str]:
    """The status, and the model that answered."""
    connection = http.client.HTTPConnection(address, timeout=60)
    try:
        body = (
            json.dumps({"model": model, "messages": [{"role": "user", "content": "hello"}]})
            if method == "POST"
            else None
        )
        connection.request(method, path, body, {"content-type": "application/json", **headers})
        response = connection.getresponse()
        response.read()
        return response.status, response.headers.get("x-backend") or ""
    finally:
        connection.close()


def refused(address: str, kind: str, headers: Mapping[str, str]) -> None:
    """Nothing that a model or the router answers goes to somebody with these headers."""
    expected = (REFUSED[kind], "")
    for model in ("small", "ext", "auto", "nobody"):
        assert ask(address, model, headers) == expected, model
        assert ask(address, "auto", {**headers, SELECTED_MODEL: model}) == expected, model
    assert ask(address, "", headers, "GET", "/v1/models") == expected
    assert ask(address, "", headers, "GET", "/elsewhere") == expected


def admitted(address: str, headers: Mapping[str, str]) -> None:
    """Both models answer, the list of models and errors come from the router."""
    assert ask(address, "small", headers) == (200, "small")
    assert ask(address, "ext", headers) == (200, "ext")
    assert ask(address, "auto", headers) == (200, "small")
    assert ask(address, "nobody", headers) == (404, "")
    assert ask(address, "small", {**headers, SELECTED_MODEL: "ext"}) == (200, "small")
    assert ask(address, "", headers, "GET", "/v1/models") == (200, "")


@pytest.mark.parametrize("kind", [JWT, EXT, BASIC, API])
@pytest.mark.parametrize("tls", [False, True], ids=["http", "tls"])
def test_envoy_gateway_admits_whoever_authenticates_and_nobody_else(world: World, kind: str, *, tls: bool) -> None:
    """Each kind runs before the router, on listeners of both forms, and sees the client's own credentials."""
    with running(world, envoy_gateway(world, {kind: True}, tls=tls)) as address:
        refused(address, kind, {})
        refused(address, kind, WRONG[kind])
        admitted(address, VALID[kind])
    assert KEY not in world.authz.shown


@pytest.mark.parametrize("kind", [JWT, EXT, BASIC, API])
def test_ai_gateway_admits_whoever_authenticates_and_nobody_else(world: World, kind: str) -> None:
    """AI Gateway's own 404 rule is the route on arrival, and its filter reads the model after the router."""
    made = ai_gateway(world, {kind: True})
    names = xds.filter_names(made["listeners"][0])
    assert names == [kind, MARK_NAME, FILTER_NAME, filter_order.ENVOY_GATEWAY_ANCHOR, AI_FILTER, names[-1]]
    with running(world, made) as address:
        refused(address, kind, {})
        refused(address, kind, WRONG[kind])
        admitted(address, VALID[kind])
    assert KEY not in world.authz.shown


@pytest.mark.parametrize("kind", [JWT, EXT])
def test_istio_admits_whoever_authenticates_and_nobody_else(world: World, kind: str) -> None:
    """The router's filter is behind Istio's authentication, which is never shown the provider's key."""
    with running(world, istio(world, {kind: True})) as address:
        refused(address, kind, {})
        refused(address, kind, WRONG[kind])
        admitted(address, VALID[kind])
    assert KEY not in world.authz.shown


def test_a_listener_that_the_patch_misses_is_closed_whatever_a_client_sends(world: World) -> None:
    """No early removal, no filter: the client's headers choose nothing, since Envoy removes the mark by itself."""
    with running(world, envoy_gateway(world, {}, patched=False)) as address:
        for model in ("small", "ext"):
            forged = {SELECTED_MODEL: model, "x-envoy-ip-tags": "vsr", "x-envoy-internal": "true"}
            for more in ({}, {"x-forwarded-for": "10.0.0.1"}):
                assert ask(address, model, {**forged, **more}) == (404, "")


def test_without_its_anchor_nothing_is_inserted_and_no_model_answers(world: World) -> None:
    """Istio inserts before a filter that is there, or not at all: the gateway has no way to a model."""
    with running(world, istio(world, {}, anchored=False)) as address:
        for model in ("small", "ext"):
            assert ask(address, model, {SELECTED_MODEL: model}) == (404, "")


def test_without_authentication_requests_are_served_as_before(world: World) -> None:
    """The catch-all route and the buffer change nothing for those who attach nothing."""
    with running(world, envoy_gateway(world, {})) as address:
        admitted(address, {})


def test_authentication_on_a_models_route_alone_does_not_hold(world: World) -> None:
    """Documented: filters that routes enable are looked up on arrival, so they belong on the Gateway."""
    with running(world, envoy_gateway(world, {EXT: False})) as address:
        assert ask(address, "small", {}) == (200, "small")


def test_recorded_gateways_served_everybody(world: World) -> None:
    """The fault as it was: the filter first, no route on arrival, and extAuth is Accepted and never runs."""
    made = xds.dump("auth-1d-ext-route")
    slow(made)
    with running(world, made) as address:
        assert ask(address, "small", {}) == (200, "small")
        assert ask(address, "ext", {}) == (200, "ext")
    assert world.authz.shown == []


def test_names_of_our_filters_come_in_order(world: World) -> None:
    """The mark, the router, the buffer: nothing of a user's stands between them."""
    made = envoy_gateway(world, dict.fromkeys((EXT, API, BASIC, JWT), True))
    names = xds.filter_names(made["listeners"][0])
    assert names == [EXT, API, BASIC, JWT, MARK_NAME, FILTER_NAME, filter_order.ENVOY_GATEWAY_ANCHOR, names[-1]]
    assert set(CREDENTIALS) >= {"authorization", "x-api-key"}


CORS = "envoy.filters.http.cors"


@pytest.mark.parametrize(("make", "allowed"), [(envoy_gateway, None), (istio, "https://a.example")])
def test_preflights_are_not_answered_and_other_requests_differ_by_gateway(
    world: World, make: Callable[..., Body], allowed: str | None
) -> None:
    """Documented: browsers need a proxy in front. On Envoy Gateway the route on arrival has no backend."""
    made = make(world, {JWT: True})
    policy = {
        "@type": f"{TYPES}.filters.http.cors.v3.CorsPolicy",
        "allow_origin_string_match": [{"exact": "https://a.example"}],
        "allow_methods": "POST",
        "forward_not_matching_preflights": False,
    }
    (manager,) = xds.managers(made["listeners"][0])
    if make is envoy_gateway:
        cors = {"name": CORS, "typed_config": {"@type": f"{TYPES}.filters.http.cors.v3.Cors"}}
        manager["http_filters"].insert(0, cors)
    for route in xds.routes(made):
        route.setdefault("typed_per_filter_config", {})[CORS] = policy
    with running(world, made) as address:
        origin = {"origin": "https://a.example"}
        preflight = {**origin, "access-control-request-method": "POST"}
        assert ask(address, "", preflight, "OPTIONS") == (401, "")
        connection = http.client.HTTPConnection(address, timeout=60)
        body = json.dumps({"model": "small", "messages": [{"role": "user", "content": "hello"}]})
        connection.request("POST", CHAT, body, {"content-type": "application/json", **origin, **VALID[JWT]})
        response = connection.getresponse()
        assert (response.status, response.headers.get("access-control-allow-origin")) == (200, allowed)
        connection.close()
