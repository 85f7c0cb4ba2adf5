"""Authentication on Envoy Gateway holds if the route that a request matches on its arrival carries it."""

from __future__ import annotations

import pytest

import support.verify_support as m

FIXED = "path: /default_filter_chain/filters/0/typed_config/http_filters/0"
BEFORE = "jsonPath: $..http_filters[?(@.name=='envoy.filters.http.%s')]"
FIRST, BUFFER, ROUTER = FIXED, BEFORE % "buffer", BEFORE % "router"
CATCH_ALL = """\
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: no-model, namespace: prod}
spec:
  parentRefs: [{group: gateway.networking.k8s.io, kind: Gateway, name: edge}]
  rules: [{matches: [{path: {type: PathPrefix, value: /}}]}]
"""
JWT = "jwt: {providers: [{name: me}]}"
EXT, BASIC, KEY, OIDC = (
    "extAuth: {http: {}}",
    "basicAuth: {users: {name: u}}",
    "apiKeyAuth: {extractFrom: []}",
    "oidc: {clientID: a}",
)
IPS = "authorization: {defaultAction: Deny, rules: [{action: Allow, principal: {clientCIDRs: [10.0.0.0/8]}}]}"
CORS = "cors: {allowOrigins: ['*']}"
REQUEST_BUFFER = """\
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: BackendTrafficPolicy
metadata: {name: buffer, namespace: prod}
spec:
  targetRefs: [{group: gateway.networking.k8s.io, kind: Gateway, name: edge}]
  requestBuffer: {limit: 8Mi}
"""
SECOND_AI = m.AI_ROUTE.replace("name: big, namespace: prod", "name: far, namespace: prod").replace(
    "value: big", "value: far"
)


def security(
    settings: str, kind: str = "Gateway", name: str = "edge", more: str = "", of: str = "SecurityPolicy"
) -> str:
    """A policy for a Gateway or route."""
    return f"""\
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: {of}
metadata: {{name: {of.lower()}-{kind.lower()}-{name}, namespace: prod}}
spec:
  targetRefs: [{{group: gateway.networking.k8s.io, kind: {kind}, name: {name}{more}}}]
  {settings}
"""


def envoy(place: str, *more: str) -> str:
    """The router's filter at a place of Envoy Gateway's chain, with further objects."""
    return m.joined(m.joined(*m.ENVOY).replace(FIXED, place), *more)


def ai(place: str, *more: str) -> str:
    """The same behind AI Gateway, with two routes."""
    header = "{name: x-selected-model, type: Exact, value: big}"
    text = m.joined(*m.AI, SECOND_AI).replace("{name: x-ai-eg-model, type: Exact, value: big}", header)
    return m.joined(text.replace(FIXED, place), *more)


def holes(text: str) -> list[str]:
    """The messages of the rule."""
    return [item.message for item in m.found(text) if item.code == "VSR625"]


@pytest.mark.parametrize("setting", [EXT, BASIC, KEY, OIDC])
@pytest.mark.parametrize(("kind", "name"), [("Gateway", "edge"), ("HTTPRoute", "big")])
def test_filters_that_routes_enable_never_run_without_a_route_on_arrival(setting: str, kind: str, name: str) -> None:
    """All routes match a header that is not there yet."""
    policy = security(setting, kind, name)
    for place in (FIRST, BUFFER, ROUTER):
        (found,) = holes(envoy(place, policy))
        assert "does not run for requests to HTTPRoute `prod/big`: no route matches before" in found


@pytest.mark.parametrize(("kind", "name"), [("Gateway", "edge"), ("HTTPRoute", "big")])
def test_filters_before_the_router_need_a_route_on_arrival(kind: str, name: str) -> None:
    """Tokens are checked before the decision, if the router's filter is behind authentication."""
    assert len(holes(envoy(BUFFER, security(JWT, kind, name)))) == 1
    assert len(holes(envoy(ROUTER, security(JWT, kind, name)))) == 1
    assert holes(envoy(FIRST, security(JWT, kind, name))) == []


def test_authorization_and_limits_behind_the_router_see_its_decision() -> None:
    """Before Envoy's router filter they would have run already."""
    limit = "rateLimit: {local: {rules: [{limit: {requests: 2, unit: Hour}}]}}"
    for policy in (
        security(IPS, "HTTPRoute", "big"),
        security(limit, "HTTPRoute", "big", of="BackendTrafficPolicy"),
    ):
        assert holes(envoy(BUFFER, policy)) == []
        assert len(holes(envoy(ROUTER, policy))) == 1
        assert len(holes(envoy(ROUTER, CATCH_ALL, policy))) == 1


@pytest.mark.parametrize("setting", [JWT, EXT, BASIC, KEY, OIDC])
def test_authentication_on_the_gateway_with_a_catch_all_holds(setting: str) -> None:
    """Every request is authenticated before the router decides."""
    assert holes(envoy(BUFFER, CATCH_ALL, security(setting))) == []
    merged = f"{CORS}\n  mergeType: StrategicMerge"
    assert holes(envoy(BUFFER, CATCH_ALL, security(setting), security(merged, "HTTPRoute", "no-model"))) == []


@pytest.mark.parametrize("setting", [JWT, EXT, BASIC])
@pytest.mark.parametrize("section", ["", ", sectionName: one"])
def test_authentication_only_on_a_models_route_is_reported(setting: str, section: str) -> None:
    """It has run on the catch-all, which does not carry it."""
    text = envoy(BUFFER, CATCH_ALL, security(setting, "HTTPRoute", "big", section))
    text = text.replace("  - matches:\n    - path", "  - name: one\n    matches:\n    - path", 1)
    (found,) = holes(text)
    assert "HTTPRoute `prod/no-model` matches before the router has chosen a model, and does not have it" in found


def test_the_same_authentication_on_the_catch_all_holds() -> None:
    """Another one does not."""
    on_route, on_catch_all = security(EXT, "HTTPRoute", "big"), security(EXT, "HTTPRoute", "no-model")
    assert holes(envoy(BUFFER, CATCH_ALL, on_route, on_catch_all)) == []
    assert len(holes(envoy(BUFFER, CATCH_ALL, on_route, on_catch_all.replace("http: {}", "grpc: {}")))) == 1


def test_policy_on_the_catch_all_that_replaces_the_gateways_is_reported() -> None:
    """A policy replaces its parent as a whole."""
    on_catch_all = security(CORS, "HTTPRoute", "no-model")
    (found,) = holes(envoy(BUFFER, CATCH_ALL, security(JWT), on_catch_all))
    assert "replaces SecurityPolicy `prod/securitypolicy-gateway-edge` on HTTPRoute `prod/no-model`" in found
    repeated = on_catch_all.replace(CORS, f"{CORS}\n  {JWT}")
    assert holes(envoy(BUFFER, CATCH_ALL, security(JWT), repeated)) == []
    assert holes(envoy(BUFFER, CATCH_ALL, security(JWT), security(CORS, "HTTPRoute", "big"))) == []


def test_catch_all_must_have_the_hostnames_of_the_models_routes() -> None:
    """Envoy chooses the virtual host by the hostname alone."""
    hosts = "spec:\n  hostnames: [llm.example.org]\n  parentRefs: [{"
    text = envoy(BUFFER, CATCH_ALL, security(EXT))
    assert holes(text) == []
    model = text.replace("spec:\n  parentRefs: [{", hosts, 1)
    assert len(holes(model)) == 1
    assert holes(text.replace("spec:\n  parentRefs: [{", hosts)) == []


@pytest.mark.parametrize(
    "match",
    [
        "{path: {type: PathPrefix, value: /docs}}",
        "{path: {type: PathPrefix, value: /}, method: GET}",
        "{path: {type: PathPrefix, value: /}, queryParams: [{name: a, value: b}]}",
        "{path: {type: Exact, value: /}}",
    ],
)
def test_route_for_some_requests_is_no_catch_all(match: str) -> None:
    """Other requests match no route on their arrival."""
    narrow = CATCH_ALL.replace("{path: {type: PathPrefix, value: /}}", match)
    assert len(holes(envoy(BUFFER, narrow, security(EXT)))) == 1


def test_ai_gateways_own_rule_is_the_catch_all() -> None:
    """So authentication on the Gateway holds, and on a generated route only if all routes carry it."""
    assert holes(ai(BUFFER, security(JWT), security(EXT, more=", sectionName: http"))) == []
    (found,) = holes(ai(BUFFER, security(EXT, "HTTPRoute", "big")))
    assert "AIGatewayRoute `prod/far` matches before the router has chosen a model" in found
    assert holes(ai(BUFFER, security(EXT, "HTTPRoute", "big"), security(EXT, "HTTPRoute", "far"))) == []
    (replaced,) = holes(ai(BUFFER, security(JWT), security(CORS, "HTTPRoute", "far")))
    assert "on AIGatewayRoute `prod/far`" in replaced


def test_other_filters_that_routes_enable_are_reported() -> None:
    """Lua and Wasm of an EnvoyExtensionPolicy; the router's own filter is another rule's."""
    lua = "lua: [{type: Inline, inline: ''}]"
    policy = security(lua, "HTTPRoute", "big", of="EnvoyExtensionPolicy")
    assert len(holes(envoy(BUFFER, policy))) == 1
    assert len(holes(envoy(BUFFER, CATCH_ALL, policy))) == 1
    assert holes(envoy(BUFFER, CATCH_ALL, security(lua, of="EnvoyExtensionPolicy"))) == []


def test_policy_for_routes_that_no_router_decides_is_not_reported() -> None:
    """An ordinary route of the same Gateway, another Gateway, and a Gateway without a router."""
    other = CATCH_ALL.replace("name: no-model", "name: docs").replace("value: /}", "value: /docs}")
    assert holes(envoy(BUFFER, other, security(EXT, "HTTPRoute", "docs"))) == []
    assert holes(envoy(BUFFER, security(EXT, name="shop"))) == []
    plain = [m.EG_GATEWAY, m.ROUTE.replace("x-selected-model", "x-tenant"), m.SERVICE, m.SERVER, security(EXT)]
    assert holes(m.joined(*plain)) == []
    assert holes(m.joined(*plain, security(JWT, "HTTPRoute", "big"))) == []


def test_policy_without_settings_of_authentication_is_not_reported() -> None:
    """CORS alone protects nothing."""
    assert holes(envoy(FIRST, security(CORS))) == []
    assert holes(envoy(BUFFER, CATCH_ALL, security(CORS), security(CORS, "HTTPRoute", "no-model"))) == []


def test_a_hole_is_reported_once_for_several_listeners() -> None:
    """At the policy."""
    listeners = "{name: http, port: 80, protocol: HTTP}"
    text = envoy(BUFFER, security(EXT)).replace(listeners, f"{listeners}, {{name: b, port: 80, protocol: HTTP}}")
    assert len(holes(text)) == 1


def misplaced(text: str) -> list[str]:
    """The messages about the request buffer, before whose filter the router's is inserted."""
    return [item.message for item in m.found(text) if item.code == "VSR409" and "requestBuffer" in item.message]


def limited(kind: str = "Gateway", name: str = "edge", more: str = "", settings: str = "retry: {}") -> str:
    """A BackendTrafficPolicy without a request buffer."""
    return security(settings, kind, name, more, "BackendTrafficPolicy")


def test_patch_before_the_request_buffer_needs_one() -> None:
    """Without it the filter is not there, so the patch inserts nothing."""
    (found,) = misplaced(envoy(BUFFER, CATCH_ALL))
    assert "which no policy sets" in found
    assert misplaced(envoy(BUFFER, CATCH_ALL, REQUEST_BUFFER)) == []
    assert misplaced(envoy(FIRST, CATCH_ALL)) == []
    assert misplaced(envoy(BUFFER, CATCH_ALL, REQUEST_BUFFER.replace("name: edge", "name: other"))) != []
    assert misplaced(ai(BUFFER, REQUEST_BUFFER)) == []
    assert len(misplaced(ai(BUFFER))) == 1


def test_policy_that_takes_the_request_buffer_away_is_reported() -> None:
    """For the listener as a whole, or for the Gateway, where the older policy applies."""
    (on_listener,) = misplaced(envoy(BUFFER, CATCH_ALL, REQUEST_BUFFER, limited(more=", sectionName: http")))
    assert "BackendTrafficPolicy `prod/backendtrafficpolicy-gateway-edge` applies instead" in on_listener
    assert len(misplaced(envoy(BUFFER, CATCH_ALL, REQUEST_BUFFER, limited()))) == 1
    assert misplaced(envoy(BUFFER, CATCH_ALL, REQUEST_BUFFER, limited(more=", sectionName: other"))) == []
    every_route = [limited("HTTPRoute", "big"), limited("HTTPRoute", "no-model")]
    assert len(misplaced(envoy(BUFFER, CATCH_ALL, REQUEST_BUFFER, *every_route))) == 1


def test_policy_of_one_route_leaves_the_request_buffer_to_the_others() -> None:
    """The filter chain has it as long as a route needs it; a merged policy keeps it."""
    assert misplaced(envoy(BUFFER, CATCH_ALL, REQUEST_BUFFER, limited("HTTPRoute", "big"))) == []
    merged = limited("HTTPRoute", "big", settings="mergeType: StrategicMerge")
    assert misplaced(envoy(BUFFER, REQUEST_BUFFER, merged)) == []
    assert len(misplaced(envoy(BUFFER, REQUEST_BUFFER, limited("HTTPRoute", "big")))) == 1


ISTIO_POLICY = """\
apiVersion: security.istio.io/v1
kind: KIND
metadata: {name: users, namespace: prod}
spec: {SPEC}
"""
TARGET = "targetRefs: [{group: gateway.networking.k8s.io, kind: Gateway, name: %s}]"


def too_early(text: str) -> list[str]:
    """The messages about a filter before authentication, by the object that authenticates."""
    found = [item for item in m.found(text) if item.code == "VSR409" and item.level.word == "error"]
    return [item.message for item in found if "before authentication" in item.message]


@pytest.mark.parametrize("kind", ["RequestAuthentication", "AuthorizationPolicy"])
@pytest.mark.parametrize(
    ("spec", "applies"),
    [
        (TARGET % "edge", True),
        ("selector: {matchLabels: {gateway.networking.k8s.io/gateway-name: edge}}", True),
        ("action: ALLOW", True),
        (TARGET % "other", False),
        ("selector: {matchLabels: {gateway.networking.k8s.io/gateway-name: other}}", False),
    ],
)
def test_filter_before_istios_authentication_is_reported(kind: str, spec: str, *, applies: bool) -> None:
    """If an object of Istio authenticates at the Gateway."""
    policy = ISTIO_POLICY.replace("KIND", kind).replace("SPEC", spec)
    assert bool(too_early(m.joined(*m.ISTIO, policy))) == applies
    behind = m.joined(*m.ISTIO, policy).replace(
        "GATEWAY}\n    patch:\n      operation: INSERT_FIRST",
        """GATEWAY, listener: {filterChain: {filter: {subFilter: {name: envoy.filters.http.grpc_stats}}}}}
    patch:\n      operation: INSERT_BEFORE""",
    )
    assert "INSERT_BEFORE" in behind
    assert too_early(behind) == []
    assert bool(too_early(behind.replace("grpc_stats", "jwt_authn"))) == applies


def test_filter_at_index_0_before_a_security_policy_is_reported() -> None:
    """Behind authentication, or without any, it is not."""
    assert len(too_early(envoy(FIRST, CATCH_ALL, security(JWT)))) == 1
    assert len(too_early(envoy(BEFORE % "ext_authz", CATCH_ALL, security(JWT)))) == 1
    assert len(too_early(ai(FIRST, security(EXT, "HTTPRoute", "big")))) == 1
    assert too_early(envoy(BUFFER, CATCH_ALL, security(JWT))) == []
    assert too_early(envoy(FIRST, CATCH_ALL, security(CORS), security(JWT, name="other"))) == []
