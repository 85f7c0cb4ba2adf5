"""A target as an example: Gateway and HTTPRoutes, and a filter of an invented control plane. See add-a-target.md."""

from __future__ import annotations

from collections.abc import Iterator

from vsr_compiler import ir
from vsr_compiler.diagnostics import Diagnostic
from vsr_compiler.manifests.kinds import GATEWAY_GROUP, AlwaysHealthy, Kind, Wave
from vsr_compiler.manifests.objects import Object, make
from vsr_compiler.targets.common import httproute, listeners, model_servers, namespaces, router
from vsr_compiler.targets.common.gateway_api import GATEWAY_API
from vsr_compiler.targets.target import Target

GROUP = "filters.example.com"
RELEASES = {"1.0.0": "filters.example.com/v1alpha1", "1.1.0": "filters.example.com/v1"}
"""The API version of the filter, by release of example-gateway."""


def gateway(policy: ir.Policy) -> Iterator[Object]:
    """Yield the Gateway. Its routes are in its own namespace."""
    spec = {"gatewayClassName": "example", "listeners": listeners.listeners(policy, {policy.gateway.namespace})}
    yield make(
        GATEWAY_API, "Gateway", policy.gateway.name, policy.gateway.span, namespace=policy.gateway.namespace, spec=spec
    )


def router_filter(policy: ir.Policy) -> Iterator[Object]:
    """Yield the filter that makes the Gateway call the router for every request."""
    spec = {
        "targetRefs": [{"group": GATEWAY_GROUP, "kind": "Gateway", "name": policy.gateway.name}],
        "externalProcessor": {"address": policy.router.grpc.authority, "timeout": f"{policy.router.deadline}ms"},
    }
    api = RELEASES[policy.versions["example-gateway"]]
    name = f"{policy.gateway.name}-router"
    yield make(api, "RouterFilter", name, policy.router.span, namespace=policy.gateway.namespace, spec=spec)


def check(policy: ir.Policy) -> Iterator[Diagnostic]:
    """VSR312 for an endpoint outside the cluster, which the filter does not support."""
    for endpoint in policy.endpoints:
        if isinstance(endpoint.kind, ir.Provider):
            message = f"the endpoint `{endpoint.name}` is outside the cluster"
            yield Diagnostic("VSR312", message, endpoint.span, "Use another target for it.")


TARGET = Target(
    name="example",
    title="Example Gateway",
    docs="docs/how-to/add-a-target.md",
    releases=("example-gateway", "gateway-api", "vllm"),
    emitters=(
        namespaces.emit,
        listeners.emit,
        gateway,
        router_filter,
        router.emitter(),
        model_servers.existing_pods,
        model_servers.emit,
        httproute.emitter(httproute.service_backend),
    ),
    checks=(httproute.check, router.check, listeners.check, check),
    provided=(("GatewayClass", "", "example"),),
    kinds=(Kind(GROUP, "RouterFilter", Wave.FILTER, AlwaysHealthy()),),
    tables={"example-gateway": RELEASES.keys()},
    profiles={"seed": {"example-gateway": "1.0.0"}, "current": {"example-gateway": "1.1.0"}},
)
