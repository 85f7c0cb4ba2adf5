"""InferencePools behind Istio: the pools, the routes to them, and the connections to their endpoint pickers."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from vsr_compiler import ir
from vsr_compiler.diagnostics import Diagnostic
from vsr_compiler.manifests.objects import Body, Object, make
from vsr_compiler.releases import gateways as releases
from vsr_compiler.targets.common.extproc import MAX_STREAMS
from vsr_compiler.targets.common.httproute import routes
from vsr_compiler.targets.common.pools import (
    POOL_GROUP,
    crds_of_pools,
    existing_reference,
    inference_pool,
    is_pool,
    picker_service,
    pooled,
    settings,
    with_existing,
)
from vsr_compiler.targets.istio import providers
from vsr_compiler.targets.istio.kinds import NETWORKING_GROUP


def emit(policy: ir.Policy) -> Iterator[Object]:
    """Yield the pools, the routes to them, and the grants for routes across namespaces."""
    for endpoint in pooled(policy):
        yield inference_pool(policy, endpoint)
    yield from routes(policy, pool_backend)


def picker_connections(policy: ir.Policy) -> Iterator[Object]:
    """Yield a DestinationRule per picker."""
    for endpoint in pooled(policy):
        yield _destination_rule(policy, endpoint)


def pool_backend(endpoint: ir.Endpoint) -> Body:
    """Return the backendRef of an endpoint: its pool, or its Service if its pods are not known."""
    if endpoint.existing_pool is not None:
        return existing_reference(endpoint, endpoint.existing_pool)
    if not is_pool(endpoint):
        return providers.backend(endpoint)
    return {
        "group": POOL_GROUP,
        "kind": "InferencePool",
        "name": endpoint.object_name,
        "namespace": endpoint.service.namespace,
    }


def check(policy: ir.Policy) -> Iterator[Diagnostic]:
    """VSR312 and VSR314 for what Istio cannot do with pools, VSR316 for endpoints that cannot become pools."""
    for model in policy.models:
        pools = [endpoint for endpoint, _ in model.endpoints if is_pool(endpoint) or endpoint.existing_pool]
        if pools and len(model.endpoints) > 1 and not any(endpoint.provider for endpoint, _ in model.endpoints):
            message = f"`{model.name}` has several endpoints, but `{pools[0].name}` is a pool and must be the only one"
            hint = (
                "Istio supports one endpoint picker per rule. Put all pods into one pool, "
                "or define two models and use a route's `split`."
            )
            yield Diagnostic("VSR312", message, model.span, hint)
    istio = policy.versions["istio"]
    if len(with_existing(pooled)(policy)) > 1 and not releases.ISTIO[istio].many_pools:
        message = f"Istio {istio} keeps the endpoint picker of only one pool per Gateway"
        yield Diagnostic("VSR314", message, policy.gateway.span, "Use Istio 1.28.5 or newer.")
    for endpoint in policy.endpoints:
        if endpoint.provider is None and endpoint.existing_pool is None and not is_pool(endpoint):
            message = f"`{endpoint.name}` is not a pool, because the pods behind its Service are not known"
            yield Diagnostic(
                "VSR316", message, endpoint.span, "Define the endpoint by its pods (`pods:`) to make it a pool."
            )


def preflight(project: str) -> Callable[[ir.Policy], Iterator[Diagnostic]]:
    """Return the check for VSR315: what the cluster must have before a target with pools is applied."""

    def check(policy: ir.Policy) -> Iterator[Diagnostic]:
        """Report the setting of istiod and the CRDs."""
        crds = [f"gateway-api {policy.versions['gateway-api']}", *crds_of_pools(project, policy.versions)]
        message = "InferencePools need istiod with ENABLE_GATEWAY_API_INFERENCE_EXTENSION=true"
        hint = f"Install the CRDs of {', '.join(crds)} as well."
        yield Diagnostic("VSR315", message, policy.gateway.span, hint)

    return check


def _destination_rule(policy: ir.Policy, endpoint: ir.Endpoint) -> Object:
    """Return the DestinationRule, in the gateway's namespace. The picker's certificate is self-signed."""
    service = picker_service(endpoint)
    return make(
        f"{NETWORKING_GROUP}/v1",
        "DestinationRule",
        service.name,
        settings(endpoint).span,
        namespace=policy.gateway.namespace,
        spec={
            "exportTo": ["."],
            "host": service.host,
            "trafficPolicy": {
                "connectionPool": {"http": {"http2MaxRequests": MAX_STREAMS}, "tcp": {"connectTimeout": "500ms"}},
                "tls": {"mode": "SIMPLE", "insecureSkipVerify": True},
            },
        },
    )
