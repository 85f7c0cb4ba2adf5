"""InferencePools: which endpoints become pools, their pickers and their settings."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from vsr_compiler import ir
from vsr_compiler.diagnostics import Diagnostic
from vsr_compiler.manifests.kinds import HealthyUnlessParentRejects, Kind, Wave, kinds_of
from vsr_compiler.manifests.objects import Body, Object, make
from vsr_compiler.releases import gateways as releases
from vsr_compiler.releases.pickers import LLM_D, PICKERS, picker_project
from vsr_compiler.targets.common import vllm
from vsr_compiler.targets.common.workloads import selector

POOL_GROUP = "inference.networking.k8s.io"
POOL_PROJECT = "inference-extension"
"""The project of the InferencePool API."""
PICKER_PORT = 9002
PICKER_SUFFIX = "-epp"
KINDS: tuple[Kind, ...] = (*kinds_of(POOL_GROUP, "InferencePool", Wave.REFERENCED, HealthyUnlessParentRejects()),)
"""The kinds of the inference extension."""
Pooled = Callable[[ir.Policy], list[ir.Endpoint]]
"""Returns the endpoints that a target puts behind pools."""


def pooled(policy: ir.Policy) -> list[ir.Endpoint]:
    """Return the endpoints whose pods are known. Targets on Istio make all of them pools."""
    return [endpoint for endpoint in policy.endpoints if is_pool(endpoint)]


def declared(policy: ir.Policy) -> list[ir.Endpoint]:
    """Return the endpoints that the policy declares as pools."""
    return [endpoint for endpoint in policy.endpoints if endpoint.pool is not None]


def none(policy: ir.Policy) -> list[ir.Endpoint]:
    """Return no endpoint: for targets without pools."""
    del policy
    return []


def is_pool(endpoint: ir.Endpoint) -> bool:
    """Return whether the endpoint's pods are known. Those of an existing Service are not."""
    return endpoint.server is not None or endpoint.pods is not None


def existing(policy: ir.Policy) -> list[ir.Endpoint]:
    """Return the pools that others run and some model uses."""
    used = {endpoint.name for model in policy.models for endpoint, _ in model.endpoints}
    return [endpoint for endpoint in policy.endpoints if endpoint.existing_pool is not None and endpoint.name in used]


def with_existing(pooled: Pooled) -> Pooled:
    """Return the endpoints behind pools of a target, and those behind pools of others."""
    return lambda policy: [*pooled(policy), *existing(policy)]


def existing_reference(endpoint: ir.Endpoint, pool: ir.ExistingPool) -> Body:
    """Return the backendRef of a pool that others run."""
    service = endpoint.service
    reference: Body = {
        "group": POOL_GROUP,
        "kind": "InferencePool",
        "name": service.name,
        "namespace": service.namespace,
    }
    return reference | ({} if pool.port is None else {"port": pool.port})


def preflight_existing(policy: ir.Policy) -> Iterator[Diagnostic]:
    """VSR315: a pool that others run must exist, with a picker that the gateway can reach."""
    for endpoint in existing(policy):
        service = endpoint.service
        message = f"the InferencePool `{service.name}` in {service.namespace} must exist, with its endpoint picker"
        hint = "Whoever runs it also runs its pods and, on Istio, the DestinationRule for its picker's TLS."
        yield Diagnostic("VSR315", message, endpoint.span, hint)


def settings(endpoint: ir.Endpoint) -> ir.Pool:
    """Return the pool's settings. The default fails closed and uses the default scorers of the release."""
    return endpoint.pool or ir.Pool(ir.Picker(), "FailClose", disaggregation=False, span=endpoint.span)


def labels(endpoint: ir.Endpoint) -> dict[str, str]:
    """Return the labels that select the pool's pods."""
    return dict(endpoint.pods.labels) if endpoint.pods is not None else selector(endpoint.service.name)


def pod_port(endpoint: ir.Endpoint) -> int:
    """Return the port on which the pool's pods listen."""
    return endpoint.pods.port if endpoint.pods is not None else vllm.PORT


def picker_service(endpoint: ir.Endpoint) -> ir.ServiceRef:
    """Return the Service of the pool's endpoint picker."""
    return ir.ServiceRef(f"{endpoint.object_name}{PICKER_SUFFIX}", endpoint.service.namespace, PICKER_PORT)


def inference_pool(policy: ir.Policy, endpoint: ir.Endpoint) -> Object:
    """Return the InferencePool of an endpoint."""
    service = picker_service(endpoint)
    defaults = releases.INFERENCE_EXTENSION[policy.versions[POOL_PROJECT]].defaults
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


def crds_of_pools(project: str, versions: Mapping[str, str]) -> list[str]:
    """Return the projects and releases whose CRDs pools and their pickers need.

    Args:
        project: The project whose pickers a target asks for; see `picker_project`.
        versions: The releases of a policy.
    """
    own = picker_project(project, versions)
    watches = PICKERS[own][versions[own]].watches
    return [f"{name} {versions[name]}" for name in (POOL_PROJECT, *([own] if LLM_D in watches else []))]


def ignored_by(target: str) -> Callable[[ir.Policy], Iterator[Diagnostic]]:
    """Return the check for targets that use Services: VSR311 for each declared pool."""

    def check(policy: ir.Policy) -> Iterator[Diagnostic]:
        """Report each declared pool."""
        for endpoint in policy.endpoints:
            if endpoint.pool is not None:
                message = f"the pool of `{endpoint.name}` is ignored: the target {target} sends requests to its Service"
                hint = "To use the pool, choose one of the targets gie, llm-d or ai-gateway."
                yield Diagnostic("VSR311", message, endpoint.pool.span, hint)

    return check
