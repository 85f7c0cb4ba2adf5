"""The vLLM production stack: its chart runs the model servers, behind Envoy AI Gateway."""

from dataclasses import replace

from vsr_compiler.targets import ai_gateway
from vsr_compiler.targets.common import monitoring, pools, request_limits, vllm
from vsr_compiler.targets.envoy_gateway import gateway
from vsr_compiler.targets.production_stack import chart, checks
from vsr_compiler.targets.production_stack.members import behind, members, monitored
from vsr_compiler.targets.production_stack.releases import PRODUCTION_STACK
from vsr_compiler.targets.target import Front, Target

GATEWAY = replace(
    ai_gateway.TARGET,
    components=tuple(
        monitoring.component(gateway.pods, pools.declared, monitored) if build is ai_gateway.MONITORING else build
        for build in ai_gateway.TARGET.components
    ),
)
"""The gateway in front, which also monitors the servers of the stack. It is no target of its own."""

TARGET = Target(
    name="production-stack",
    title="vLLM production stack",
    docs="docs/reference/targets/production-stack.md",
    releases=("production-stack", "vllm"),
    hops=(
        request_limits.hops_of("production-stack", members),
        request_limits.hops_of("vllm", members),
    ),
    checks=(checks.check, checks.check_servers, vllm.check),
    charts=(chart.chart,),
    installs=(chart.SOURCE,),
    tables={"production-stack": PRODUCTION_STACK.keys()},
    front=Front(GATEWAY, behind),
)
