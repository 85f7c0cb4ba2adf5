"""Emulates a policy for the stock semantic-router on our runtime, so that its tests can run without that router.

Everything that needs one of its models becomes one unknown category. If a decision depends on it, the runtime leaves
the request undecided.
"""

from __future__ import annotations

from dataclasses import replace

from vsr_compiler import ir
from vsr_compiler.routerconfig.vsr_runtime import router_config
from vsr_runtime.decision.program.build import build
from vsr_runtime.decision.program.program import Program

UNKNOWN = "unknown"


def emulate(policy: ir.Policy) -> Program:
    """Return the program of a policy, without its guards."""
    unknown = ir.InCategory(ir.Category(UNKNOWN, "Needs a model of semantic-router", (), policy.span))
    emulated = replace(
        policy,
        categories=(unknown.category,),
        signals=tuple(signal for signal in policy.signals if not ir.needs_model(signal)),
        routes=tuple(replace(route, when=_without_models(route.when, unknown)) for route in policy.routes),
    )
    return build(router_config(emulated), frozenset({UNKNOWN}))


def _without_models(condition: ir.Condition, unknown: ir.InCategory) -> ir.Condition:
    """Replace each category, and each signal that needs a model, by the unknown category."""

    def known(leaf: ir.Leaf) -> ir.Condition:
        return leaf if isinstance(leaf, ir.HasSignal) and not ir.needs_model(leaf.signal) else unknown

    return ir.fold(condition, leaf=known, negated=ir.Not, all_of=ir.AllOf, any_of=ir.AnyOf)
