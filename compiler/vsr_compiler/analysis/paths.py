"""The request paths of a policy: which requests reach which model, through which guards."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from vsr_compiler import ir
from vsr_compiler.analysis.bdd import FALSE
from vsr_compiler.analysis.requests import Requests, RequestSet


@dataclass(frozen=True, slots=True)
class RequestPath:
    """A set of requests and the model that they reach.

    ``chosen`` is false if the client named the model, so that no route was evaluated. ``guarded`` is whether guards are
    evaluated on this path. ``route`` is the route that it takes, ``sent_by`` the guard that sends it to the model.
    ``movable`` is whether limits can lead the request to another model: those never change a guard's choice.
    ``words`` describe the path as a predicate of "a request".
    """

    requests: RequestSet
    model: ir.Model
    chosen: bool
    guarded: bool
    words: str
    route: str | None = None
    sent_by: ir.Guard | None = None
    movable: bool = True


def request_paths(policy: ir.Policy, requests: Requests) -> Iterator[RequestPath]:
    """Yield every path to a model. A route with a fixed answer has none."""
    for path in _unlimited_paths(policy, requests):
        yield path
        if path.movable:
            yield from _over_limits(policy, requests, path)


def _over_limits(policy: ir.Policy, requests: Requests, path: RequestPath) -> Iterator[RequestPath]:
    """Yield the paths of requests that limits lead to other models. Limits lead to no model twice (VSR296)."""
    for limit in policy.limits:
        if limit.over is None or not limit.counts(path.model, path.route):
            continue
        some = requests.both(path.requests, _allowed(limit.over, requests))
        for test in limit.clients:
            some = requests.both(some, requests.of_clients([test]))
        if all(diagram == FALSE for diagram in some):
            continue
        words = (
            f"{path.words}, and goes to model `{limit.over.name}` when it is over the limit `{limit.name}` "
            f"(line {limit.span.line})"
        )
        # Where limits count, the router runs, and evaluates guards.
        following = replace(path, requests=some, model=limit.over, words=words, guarded=True)
        yield following
        yield from _over_limits(policy, requests, following)


def _unlimited_paths(policy: ir.Policy, requests: Requests) -> Iterator[RequestPath]:
    """Yield every path as if there were no limits."""
    yield from _decided(policy, requests)
    for guard in policy.guards:
        if isinstance(guard.action, ir.RouteTo):
            target = guard.action.model
            matched = requests.both(requests.fact(f"matched by guard {guard.name}"), _allowed(target, requests))
            words = f"is sent to model `{target.name}` by the guard `{guard.name}` (line {guard.span.line})"
            yield RequestPath(matched, target, chosen=True, guarded=True, words=words, sent_by=guard, movable=False)
    if policy.router.fails_open:
        words = f"reaches the default model `{policy.default.name}` if the router fails (`onFailure: default-model`)"
        # Requests that the router cannot decide take no route, and limits count them as those of the default.
        yield RequestPath(requests.all, policy.default, chosen=True, guarded=False, words=words, route="default")
    for model in policy.models:
        # The stock router evaluates no guard on a request that names its model.
        guarded = isinstance(policy.router.implementation, ir.VsrRuntime)
        words = f"that names the model `{model.name}` reaches it"
        yield RequestPath(_allowed(model, requests), model, chosen=False, guarded=guarded, words=words)


def _allowed(model: ir.Model, requests: Requests) -> RequestSet:
    """Return the requests of clients that may use a model. The router refuses others, however they get there."""
    return requests.of_clients(model.allow) if model.allow else requests.all


def _decided(policy: ir.Policy, requests: Requests) -> Iterator[RequestPath]:
    """Yield the paths of requests that a route or the default takes."""
    rest = requests.all
    for route in policy.routes:
        matching = requests.of(route.when)
        taken = requests.both(rest, matching)
        rest = requests.without(rest, requests.without(matching, _too_long(policy, route, requests)))
        if any(diagram != FALSE for diagram in taken):
            for model, share in route.models:
                allowed = requests.both(taken, _allowed(model, requests))
                if share and any(diagram != FALSE for diagram in allowed):
                    words = f"takes route `{route.name}` (line {route.span.line}) to model `{model.name}`"
                    yield RequestPath(allowed, model, chosen=True, guarded=True, words=words, route=route.name)
                    yield from _fallbacks(requests, allowed, route.retry, model, words)
    rest = requests.both(rest, _allowed(policy.default, requests))
    if any(diagram != FALSE for diagram in rest):
        words = f"matches no route and reaches the default model `{policy.default.name}`"
        yield RequestPath(rest, policy.default, chosen=True, guarded=True, words=words, route="default")
        if policy.default_route is not None:
            yield from _fallbacks(requests, rest, policy.default_route.retry, policy.default, words)


def _fallbacks(
    requests: Requests, taken: RequestSet, retry: ir.Retry | None, model: ir.Model, words: str
) -> Iterator[RequestPath]:
    """Yield a path to each model that a request of a route can fall back to.

    The router evaluates the guards of each of them before the first attempt, so they apply as on other paths. Models
    end before the first one that is not for the client.
    """
    if retry is None:
        return
    chain: list[str] = []
    for other in retry.models:
        if other is not model:
            taken = requests.both(taken, _allowed(other, requests))
            chain.append(f"`{other.name}`")
            falls = f"{words}, and falls back to {', then to '.join(chain)} (line {retry.span.line})"
            yield RequestPath(taken, other, chosen=True, guarded=True, words=falls, movable=False)


def _too_long(policy: ir.Policy, route: ir.Route, requests: Requests) -> RequestSet:
    """Return the requests that a route passes on because none of its models can hold them."""
    bounded = bool(route.models) and all(model.context is not None for model, share in route.models if share)
    if not bounded or policy.router.overflow != "route" or isinstance(policy.router.implementation, ir.SemanticRouter):
        return requests.none
    return requests.fact(f"longer than the context of route {route.name}")


def applies(guard: ir.Guard, path: RequestPath) -> bool:
    """Return whether a guard protects a path.

    It must act on requests, fail closed, read all of a request or block it, and not exempt the model.
    """
    return (
        path.guarded
        and not isinstance(guard.action, ir.Flag)
        and guard.on_requests
        and guard.on_error == "block"
        and guard.unreadable == "block"
        and path.model not in guard.exempt
    )


def removes(guard: ir.Guard, path: RequestPath) -> bool:
    """Return whether what a guard finds in a request does not reach the model of a path."""
    return applies(guard, path) and path.sent_by is not guard
