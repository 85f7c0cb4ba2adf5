"""Targets: one folder per stack, each with a `Target` value. This module is the one place that lists them.

To add a stack, see `docs/how-to/add-a-target.md`.
"""

from vsr_compiler.ir.hosts import COMPOSE
from vsr_compiler.targets import agentgateway, ai_gateway, attach, envoy_gateway, gie, istio, llm_d, production_stack
from vsr_compiler.targets.target import (
    TARGETS,
    Check,
    Emitter,
    Front,
    Rendered,
    Target,
    kinds,
    profiles,
    register,
    render,
    unregister,
)

__all__ = [
    "TARGETS",
    "Check",
    "Emitter",
    "Front",
    "Rendered",
    "Target",
    "environment_targets",
    "kinds",
    "profiles",
    "register",
    "render",
    "unregister",
]

register(istio.TARGET)
register(gie.TARGET)
register(llm_d.TARGET)
register(ai_gateway.TARGET)
register(envoy_gateway.TARGET)
register(agentgateway.TARGET)
register(production_stack.TARGET)
register(attach.TARGET)


def environment_targets() -> tuple[str, ...]:
    """Return the targets that an environment can have: the stacks of clusters, and one host."""
    return (*TARGETS, COMPOSE)
