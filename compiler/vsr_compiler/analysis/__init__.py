"""What a policy means and whether that is likely meant: rules by subject, and proofs of its assertions."""

from __future__ import annotations

from collections.abc import Collection

from vsr_compiler import ir
from vsr_compiler.analysis import assertions, caches, coverage, devices, engine, limits, routes, signals, supported
from vsr_compiler.analysis.requests import Requests
from vsr_compiler.diagnostics import Diagnostic

__all__ = ["analyse"]


def analyse(policy: ir.Policy, targets: Collection[str]) -> list[Diagnostic]:
    """Every finding about a linked policy, errors and warnings, sorted by place.

    Args:
        policy: The linked policy.
        targets: The stacks that can be compiled for.
    """
    requests = Requests(policy)
    found = [
        *policy.warnings,
        *supported.check(policy, targets),
        *engine.check(policy),
        *signals.check(policy),
        *limits.check(policy),
        *devices.check(policy),
        *caches.check(policy),
        *coverage.check(policy, requests),
        *routes.check(policy, requests),
        *assertions.check(policy, requests),
    ]
    return sorted(dict.fromkeys(found), key=lambda item: item.order)
