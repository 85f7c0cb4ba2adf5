"""Envoy Gateway: a Gateway with an EnvoyPatchPolicy for the router, and HTTPRoutes to Services and Backends."""

from vsr_compiler.manifests.kinds import Wave
from vsr_compiler.targets.common import (
    autoscaling,
    httproute,
    listeners,
    model_servers,
    monitoring,
    namespaces,
    pools,
    request_limits,
    vllm,
)
from vsr_compiler.targets.common import providers as common_providers
from vsr_compiler.targets.common import router as router_emitter
from vsr_compiler.targets.common.identity import check as identity_check
from vsr_compiler.targets.common.router_policies import emitter as router_policies
from vsr_compiler.targets.envoy_gateway import (
    backends,
    catch_all,
    checks,
    envoy_patch_policy,
    gateway,
    helm_values,
    identity,
    rate_limits,
)
from vsr_compiler.targets.envoy_gateway.kinds import KINDS
from vsr_compiler.targets.target import Check, Emitter, Target

__all__ = ["GATEWAY_CHECKS", "GATEWAY_EMITTERS", "HOPS", "KINDS", "RELEASES", "TARGET"]

RELEASES = ("envoy-gateway", "gateway-api", "vllm", "llm-d-inference-sim")
GATEWAY_EMITTERS: tuple[Emitter, ...] = (
    namespaces.emit,
    listeners.emit,
    catch_all.request_buffer,
    identity.emit,
    router_policies(gateway.pods),
    model_servers.existing_pods,
    model_servers.emit,
)
"""Everything but the Gateway, its patch, the router and the routes. The target `ai-gateway` uses it as well."""
GATEWAY_CHECKS: tuple[Check, ...] = (
    httproute.check,
    router_emitter.check,
    vllm.check,
    checks.releases_fit,
    listeners.check,
    gateway.check_client_certificates,
    identity.check,
    identity_check,
)

HOPS = (request_limits.hops_of("vllm", request_limits.model_servers),)

TARGET = Target(
    name="envoy-gateway",
    title="Envoy Gateway",
    docs="docs/reference/targets/envoy-gateway.md",
    releases=RELEASES,
    emitters=(
        *GATEWAY_EMITTERS,
        envoy_patch_policy.emitter(Wave.PATCH),
        gateway.emitter(httproute.route_namespaces),
        router_emitter.emitter(headless=True),
        backends.emit,
        catch_all.emit,
        httproute.emitter(backends.reference),
    ),
    hops=(*HOPS, common_providers.hops),
    checks=(
        *GATEWAY_CHECKS,
        rate_limits.checker(("requests",)),
        common_providers.check,
        pools.ignored_by("envoy-gateway"),
    ),
    preflight=(namespaces.preflight, listeners.preflight, checks.preflight),
    components=(
        monitoring.component(gateway.pods),
        autoscaling.component,
        autoscaling.stepwise,
        autoscaling.keda,
        autoscaling.keda_stepwise,
    ),
    charts=(helm_values.chart,),
    installs=(helm_values.SOURCE,),
    kinds=KINDS,
    cluster_names=(namespaces.cluster_names, gateway.cluster_names),
)
