"""Attach: the router on a Gateway that exists already, with routes of others: KServe, llm-d, a platform."""

from vsr_compiler import ir
from vsr_compiler.targets import envoy_gateway, istio
from vsr_compiler.targets.agentgateway.kinds import KINDS as AGENTGATEWAY_KINDS
from vsr_compiler.targets.attach import checks, gateways
from vsr_compiler.targets.attach.names import routing, seen
from vsr_compiler.targets.common import autoscaling, monitoring, namespaces
from vsr_compiler.targets.common import router as router_emitter
from vsr_compiler.targets.common.identity import check as identity_check
from vsr_compiler.targets.common.router_policies import emitter as router_policies
from vsr_compiler.targets.target import Front, Target

DOCS = "docs/reference/targets/attach.md"

GATEWAY = Target(
    name="attach-gateway",
    title="an existing Gateway",
    docs=DOCS,
    releases=("istio", "envoy-gateway", "gateway-api"),
    emitters=(
        namespaces.emit,
        gateways.attachment,
        gateways.identity,
        gateways.router,
        router_policies(gateways.pods),
    ),
    checks=(router_emitter.check, gateways.check, identity_check),
    components=(
        monitoring.component(gateways.pods),
        autoscaling.component,
        autoscaling.stepwise,
        autoscaling.keda,
        autoscaling.keda_stepwise,
    ),
    kinds=(*istio.KINDS, *envoy_gateway.KINDS, *AGENTGATEWAY_KINDS),
    cluster_names=(namespaces.cluster_names,),
    reaches=(ir.ExistingPool, ir.ForeignRoute),
)
"""The Gateway as it sees a policy: every endpoint is a route of others. It is no target of its own."""

TARGET = Target(
    name=ir.ATTACH,
    title="An existing Gateway",
    docs=DOCS,
    releases=(),
    checks=(checks.check,),
    preflight=(checks.preflight,),
    routing=routing,
    front=Front(GATEWAY, seen),
)
