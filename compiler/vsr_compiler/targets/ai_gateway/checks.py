"""What Envoy AI Gateway needs: releases that fit together, charts with our values, and CRDs."""

from __future__ import annotations

from collections.abc import Iterator

from vsr_compiler import ir
from vsr_compiler.diagnostics import Diagnostic
from vsr_compiler.releases.gateways import AI_GATEWAY
from vsr_compiler.targets.ai_gateway.helm_values import AI_CHART, SOURCES
from vsr_compiler.targets.common.pools import POOL_PROJECT, crds_of_pools, declared, with_existing
from vsr_compiler.targets.envoy_gateway.checks import VALUES, any_of, install_hint, values_of


def releases_fit(policy: ir.Policy) -> Iterator[Diagnostic]:
    """VSR314 if Envoy AI Gateway was not built for the release of Envoy Gateway."""
    versions = policy.versions
    allowed = AI_GATEWAY[versions["envoy-ai-gateway"]].envoy_gateways
    if versions["envoy-gateway"] not in allowed:
        message = (
            f"envoy-ai-gateway {versions['envoy-ai-gateway']} does not extend envoy-gateway {versions['envoy-gateway']}"
        )
        hint = f"Use envoy-gateway {any_of(allowed)} with it."
        yield Diagnostic("VSR314", message, policy.gateway.span, hint)


def preflight(policy: ir.Policy) -> Iterator[Diagnostic]:
    """VSR315: both charts must be installed, with our values, and the CRDs of pools if there are any."""
    versions = policy.versions
    has_pools = with_existing(declared)(policy)
    if not has_pools and policy.installed_charts >= {source.chart for source in SOURCES}:
        return
    own = f" and {values_of(AI_CHART)}" if AI_GATEWAY[versions["envoy-ai-gateway"]].chart_values else ""
    message = (
        f"Envoy Gateway {versions['envoy-gateway']} must be installed with {VALUES}, "
        f"and Agent Router (formerly Envoy AI Gateway) {versions['envoy-ai-gateway']} with its CRDs{own}"
    )
    pools = f" Install the CRDs of {', '.join(crds_of_pools(POOL_PROJECT, versions))} as well."
    hint = install_hint(policy) + (pools if has_pools else "")
    yield Diagnostic("VSR315", message, policy.gateway.span, hint)
