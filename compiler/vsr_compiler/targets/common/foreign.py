"""Endpoints of others: InferencePools and routes that exist already, and which targets can reach them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import assert_never

from vsr_compiler import ir
from vsr_compiler.diagnostics import Diagnostic

Foreign = ir.ExistingPool | ir.ForeignRoute


def unreachable(policy: ir.Policy, target: str, reaches: tuple[type[Foreign], ...]) -> Iterator[Diagnostic]:
    """VSR360 for endpoints of others that a target cannot send requests to.

    Args:
        policy: The policy.
        target: The name of the target.
        reaches: The kinds that it can reach. A target that says nothing reaches none.
    """
    for endpoint in policy.endpoints:
        kind = endpoint.kind
        if not isinstance(kind, Foreign) or isinstance(kind, reaches):
            continue
        match kind:
            case ir.ExistingPool():
                message = f"`{endpoint.name}` is an InferencePool, but the target {target} sends requests to Services"
                hint = "Use one of the targets gie, llm-d, ai-gateway and production-stack, or attach."
            case ir.ForeignRoute():
                message = f"`{endpoint.name}` is a route of others, but the target {target} has routes of its own"
                hint = "Use the target attach, or describe the endpoint by its Service, pods or pool."
            case _ as other:
                assert_never(other)
        yield Diagnostic("VSR360", message, endpoint.span, hint)
