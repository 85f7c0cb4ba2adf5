"""Where the router's filters are inserted, by target and release, and what routes and Gateways need for that."""

from __future__ import annotations

from typing import Any

import pytest

from support import rendering
from support.cases import policy_of
from support.common import linked
from vsr_compiler import ir
from vsr_compiler.releases import filter_order
from vsr_compiler.targets.common.extproc import FILTER_NAME, MARK_NAME
from vsr_schemas.headers import DECIDED, DECIDED_VALUE, SELECTED_MODEL, STRIPPED

Body = dict[str, Any]
POOLS = """\
apiVersion: vsr.dev/v1alpha1
kind: RoutingPolicy
metadata: {name: pooled}
router: {image: "vsr-runtime:0.1.0", namespace: routers}
endpoints:
  alpha: {vllm: {namespace: serving, gpus: 1}}
  outside: {external: {url: "https://api.example.com/v1", apiKey: {secret: provider, key: token}}}
models:
  alpha-8b: {checkpoint: example/alpha, endpoints: [alpha]}
  large: {providerModel: large-2, endpoints: [outside]}
default: alpha-8b
"""
NO_POOLS = (
    POOLS.replace("  alpha-8b: {checkpoint: example/alpha, endpoints: [alpha]}\n", "")
    .replace("default: alpha-8b", "default: large")
    .replace("{vllm: {namespace: serving, gpus: 1}}", "{pods: {selector: {app: alpha}}}")
)
ROUTER = "routers/semantic-router.routers.svc.cluster.local"
PICKER = "serving/alpha-epp.serving.svc.cluster.local"


def bodies(policy: ir.Policy, target: str, kind: str) -> list[Body]:
    """The objects of a kind."""
    return [item.body for item in rendering.objects(policy, target) if item.kind == kind]


def inserted(envoy_filter: Body) -> list[tuple[str, str, str]]:
    """The filters of an EnvoyFilter with their operation and anchor."""
    return [
        (
            patch["patch"]["value"]["name"],
            patch["patch"]["operation"],
            patch["match"]["listener"]["filterChain"]["filter"]["subFilter"]["name"],
        )
        for patch in envoy_filter["spec"]["configPatches"]
        if patch["applyTo"] == "HTTP_FILTER"
    ]


@pytest.mark.parametrize(
    ("target", "text", "anchor"),
    [
        ("istio", POOLS, filter_order.ISTIO_ANCHOR),
        ("gie", POOLS, filter_order.PICKER),
        ("llm-d", POOLS, filter_order.PICKER),
        ("gie", NO_POOLS, filter_order.ISTIO_ANCHOR),
        ("llm-d", NO_POOLS, filter_order.ISTIO_ANCHOR),
    ],
)
def test_istio_inserts_behind_authentication_and_before_the_picker(target: str, text: str, anchor: str) -> None:
    """A gateway has the picker's filter only while a route has a pool: a pool that no model uses is no anchor."""
    (envoy_filter,) = bodies(linked(text), target, "EnvoyFilter")
    assert inserted(envoy_filter) == [(name, "INSERT_BEFORE", anchor) for name in (MARK_NAME, FILTER_NAME)]
    order = filter_order.ISTIO
    judges = [order.index(f"{filter_order.HTTP}{name}") for name in ("ext_authz", "jwt_authn", "rbac")]
    assert max(judges) < order.index(anchor) < order.index(f"{filter_order.HTTP}router")


@pytest.mark.parametrize(
    ("target", "text", "services"),
    [
        ("istio", POOLS, ROUTER),
        ("gie", POOLS, f"{ROUTER},{PICKER}"),
        ("llm-d", POOLS, f"{ROUTER},{PICKER}"),
        ("gie", NO_POOLS, ROUTER),
    ],
)
def test_a_gateway_with_filtered_clusters_gets_those_of_router_and_pickers(
    target: str, text: str, services: str
) -> None:
    """With PILOT_FILTER_GATEWAY_CLUSTER_CONFIG=true Istio sends no cluster that neither a route nor this names."""
    (envoy_filter,) = bodies(linked(text), target, "EnvoyFilter")
    assert envoy_filter["metadata"]["annotations"] == {"envoyfilter.istio.io/referenced-services": services}


def test_every_virtual_host_of_istio_has_a_route_on_arrival() -> None:
    """Envoy skips ext_authz for a request without a route; the last route has no conditions and leads nowhere."""
    (envoy_filter,) = bodies(linked(POOLS), "istio", "EnvoyFilter")
    (patch,) = [patch for patch in envoy_filter["spec"]["configPatches"] if patch["applyTo"] == "HTTP_ROUTE"]
    assert patch["match"] == {"context": "GATEWAY"}
    assert patch["patch"]["operation"] == "ADD"
    assert patch["patch"]["value"]["match"] == {"prefix": "/"}
    assert patch["patch"]["value"]["direct_response"]["status"] == 404
    assert "route" not in patch["patch"]["value"]


@pytest.mark.parametrize("profile", ["seed", "current"])
@pytest.mark.parametrize("target", ["envoy-gateway", "ai-gateway"])
def test_envoy_gateway_inserts_before_the_buffer_in_every_filter_chain(target: str, profile: str) -> None:
    """The buffer of the Gateway, which is as large as the router's limit, brings the filter before which we are."""
    policy = policy_of("external", profile)
    (patch_policy,) = bodies(policy, target, "EnvoyPatchPolicy")
    listeners = [patch for patch in patch_policy["spec"]["jsonPatches"] if patch["type"].endswith("v3.Listener")]
    assert [patch["operation"]["value"]["name"] for patch in listeners] == [MARK_NAME, FILTER_NAME]
    for patch in listeners:
        assert "path" not in patch["operation"]
        assert patch["operation"]["jsonPath"].startswith("$..filters[")
        assert patch["operation"]["jsonPath"].endswith(
            f"http_filters[?(@.name=='{filter_order.ENVOY_GATEWAY_ANCHOR}')]"
        )
    (buffer,) = bodies(policy, target, "BackendTrafficPolicy")
    (reference,) = buffer["spec"]["targetRefs"]
    assert (reference["kind"], reference["name"]) == ("Gateway", policy.gateway.name)
    (client,) = bodies(policy, target, "ClientTrafficPolicy")
    assert buffer["spec"]["requestBuffer"]["limit"] == client["spec"]["connection"]["bufferLimit"]


def test_envoy_gateway_has_one_route_without_conditions_and_it_reaches_no_model() -> None:
    """AI Gateway has its own; a second one would hide it."""
    policy = policy_of("external", "current")
    free = [
        body
        for body in bodies(policy, "envoy-gateway", "HTTPRoute")
        if not any(match.get("headers") for rule in body["spec"]["rules"] for match in rule["matches"])
    ]
    (route,) = free
    (rule,) = route["spec"]["rules"]
    assert "backendRefs" not in rule
    assert rule["matches"] == [{"path": {"type": "PathPrefix", "value": "/"}}]
    (reply,) = bodies(policy, "envoy-gateway", "HTTPRouteFilter")
    assert rule["filters"][0]["extensionRef"]["name"] == reply["metadata"]["name"]
    assert reply["spec"]["directResponse"]["statusCode"] == 404
    assert bodies(policy, "ai-gateway", "HTTPRouteFilter") == []


@pytest.mark.parametrize("target", ["istio", "gie", "envoy-gateway", "ai-gateway"])
def test_routes_require_what_no_client_can_send(target: str) -> None:
    """Besides the router's header, that of the filter before it; both are removed from clients' requests as well."""
    policy = policy_of("external", "current")
    rules = [
        rule
        for kind in ("HTTPRoute", "AIGatewayRoute")
        for body in bodies(policy, target, kind)
        for rule in body["spec"]["rules"]
        if "backendRefs" in rule
    ]
    assert rules
    for rule in rules:
        (match,) = rule["matches"]
        headers = {header["name"]: header["value"] for header in match["headers"]}
        assert headers[DECIDED] == DECIDED_VALUE
        assert SELECTED_MODEL in headers
    assert {DECIDED, SELECTED_MODEL} <= set(STRIPPED)
