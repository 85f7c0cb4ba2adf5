"""Gateways that count no limits: the router does it."""

from __future__ import annotations

from collections.abc import Iterator

from vsr_compiler import ir
from vsr_compiler.diagnostics import Diagnostic


def refused(policy: ir.Policy) -> Iterator[Diagnostic]:
    """VSR337 for each limit that the gateway would have to count: Istio has only local limits, of each proxy alone."""
    for limit in policy.limits:
        if limit.by_gateway:
            message = f"Istio cannot count the limit `{limit.name}`: each of its proxies would allow all of it"
            hint = "Use `countedBy: router`, or the target envoy-gateway or ai-gateway."
            yield Diagnostic("VSR337", message, limit.span, hint)
