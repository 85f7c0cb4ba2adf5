"""All ways that a request can take through a policy: which requests, to which model, past which guards."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from vsr_compiler import ir
from vsr_compiler.analysis.bdd import FALSE
from vsr_compiler.analysis.requests import Requests, Set


@dataclass(frozen=True, slots=True)
class Way:
    """Some requests and the model that they reach.

    ``chosen`` is false where the client named the model itself, so that nothing was asked of the request. ``words`` say
    how they get there.
    """

    requests: Set
    model: ir.Model
    chosen: bool
    guarded: bool
    words: str


def ways(policy: ir.Policy, requests: Requests) -> Iterator[Way]:
    """Every way to a model. A fixed answer reaches none."""
    rest = requests.all
    for route in policy.routes:
        here = requests.of(route.when)
        taken = requests.both(rest, here)
        rest = requests.without(rest, here)
        if any(diagram != FALSE for diagram in taken):
            for model, share in route.models:
                if share:
                    words = f"takes the route `{route.name}` (line {route.span.line}) to `{model.name}`"
                    yield Way(taken, model, chosen=True, guarded=True, words=words)
    if any(diagram != FALSE for diagram in rest):
        words = f"takes no route and so the default, `{policy.default.name}`"
        yield Way(rest, policy.default, chosen=True, guarded=True, words=words)
    for guard in policy.guards:
        if isinstance(guard.action, ir.RouteTo):
            target = guard.action.model
            found = requests.fact(f"found by {guard.name}")
            words = f"is sent to `{target.name}` by the guard `{guard.name}` (line {guard.span.line})"
            yield Way(found, target, chosen=True, guarded=True, words=words)
    if policy.router.on_failure != "deny":
        words = f"reaches the default, `{policy.default.name}`, because the router failed and `onFailure` lets it"
        yield Way(requests.all, policy.default, chosen=True, guarded=False, words=words)
    for model in policy.models:
        # The stock router asks nothing of a request that names its model.
        guarded = not policy.router.stock
        yield Way(requests.all, model, chosen=False, guarded=guarded, words=f"names `{model.name}` itself")


def holds(guard: ir.Guard, way: Way) -> bool:
    """Whether a guard stands in a way: it acts on requests, fails closed, reads all of them or refuses them, and does
    not exempt the model.
    """  # noqa: D205 - one sentence
    return (
        way.guarded
        and not isinstance(guard.action, ir.Flag)
        and guard.on_requests
        and guard.on_error == "block"
        and guard.unreadable == "block"
        and way.model not in guard.exempt
    )
