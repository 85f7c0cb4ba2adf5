"""What attaches the router, by the controller of the existing Gateway."""

from __future__ import annotations

from collections.abc import Iterator

from vsr_compiler import ir
from vsr_compiler.diagnostics import Diagnostic
from vsr_compiler.manifests.objects import Object
from vsr_compiler.targets.attach import envoy_patches, istio_filter
from vsr_compiler.targets.attach.names import attachment_of
from vsr_compiler.targets.common import router as router_emitter
from vsr_compiler.targets.common.gateway_api import GatewayPods
from vsr_compiler.targets.envoy_gateway import gateway as envoy_gateway
from vsr_compiler.targets.envoy_gateway import identity as envoy_gateway_identity
from vsr_compiler.targets.istio import gateway as istio
from vsr_compiler.targets.istio import identity as istio_identity

SUPPORTED = ("istio", "envoy-gateway")
"""The controllers for which objects are emitted. A check refuses the others."""


def attachment(policy: ir.Policy) -> Iterator[Object]:
    """Yield the objects that make the Gateway call the router."""
    return istio_filter.emit(policy) if is_istio(policy) else envoy_patches.emit(policy)


def identity(policy: ir.Policy) -> Iterator[Object]:
    """Yield what authenticates clients at the Gateway."""
    return istio_identity.emit(policy) if is_istio(policy) else envoy_gateway_identity.emit(policy)


def router(policy: ir.Policy) -> Iterator[Object]:
    """Yield the router. Envoy Gateway balances over the addresses of its pods."""
    return router_emitter.emitter(headless=not is_istio(policy))(policy)


def pods(policy: ir.Policy) -> GatewayPods:
    """Return the proxies of the Gateway."""
    return istio.pods(policy) if is_istio(policy) else envoy_gateway.pods(policy)


def check_identity(policy: ir.Policy) -> Iterator[Diagnostic]:
    """VSR334 for clients that the controller could not tell apart."""
    return iter(()) if is_istio(policy) else envoy_gateway_identity.check(policy)


def is_istio(policy: ir.Policy) -> bool:
    """Return whether Istio runs the Gateway."""
    return attachment_of(policy).controller == "istio"
