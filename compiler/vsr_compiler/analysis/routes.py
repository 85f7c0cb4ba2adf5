"""Rules for routes: unreachable, contradictory, always true, ambiguous."""

from __future__ import annotations

from collections.abc import Iterator

from vsr_compiler import ir
from vsr_compiler.analysis.bdd import FALSE, TooHardError
from vsr_compiler.analysis.requests import Requests, RequestSet
from vsr_compiler.diagnostics import Diagnostic


def check(policy: ir.Policy, requests: Requests) -> Iterator[Diagnostic]:
    """Report unreachable (VSR230), contradictory (VSR231), constant (VSR232, VSR233) and ambiguous routes (VSR234)."""
    try:
        yield from _check(policy, requests)
    except TooHardError:
        hint = "Use fewer signals in one condition."
        yield Diagnostic(
            "VSR242", "the routes depend on too many combinations of signals to analyse", policy.span, hint
        )


def _check(policy: ir.Policy, requests: Requests) -> Iterator[Diagnostic]:
    taken = requests.none
    before: list[tuple[ir.Route, RequestSet]] = []
    for route in policy.routes:
        here = requests.of(route.when)
        yield from _constants(requests, route)
        if _empty(here):
            hint = "Remove one of the parts that exclude each other. A request has at most one category."
            yield Diagnostic("VSR231", f"no request matches the condition of route `{route.name}`", route.span, hint)
            continue
        if _empty(requests.without(here, taken)):
            takers = [f"`{other.name}`" for other, there in before if not _empty(requests.both(here, there))]
            take = "route {} takes" if len(takers) == 1 else "routes {} take"
            message = (
                f"route `{route.name}` is unreachable: {take.format(' and '.join(takers[:3]))} all of its requests"
            )
            yield Diagnostic("VSR230", message, route.span, "Move it up, give it a higher `priority`, or remove it.")
        yield from _overlaps(requests, route, here, before)
        taken = requests.either(taken, here)
        before.append((route, here))


def _constants(requests: Requests, route: ir.Route) -> Iterator[Diagnostic]:
    """Report a condition that is true for every request, or a part that is constant."""
    if route.when == ir.ALWAYS:
        return
    if requests.of(route.when) == requests.all:
        hint = "Write `when: always` if that is intended."
        yield Diagnostic("VSR232", f"the condition of route `{route.name}` is true for every request", route.span, hint)
        return
    for part in ir.walk(route.when):
        if part is route.when or not isinstance(part, ir.AllOf | ir.AnyOf | ir.Not):
            continue
        matching = requests.of(part)
        if matching in (requests.all, requests.none):
            which = "every request" if matching == requests.all else "no request"
            message = f"`{ir.words(part)}` in the condition of route `{route.name}` is true for {which}"
            yield Diagnostic("VSR233", message, route.span, "Remove that part, or correct it.")
            return


def _overlaps(
    requests: Requests, route: ir.Route, here: RequestSet, before: list[tuple[ir.Route, RequestSet]]
) -> Iterator[Diagnostic]:
    """Report two routes with one explicit priority that can both match and have different answers."""
    if not route.priority:
        return
    for other, there in before:
        if other.priority == route.priority and other.models != route.models and not _empty(requests.both(here, there)):
            both = requests.describe(requests.both(here, there))
            message = f"routes `{other.name}` and `{route.name}` have the same priority, and {both} matches both"
            hint = "Set different priorities. Now the order in the file decides."
            yield Diagnostic("VSR234", message, route.span, hint)
            return


def _empty(some: RequestSet) -> bool:
    return all(diagram == FALSE for diagram in some)
