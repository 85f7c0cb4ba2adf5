"""What attaches the router, by the controller of the existing Gateway."""

from __future__ import annotations

from collections.abc import Iterator
from typing import assert_never

from vsr_compiler import ir
from vsr_compiler.diagnostics import Diagnostic
from vsr_compiler.manifests.objects import Object
from vsr_compiler.targets.agentgateway import checks as agentgateway_checks
from vsr_compiler.targets.agentgateway import gateway as agentgateway
from vsr_compiler.targets.agentgateway import identity as agentgateway_identity
from vsr_compiler.targets.agentgateway import router_policy
from vsr_compiler.targets.attach import envoy_patches, istio_filter
from vsr_compiler.targets.attach.names import attachment_of
from vsr_compiler.targets.common import router as router_emitter
from vsr_compiler.targets.common.gateway_api import GatewayPods
from vsr_compiler.targets.envoy_gateway import gateway as envoy_gateway
from vsr_compiler.targets.envoy_gateway import identity as envoy_gateway_identity
from vsr_compiler.targets.istio import gateway as istio
from vsr_compiler.targets.istio import identity as istio_identity
from vsr_schemas.policy.v1alpha1.attach import Controller


def attachment(policy: ir.Policy) -> Iterator[Object]:
    """Yield the objects that make the Gateway call the router."""
    controller = _controller(policy)
    match controller:
        case "istio":
            return istio_filter.emit(policy)
        case "envoy-gateway":
            return envoy_patches.emit(policy)
        case "agentgateway":
            return _agentgateway(policy)
    assert_never(controller)


def _agentgateway(policy: ir.Policy) -> Iterator[Object]:
    """Yield the policy of the phase before routing: for the listeners that the policy names, or for all."""
    gateway = policy.gateway
    whole = agentgateway.target(gateway)
    targets = [whole | {"sectionName": section.name} for section in gateway.model_sections]
    everywhere = gateway.listeners == (ir.HTTP,)
    return router_policy.asking(policy, [whole] if everywhere else targets, (attachment_of(policy).header,))


def identity(policy: ir.Policy) -> Iterator[Object]:
    """Yield what authenticates clients at the Gateway."""
    controller = _controller(policy)
    match controller:
        case "istio":
            return istio_identity.emit(policy)
        case "envoy-gateway":
            return envoy_gateway_identity.emit(policy)
        case "agentgateway":
            return agentgateway_identity.emit(policy)
    assert_never(controller)


def router(policy: ir.Policy) -> Iterator[Object]:
    """Yield the router. Envoy Gateway balances over the addresses of its pods."""
    if _controller(policy) == "agentgateway":
        return router_emitter.emitter(keys=False, gateway="agentgateway")(policy)
    return router_emitter.emitter(headless=_controller(policy) == "envoy-gateway")(policy)


def pods(policy: ir.Policy) -> GatewayPods:
    """Return the proxies of the Gateway."""
    controller = _controller(policy)
    match controller:
        case "istio":
            return istio.pods(policy)
        case "envoy-gateway":
            return envoy_gateway.pods(policy)
        case "agentgateway":
            return agentgateway.pods(policy)
    assert_never(controller)


def check(policy: ir.Policy) -> Iterator[Diagnostic]:
    """Return what the controller cannot do for clients, and what it guarantees less than others."""
    controller = _controller(policy)
    match controller:
        case "istio":
            return iter(())
        case "envoy-gateway":
            return envoy_gateway_identity.check(policy)
        case "agentgateway":
            return iter([*agentgateway_identity.check(policy), *agentgateway_checks.weaker(policy)])
    assert_never(controller)


def _controller(policy: ir.Policy) -> Controller:
    return attachment_of(policy).controller
