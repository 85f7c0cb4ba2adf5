"""The production stack: what its chart is given, what the gateway sees of it, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest

from support import rendering
from support.common import linked
from vsr_compiler import ir
from vsr_compiler.targets.common.vllm import server_resources
from vsr_compiler.targets.production_stack.checks import MAX_NAME
from vsr_compiler.targets.production_stack.members import CHART, behind

HEAD = 'apiVersion: vsr.dev/v1alpha1\nkind: RoutingPolicy\nmetadata: {name: stacked}\nrouter: {image: "r:1"}\n'
TARGET = "production-stack"
TWO = """\
endpoints:
  one: {vllm: {namespace: models, args: [--max-model-len=4096]}}
  two: {vllm: {namespace: models, gpus: 2, replicas: 2, token: other-token}}
  far: {service: far.elsewhere}
models:
  big: {checkpoint: example/big, endpoints: one, loras: {law: {path: /adapters/law}}}
  large: {checkpoint: example/large, endpoints: two}
  other: {endpoints: far}
default: big
"""


def values(policy: ir.Policy) -> dict[str, Any]:
    """What Helm is handed for the stack."""
    (found,) = [item for item in rendering.values(policy, TARGET) if item.chart == CHART]
    return found.body


def refused(text: str, code: str = "VSR312") -> list[str]:
    """The messages of a code."""
    return [item.message for item in rendering.notices(linked(HEAD + text), TARGET) if item.code == code]


def test_every_route_to_a_server_of_ours_ends_at_the_stacks_router() -> None:
    """The guide's never did. What is no server of the stack is reached as ever."""
    found = rendering.objects(linked(HEAD + TWO), TARGET)
    rules = [item.body["spec"]["rules"] for item in found if item.kind == "AIGatewayRoute"]
    ends = {rule["name"]: [ref["name"] for ref in rule["backendRefs"]] for (rule,) in rules}
    assert ends == {"big": ["vllm-stack"], "law": ["vllm-stack"], "large": ["vllm-stack"], "other": ["far"]}
    (host,) = [item.body["spec"]["endpoints"] for item in found if (item.kind, item.name) == ("Backend", "vllm-stack")]
    assert host == [{"fqdn": {"hostname": "vllm-stack-router-service.models.svc.cluster.local", "port": 80}}]


def test_no_server_of_the_stack_is_deployed_a_second_time() -> None:
    """Its chart starts them; the router of ours is the only Deployment."""
    found = rendering.objects(linked(HEAD + TWO), TARGET)
    assert [item.name for item in found if item.kind == "Deployment"] == ["semantic-router"]


def test_a_server_starts_in_the_stack_as_it_would_elsewhere() -> None:
    """Names, adapters, arguments, resources and the token's Secret are the same symbols."""
    policy = linked(HEAD + TWO)
    one, two = values(policy)["servingEngineSpec"]["modelSpec"]
    assert one["modelURL"] == "example/big"
    assert one["vllmConfig"]["extraArgs"] == [
        "--served-model-name",
        "big",
        "--enable-lora",
        "--lora-modules",
        "law=/adapters/law",
        "--max-model-len=4096",
    ]
    assert {"name": "vllm-stack-storage", "mountPath": "/adapters", "subPath": "adapters"} in one["extraVolumeMounts"]
    assert two["vllmConfig"]["extraArgs"] == ["--served-model-name", "large", "--tensor-parallel-size=2"]
    assert two["hf_token"] == {"secretName": "other-token", "secretKey": "token"}
    assert (two["replicaCount"], two["pvcAccessMode"]) == (2, ["ReadWriteMany"])
    server = next(each.server for each in policy.endpoints if each.name == "two")
    assert server is not None
    assert two["resources"] == server_resources(server)
    assert two["resources"]["limits"]["nvidia.com/gpu"] == "2"


def test_images_are_pinned_and_values_contain_no_secret() -> None:
    """A tag that moves would be another stack tomorrow."""
    body = values(linked(HEAD + TWO))
    for each in (*body["servingEngineSpec"]["modelSpec"], body["routerSpec"]):
        assert each["tag"] not in {"", "latest"}
    assert all(isinstance(each["hf_token"], dict) for each in body["servingEngineSpec"]["modelSpec"])


def test_a_stand_in_is_ours_and_not_the_charts() -> None:
    """The chart can start vLLM only, so a simulated environment needs none of it."""
    text = HEAD + TWO.replace("replicas: 2, ", "")
    policy = linked(text + "environments: {kind: {target: production-stack, simulate: true}}\n")
    from vsr_compiler.deploy.overlays import resolve  # noqa: PLC0415 - one test's

    own = resolve(policy, policy.environments[0])
    assert CHART not in {item.chart for item in rendering.values(own, TARGET)}
    assert behind(own) == own


def test_a_model_on_several_of_its_servers_is_one_backend() -> None:
    """Its router divides by replicas, which is what equal shares of equal endpoints mean."""
    text = TWO.replace("endpoints: two", "endpoints: {one: 1, two: 2}").replace("example/large", "example/big")
    (model,) = [each for each in behind(linked(HEAD + text)).models if each.name == "large"]
    assert [(each.name, weight) for each, weight in model.endpoints] == [("vllm-stack", 3)]


def test_weights_that_its_router_does_not_know_are_refused() -> None:
    """VSR312 at the model: nine to one between servers of one replica and two is nothing that it does."""
    text = TWO.replace("endpoints: two", "endpoints: {one: 9, two: 1}").replace("example/large", "example/big")
    (found,) = refused(text)
    assert "`large`" in found


def test_a_stack_is_in_one_namespace() -> None:
    """VSR312 at the endpoint that is elsewhere: the router looks for servers around itself."""
    (found,) = refused(TWO.replace("two: {vllm: {namespace: models", "two: {vllm: {namespace: others"))
    assert "others" in found


def test_a_name_fits_into_the_names_that_the_chart_derives() -> None:
    """VSR312: the Service of the chart would be too long, and Helm would fail halfway."""
    long = "a" * (MAX_NAME + 1)
    assert refused(TWO.replace("one", long))
    assert not refused(TWO.replace("one", "a" * MAX_NAME))


def test_a_pool_is_ignored_with_a_word() -> None:
    """VSR311: the stack balances by itself."""
    assert refused(TWO.replace("two: {vllm:", "two: {pool: {}, vllm:"), "VSR311")


def test_a_notice_shows_how_to_install_the_chart() -> None:
    """VSR315, with the release of the chart and the command."""
    found = [item for item in rendering.notices(linked(HEAD + TWO), TARGET) if item.code == "VSR315"]
    (stack,) = [item for item in found if "vllm-stack 0.1.12" in item.message]
    assert "helm install vllm-stack" in (stack.hint or "")


def test_a_release_without_a_table_is_refused() -> None:
    """VSR313, as for every other project."""
    text = HEAD + "gateway: {versions: {production-stack: 0.0.1}}\n" + TWO
    found = [item for item in rendering.notices(linked(text), TARGET) if item.code == "VSR313"]
    assert "production-stack 0.0.1" in found[0].message


@pytest.mark.parametrize("profile", ["seed", "current"])
def test_the_routers_image_goes_with_the_chart(profile: str) -> None:
    """Its tag is the chart's release."""
    policy = linked(HEAD + f"gateway: {{versions: {profile}}}\n" + TWO)
    assert values(policy)["routerSpec"]["tag"] == f"v{policy.versions['production-stack']}"


def test_servers_of_the_stack_are_monitored() -> None:
    """By the labels that the chart gives them, and on the dashboard."""
    policy = linked(HEAD + TWO)
    (component,) = [item for item in rendering.components(policy, TARGET) if item.name == "monitoring"]
    (monitor,) = [item.body for item in component.objects if item.kind == "PodMonitor" and item.name == "vllm-stack"]
    engine = values(policy)["servingEngineSpec"]
    assert monitor["spec"]["selector"]["matchLabels"] == engine["labels"]
    assert monitor["spec"]["podMetricsEndpoints"] == [{"path": "/metrics", "portNumber": engine["containerPort"]}]
    (board,) = [item.body for item in component.objects if item.kind == "ConfigMap"]
    assert f'job=~\\"models/{monitor["metadata"]["name"]}\\"' in "".join(board["data"].values())
    assert monitor["metadata"]["namespace"] == "models"
