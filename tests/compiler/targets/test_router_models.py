from __future__ import annotations

import pytest

from support.common import linked
from vsr_compiler.analysis import analyse
from vsr_compiler.heads.compile import checkpoint_settings
from vsr_compiler.targets.common import router, router_models
from vsr_compiler.targets.common.autoscaling import component

REVISION = "a" * 40
POLICY = f"""\
apiVersion: vsr.dev/v1alpha1
kind: RoutingPolicy
metadata: {{name: small}}
router: {{image: "registry.example/vsr-runtime:0.1.0", ROUTER}}
endpoints: {{one: {{service: "one:8000"}}}}
models: {{big: {{endpoints: one}}}}
classifiers:
  domain: {{task: category, checkpoint: {{repo: org/domains, revision: {REVISION}}}, DEVICE}}
categories:
  math: {{description: Numbers., examples: ["Solve x + 1 = 2."]}}
  other: {{description: The rest., examples: ["Hello."]}}
routes: [{{name: math, when: {{category: math}}, model: big}}]
default: big
"""


def policy(router_says="replicas: 2", device="device: cpu"):
    """A small policy with a checkpoint."""
    return linked(POLICY.replace("ROUTER", router_says).replace("DEVICE", device))


def body(small, kind):
    """The one object of a kind; None where there is none."""
    found = [item.body for item in router.emitter()(small) if item.body["kind"] == kind]
    return found[0] if found else None


def pod(small):
    """The router's pod."""
    return body(small, "Deployment")["spec"]["template"]["spec"]


@pytest.mark.parametrize(
    ("router_says", "device", "code"),
    [
        ("replicas: 2", "device: cuda", "VSR280"),
        ("gpus: 1", "device: cpu", "VSR281"),
    ],
)
def test_gpus_and_classifiers_must_fit(router_says, device, code):
    """A classifier for a GPU needs one, and a GPU that no classifier uses is told."""
    found = analyse(policy(router_says, device), {"istio"})
    assert [item.code for item in found] == [code]
    assert found[0].span.line == 4


def test_an_unused_claim_is_reported():
    """`weights` without a checkpoint does nothing."""
    text = POLICY.replace("ROUTER", "weights: {pvc: mine}")
    text = "\n".join(line for line in text.splitlines() if "checkpoint" not in line and line != "classifiers:") + "\n"
    assert [item.code for item in analyse(linked(text), {"istio"})] == ["VSR282"]


def test_checkpoints_are_supported():
    """A policy with a checkpoint, a GPU and a volume has no findings."""
    assert analyse(policy("gpus: 1, weights: {token: hub}", "device: cuda"), {"istio"}) == []


def test_the_compilers_claim_is_filled_at_the_pinned_revision():
    """An init container fetches it with the token of a Secret; the router itself only reads."""
    found = pod(policy("replicas: 2, weights: {token: hub}"))
    fetch = found["initContainers"][0]
    assert fetch["args"] == ["fetch", "--into=/models", f"org/domains@{REVISION}"]
    token = next(item for item in fetch["env"] if item["name"] == "HF_TOKEN")
    assert token["valueFrom"] == {"secretKeyRef": {"name": "hub", "key": "token", "optional": True}}
    mounts = {item["name"]: item for item in found["containers"][0]["volumeMounts"]}
    assert mounts["models"] == {"name": "models", "mountPath": "/models", "readOnly": True}
    assert {"name": "VSR_MODELS", "value": "/models"} in found["containers"][0]["env"]
    assert body(policy(), "PersistentVolumeClaim")["spec"]["accessModes"] == ["ReadWriteMany"]


def test_a_claim_of_the_policys_own_is_read_and_not_written():
    """Nothing is fetched into it, and no claim is emitted beside it."""
    small = policy("weights: {pvc: mine}")
    found = pod(small)
    assert "initContainers" not in found
    assert {"name": "models", "persistentVolumeClaim": {"claimName": "mine"}} in found["volumes"]
    assert body(small, "PersistentVolumeClaim") is None


@pytest.mark.parametrize(
    ("router_says", "device", "expected"),
    [
        ("replicas: 1", "device: cpu", {"type": "Recreate"}),
        ("replicas: 1, gpus: 1", "device: cuda", {"type": "Recreate"}),
        ("replicas: 3, gpus: 1", "device: cuda", {"maxSurge": 0, "maxUnavailable": 1}),
        ("replicas: 2", "device: cpu", {"maxSurge": 1, "maxUnavailable": 0}),
        ("replicas: 1, weights: {pvc: mine}", "device: cpu", {"maxSurge": 1, "maxUnavailable": 0}),
    ],
)
def test_what_cannot_be_held_twice_is_let_go_first(router_says, device, expected):
    """A GPU and a volume of one node are not waited for by a new pod while the old one holds them."""
    found = router_models.rollout(policy(router_says, device))
    assert found.get("rollingUpdate", found) == expected


def test_gpus_are_asked_for():
    """Requests and limits are the same, as Kubernetes wants it of a device."""
    found = pod(policy("gpus: 2", "device: cuda"))["containers"][0]["resources"]
    assert found["requests"]["nvidia.com/gpu"] == found["limits"]["nvidia.com/gpu"] == "2"


def test_replicas_follow_the_queue_of_a_gpu():
    """On a CPU its use is the load; a GPU's load is what waits for it."""
    metrics = [
        component(policy(*words)).objects[0].body["spec"]["metrics"][0]["type"]
        for words in (("replicas: 2", "device: cpu"), ("gpus: 1", "device: cuda"))
    ]
    assert metrics == ["Resource", "Pods"]


def test_the_runtime_settings_name_the_checkpoint():
    """`other` is what is below the threshold, the rest are labels that the checkpoint must have."""
    found = checkpoint_settings(policy("gpus: 1", "device: cuda"))["domain"]
    assert (found.labels, found.fallback, found.threshold) == (["math"], "other", 0.5)
    assert found.checkpoint is not None
    assert (found.checkpoint.device, found.checkpoint.precision, found.checkpoint.long) == ("cuda", "bf16", "truncate")
