"""The router's checkpoints and its encoder: their volume, the init container that downloads them, and GPUs."""

from __future__ import annotations

from collections.abc import Iterator

from vsr_compiler import ir
from vsr_compiler.ir.signals import LanguageSignal
from vsr_compiler.manifests.objects import Body, Object, make
from vsr_compiler.targets.common.workloads import HARDENED, ROLLING, access_mode, container, storage_class

MODELS_PATH = "/models"
STORAGE = 5
"""GiB per checkpoint; such encoders have 150 to 600 million weights."""


def claim_name(router: ir.Router) -> str:
    """Return the name of the claim with the checkpoints."""
    return router.weights or f"{router.grpc.name}-models"


def claim(policy: ir.Policy) -> Iterator[Object]:
    """Yield the claim if the policy names none. Several pods write to it, so it must be mountable on several nodes."""
    router, fetched = policy.router, policy.fetched
    if fetched and router.weights is None:
        spec: Body = {
            "accessModes": [access_mode(router.volume_holders)],
            "resources": {"requests": {"storage": f"{STORAGE * len(fetched)}Gi"}},
            "volumeMode": "Filesystem",
        } | storage_class(router.placement)
        name, namespace = claim_name(router), router.grpc.namespace
        yield make("v1", "PersistentVolumeClaim", name, router.span, namespace=namespace, spec=spec)


def fetcher(policy: ir.Policy) -> list[Body]:
    """Return the init container that downloads missing checkpoints; none if the policy names a claim."""
    router, fetched = policy.router, policy.fetched
    if not fetched or router.weights is not None:
        return []
    token = {"name": router.token_secret, "key": "token", "optional": True}
    return [
        container(
            "fetch-models",
            router.image,
            args=["fetch", f"--into={MODELS_PATH}", *(f"{repo}@{revision}" for repo, revision in fetched)],
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
    """Return the pod's volume with the checkpoints, if any."""
    name = claim_name(policy.router)
    return [{"name": "models", "persistentVolumeClaim": {"claimName": name}}] if policy.fetched else []


def mount(policy: ir.Policy) -> list[Body]:
    """Return the router's read-only mount of the checkpoints."""
    return [{"name": "models", "mountPath": MODELS_PATH, "readOnly": True}] if policy.fetched else []


def environment(policy: ir.Policy, writable: str) -> list[Body]:
    """Return the environment variables for checkpoints and for the writable folder.

    The folder holds the socket of the inference engine, the unpacked language statistics, and the graph of an encoder
    while it is built.
    """
    unpacks = not isinstance(policy.router.implementation, ir.SemanticRouter) and any(
        isinstance(signal.kind, LanguageSignal) for signal in policy.signals
    )
    folder: list[Body] = [{"name": "TMPDIR", "value": writable}] if policy.fetched or unpacks else []
    return [*folder, {"name": "VSR_MODELS", "value": MODELS_PATH}] if policy.fetched else folder


def needs(policy: ir.Policy) -> tuple[dict[str, str], dict[str, str]]:
    """Return requests and limits of the router.

    With checkpoints it needs memory for torch and the weights, with an encoder that is not in the image for its graph,
    which is built at each start.
    """
    gpus = {"nvidia.com/gpu": str(policy.router.gpus)} if policy.router.gpus else {}
    if policy.fetched and not policy.checkpoints:
        return {"cpu": "1", "memory": "2Gi"} | gpus, {"memory": "4Gi"} | gpus
    if not policy.checkpoints:
        return {"cpu": "1", "memory": "512Mi"} | gpus, {"memory": "1Gi"} | gpus
    return {"cpu": "2", "memory": "4Gi"} | gpus, {"memory": "8Gi"} | gpus


def rollout(policy: ir.Policy) -> Body:
    """Return the update strategy. A GPU, or a volume of one node, cannot be held twice, so an old pod stops first."""
    router = policy.router
    single = bool(policy.fetched) and router.weights is None and router.replicas == 1
    if router.gpus and router.replicas > 1:
        return {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 0, "maxUnavailable": 1}}
    if single or router.gpus:
        return {"type": "Recreate"}
    return ROLLING
