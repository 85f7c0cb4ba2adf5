"""A policy of the stock router as our runtime would have it, so far as no model of that engine is asked.

Whatever takes one of its models is one unknown: where a decision depends on it, the runtime stays undecided.
"""

from __future__ import annotations

from dataclasses import replace

from vsr_compiler import ir
from vsr_compiler.routerconfig.config import router_config
from vsr_compiler.routerconfig.signals import PLAIN
from vsr_runtime.decision.program.build import build
from vsr_runtime.decision.program.program import Program

UNKNOWN = "unknown"


def twin(policy: ir.Policy) -> Program:
    """What decides, without guards."""
    unknown = ir.Category(UNKNOWN, "What takes a model of the engine's", (), policy.span)
    routes = tuple(replace(route, when=_known(route.when, ir.InCategory(unknown))) for route in policy.routes)
    plain = replace(
        policy,
        categories=(unknown,),
        signals=tuple(signal for signal in policy.signals if isinstance(signal.body, PLAIN)),
        routes=routes,
    )
    return build(router_config(plain), frozenset({UNKNOWN}))


def _known(condition: ir.Condition, unknown: ir.Condition) -> ir.Condition:
    """The condition with the unknown in the place of all that takes a model."""
    match condition:
        case ir.InCategory():
            return unknown
        case ir.HasSignal(signal):
            return condition if isinstance(signal.body, PLAIN) else unknown
        case ir.Not(part):
            return ir.Not(_known(part, unknown))
        case ir.All(parts):
            return ir.All(tuple(_known(part, unknown) for part in parts))
        case ir.Any(parts):
            return ir.Any(tuple(_known(part, unknown) for part in parts))
