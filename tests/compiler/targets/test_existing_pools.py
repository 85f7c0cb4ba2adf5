"""InferencePools that others run: routes lead to them, and nothing else is written."""

from __future__ import annotations

import pytest

from support import rendering
from support.common import linked
from vsr_compiler import ir
from vsr_compiler.diagnostics import CompileError
from vsr_compiler.targets import TARGETS

POLICY = """\
apiVersion: vsr.dev/v1alpha1
kind: RoutingPolicy
metadata: {name: pools}
router: {image: "registry.example/vsr-runtime:0.1.0"}
gateway: {name: edge, namespace: ingress}
endpoints:
  dynamo: {pool: {existing: llama-pool, namespace: dynamo}}
  phi: {service: "phi.models:8000"}
models: {llama: {endpoints: dynamo}, phi: {endpoints: phi}}
default: phi
"""
WITH_POOLS = ("gie", "llm-d", "ai-gateway", "production-stack")


def policy(old: str = "", new: str = "") -> ir.Policy:
    """Return the policy with one thing changed."""
    assert old in POLICY
    return linked(POLICY.replace(old, new, 1))


@pytest.mark.parametrize("target", WITH_POOLS)
def test_a_route_leads_to_a_pool_of_others(target: str) -> None:
    """The route names the pool where it is, and neither pool nor picker nor server is written."""
    bodies = [item.body for item in rendering.objects(policy(), target)]
    refs = [
        (ref["name"], ref.get("namespace", body["metadata"]["namespace"]))
        for body in bodies
        for rule in body.get("spec", {}).get("rules", ())
        if isinstance(rule, dict)
        for ref in rule.get("backendRefs", ())
        if ref.get("kind") == "InferencePool"
    ]
    assert refs == [("llama-pool", "dynamo")]
    assert {body["kind"] for body in bodies} & {"InferencePool", "DestinationRule", "ClusterRole"} <= {
        "DestinationRule"
    }
    assert not any("dynamo" in body["metadata"]["name"] for body in bodies if body["kind"] in {"Deployment", "Service"})


@pytest.mark.parametrize("target", ["gie", "llm-d"])
def test_the_router_decides_before_the_picker_of_others(target: str) -> None:
    """Istio has a filter for pickers as soon as a route leads to a pool; ours is inserted before it."""
    (body,) = [item.body for item in rendering.objects(policy(), target) if item.kind == "EnvoyFilter"]
    anchors = {
        patch["match"]["listener"]["filterChain"]["filter"]["subFilter"]["name"]
        for patch in body["spec"]["configPatches"]
        if patch["applyTo"] == "HTTP_FILTER"
    }
    assert anchors == {"envoy.filters.http.ext_proc"}


@pytest.mark.parametrize("target", ["gie", "llm-d"])
def test_a_pool_in_another_namespace_needs_a_grant(target: str) -> None:
    """The grant is for this pool alone."""
    (grant,) = [
        item.body
        for item in rendering.objects(policy(), target)
        if item.kind == "ReferenceGrant" and item.namespace == "dynamo"
    ]
    assert grant["spec"]["to"] == [
        {"group": "inference.networking.k8s.io", "kind": "InferencePool", "name": "llama-pool"}
    ]


def test_the_port_of_a_pool_is_named_where_it_is_known() -> None:
    """Istio ignores it, other gateways may read it."""
    written = policy("namespace: dynamo", "namespace: dynamo, port: 8080")
    (route,) = [item.body for item in rendering.objects(written, "gie") if item.name == "llama"]
    assert route["spec"]["rules"][0]["backendRefs"][0]["port"] == 8080


@pytest.mark.parametrize("target", sorted(set(TARGETS) - set(WITH_POOLS) - {"attach", "agentgateway"}))
def test_a_target_without_pools_refuses_a_pool_of_others(target: str) -> None:
    """It would send requests to a Service that does not exist."""
    with pytest.raises(CompileError) as error:
        rendering.objects(policy(), target)
    assert [item.code for item in error.value.diagnostics if item.code == "VSR360"] == ["VSR360"]


@pytest.mark.parametrize("target", sorted(set(TARGETS) - {"attach"}))
def test_a_target_with_routes_of_its_own_refuses_a_route_of_others(target: str) -> None:
    """Nothing would lead from its Gateway to that route."""
    with pytest.raises(CompileError) as error:
        rendering.objects(policy("pool: {existing: llama-pool, namespace: dynamo}", "route: llama"), target)
    assert "VSR360" in {item.code for item in error.value.diagnostics}


@pytest.mark.parametrize("target", WITH_POOLS)
def test_a_pool_of_others_is_the_only_endpoint_of_its_model(target: str) -> None:
    """Gateways ask one picker per rule."""
    with pytest.raises(CompileError) as error:
        rendering.objects(policy("{endpoints: dynamo}", "{endpoints: [dynamo, phi]}"), target)
    assert "VSR312" in {item.code for item in error.value.diagnostics}


@pytest.mark.parametrize("target", WITH_POOLS)
def test_what_a_pool_of_others_needs_is_named_before_the_first_apply(target: str) -> None:
    """Its name and namespace are in the note."""
    notes = [item.message for item in rendering.notices(policy(), target) if item.code == "VSR315"]
    assert any("`llama-pool` in dynamo" in note for note in notes)


@pytest.mark.parametrize(
    "words",
    [
        "pool: {existing: a, failureMode: FailOpen}",
        "pool: {existing: a, picker: {replicas: 2}}",
        "pool: {namespace: dynamo}, vllm: {}",
        "pool: {existing: a}, vllm: {}",
        "pool: {existing: a}, route: b",
        "pool: {}",
        "route: ''",
        "route: b, vllm: {}",
    ],
)
def test_an_endpoint_is_either_ours_or_of_others(words: str) -> None:
    """What would not count for a pool of others is refused."""
    with pytest.raises(CompileError) as error:
        policy("pool: {existing: llama-pool, namespace: dynamo}", words)
    assert {item.code for item in error.value.diagnostics} <= {"VSR104", "VSR103", "VSR101"}
