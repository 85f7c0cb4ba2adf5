"""Istio with InferencePools and the endpoint picker of the Gateway API Inference Extension."""

from vsr_compiler import ir
from vsr_compiler.targets import istio
from vsr_compiler.targets.common import autoscaling, model_servers, monitoring, picker, request_limits
from vsr_compiler.targets.common import pools as common_pools
from vsr_compiler.targets.gie import pools
from vsr_compiler.targets.istio import envoyfilter, gateway
from vsr_compiler.targets.target import ClusterNames, Target

PROJECT = common_pools.POOL_PROJECT
"""The project of the endpoint picker, while it has one; see `picker_project`."""
KINDS = (*istio.KINDS, *common_pools.KINDS)
CLUSTER_NAMES: tuple[ClusterNames, ...] = (
    *istio.TARGET.cluster_names,
    picker.cluster_names(common_pools.pooled),
    monitoring.cluster_names(common_pools.pooled),
)
"""The cluster-scoped names of targets on Istio with pools. The target `llm-d` uses them, too."""

TARGET = Target(
    name="gie",
    title="Gateway API Inference Extension",
    docs="docs/reference/targets/istio.md",
    releases=(*istio.RELEASES, PROJECT),
    emitters=(
        *istio.GATEWAY_EMITTERS,
        envoyfilter.emitter(common_pools.pooled),
        model_servers.emit,
        pools.emit,
        picker.emitter(PROJECT),
        pools.picker_connections,
    ),
    hops=(request_limits.picker_hops(PROJECT, common_pools.with_existing(common_pools.pooled)), *istio.HOPS),
    checks=(*istio.GATEWAY_CHECKS, pools.check, picker.checker(PROJECT, disaggregates="gie")),
    preflight=(*istio.TARGET.preflight, pools.preflight(PROJECT), common_pools.preflight_existing),
    reaches=(ir.ExistingPool,),
    components=(
        monitoring.component(gateway.pods, common_pools.pooled),
        autoscaling.component,
        autoscaling.stepwise,
        autoscaling.keda,
        autoscaling.keda_stepwise,
    ),
    kinds=KINDS,
    cluster_names=CLUSTER_NAMES,
)
