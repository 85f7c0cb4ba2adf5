"""Model servers: names and adapters from the symbols that routes are made from, a simulator in their place."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import pytest

from support import rendering
from support.common import linked
from vsr_compiler import ir, targets
from vsr_compiler.manifests.objects import Object
from vsr_compiler.targets.common import model_servers, namespaces, vllm

TEXT = """\
apiVersion: vsr.dev/v1alpha1
kind: RoutingPolicy
metadata: {name: servers}
router: {image: "r:1"}
endpoints:
  one: {vllm: {namespace: models, gpus: 2, replicas: REPLICAS, token: hf, args: [--max-lora-rank=64]}}
  two: {pods: {namespace: theirs, selector: {app: two, tier: gpu}, port: 8080}}
models:
  "org/Big:8b":
    checkpoint: example/big
    endpoints: one
    context: 4096
    loras: {law: {path: /adapters/law}, "a=b,c": {path: example/repo}, inside: {path: /data/lora}}
  other: {endpoints: two}
default: other
"""


def policy(replicas: int = 1, **changes: Any) -> ir.Policy:
    """The policy, with fields of its server replaced."""
    found = linked(TEXT.replace("REPLICAS", str(replicas)))
    one, two = found.endpoints
    assert one.server is not None
    return replace(found, endpoints=(replace(one, kind=replace(one.server, **changes)), two))


def emitted(found: ir.Policy) -> dict[tuple[str, str], Object]:
    """The servers' objects by kind and name."""
    return {(item.kind, item.name): item for item in model_servers.emit(found)}


def pod(found: ir.Policy) -> dict[str, Any]:
    """The server's pod."""
    spec: dict[str, Any] = emitted(found)[("Deployment", "one")].body["spec"]["template"]["spec"]
    return spec


def test_a_server_bears_the_names_of_its_models_and_loads_their_adapters() -> None:
    """An adapter's name stands with its path only: as a served name it would be the base's alias."""
    args = pod(policy())["containers"][0]["args"]
    assert args == [
        "example/big",
        "--served-model-name",
        "org/Big:8b",
        "--port=8000",
        "--tensor-parallel-size=2",
        "--enable-lora",
        "--lora-modules",
        '{"name": "a=b,c", "path": "example/repo"}',
        "inside=/data/lora",
        "law=/adapters/law",
        "--max-lora-rank=64",
    ]


def test_model_is_the_first_argument_from_the_release_on_that_takes_it_so() -> None:
    """VLLM 0.33 would warn about `--model`, and takes no positional argument behind one with several values."""
    for release, first in (("0.17.0", "--model=example/big"), ("0.33.0", "example/big")):
        found = replace(policy(), versions={**policy().versions, "vllm": release})
        assert pod(found)["containers"][0]["args"][0] == first


def arguments(found: ir.Policy) -> list[str]:
    """What the server is started with."""
    args: list[str] = pod(found)["containers"][0]["args"]
    return args


def test_a_server_uses_every_gpu_of_its_pod() -> None:
    """Without being told vLLM uses one, and the others are paid for and idle. An environment may give it more."""
    assert "--tensor-parallel-size=4" in arguments(policy(gpus=4))
    more = ir.Resources({"nvidia.com/gpu": "8"}, {"nvidia.com/gpu": "8"})
    assert "--tensor-parallel-size=8" in arguments(policy(gpus=4, resources=more))
    assert not any("parallel" in each for each in arguments(policy(gpus=1)))


@pytest.mark.parametrize("said", [("--tensor-parallel-size=2",), ("-tp", "2"), ("--pipeline_parallel_size", "2")])
def test_parallelism_arguments_may_be_set(said: tuple[str, ...]) -> None:
    """The policy's own arguments hold, in each of their spellings."""
    own = arguments(policy(gpus=4, args=said))
    assert own[-len(said) :] == list(said)
    assert "--tensor-parallel-size=4" not in own


def test_adapters_that_are_files_are_kept_on_the_volume() -> None:
    """A folder outside the volume is mounted from it; one inside is there already, a repository is downloaded."""
    mounts = pod(policy())["containers"][0]["volumeMounts"]
    assert mounts == [
        {"name": "weights", "mountPath": "/data"},
        {"name": "weights", "mountPath": "/adapters", "subPath": "adapters"},
        {"name": "shm", "mountPath": vllm.SHARED_MEMORY},
    ]


def test_a_server_without_adapters_has_no_adapter_arguments() -> None:
    """A server reserves memory for adapters once they are switched on."""
    assert not [arg for arg in pod(policy(loras=()))["containers"][0]["args"] if "lora-modules" in arg]


def test_what_a_server_needs_grows_with_its_gpus_and_an_environment_may_replace_it() -> None:
    """Memory for each worker; an environment's numbers win one by one."""
    assert pod(policy())["containers"][0]["resources"] == {
        "requests": {"cpu": "4", "memory": "32Gi", "nvidia.com/gpu": "2"},
        "limits": {"memory": "64Gi", "nvidia.com/gpu": "2"},
    }
    given = ir.Resources(requests={"memory": "40Gi"}, limits={"cpu": "8"})
    container = pod(policy(resources=given, image="mirror.example/vllm:1"))["containers"][0]
    assert container["resources"]["requests"] == {"cpu": "4", "memory": "40Gi", "nvidia.com/gpu": "2"}
    assert container["resources"]["limits"] == {"memory": "64Gi", "nvidia.com/gpu": "2", "cpu": "8"}
    assert container["image"] == "mirror.example/vllm:1"


def test_an_old_pod_goes_before_a_new_one_but_never_all_at_once() -> None:
    """A GPU cannot be held twice; of several replicas, one is exchanged at a time."""
    strategies = [emitted(policy(count))[("Deployment", "one")].body["spec"]["strategy"] for count in (1, 2)]
    assert strategies == [
        {"type": "Recreate"},
        {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 0, "maxUnavailable": 1}},
    ]
    modes = [emitted(policy(count))[("PersistentVolumeClaim", "one")].body["spec"]["accessModes"] for count in (1, 2)]
    assert modes == [["ReadWriteOnce"], ["ReadWriteMany"]]


def test_the_token_is_a_reference_to_a_secret() -> None:
    """No secret stands in the output."""
    env = {each["name"]: each for each in pod(policy())["containers"][0]["env"]}
    assert env["HF_TOKEN"] == {"name": "HF_TOKEN", "valueFrom": {"secretKeyRef": {"name": "hf", "key": "token"}}}


def test_the_simulator_has_the_same_names_and_port_and_none_of_the_needs() -> None:
    """No GPU, weights or token; the restricted Pod Security level; adapters by its own spelling."""
    found = policy(simulate=True)
    spec = pod(found)
    container = spec["containers"][0]
    assert container["image"].startswith("ghcr.io/llm-d/llm-d-inference-sim:v")
    assert container["args"] == [
        "--model=simulated-one",
        "--served-model-name",
        "org/Big:8b",
        "--port=8000",
        "--max-model-len=4096",
        "--mode=random",
        "--lora-modules",
        '{"name": "a=b,c", "path": "example/repo"}',
        '{"name": "inside", "path": "/data/lora"}',
        '{"name": "law", "path": "/adapters/law"}',
    ]
    assert spec["securityContext"]["runAsNonRoot"] is True
    assert container["securityContext"]["readOnlyRootFilesystem"] is True
    assert "volumes" not in spec
    assert set(emitted(found)) == {("Deployment", "one"), ("Service", "one")}


def test_pods_that_exist_get_a_service_that_selects_them() -> None:
    """The policy names labels and port; the Service has the usual port and leads there."""
    (service,) = model_servers.existing_pods(policy())
    assert (service.namespace, service.name) == ("theirs", "two")
    assert service.body["spec"]["selector"] == {"app": "two", "tier": "gpu"}
    assert service.body["spec"]["ports"] == [
        {"name": "http", "port": 80, "targetPort": 8080, "protocol": "TCP", "appProtocol": "http"}
    ]


def test_a_namespace_is_as_strict_as_its_pods_allow() -> None:
    """The image of vLLM runs as root; the router and the simulator do not. Namespaces of others are left alone."""
    levels = {item.name: item.body["metadata"]["labels"][namespaces.LEVEL] for item in namespaces.emit(policy())}
    assert levels == {"models": "baseline", "vllm-semantic-router-system": "restricted"}
    simulated = {
        item.name: item.body["metadata"]["labels"][namespaces.LEVEL] for item in namespaces.emit(policy(simulate=True))
    }
    assert set(simulated.values()) == {"restricted"}


def test_every_container_of_a_restricted_namespace_fits_the_level() -> None:
    """What the namespace would refuse is not emitted: root, privileges, capabilities, no seccomp profile."""
    found = policy(simulate=True)
    for target in targets.TARGETS:
        for item in rendering.objects(found, target):
            if item.kind == "Deployment":
                spec = item.body["spec"]["template"]["spec"]
                assert spec["securityContext"]["runAsNonRoot"] is True, item.name
                assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}, item.name
                for container in spec["containers"]:
                    context = container["securityContext"]
                    assert context["allowPrivilegeEscalation"] is False, item.name
                    assert context["capabilities"] == {"drop": ["ALL"]}, item.name


def budgets(objects: Iterable[Object]) -> list[str]:
    """The names of budgets for other pods than the router's."""
    return [item.name for item in objects if item.kind == "PodDisruptionBudget" and item.name != "semantic-router"]


@pytest.mark.parametrize(
    ("replicas", "scaled_to", "names"),
    [(1, None, []), (2, None, ["one"]), (1, 3, ["one"]), (1, 1, [])],
)
def test_a_drain_takes_one_of_several_servers_at_a_time(replicas: int, scaled_to: int | None, names: list[str]) -> None:
    """Also of those that an autoscaler adds. A single pod needs no budget."""
    found = policy(replicas)
    span = found.endpoints[0].span
    scaled = ir.Autoscaling(max=scaled_to, min=None, queue=4, prometheus=None, span=span) if scaled_to else None
    objects = emitted(policy(replicas, autoscaling=scaled))
    assert budgets(objects.values()) == names
    for name in names:
        spec = objects["PodDisruptionBudget", name].body["spec"]
        pods = objects["Deployment", name].body["spec"]["template"]["metadata"]["labels"]
        assert spec["selector"]["matchLabels"].items() <= pods.items()
        assert spec["maxUnavailable"] == 1


def test_both_roles_of_a_pool_have_one_budget() -> None:
    """With one pod each, budgets of their own would let a drain take both."""
    text = TEXT.replace("gpus: 2, replicas: REPLICAS,", "gpus: 2, replicas: 2,")
    text = text.replace("one: {vllm: {", "one: {pool: {disaggregation: true}, vllm: {")
    objects = rendering.objects(linked(text), "llm-d")
    (budget,) = [item.body for item in objects if item.kind == "PodDisruptionBudget" and item.name == "one"]
    roles = [item.body for item in objects if item.kind == "Deployment" and item.name in {"one-prefill", "one-decode"}]
    assert [role["spec"]["replicas"] for role in roles] == [1, 1]
    for role in roles:
        labels = role["spec"]["template"]["metadata"]["labels"]
        assert budget["spec"]["selector"]["matchLabels"].items() <= labels.items()


def test_pickers_have_no_budget() -> None:
    """A standby is not ready, so a budget would keep the leader on its node for ever."""
    text = TEXT.replace("REPLICAS", "1").replace("one: {vllm: {", "one: {pool: {picker: {replicas: 2}}, vllm: {")
    assert budgets(rendering.objects(linked(text), "llm-d")) == []
