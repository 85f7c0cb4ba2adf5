"""The vLLM production stack: its chart runs the model servers, behind Envoy AI Gateway."""

from vsr_compiler.targets import ai_gateway
from vsr_compiler.targets.common import request_limits, vllm
from vsr_compiler.targets.production_stack import chart, checks
from vsr_compiler.targets.production_stack.members import behind, members
from vsr_compiler.targets.production_stack.releases import PRODUCTION_STACK
from vsr_compiler.targets.target import Front, Target

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
    front=Front(ai_gateway.TARGET, behind),
)
