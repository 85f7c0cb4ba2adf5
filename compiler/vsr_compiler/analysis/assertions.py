"""Assertions are proved, or refuted by a request that breaks them."""

from __future__ import annotations

from collections.abc import Iterator

from vsr_compiler import ir
from vsr_compiler.analysis.bdd import FALSE, TooHardError
from vsr_compiler.analysis.paths import Way, holds, ways
from vsr_compiler.analysis.requests import Requests, Set
from vsr_compiler.diagnostics import Diagnostic


def check(policy: ir.Policy, requests: Requests) -> Iterator[Diagnostic]:
    """VSR240 where an assertion does not hold, VSR241 where it speaks of nothing, VSR242 where it cannot be decided.

    An assertion that names a category or a signal speaks of the requests for which the router chooses: of a request
    that names its model, nothing is asked.
    """
    for assertion in policy.assertions:
        try:
            yield from _one(policy, requests, assertion)
        except TooHardError:
            hint = "Ask about fewer signals at once, or split the routes' conditions."
            yield Diagnostic("VSR242", f"too many combinations to decide `{assertion.words}`", assertion.span, hint)


def _one(policy: ir.Policy, requests: Requests, assertion: ir.Assertion) -> Iterator[Diagnostic]:
    statement = assertion.statement
    about = _about(requests, statement)
    if statement.to == () or all(diagram == FALSE for diagram in about):
        hint = "Check its names; it would hold of any policy."
        yield Diagnostic("VSR241", f"no request is spoken of by `{assertion.words}`", assertion.span, hint)
        return
    for way in ways(policy, requests):
        if not way.chosen and (statement.category or statement.signal):
            continue
        some = requests.both(about, way.requests)
        if all(diagram == FALSE for diagram in some):
            continue
        there = statement.to is None or way.model in statement.to
        missing = [guard.name for guard in statement.guards if not holds(guard, way)]
        broken = (not there or missing) if assertion.always else (there and (missing or not statement.guards))
        if broken:
            yield _refuted(requests, assertion, way, some, missing)
            return


def _about(requests: Requests, statement: ir.Statement) -> Set:
    """The requests that a statement speaks of."""
    parts: list[ir.Condition] = []
    if statement.category is not None:
        parts.append(ir.InCategory(statement.category))
    if statement.signal is not None:
        parts.append(ir.HasSignal(statement.signal))
    return requests.of(ir.AllOf(tuple(parts)))


def _refuted(requests: Requests, assertion: ir.Assertion, way: Way, some: Set, missing: list[str]) -> Diagnostic:
    who = requests.words(some) if way.chosen else "a request, whatever it holds,"
    past = f", past {' and '.join(f'`{name}`' for name in missing)}" if missing else ""
    message = f"`{assertion.words}` does not hold: {who} {way.words}{past}"
    hint = "Change the routes or the guards so that no request goes this way, or change what is asserted."
    return Diagnostic("VSR240", message, assertion.span, hint)
