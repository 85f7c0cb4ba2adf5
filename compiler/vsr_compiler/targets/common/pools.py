"""InferencePools: each endpoint that has pods is one, and routes point at it instead of at a Service."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from vsr_compiler import ir
from vsr_compiler.diagnostics import Diagnostic
from vsr_compiler.manifests.objects import Body, Object, make
from vsr_compiler.releases import gateway as releases
from vsr_compiler.targets.common import vllm
from vsr_compiler.targets.common.pods import selector
from vsr_compiler.targets.common.routes_httproute import routes, service_backend

GROUP = "inference.networking.k8s.io"
PICKER_PORT = 9002
Pooled = Callable[[ir.Policy], list[ir.Endpoint]]
"""Which endpoints of a policy a target puts behind pools."""


def emit(policy: ir.Policy) -> Iterator[Object]:
    """The pools, the routes to them, and the grants that let routes cross namespaces."""
    for endpoint in pooled(policy):
        yield inference_pool(policy, endpoint)
    yield from routes(policy, pool_backend)


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


def pool_backend(endpoint: ir.Endpoint) -> Body:
    """How a route refers to the endpoint."""
    if not is_pool(endpoint):
        return service_backend(endpoint)
    return {
        "group": GROUP,
        "kind": "InferencePool",
        "name": endpoint.object_name,
        "namespace": endpoint.service.namespace,
    }


def check(policy: ir.Policy) -> Iterator[Diagnostic]:
    """What Istio cannot do with pools (VSR312, VSR314), and what is not pooled (VSR316)."""
    for model in policy.models:
        pools = [endpoint for endpoint, _ in model.endpoints if is_pool(endpoint)]
        if pools and len(model.endpoints) > 1 and not any(each.provider for each, _ in model.endpoints):
            message = f"`{model.name}` is divided between endpoints of which `{pools[0].name}` is a pool"
            hint = (
                "Istio keeps one endpoint picker a rule: put all pods into one pool, "
                "or make two models and divide by a route's `split`."
            )
            yield Diagnostic("VSR312", message, model.span, hint)
    istio = policy.versions["istio"]
    if len(pooled(policy)) > 1 and not releases.ISTIO[istio].many_pools:
        message = f"Istio {istio} forgets the endpoint pickers of all pools of a Gateway but one"
        yield Diagnostic("VSR314", message, policy.gateway.span, "Use Istio 1.28.5 or newer.")
    for endpoint in policy.endpoints:
        if endpoint.provider is None and not is_pool(endpoint):
            message = f"`{endpoint.name}` is not pooled: the pods behind its Service are not known"
            yield Diagnostic("VSR316", message, endpoint.span, "Name the pods (`pods:`) to pool them.")


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
        f"{GROUP}/v1",
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
