"""InferencePools: each endpoint that has pods is one, and routes point at it instead of at a Service."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from vsr_compiler import ir
from vsr_compiler.diagnostics import Diagnostic
from vsr_compiler.manifests.kinds import AlwaysHealthy, HealthyUnlessParentRejects, Kind, Wave, kinds_of
from vsr_compiler.manifests.objects import Body, Object, make
from vsr_compiler.releases import gateway as releases
from vsr_compiler.targets.common import vllm
from vsr_compiler.targets.common.workloads import selector

POOL_GROUP = "inference.networking.k8s.io"
LEGACY_GROUP = "inference.networking.x-k8s.io"
"""The group of the inference extension's other kinds, and of pools before version 1."""
PICKER_PORT = 9002
KINDS: tuple[Kind, ...] = (
    *kinds_of(POOL_GROUP, "InferencePool", Wave.REFERENCED, HealthyUnlessParentRejects()),
    *kinds_of(LEGACY_GROUP, "InferenceModelRewrite InferenceObjective", Wave.REFERENCED, AlwaysHealthy()),
)
"""The kinds of the inference extension."""
Pooled = Callable[[ir.Policy], list[ir.Endpoint]]
"""Returns the endpoints that a target puts behind pools."""


def pooled(policy: ir.Policy) -> list[ir.Endpoint]:
    """The endpoints that are pools: those whose pods are known."""
    return [endpoint for endpoint in policy.endpoints if is_pool(endpoint)]


def asked_for(policy: ir.Policy) -> list[ir.Endpoint]:
    """The endpoints that the policy itself calls pools."""
    return [endpoint for endpoint in policy.endpoints if endpoint.pool is not None]


def none(policy: ir.Policy) -> list[ir.Endpoint]:
    """Nothing is pooled."""
    del policy
    return []


def is_pool(endpoint: ir.Endpoint) -> bool:
    """Whether the endpoint's pods are known; of a Service that exists already they are not."""
    return endpoint.server is not None or endpoint.pods is not None


def settings(endpoint: ir.Endpoint) -> ir.Pool:
    """How the endpoint is pooled; where the policy does not say, fail closed with the release's own picker."""
    return endpoint.pool or ir.Pool(ir.Picker(), "FailClose", disaggregation=False, span=endpoint.span)


def labels(endpoint: ir.Endpoint) -> dict[str, str]:
    """What the pool's pods bear."""
    return dict(endpoint.pods.labels) if endpoint.pods is not None else selector(endpoint.service.name)


def pod_port(endpoint: ir.Endpoint) -> int:
    """The port on which the pool's pods take requests."""
    return endpoint.pods.port if endpoint.pods is not None else vllm.PORT


def picker_service(endpoint: ir.Endpoint) -> ir.ServiceRef:
    """The endpoint picker of the pool."""
    return ir.ServiceRef(f"{endpoint.object_name}-epp", endpoint.service.namespace, PICKER_PORT)


def inference_pool(policy: ir.Policy, endpoint: ir.Endpoint) -> Object:
    """The InferencePool of an endpoint."""
    service = picker_service(endpoint)
    defaults = releases.INFERENCE_EXTENSION[policy.versions["inference-extension"]].defaults
    picker: Body = {
        "group": "",
        "kind": "Service",
        "name": service.name,
        "port": {"number": service.port},
        "failureMode": settings(endpoint).failure_mode,
    }
    return make(
        f"{POOL_GROUP}/v1",
        "InferencePool",
        endpoint.object_name,
        endpoint.span,
        namespace=endpoint.service.namespace,
        spec={
            "selector": {"matchLabels": labels(endpoint)},
            "targetPorts": [{"number": pod_port(endpoint)}],
            "endpointPickerRef": picker,
            **defaults,
        },
    )


def ignored_by(target: str) -> Callable[[ir.Policy], Iterator[Diagnostic]]:
    """VSR311 for each pool, on a target that reaches models by Services."""

    def check(policy: ir.Policy) -> Iterator[Diagnostic]:
        """Each pool."""
        for endpoint in policy.endpoints:
            if endpoint.pool is not None:
                message = f"the pool of `{endpoint.name}` is ignored by the target {target}, which takes its Service"
                hint = "Use a target that pools, if it is to be pooled: gie, llm-d or ai-gateway."
                yield Diagnostic("VSR311", message, endpoint.pool.span, hint)

    return check
