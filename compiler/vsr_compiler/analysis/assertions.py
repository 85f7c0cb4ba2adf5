"""Proves assertions, or refutes them with a request that violates them."""

from __future__ import annotations

from collections.abc import Iterator

from vsr_compiler import ir
from vsr_compiler.analysis.bdd import FALSE, TooHardError
from vsr_compiler.analysis.paths import RequestPath, applies, removes, request_paths
from vsr_compiler.analysis.requests import Requests, RequestSet
from vsr_compiler.diagnostics import Diagnostic


def check(policy: ir.Policy, requests: Requests) -> Iterator[Diagnostic]:
    """Report violated (VSR240), vacuous (VSR241) and undecidable (VSR242) assertions.

    An assertion that names a category or a signal covers only requests for which the router chooses the model: the
    router evaluates neither for a request that names its model. Who sends it is known of every request.
    """
    for assertion in policy.assertions:
        try:
            yield from _one(policy, requests, assertion)
        except TooHardError:
            hint = "Use fewer signals in one condition, or split routes."
            yield Diagnostic(
                "VSR242", f"`{assertion.words}` depends on too many combinations of signals", assertion.span, hint
            )


def _one(policy: ir.Policy, requests: Requests, assertion: ir.Assertion) -> Iterator[Diagnostic]:
    statement = assertion.statement
    covered = _covered(requests, statement)
    if statement.places == ():
        return  # no model is there, which is what such assertions are for
    if statement.to == () or all(diagram == FALSE for diagram in covered):
        hint = "Check the names in it, or remove it."
        yield Diagnostic(
            "VSR241", f"no request matches `{assertion.words}`, so the assertion is vacuous", assertion.span, hint
        )
        return
    for path in request_paths(policy, requests):
        if not path.chosen and (statement.category or statement.signal):
            continue
        some = requests.both(covered, path.requests)
        if all(diagram == FALSE for diagram in some):
            continue
        reaches = statement.to is None or path.model in statement.to
        found: list[str] = []
        missing = [guard.name for guard in statement.guards if not applies(guard, path)]
        if assertion.always:
            violated = bool(not reaches or missing)
        else:
            found = [guard.name for guard in statement.finding if not removes(guard, path)]
            leaks = bool(found or not statement.finding)
            violated = bool(reaches and leaks and (missing or not statement.guards))
        if violated:
            yield _violated(requests, assertion, path, some, missing, found)
            return


def _covered(requests: Requests, statement: ir.Statement) -> RequestSet:
    """Return the requests with the category and the signal of a statement, of its clients."""
    parts: list[ir.Condition] = []
    if statement.category is not None:
        parts.append(ir.InCategory(statement.category))
    if statement.signal is not None:
        parts.append(ir.HasSignal(statement.signal))
    covered = requests.of(ir.AllOf(tuple(parts)))
    for test in statement.clients:
        covered = requests.both(covered, requests.of_clients([test]))
    return covered


def _violated(
    requests: Requests,
    assertion: ir.Assertion,
    path: RequestPath,
    some: RequestSet,
    missing: list[str],
    found: list[str],
) -> Diagnostic:
    request = requests.describe(some) if path.chosen else requests.describe_client(some)
    names = " and ".join(f"`{name}`" for name in missing)
    without = f" without the guard{'s' * (len(missing) > 1)} {names}" if missing else ""
    place = dict(assertion.statement.places or ()).get(path.model.name)
    served = f", served by {place}," if place else ""
    finding = f" with what the guard `{found[0]}` finds" if found else ""
    message = f"assertion violated: {request}{finding} {path.words}{served}{without} (`{assertion.words}`)"
    hint = "Change the routes or the guards so that no request takes this path, or change the assertion."
    if assertion.statement.clients:
        hint = f"Set `allow` of model `{path.model.name}`, or change the routes so that no such client takes this path."
    return Diagnostic("VSR240", message, assertion.span, hint)
