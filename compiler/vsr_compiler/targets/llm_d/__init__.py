"""llm-d: Istio with InferencePools, the llm-d router's endpoint picker, and disaggregated model servers."""

from vsr_compiler import ir
from vsr_compiler.targets import gie, istio
from vsr_compiler.targets.common import autoscaling, monitoring, picker, picker_chart, request_limits
from vsr_compiler.targets.common.pools import pooled, preflight_existing, with_existing
from vsr_compiler.targets.gie import CLUSTER_NAMES, pools
from vsr_compiler.targets.istio import envoyfilter, gateway
from vsr_compiler.targets.llm_d import disaggregation
from vsr_compiler.targets.target import Target

PROJECT = "llm-d-router"
"""The project of the endpoint picker."""

TARGET = Target(
    name="llm-d",
    title="llm-d",
    docs="docs/reference/targets/istio.md",
    releases=(*istio.RELEASES, gie.PROJECT, PROJECT),
    emitters=(
        *istio.GATEWAY_EMITTERS,
        envoyfilter.emitter(pooled),
        disaggregation.emit,
        pools.emit,
        picker.emitter(PROJECT),
        pools.picker_connections,
    ),
    hops=(request_limits.picker_hops(PROJECT, with_existing(pooled)), *istio.HOPS),
    checks=(*istio.GATEWAY_CHECKS, pools.check, picker.checker(PROJECT), autoscaling.check),
    preflight=(*istio.TARGET.preflight, pools.preflight(PROJECT), preflight_existing),
    reaches=(ir.ExistingPool,),
    components=(
        monitoring.component(gateway.pods, pooled),
        autoscaling.component,
        autoscaling.stepwise,
        autoscaling.keda,
        autoscaling.keda_stepwise,
        picker_chart.component(PROJECT),
    ),
    charts=(picker_chart.charts(PROJECT),),
    kinds=gie.KINDS,
    cluster_names=CLUSTER_NAMES,
)
