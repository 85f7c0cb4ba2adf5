"""Releases of components that need a release of another one."""

from __future__ import annotations

from vsr_compiler.releases.breakages.model import Requirement

_EG_NOTES = "envoyproxy/gateway 1.9, release notes and compatibility matrix"

REQUIREMENTS = (
    Requirement(
        component="envoy-gateway",
        since="1.9.0",
        needs="gateway-api",
        at_least="1.6.0",
        reason="it ignores TCPRoutes and UDPRoutes, and its chart brings newer definitions",
        source=_EG_NOTES,
    ),
    Requirement(
        component="envoy-ai-gateway",
        since="1.2.0",
        needs="envoy-gateway",
        at_least="1.9.2",
        reason="it is built for a newer Envoy Gateway",
        source="theagentrouter/agent-router, release notes of 1.2.0",
    ),
    Requirement(
        component="envoy-ai-gateway",
        since="1.2.0",
        needs="gateway-api",
        at_least="1.6.0",
        reason="it is built for newer definitions",
        source="theagentrouter/agent-router, release notes of 1.2.0",
    ),
    Requirement(
        component="envoy-ai-gateway",
        since="1.2.0",
        needs="inference-extension",
        at_least="1.6.0",
        reason="it is built for newer definitions",
        source="theagentrouter/agent-router, release notes of 1.2.0",
    ),
)
