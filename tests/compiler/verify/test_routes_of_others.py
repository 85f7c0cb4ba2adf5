"""Routes of others in `verify`: each name that the router writes has one, and no listener leads to one without it."""

from __future__ import annotations

import pytest

import support.verify_support as m
from vsr_compiler.diagnostics import Severity

HEADER = "x-gateway-model-name"
MANAGER = "envoy.filters.network.http_connection_manager"
CONFIG = """\
apiVersion: v1
kind: ConfigMap
metadata: {name: router-config, namespace: router}
data:
  config.yaml: |
    providers: {defaults: {model: small}, models: [{name: small}, {name: big}]}
    routing: {decisions: [{name: hard, modelRefs: [{model: big}]}]}
  runtime.yaml: |
    apiVersion: vsr.dev/v1alpha1
    kind: RuntimeSettings
    routing:
      header: x-gateway-model-name
      models:
        small: {value: publishers/llm/models/small, model: small}
        big: {value: publishers/llm/models/big-lora, model: big}
"""
SERVICES = """\
apiVersion: serving.kserve.io/v1alpha2
kind: LLMInferenceService
metadata: {name: small, namespace: llm}
spec:
  model: {uri: "hf://a/small"}
  router: {route: {}, gateway: {}, scheduler: {}}
---
apiVersion: serving.kserve.io/v1alpha2
kind: LLMInferenceService
metadata: {name: big, namespace: llm}
spec:
  model: {uri: "hf://a/big", name: big-1, lora: {adapters: [{name: big-lora, uri: "hf://a/lora"}]}}
  router: {route: {}, gateway: {}, scheduler: {}}
"""
ROUTER = """\
apiVersion: v1
kind: Service
metadata: {name: router, namespace: router}
spec: {selector: {app: router}, ports: [{name: grpc, port: 50051, appProtocol: grpc}]}
"""
REMOVAL = """\
  - applyTo: NETWORK_FILTER
    match: {context: GATEWAY, listener: {filterChain: {filter: {name: envoy.filters.network.http_connection_manager}}}}
    patch:
      operation: MERGE
      value:
        name: envoy.filters.network.http_connection_manager
        typed_config:
          early_header_mutation_extensions:
          - name: strip
            typed_config: {mutations: [{remove: x-gateway-model-name}, {remove: x-gateway-model-name-rewrite}]}
"""


def insert(anchor: str, name: str, cluster: str, operation: str = "INSERT_BEFORE") -> str:
    """Return a patch that inserts an ext_proc filter."""
    return f"""\
  - applyTo: HTTP_FILTER
    match:
      context: GATEWAY
      listener: {{filterChain: {{filter: {{name: {MANAGER}{f", subFilter: {{name: {anchor}}}" if anchor else ""}}}}}}}
    patch:
      operation: {operation}
      value:
        name: {name}
        typed_config:
          "@type": type.googleapis.com/envoy.extensions.filters.http.ext_proc.v3.ExternalProcessor
          grpc_service: {{envoy_grpc: {{cluster_name: "{cluster}"}}}}
          message_timeout: 1s
          processing_mode: {{request_body_mode: BUFFERED, request_header_mode: SEND}}
"""


def envoy_filter(*patches: str, name: str = "router") -> str:
    """Return an EnvoyFilter on the Gateway `edge`."""
    return f"""\
apiVersion: networking.istio.io/v1alpha3
kind: EnvoyFilter
metadata: {{name: {name}, namespace: prod}}
spec:
  targetRefs: [{{group: gateway.networking.k8s.io, kind: Gateway, name: edge}}]
  configPatches:
{"".join(patches)}"""


STATS = "envoy.filters.http.grpc_stats"
OURS = insert(STATS, "vsr.ext_proc", "outbound|50051||router.router.svc.cluster.local")
FILTER = envoy_filter(REMOVAL, OURS)
ASSUMED = ("Gateway/prod/edge", "Service/router/router")


def route(value: str, *, gateway: str = "edge", kind: str = "Exact") -> str:
    """Return a route of others for a value of the header."""
    return f"""\
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {{name: r-{abs(hash(value)) % 1000}, namespace: prod}}
spec:
  parentRefs: [{{group: gateway.networking.k8s.io, kind: Gateway, name: {gateway}}}]
  rules:
  - matches:
    - path: {{type: PathPrefix, value: /}}
      headers: [{{name: X-Gateway-Model-Name, type: {kind}, value: {value}}}]
    backendRefs: [{{group: "", kind: Service, name: theirs, port: 80, weight: 1}}]
    timeouts: {{request: 300s}}
"""


def l04(*parts: str) -> list[tuple[str, str]]:
    """Return level and message of what the rule about names finds."""
    found = m.found(m.joined(CONFIG, FILTER, *parts), *ASSUMED, "Service/prod/theirs", "Gateway/prod/other")
    return [(item.level.word, item.message) for item in found if item.code == "VSR404"]


def test_routes_that_kserve_creates_are_known() -> None:
    """One for the model of each service, and one for each adapter."""
    assert l04(SERVICES) == [
        ("note", "LLMInferenceService `llm/big` serves `publishers/llm/models/big-1`, which the router never selects")
    ]


def test_a_name_without_a_route_is_an_error_that_lists_the_routes() -> None:
    """It would be answered with 404, or by whatever route takes the rest."""
    (error, *_) = [item for item in l04(SERVICES.replace("name: big-lora", "name: other")) if item[0] == "error"]
    assert error[1] == f"the router can select `big`, but no route matches `{HEADER}: publishers/llm/models/big-lora`"


def test_a_service_without_a_route_has_none() -> None:
    """KServe creates routes only if the service asks for them; other ones are objects of their own."""
    for router in ("{scheduler: {}}", "{route: {http: {refs: [{name: own}]}}}"):
        text = SERVICES.replace("{route: {}, gateway: {}, scheduler: {}}", router, 1)
        assert [level for level, _ in l04(text)].count("error") == 1


def test_a_route_that_a_service_writes_out_counts_as_it_is_written() -> None:
    """A custom route may match any value."""
    spec = (
        "{route: {http: {spec: {rules: [{matches: [{headers: [{name: X-Gateway-Model-Name, "
        "value: publishers/llm/models/small}]}]}]}}}}"
    )
    written = SERVICES.replace("{route: {}, gateway: {}, scheduler: {}}", spec, 1)
    assert "error" not in {level for level, _ in l04(written)}


def test_routes_of_the_gateway_api_are_known_by_their_header_in_any_case() -> None:
    """Names of headers have no case."""
    assert l04(route("publishers/llm/models/small"), route("publishers/llm/models/big-lora")) == []


def test_a_route_on_another_gateway_leads_nowhere() -> None:
    """The router's requests never come there."""
    found = l04(route("publishers/llm/models/small"), route("publishers/llm/models/big-lora", gateway="other"))
    (error,) = [message for level, message in found if level == "error"]
    assert error.endswith("attaches to another Gateway")


def test_a_pattern_may_match_what_no_route_names() -> None:
    """Which values it takes is not computed, so that a missing route is a warning."""
    found = l04(route("publishers/llm/models/small"), route("publishers/.*", kind="RegularExpression"))
    assert [level for level, _ in found] == ["warning"]


def test_without_manifests_of_others_there_is_only_a_note() -> None:
    """The output of the compiler alone has no routes."""
    assert [level for level, _ in l04()] == ["note"]


def test_a_route_of_others_on_a_listener_without_the_filter_is_reported() -> None:
    """There a client's own header would choose the model."""
    own = m.GATEWAY.replace(
        "[{name: http, port: 80, protocol: HTTP}]",
        "[{name: http, port: 80, protocol: HTTP}, {name: more, port: 8080, protocol: HTTP}]",
    )
    filtered = FILTER.replace("listener: {filterChain", "listener: {portNumber: 80, filterChain")
    text = m.joined(CONFIG, filtered, own, route("publishers/llm/models/small"), ROUTER)
    found = [item for item in m.found(text, "Service/prod/theirs") if item.level is Severity.ERROR]
    assert {item.code for item in found} == {"VSR624", "VSR410", "VSR404"}
    assert any("`more`" in item.message and item.code == "VSR624" for item in found)


PICKERS = f"""\
  - applyTo: HTTP_FILTER
    match:
      context: GATEWAY
      listener: {{filterChain: {{filter: {{name: {MANAGER}, subFilter: {{name: envoy.filters.http.ext_proc}}}}}}}}
    patch: {{operation: REMOVE}}
"""
BACK = insert(STATS, "envoy.filters.http.ext_proc", "dummy")
POOL_ROUTE = route("publishers/llm/models/small").replace(
    '{group: "", kind: Service, name: theirs, port: 80, weight: 1}',
    "{group: inference.networking.k8s.io, kind: InferencePool, name: theirs}",
)


@pytest.mark.parametrize(
    ("patches", "late"),
    [
        ((REMOVAL, OURS), True),
        ((REMOVAL, PICKERS, OURS, BACK), False),
        ((REMOVAL, PICKERS, BACK, OURS), True),
        ((REMOVAL, OURS, BACK), True),
    ],
)
def test_the_filter_for_pickers_comes_after_the_router(patches: tuple[str, ...], late: bool) -> None:  # noqa: FBT001
    """It may be taken out and put back behind ours; in another order a picker chooses before the router."""
    text = m.joined(CONFIG, envoy_filter(*patches), m.GATEWAY, POOL_ROUTE, ROUTER)
    found = [item.message for item in m.found(text, "InferencePool/prod/theirs") if item.code == "VSR409"]
    assert any("runs after the endpoint picker" in message for message in found) is late


BBR = "outbound|9004||body-based-router.prod.svc.cluster.local"
"""The body-based router of the inference extension, as its chart calls it."""


@pytest.mark.parametrize(
    ("anchor", "operation", "level", "words"),
    [
        ("", "INSERT_FIRST", Severity.WARNING, "runs before the router, which overwrites the header"),
        ("envoy.filters.http.router", "INSERT_BEFORE", Severity.ERROR, "runs after the router and replaces its choice"),
        ("envoy.filters.http.cors", "INSERT_AFTER", Severity.ERROR, "runs after the router and replaces its choice"),
    ],
)
def test_two_writers_of_the_header_are_reported(anchor: str, operation: str, level: Severity, words: str) -> None:
    """Whoever comes last decides, which must be the router."""
    other = envoy_filter(insert(anchor, "envoy.filters.http.ext_proc.bbr", BBR, operation), name="bbr")
    found = m.found(m.joined(CONFIG, FILTER, other), *ASSUMED, "Service/prod/body-based-router")
    (item,) = [item for item in found if item.code == "VSR409"]
    assert (item.level, words in item.message) == (level, True)


def test_two_writers_on_envoy_gateway_are_reported() -> None:
    """An EnvoyExtensionPolicy runs behind the request buffer, before which ours stands."""
    policy = """\
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: EnvoyExtensionPolicy
metadata: {name: bbr, namespace: prod}
spec:
  targetRefs: [{group: gateway.networking.k8s.io, kind: Gateway, name: edge}]
  extProc: [{backendRefs: [{name: body-based-router, port: 9004}], processingMode: {request: {body: Buffered}}}]
"""
    found = m.found(m.joined(CONFIG, FILTER, policy), *ASSUMED, "Service/prod/body-based-router")
    assert any("replaces its choice" in item.message for item in found if item.code == "VSR409")


def test_a_body_based_router_on_another_gateway_is_no_second_writer() -> None:
    """Each Gateway has its own."""
    other = envoy_filter(insert("", "envoy.filters.http.ext_proc.bbr", BBR, "INSERT_FIRST"), name="bbr")
    other = other.replace("name: edge}", "name: other}")
    found = m.found(m.joined(CONFIG, FILTER, other), *ASSUMED, "Service/prod/body-based-router", "Gateway/prod/other")
    assert [item.message for item in found if item.code == "VSR409"] == []


def test_a_body_based_router_alone_is_what_the_stack_needs() -> None:
    """Without a router of ours its header chooses the route."""
    other = envoy_filter(insert("", "envoy.filters.http.ext_proc.bbr", BBR, "INSERT_FIRST"), name="bbr")
    found = m.found(other, *ASSUMED, "Service/prod/body-based-router")
    assert [item.message for item in found if item.code == "VSR409"] == []
