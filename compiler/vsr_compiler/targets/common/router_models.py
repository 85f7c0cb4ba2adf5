"""The router's checkpoints: the volume that they lie on, who fills it, and the GPUs that run them."""

from __future__ import annotations

from collections.abc import Iterator

from vsr_compiler import ir
from vsr_compiler.ir.signals import LanguageSignal
from vsr_compiler.manifests.objects import Body, Object, make
from vsr_compiler.targets.common.workloads import HARDENED, access_mode, container

MODELS_PATH = "/models"
STORAGE = 5
"""GiB for each checkpoint; encoders of this kind have 150 to 600 million weights."""


def claim_name(router: ir.Router) -> str:
    """The claim that holds the checkpoints."""
    return router.weights or f"{router.grpc.name}-models"


def claim(policy: ir.Policy) -> Iterator[Object]:
    """The claim, where the policy names none. Several pods write to it, so several nodes must be able to."""
    router, found = policy.router, policy.checkpoints
    if found and router.weights is None:
        spec: Body = {
            "accessModes": [access_mode(router.volume_holders)],
            "resources": {"requests": {"storage": f"{STORAGE * len(found)}Gi"}},
            "volumeMode": "Filesystem",
        }
        name, namespace = claim_name(router), router.grpc.namespace
        yield make("v1", "PersistentVolumeClaim", name, router.span, namespace=namespace, spec=spec)


def fetcher(policy: ir.Policy) -> list[Body]:
    """The init container that fetches what is not there yet; none where the policy's own claim holds it."""
    router, found = policy.router, policy.checkpoints
    if not found or router.weights is not None:
        return []
    token = {"name": router.token_secret, "key": "token", "optional": True}
    return [
        container(
            "fetch-models",
            router.image,
            args=["fetch", f"--into={MODELS_PATH}", *(f"{repo}@{revision}" for repo, revision in found)],
            env=[
                {"name": "HF_HOME", "value": f"{MODELS_PATH}/.cache"},
                {"name": "HF_HUB_DISABLE_TELEMETRY", "value": "1"},
                {"name": "HF_TOKEN", "valueFrom": {"secretKeyRef": token}},
            ],
            resources={"limits": {"memory": "2Gi"}, "requests": {"cpu": "200m", "memory": "512Mi"}},
            securityContext=HARDENED,
            volumeMounts=[{"name": "models", "mountPath": MODELS_PATH}],
        )
    ]


def volume(policy: ir.Policy) -> list[Body]:
    """The pod's volume with the checkpoints; none where there are none."""
    name = claim_name(policy.router)
    return [{"name": "models", "persistentVolumeClaim": {"claimName": name}}] if policy.checkpoints else []


def mount(policy: ir.Policy) -> list[Body]:
    """Where the router reads them; it never writes there."""
    found = policy.checkpoints
    return [{"name": "models", "mountPath": MODELS_PATH, "readOnly": True}] if found else []


def environment(policy: ir.Policy, writable: str) -> list[Body]:
    """What the router must know of them, and of the one folder where it may write.

    Its engine's socket lies there, and the statistics of languages are unpacked there.
    """
    found = policy.checkpoints
    unpacks = not policy.router.stock and any(isinstance(signal.kind, LanguageSignal) for signal in policy.signals)
    folder: list[Body] = [{"name": "TMPDIR", "value": writable}] if found or unpacks else []
    return [*folder, {"name": "VSR_MODELS", "value": MODELS_PATH}] if found else folder


def needs(policy: ir.Policy) -> tuple[dict[str, str], dict[str, str]]:
    """Requests and limits of the router: with checkpoints it holds torch and their weights."""
    gpus = {"nvidia.com/gpu": str(policy.router.gpus)} if policy.router.gpus else {}
    if not policy.checkpoints:
        return {"cpu": "1", "memory": "512Mi"} | gpus, {"memory": "1Gi"} | gpus
    return {"cpu": "2", "memory": "4Gi"} | gpus, {"memory": "8Gi"} | gpus


def rollout(policy: ir.Policy) -> Body:
    """How pods are exchanged. A GPU, or a volume of one node, cannot be held twice, so an old pod goes first."""
    router = policy.router
    single = bool(policy.checkpoints) and router.weights is None and router.replicas == 1
    if router.gpus and router.replicas > 1:
        return {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 0, "maxUnavailable": 1}}
    if single or router.gpus:
        return {"type": "Recreate"}
    return {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}}
