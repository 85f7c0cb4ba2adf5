"""A policy as an environment has it."""

from __future__ import annotations

from dataclasses import replace

from ruamel.yaml import YAML

from support.gitops_support import DEV, ELSEWHERE, PLAIN, PROD, compiled, with_environments
from vsr_compiler.deploy.overlays import resolve


def test_an_environment_that_says_nothing_changes_nothing() -> None:
    """The very same object, so that nothing is rendered twice."""
    policy = with_environments(DEV)
    assert resolve(policy, DEV) is policy
    assert resolve(policy, replace(DEV, replicas={"router": policy.router.replicas})) is policy


def test_an_endpoint_stays_one_symbol() -> None:
    """Models that held it hold its replacement: what compares by identity still finds it."""
    policy = with_environments(PROD)
    own = resolve(policy, PROD)
    one = next(endpoint for endpoint in own.endpoints if endpoint.name == "one")
    assert one.server is not None
    assert one.server.replicas == 3
    big = next(model for model in own.models if model.name == "big")
    assert big.endpoints[0][0] is one
    assert own.default is big


def test_what_is_not_changed_is_shared() -> None:
    """Only what holds a changed endpoint is made anew."""
    policy = with_environments(PROD)
    own = resolve(policy, PROD)
    assert own.models[1] is policy.models[1]
    assert own.tests is policy.tests


def test_routing_is_not_an_environments_affair() -> None:
    """Routes, categories, guards: the same symbols, whatever the environment sets."""
    policy = with_environments(ELSEWHERE)
    own = resolve(policy, ELSEWHERE)
    assert (own.gateway.name, own.gateway.namespace) == ("edge", "ingress")
    assert replace(own, gateway=policy.gateway) == policy


def test_replicas_of_an_endpoint_without_pods_of_ours_are_not_applied() -> None:
    """A Service that exists already scales elsewhere."""
    policy = with_environments(DEV)
    assert resolve(policy, replace(DEV, replicas={"two": 5})) is policy


def test_simulating_puts_the_simulator_in_the_place_of_every_server_of_ours() -> None:
    """The whole can be tried without a GPU; what is not ours stays what it is."""
    policy = with_environments(DEV)
    own = resolve(policy, replace(DEV, simulate=True))
    assert [endpoint.server and endpoint.server.simulate for endpoint in own.endpoints] == [True, None]


REVISION = "a" * 40
CHECKPOINTS = f"""\
classifiers:
  persons: {{task: pii, checkpoint: {{repo: org/persons, revision: {REVISION}}}}}
  judge: {{task: jailbreak, checkpoint: {{repo: org/judge, revision: {REVISION}}}, precision: fp32}}
guards:
  names: {{types: [PERSON], detector: persons, action: mask}}
  attacks: {{detector: judge}}
"""
GPUS = replace(DEV, device="cuda")


def test_a_device_moves_every_checkpoint_and_whatever_holds_it() -> None:
    """A precision that the policy names stays; else it is the device's. A GPU is asked for where one is needed."""
    policy = with_environments(GPUS, text=PLAIN + CHECKPOINTS)
    own = resolve(policy, GPUS)
    assert {each.name: (each.device, each.precision) for each in own.classifiers} == {
        "judge": ("cuda", "fp32"),
        "persons": ("cuda", "bf16"),
    }
    assert {guard.detector for guard in own.guards} == set(own.classifiers)
    assert (policy.router.gpus, own.router.gpus) == (0, 1)
    assert resolve(policy, replace(DEV, device="cpu")) is policy


def test_a_cluster_without_gpus_asks_for_none() -> None:
    """The policy's own device is the GPU; this environment computes on the CPU."""
    text = (PLAIN + CHECKPOINTS).replace("}, precision: fp32}", "}, device: cuda}")
    text = text.replace("router: {", "router: {gpus: 2, ")
    policy = with_environments(DEV, text=text)
    own = resolve(policy, replace(DEV, device="cpu"))
    assert [each.precision for each in policy.classifiers if each.name == "judge"] == ["bf16"]
    assert {(each.device, each.precision) for each in own.classifiers} == {("cpu", "fp32")}
    assert (policy.router.gpus, resolve(policy, GPUS).router.gpus, own.router.gpus) == (2, 2, 0)


def test_an_overlay_brings_settings_and_deployment_to_the_device() -> None:
    """The router's folder stays the policy's; the ConfigMap that is applied says the device, and its hash with it."""
    prod = replace(GPUS, name="prod", images={"router": "registry.example/vsr-runtime-cuda:1"})
    result = compiled(with_environments(DEV, prod, text=PLAIN + CHECKPOINTS))
    dev, own = ({item.identity: item.body for item in result.environments[name]} for name in ("dev", "prod"))
    changed = {identity.split("/")[-3] for identity in own if own[identity] != dev.get(identity)}
    assert changed == {"ConfigMap", "Deployment"}
    settings = YAML(typ="safe").load(next(body for body in own.values() if "data" in body)["data"]["runtime.yaml"])
    found = {name: each["checkpoint"] for name, each in settings["classifiers"].items()}
    assert {(each["device"], each["precision"]) for each in found.values()} == {("cuda", "bf16"), ("cuda", "fp32")}
    assert "device: cpu" in result.tree["router/runtime.yaml"].content.decode()
    deployment = next(body for body in own.values() if body["kind"] == "Deployment" and "router" in str(body["spec"]))
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    assert container["image"] == "registry.example/vsr-runtime-cuda:1"
    assert container["resources"]["limits"]["nvidia.com/gpu"] == "1"
    assert deployment["spec"]["strategy"]["rollingUpdate"] == {"maxSurge": 0, "maxUnavailable": 1}
    before = next(body for body in dev.values() if body["kind"] == "Deployment" and "router" in str(body["spec"]))
    digests = {each["metadata"]["annotations"]["vsr.dev/config-sha256"] for each in (before, deployment)}
    assert len(digests) == 2
