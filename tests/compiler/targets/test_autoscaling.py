"""The components that scale the router and model servers."""

from __future__ import annotations

from typing import Any

import pytest

from support import rendering
from support.common import linked
from vsr_compiler import ir
from vsr_compiler.manifests.objects import Body

POLICY = """\
apiVersion: vsr.dev/v1alpha1
kind: RoutingPolicy
metadata: {name: scaled}
router: {image: "registry.example/vsr-runtime:0.1.0", namespace: routers, %s}
endpoints: {one: {vllm: {autoscaling: {max: 4, scaleDownAfter: 90s, prometheus: "http://p:9090"}}}}
models: {big: {checkpoint: example/big, endpoints: one}}
default: big
"""
ON_GPU = f"""\
classifiers: {{a: {{task: jailbreak, checkpoint: {{repo: a/b, revision: "{"0" * 40}"}}, device: cuda}}}}
guards: {{g: {{detector: a, action: block}}}}
"""
HEAD = (
    'classifiers: {a: {task: jailbreak, head: compiled, examples: {attack: ["builtin:injection@1"], other: [a, b]}}}\n'
)
HEAD += "guards: {g: {detector: a, action: flag}}\n"
PROMETHEUS = 'autoscaling: {min: 2, max: 6, prometheus: "http://p:9090", %s}'


def policy(scaling: str, more: str = "") -> ir.Policy:
    """Return a policy whose router is scaled."""
    return linked(POLICY % scaling + more)


def scaled(scaling: str, more: str = "", target: str = "istio", name: str = "semantic-router") -> dict[str, Any]:
    """Return the specs of what scales something, by component."""
    return {
        component.name: item.body["spec"]
        for component in rendering.components(policy(scaling, more), target)
        for item in component.objects
        if item.name == name and item.kind in {"HorizontalPodAutoscaler", "ScaledObject"}
    }


@pytest.mark.parametrize("target", ["istio", "gie", "llm-d", "envoy-gateway", "ai-gateway", "production-stack"])
def test_keda_scales_the_router_by_cpu_where_the_policy_names_prometheus(target: str) -> None:
    """And no other component is needed for it."""
    spec = scaled(PROMETHEUS % "", target=target)["autoscaling-keda"]
    assert (spec["minReplicaCount"], spec["maxReplicaCount"]) == (2, 6)
    assert spec["triggers"] == [{"type": "cpu", "metricType": "Utilization", "metadata": {"value": "70"}}]
    assert spec["scaleTargetRef"] == {"apiVersion": "apps/v1", "kind": "Deployment", "name": "semantic-router"}


def test_keda_scales_a_router_with_an_engine_by_its_queue_too() -> None:
    """Of its own pods, by what Prometheus adds to their metrics; KEDA follows whichever asks for more."""
    cpu, queue = scaled(PROMETHEUS % "queue: 10", HEAD)["autoscaling-keda"]["triggers"]
    assert cpu["type"] == "cpu"
    assert queue["metadata"] == {
        "serverAddress": "http://p:9090",
        "query": 'sum(vsr_engine_waiting_tokens{namespace="routers",service="semantic-router-http"})',
        "threshold": "5120",
    }


def test_on_a_gpu_the_queue_alone_shows_the_load() -> None:
    """CPU says nothing then; one full batch of each pod waits unless the policy says more."""
    found = scaled("gpus: 1, " + PROMETHEUS % "", ON_GPU)
    (trigger,) = found["autoscaling-keda"]["triggers"]
    assert trigger["metadata"]["threshold"] == "16384"
    (metric,) = found["autoscaling"]["metrics"]
    assert metric["pods"]["target"]["averageValue"] == "16384"
    (metric,) = scaled("gpus: 1, " + PROMETHEUS % "queue: 8", ON_GPU)["autoscaling"]["metrics"]
    assert metric["pods"]["target"]["averageValue"] == "32768"


def test_pods_are_removed_after_the_time_that_the_policy_sets() -> None:
    """In both components, of the router and of servers; nothing is written if the policy sets none."""
    found = scaled(PROMETHEUS % "scaleDownAfter: 10m")
    behaviour: Body = {"scaleDown": {"stabilizationWindowSeconds": 600}}
    assert found["autoscaling"]["behavior"] == behaviour
    assert found["autoscaling-keda"]["advanced"] == {"horizontalPodAutoscalerConfig": {"behavior": behaviour}}
    plain = scaled(PROMETHEUS % "")
    assert not {"behavior", "advanced"} & (plain["autoscaling"].keys() | plain["autoscaling-keda"].keys())
    server = scaled(PROMETHEUS % "", name="one")
    assert server["autoscaling"]["behavior"]["scaleDown"]["stabilizationWindowSeconds"] == 90


def test_the_chart_of_the_stack_gets_the_time_as_well() -> None:
    """It passes KEDA's advanced settings on (helm/templates/scaledobject-vllm.yaml of 0.1.11 and 0.1.12)."""
    chart = next(
        item.body
        for item in rendering.values(policy(PROMETHEUS % ""), "production-stack")
        if item.chart == "vllm-stack"
    )
    keda = chart["servingEngineSpec"]["modelSpec"][0]["keda"]
    config = keda["advanced"]["horizontalPodAutoscalerConfig"]
    assert config["behavior"]["scaleDown"]["stabilizationWindowSeconds"] == 90


def test_what_is_scaled_has_no_fixed_number_of_replicas() -> None:
    """Each component removes it from each of its targets, and from nothing else."""
    for component in rendering.components(policy(PROMETHEUS % ""), "istio"):
        scalers = [item for item in component.objects if "scaleTargetRef" in item.body.get("spec", {})]
        targets = {(item.body["spec"]["scaleTargetRef"]["kind"], item.name, item.namespace) for item in scalers}
        patches = {
            (each["target"]["kind"], each["target"]["name"], each["target"]["namespace"]) for each in component.patches
        }
        assert targets == patches, component.name


def test_without_prometheus_no_component_of_keda_scales_the_router() -> None:
    """As before."""
    assert "autoscaling-keda" not in scaled("autoscaling: {max: 6}")
