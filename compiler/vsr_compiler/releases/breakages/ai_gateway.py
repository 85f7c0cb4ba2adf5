"""What releases of Agent Router, formerly Envoy AI Gateway, break."""

from __future__ import annotations

from vsr_compiler.releases.breakages.model import Behaviour, Breakage, Together

BREAKAGES = (
    Breakage(
        component="envoy-ai-gateway",
        since="1.2.0",
        what="{found} needs a ReferenceGrant, because references into other namespaces are checked more strictly",
        remedy="Add a ReferenceGrant in the namespace of the object, or move the object.",
        source="theagentrouter/agent-router, release notes of 1.2.0; which references were open before was not read",
        sign=Together(Behaviour.CROSS_NAMESPACE),
        severity="warning",
        confirmed=False,
    ),
)
