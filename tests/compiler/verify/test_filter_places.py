"""L09 about the place of the router's filter: behind authentication, before what reads its decision."""

from __future__ import annotations

import pytest

import support.verify_support as m
from vsr_compiler.diagnostics import Severity

FIRST = "operation: INSERT_FIRST"
HERE = "match: {context: GATEWAY}\n    patch:\n      operation: INSERT_FIRST"
INDEX = "path: /default_filter_chain/filters/0/typed_config/http_filters/0"
MANAGERS = "$..filters[?(@.name=='envoy.filters.network.http_connection_manager')]"
JWT = """\
apiVersion: security.istio.io/v1
kind: RequestAuthentication
metadata: {name: jwt, namespace: prod}
spec: {jwtRules: []}
"""
BUFFER = """\
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: BackendTrafficPolicy
metadata: {name: edge, namespace: prod}
spec:
  targetRefs: [{group: gateway.networking.k8s.io, kind: Gateway, name: edge}]
  requestBuffer: {limit: 8Mi}
"""
SECURITY = """\
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: SecurityPolicy
metadata: {name: s, namespace: prod}
spec:
  targetRefs: [{group: gateway.networking.k8s.io, kind: Gateway, name: edge}]
  jwt: {providers: [{name: me, remoteJWKS: {uri: "https://a.example/jwks"}}]}
"""


def before(name: str) -> str:
    """A patch that inserts before a filter of Istio's."""
    sub = f"match: {{context: GATEWAY, listener: {{filterChain: {{filter: {{subFilter: {{name: {name}}}}}}}}}}}"
    return f"{sub}\n    patch:\n      operation: INSERT_BEFORE"


def places(*documents: str) -> list[tuple[Severity, str]]:
    """What L09 reports."""
    return [(item.level, item.message) for item in m.found(m.joined(*documents)) if item.code == "VSR409"]


@pytest.mark.parametrize(
    ("stream", "anchor"),
    [(m.ISTIO, "envoy.filters.http.grpc_stats"), (m.POOLED, "envoy.filters.http.ext_proc")],
    ids=["services", "pools"],
)
def test_the_place_behind_authentication_is_accepted_on_istio(stream: list[str], anchor: str) -> None:
    """Before grpc_stats, or before the picker if there are pools; with authentication as well."""
    documents = [item.replace(HERE, before(anchor)) for item in stream]
    assert documents != stream
    assert places(*documents) == []
    assert places(*documents, JWT) == []


@pytest.mark.parametrize("place", [HERE, before("envoy.filters.http.jwt_authn")], ids=["first", "before JWT"])
def test_a_router_before_authentication_is_reported_on_istio(place: str) -> None:
    """A warning, and an error if there is authentication that it precedes."""
    documents = [item.replace(HERE, place) for item in m.ISTIO]
    assert [level for level, _ in places(*documents)] == []
    ((level, message),) = places(*documents, JWT)
    assert level is Severity.ERROR
    assert "before authentication" in message


def test_the_pickers_filter_is_no_anchor_without_pools() -> None:
    """Istio would insert nothing."""
    documents = [item.replace(HERE, before("envoy.filters.http.ext_proc")) for item in m.ISTIO]
    ((_, message),) = places(*documents)
    assert "only while a route has a pool" in message


@pytest.mark.parametrize("stream", [m.ENVOY, m.AI], ids=["envoy-gateway", "ai-gateway"])
def test_the_place_before_the_request_buffer_is_accepted(stream: list[str]) -> None:
    """In every filter chain, by a jsonPath."""
    anchor = f"{MANAGERS}.typed_config.http_filters[?(@.name=='envoy.filters.http.buffer')]"
    documents = [item.replace(INDEX, f'jsonPath: "{anchor}"') for item in stream]
    assert documents != stream
    assert places(*documents, BUFFER) == []


@pytest.mark.parametrize(
    "place",
    [INDEX, f"jsonPath: \"{MANAGERS}.typed_config.http_filters[?(@.name=='envoy.filters.http.ext_authz')]\""],
    ids=["index 0", "before extAuth"],
)
def test_a_router_before_authentication_is_reported_on_envoy_gateway(place: str) -> None:
    """Index 0 was what this rule asked for."""
    documents = [item.replace(INDEX, place) for item in m.ENVOY]
    assert [level for level, _ in places(*documents)] == []
    assert [level for level, _ in places(*documents, SECURITY)] == [Severity.ERROR]
