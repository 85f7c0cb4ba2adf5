"""Values for agentgateway's chart: what our objects need and that differs from the defaults."""

from __future__ import annotations

from vsr_compiler import ir
from vsr_compiler.targets.common.helm import ChartSource, Values
from vsr_compiler.targets.common.pools import declared, with_existing

CHART, CRD_CHART = "agentgateway", "agentgateway-crds"
NAMESPACE = "agentgateway-system"
"""The namespace of the control plane in the project's documentation."""
SOURCES = tuple(
    ChartSource(name, "oci://cr.agentgateway.dev/charts", name, "agentgateway", NAMESPACE, "v")
    for name in (CRD_CHART, CHART)
)
"""Source: agentgateway, `.github/workflows/release.yml` (charts and their tags)."""


def chart(policy: ir.Policy) -> Values | None:
    """Return the values; None if the defaults do. Models of its own stay off: their routes would come before ours."""
    if not with_existing(declared)(policy):
        return None
    body = {"agentgatewayModels": {"enabled": False}, "inferenceExtension": {"enabled": True}}
    return Values(CHART, body, policy.gateway.span)
