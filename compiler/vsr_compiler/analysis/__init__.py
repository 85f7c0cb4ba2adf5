"""Checks the meaning of a linked policy: rules by subject, and proofs of its assertions."""

from __future__ import annotations

from collections.abc import Collection

from vsr_compiler import ir
from vsr_compiler.analysis import (
    assertions,
    caches,
    contexts,
    devices,
    heads,
    identity,
    limits,
    protections,
    residency,
    routes,
    signals,
    stock_router,
    unused,
    vllm_arguments,
)
from vsr_compiler.analysis.requests import Requests
from vsr_compiler.diagnostics import Diagnostic

__all__ = ["analyse"]


def analyse(policy: ir.Policy, targets: Collection[str]) -> list[Diagnostic]:
    """Return all diagnostics of a linked policy, sorted by place.

    Args:
        policy: The linked policy.
        targets: Names of the targets that can be rendered.
    """
    requests = Requests(policy)
    diagnostics = [
        *policy.warnings,
        *limits.check_targets(policy, targets),
        *stock_router.check(policy),
        *signals.check(policy),
        *limits.check(policy),
        *devices.check(policy),
        *heads.check(policy),
        *identity.check(policy),
        *protections.check(policy),
        *caches.check(policy),
        *residency.check(policy),
        *vllm_arguments.check(policy),
        *contexts.check(policy, requests),
        *unused.check(policy, requests),
        *routes.check(policy, requests),
        *assertions.check(policy, requests),
    ]
    return sorted(dict.fromkeys(diagnostics), key=lambda item: item.order)
