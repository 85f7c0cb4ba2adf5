"""Agent Router (formerly Envoy AI Gateway) on Envoy Gateway: AIGatewayRoutes, InferencePools, provider keys."""

from vsr_compiler import ir
from vsr_compiler.manifests.kinds import Wave
from vsr_compiler.targets import envoy_gateway
from vsr_compiler.targets.ai_gateway import attempts, backends, checks, helm_values, provider_checks, routes
from vsr_compiler.targets.ai_gateway.kinds import KINDS
from vsr_compiler.targets.common import autoscaling, listeners, monitoring, namespaces, picker, pools, request_limits
from vsr_compiler.targets.common import router as router_emitter
from vsr_compiler.targets.envoy_gateway import envoy_patch_policy, gateway, rate_limits
from vsr_compiler.targets.target import Target

PICKER_PROJECT = pools.POOL_PROJECT
"""The project of the endpoint picker, while it has one; see `picker_project`."""

SIDECAR_SECONDS = 15
"""Until AI Gateway's sidecar knows the backends of an accepted route: it reads a mounted Secret every 5 s."""

MONITORING = monitoring.component(gateway.pods, pools.declared)
"""The component `monitoring`. The target `production-stack` has its own."""

TARGET = Target(
    name="ai-gateway",
    title="Agent Router (formerly Envoy AI Gateway)",
    docs="docs/reference/targets/envoy-gateway.md",
    releases=("envoy-ai-gateway", *envoy_gateway.RELEASES, PICKER_PROJECT),
    emitters=(
        *envoy_gateway.GATEWAY_EMITTERS,
        envoy_patch_policy.emitter(Wave.LATE_PATCH, attempts=False),
        gateway.emitter(routes.route_namespaces),
        router_emitter.emitter(headless=True, keys=False, starts_after=SIDECAR_SECONDS),
        backends.emit,
        picker.emitter(PICKER_PROJECT, pools.declared),
        routes.emit,
        attempts.emit,
    ),
    hops=(
        provider_checks.hops,
        request_limits.picker_hops(PICKER_PROJECT, pools.with_existing(pools.declared)),
        *envoy_gateway.HOPS,
    ),
    checks=(
        *envoy_gateway.GATEWAY_CHECKS,
        checks.releases_fit,
        provider_checks.check,
        attempts.check,
        rate_limits.checker(("requests", "tokens", "dollars")),
        picker.checker(PICKER_PROJECT, pools.declared, disaggregates="ai-gateway"),
    ),
    preflight=(namespaces.preflight, listeners.preflight, checks.preflight, pools.preflight_existing),
    reaches=(ir.ExistingPool,),
    components=(
        MONITORING,
        autoscaling.component,
        autoscaling.stepwise,
        autoscaling.keda,
        autoscaling.keda_stepwise,
    ),
    charts=(helm_values.chart, helm_values.ai_chart),
    installs=helm_values.SOURCES,
    kinds=(*envoy_gateway.KINDS, *KINDS, *pools.KINDS),
    cluster_names=(
        *envoy_gateway.TARGET.cluster_names,
        picker.cluster_names(pools.declared),
        monitoring.cluster_names(pools.declared),
    ),
)
