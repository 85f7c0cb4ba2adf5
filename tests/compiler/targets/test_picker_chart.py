"""`picker-by-helm`: what the chart of llm-d's router makes of our values is the picker that the base would have."""

from __future__ import annotations

import pytest

from support import rendering
from support.common import SMALL, linked
from vsr_compiler import ir
from vsr_compiler.manifests.objects import Body, Object
from vsr_compiler.targets.common.helm import Values
from vsr_compiler.targets.common.picker_chart import CHART, MAX_NAME

PODS = "two: {pods: {selector: {app: two}, port: 8001}}"
PICKER = "picker: {replicas: 2, env: {A: b}, tolerations: [{key: x, operator: Exists}]}"
POOLED = SMALL.replace("two: {service: {name: two, port: 8000}}", PODS)
POOLED = POOLED.replace("one: {vllm: {}}", f"one: {{vllm: {{}}, pool: {{{PICKER}}}}}")
TARGET = "llm-d"


def policy(text: str = POOLED) -> ir.Policy:
    """A policy with two pools."""
    return linked(text + 'gateway: {versions: {llm-d-router: "0.10.0"}}\n')


def values_of(item: ir.Policy) -> dict[str, Values]:
    """The values of each release."""
    return {values.release: values for values in rendering.values(item, TARGET) if values.chart == CHART}


def found(objects: list[Object], kind: str, name: str) -> Body:
    """The body of a pool, or of an object of its picker."""
    begin = name if kind == "InferencePool" else f"{name}-epp"
    (body,) = [item.body for item in objects if item.kind == kind and item.name.startswith(begin)]
    return body


def chart_arguments(release: str, namespace: str, values: Body) -> dict[str, str]:
    """The arguments of routerlib's template `_deployment.yaml` at v0.10.0, and the picker's defaults."""
    epp, router = values["router"]["epp"], values["router"]
    arguments = {
        "pool-name": release,
        "pool-namespace": namespace,
        "zap-encoder": "json",
        "config-file": f"/config/{epp['pluginsConfigFile']}",
        "grpc-health-port": "9003",
        **epp["flags"],
        "tracing": "true" if router["tracing"]["enabled"] else "false",
        "metrics-endpoint-auth": "true" if router["monitoring"]["prometheus"]["auth"]["enabled"] else "false",
        "grpc-port": "9002",
        "metrics-port": "9090",
    }
    return arguments | ({"ha-enable-leader-election": "true"} if epp["replicas"] > 1 else {})


@pytest.mark.parametrize("name", ["one", "two"])
def test_the_chart_starts_the_picker_as_the_base_does(name: str) -> None:
    """Arguments, image, configuration, bounds, replicas, variables and tolerations."""
    item = policy()
    objects = rendering.objects(item, TARGET)
    deployment = found(objects, "Deployment", name)
    pod = deployment["spec"]["template"]["spec"]
    container = pod["containers"][0]
    values = values_of(item)[name].body
    epp = values["router"]["epp"]
    namespace = deployment["metadata"]["namespace"]
    ours = dict(argument.removeprefix("--").split("=", 1) for argument in container["args"])
    assert chart_arguments(name, namespace, values) == ours
    image = epp["image"]
    assert f"{image['registry']}/{image['repository']}:{image['tag']}" == container["image"]
    assert epp["pluginsCustomConfig"] == found(objects, "ConfigMap", name)["data"]
    assert epp["resources"] == container["resources"]
    assert epp["replicas"] == deployment["spec"]["replicas"]
    assert epp["env"] == [variable for variable in container["env"] if "value" in variable]
    assert epp["tolerations"] == pod.get("tolerations", [])


def test_routes_and_connections_fit_the_objects_of_the_chart() -> None:
    """The pool has the name of the release, the Service that name with `-epp`, and the pool selects the same pods."""
    item = policy()
    objects = rendering.objects(item, TARGET)
    for name, values in values_of(item).items():
        pool = found(objects, "InferencePool", name)["spec"]
        servers = values.body["router"]["modelServers"]
        assert pool["selector"]["matchLabels"] == servers["matchLabels"]
        assert pool["targetPorts"] == servers["targetPorts"]
        assert pool["endpointPickerRef"]["failureMode"] == values.body["router"]["inferencePool"]["failureMode"]
        assert pool["endpointPickerRef"]["name"] == f"{name}-epp"
        rule = found(objects, "DestinationRule", name)
        assert rule["spec"]["host"].startswith(f"{name}-epp.")
    assert values_of(item).keys() == {"one", "two"}


def test_the_component_leaves_out_what_the_chart_creates() -> None:
    """Nothing else: the connection, the account's rights to authenticate readers of metrics and the routes stay."""
    item = policy()
    (component,) = [each for each in rendering.components(item, TARGET) if each.name == "picker-by-helm"]
    deleted = {(patch["target"]["kind"], patch["target"]["name"]) for patch in component.patches}
    objects = {(each.kind, each.name) for each in rendering.objects(item, TARGET)}
    assert deleted <= objects
    left = {(kind, name) for kind, name in objects - deleted if "-epp" in name}
    assert {kind for kind, _ in left} == {"ClusterRole", "ClusterRoleBinding", "DestinationRule"}
    assert not any(kind == "InferencePool" for kind, _ in objects - deleted)


def test_a_release_without_such_a_chart_has_no_component() -> None:
    """Nor does a pool whose name the chart would cut off."""
    old = linked(POOLED + "gateway: {versions: seed}\n")
    assert not values_of(old)
    long = policy(POOLED.replace("one", "o" * (MAX_NAME + 1)))
    assert not values_of(long)
    assert "picker-by-helm" not in {each.name for each in rendering.components(long, TARGET)}


def test_a_pool_that_yaml_reads_as_a_boolean_is_refused() -> None:
    """The chart prints the name of the release without quotes."""
    codes = [item.code for item in rendering.notices(policy(POOLED.replace("one", '"on"')), TARGET)]
    assert "VSR339" in codes
