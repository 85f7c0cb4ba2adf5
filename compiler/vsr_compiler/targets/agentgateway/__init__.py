"""agentgateway: a Gateway with an AgentgatewayPolicy for the router, HTTPRoutes, InferencePools, and provider keys."""

from collections.abc import Iterator
from dataclasses import replace

from vsr_compiler import ir
from vsr_compiler.targets.agentgateway import (
    backends,
    checks,
    gateway,
    helm_values,
    identity,
    router_policy,
    translated,
)
from vsr_compiler.targets.agentgateway.kinds import CLASS, KINDS, RELEASES
from vsr_compiler.targets.common import (
    autoscaling,
    httproute,
    listeners,
    model_servers,
    monitoring,
    namespaces,
    picker,
    pools,
    request_limits,
    vllm,
)
from vsr_compiler.targets.common import router as router_emitter
from vsr_compiler.targets.common.identity import check as identity_check
from vsr_compiler.targets.common.request_limits import ReleasedHop
from vsr_compiler.targets.common.router_policies import emitter as router_policies
from vsr_compiler.targets.target import Target

PROJECT = "agentgateway"
PICKER_PROJECT = pools.POOL_PROJECT
"""The project of the endpoint picker, while it has one; see `picker_project`."""
_pickers = request_limits.picker_hops(PICKER_PROJECT, pools.with_existing(pools.declared))


def _picker_hops(policy: ir.Policy, endpoint: ir.Endpoint) -> Iterator[ReleasedHop]:
    """Yield the picker of a pool. It gets the body in the parts in which the router returns it, so it limits none."""
    for item in _pickers(policy, endpoint):
        yield replace(item, hop=replace(item.hop, max_message=None))


TARGET = Target(
    name=PROJECT,
    title="agentgateway",
    docs=checks.DOCS,
    releases=(PROJECT, "gateway-api", "vllm", "llm-d-inference-sim", PICKER_PROJECT),
    emitters=(
        namespaces.emit,
        listeners.emit,
        gateway.emit,
        identity.emit,
        router_policy.emit,
        router_emitter.emitter(keys=False, gateway=PROJECT),
        router_policies(gateway.pods),
        model_servers.existing_pods,
        model_servers.emit,
        backends.emit,
        picker.emitter(PICKER_PROJECT, pools.declared),
        backends.routes,
        router_policy.decided,
    ),
    hops=(translated.hops, _picker_hops, request_limits.hops_of("vllm", request_limits.model_servers)),
    checks=(
        httproute.check,
        router_emitter.check,
        vllm.check,
        listeners.check,
        gateway.check_client_certificates,
        identity.check,
        identity_check,
        checks.router,
        checks.weaker,
        checks.attempts,
        checks.limits,
        checks.pools,
        translated.check,
        picker.checker(PICKER_PROJECT, pools.declared, disaggregates=PROJECT),
    ),
    preflight=(
        namespaces.preflight,
        listeners.preflight,
        checks.preflight,
        translated.preflight,
        pools.preflight_existing,
    ),
    reaches=(ir.ExistingPool,),
    components=(
        monitoring.component(gateway.pods, pools.declared),
        autoscaling.component,
        autoscaling.stepwise,
        autoscaling.keda,
        autoscaling.keda_stepwise,
    ),
    charts=(helm_values.chart,),
    installs=helm_values.SOURCES,
    provided=(("GatewayClass", "", CLASS),),
    kinds=(*KINDS, *pools.KINDS),
    cluster_names=(
        namespaces.cluster_names,
        picker.cluster_names(pools.declared),
        monitoring.cluster_names(pools.declared),
    ),
    tables={PROJECT: RELEASES.keys()},
    profiles={profile: {PROJECT: "1.4.1"} for profile in ("seed", "2026-08", "current")},
)
