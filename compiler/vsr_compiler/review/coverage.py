"""Reports the routes, guards and signals that no test of a policy reaches."""

from __future__ import annotations

from collections.abc import Iterator

from vsr_compiler import ir
from vsr_compiler.diagnostics import Diagnostic
from vsr_compiler.routerconfig.signals import TYPES
from vsr_runtime.decision.program.build_signals import PII_DETECTOR
from vsr_runtime.decision.program.conditions import SignalName


def uncovered(
    policy: ir.Policy, routes: frozenset[str], guards: frozenset[str], signals: frozenset[SignalName]
) -> Iterator[Diagnostic]:
    """Yield VSR251, VSR260 and VSR252 for each route, guard and signal that is not among those of the tests.

    Args:
        policy: the policy.
        routes: the routes that decided a request.
        guards: the guards that matched one.
        signals: the signals that held, by their type and name in the router's config.
    """
    for route in policy.routes:
        if route.name not in routes:
            hint = "Add a test with a request that matches it."
            yield Diagnostic("VSR251", f"no test reaches the route `{route.name}`", route.span, hint)
    for guard in policy.guards:
        if guard.on_requests and guard.name not in guards:
            hint = "Add a test with a request that it matches, and list it under `expect.guards`."
            yield Diagnostic("VSR260", f"no test reaches the guard `{guard.name}`", guard.span, hint)
    for signal in _used_signals(policy):
        if not signals & _runtime_names(signal):
            hint = "Add a test in which it holds and the route depends on it."
            yield Diagnostic("VSR252", f"no test reaches the signal `{signal.name}`", signal.span, hint)


def _used_signals(policy: ir.Policy) -> list[ir.Signal]:
    """Return the signals that a route tests; another check reports the others."""
    used = {
        leaf.signal.name for route in policy.routes for leaf in ir.leaves(route.when) if isinstance(leaf, ir.HasSignal)
    }
    return [signal for signal in policy.signals if signal.name in used]


def _runtime_names(signal: ir.Signal) -> frozenset[SignalName]:
    """Return the types and names of a signal in the router's config. If one of them holds, the signal does."""
    match signal.kind:
        case ir.LanguageSignal(codes):
            return frozenset(("language", code) for code in codes)
        case ir.ComplexitySignal(level=level):
            return frozenset({("complexity", f"{signal.name}:{level}")})
        case ir.PiiSignal():
            return frozenset({("pii", signal.name), (PII_DETECTOR, signal.name)})
        case kind:
            return frozenset({(TYPES.get(type(kind), ""), signal.name)})
