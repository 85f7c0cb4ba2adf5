"""Routes that cannot be meant: never reached, never true, always true."""

from __future__ import annotations

from collections.abc import Iterator

from vsr_compiler import ir
from vsr_compiler.analysis.bdd import FALSE, TooHardError
from vsr_compiler.analysis.requests import Requests, Set
from vsr_compiler.diagnostics import Diagnostic


def check(policy: ir.Policy, requests: Requests) -> Iterator[Diagnostic]:
    """VSR230 shadowed, VSR231 contradictory, VSR232 always true, VSR234 undecided between two of one priority."""
    try:
        yield from _check(policy, requests)
    except TooHardError:
        hint = "Ask about fewer signals at once."
        yield Diagnostic("VSR242", "the routes ask about too many combinations to analyse", policy.span, hint)


def _check(policy: ir.Policy, requests: Requests) -> Iterator[Diagnostic]:
    taken = requests.none
    before: list[tuple[ir.Route, Set]] = []
    for route in policy.routes:
        here = requests.of(route.when)
        yield from _constants(requests, route)
        if _empty(here):
            hint = "Two of its parts exclude each other; a request has at most one category."
            yield Diagnostic("VSR231", f"no request can fulfil the condition of `{route.name}`", route.span, hint)
            continue
        if _empty(requests.without(here, taken)):
            takers = [f"`{other.name}`" for other, there in before if not _empty(requests.both(here, there))]
            take = "takes" if len(takers) == 1 else "take"
            told = " and ".join(takers[:3])
            message = f"`{route.name}` is never reached: {told} before it {take} all of its requests"
            yield Diagnostic("VSR230", message, route.span, "Move it up, give it a higher `priority`, or remove it.")
        yield from _overlaps(requests, route, here, before)
        taken = requests.either(taken, here)
        before.append((route, here))


def _constants(requests: Requests, route: ir.Route) -> Iterator[Diagnostic]:
    """The condition itself, or a part of it, that holds of every request or of none."""
    if route.when == ir.ALWAYS:
        return
    if requests.of(route.when) == requests.all:
        hint = "Write `when: always` if that is meant."
        yield Diagnostic("VSR232", f"the condition of `{route.name}` holds of every request", route.span, hint)
        return
    for part in ir.walk(route.when):
        if part is route.when or not isinstance(part, ir.AllOf | ir.AnyOf | ir.Not):
            continue
        found = requests.of(part)
        if found in (requests.all, requests.none):
            which = "every request" if found == requests.all else "no request"
            message = f"a part of the condition of `{route.name}` holds of {which}"
            yield Diagnostic("VSR233", message, route.span, "Remove the part, or mend it.")
            return


def _overlaps(
    requests: Requests, route: ir.Route, here: Set, before: list[tuple[ir.Route, Set]]
) -> Iterator[Diagnostic]:
    """Two routes of one written priority that can both hold, and that answer differently."""
    if not route.priority:
        return
    for other, there in before:
        if other.priority == route.priority and other.models != route.models and not _empty(requests.both(here, there)):
            both = requests.words(requests.both(here, there))
            message = f"`{other.name}` and `{route.name}` have one priority, and {both} fits both"
            yield Diagnostic(
                "VSR234", message, route.span, "Give them different priorities; now the file's order decides."
            )
            return


def _empty(some: Set) -> bool:
    return all(diagram == FALSE for diagram in some)
