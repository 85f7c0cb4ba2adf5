"""Istio: a Gateway with an EnvoyFilter for the router, and HTTPRoutes to Services."""

from vsr_compiler.targets.common import (
    autoscaling,
    counted_limits,
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
from vsr_compiler.targets.istio import envoyfilter, gateway, identity, providers
from vsr_compiler.targets.istio.kinds import KINDS
from vsr_compiler.targets.target import Check, Emitter, Target

__all__ = ["GATEWAY_CHECKS", "GATEWAY_EMITTERS", "HOPS", "KINDS", "RELEASES", "TARGET"]

RELEASES = ("istio", "gateway-api", "vllm", "llm-d-inference-sim")
GATEWAY_EMITTERS: tuple[Emitter, ...] = (
    namespaces.emit,
    listeners.emit,
    gateway.emit,
    identity.emit,
    router_emitter.emitter(),
    router_policies(gateway.pods),
    model_servers.existing_pods,
    providers.emit,
)
"""Everything but the router's filter, the model servers and the routes. The targets `gie` and `llm-d` use it, too."""
GATEWAY_CHECKS: tuple[Check, ...] = (
    httproute.check,
    router_emitter.check,
    vllm.check,
    gateway.check,
    listeners.check,
    gateway.check_client_certificates,
    gateway.check_attempts,
    gateway.releases_fit,
    common_providers.check,
    identity_check,
    counted_limits.refused,
)

HOPS = (request_limits.hops_of("vllm", request_limits.model_servers), common_providers.hops)

TARGET = Target(
    name="istio",
    title="Istio",
    docs="docs/reference/targets/istio.md",
    releases=RELEASES,
    emitters=(
        *GATEWAY_EMITTERS,
        envoyfilter.emitter(pools.none),
        model_servers.emit,
        httproute.emitter(providers.backend),
    ),
    hops=HOPS,
    checks=(*GATEWAY_CHECKS, pools.ignored_by("istio")),
    preflight=(namespaces.preflight, listeners.preflight),
    components=(
        monitoring.component(gateway.pods),
        autoscaling.component,
        autoscaling.stepwise,
        autoscaling.keda,
        autoscaling.keda_stepwise,
    ),
    kinds=KINDS,
    cluster_names=(namespaces.cluster_names,),
)
