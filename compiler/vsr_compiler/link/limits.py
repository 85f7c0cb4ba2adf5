"""Links ``limits``, and checks that each can be counted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from vsr_compiler import ir
from vsr_compiler.ir.limits import Unit
from vsr_compiler.link.identity import check_attribute, client_tests
from vsr_compiler.link.regions import listed
from vsr_compiler.link.scope import Scope
from vsr_compiler.syntax.document import Path
from vsr_schemas.identity import TEAM, TENANT, USER
from vsr_schemas.policy import v1alpha1 as schema

ROUTER = "router"
"""The key of an environment's maps that means the router."""
GATEWAY_ATTRIBUTES = (USER, TEAM, TENANT)
"""What the gateway knows of a client. Roles are in its header as a list, in a form of the issuer."""
DEFAULT = "default"
"""In `for.route`: requests that no route matches."""


def link_limits(
    scope: Scope,
    policy: schema.PolicySpec,
    models: Mapping[str, ir.Model],
    routes: Sequence[ir.Route],
    identity: ir.Identity | None,
) -> tuple[ir.Limit, ...]:
    """Return all limits in file order."""
    if policy.limits and policy.router.engine == "semantic-router":
        message = "semantic-router counts nothing, so no limit would hold"
        scope.report("VSR298", message, ("limits",), "Use `router.engine: vsr-runtime`.", key=True)
    seen: dict[str, int] = {}
    limits = []
    for index, spec in enumerate(policy.limits):
        limit = _limit(scope, policy, spec, ("limits", index), (models, routes, identity))
        if limit.name in seen:
            hint = "Give one of them another `name`." if spec.name else "Give it a `name`."
            scope.report("VSR205", f"duplicate limit `{limit.name}`", ("limits", index), hint)
        seen[limit.name] = index
        limits.append(limit)
    _check_circles(scope, limits, models, routes)
    return tuple(limits)


def _limit(
    scope: Scope,
    policy: schema.PolicySpec,
    spec: schema.LimitSpec,
    path: Path,
    known: tuple[Mapping[str, ir.Model], Sequence[ir.Route], ir.Identity | None],
) -> ir.Limit:
    models, _, identity = known
    per = (spec.per,) if isinstance(spec.per, str) else tuple(dict.fromkeys(spec.per))
    if "team" in per:
        check_attribute(scope, identity, TEAM, (*path, "per"))
    if "key" in per and (identity is None or not isinstance(identity.source, ir.ApiKeys)):
        message = "a limit per key needs keys that the policy knows"
        scope.report("VSR277", message, (*path, "per"), "Add `identity.apiKeys`, or use `per: client`.")
    unit, amount = _amount(spec)
    over = None
    if not isinstance(spec.over, str):
        over = scope.resolve(models, spec.over.route, "model", (*path, "over", "route"))
    clients, chosen, by = _selected(scope, spec.for_, (*path, "for"), known)
    name = spec.name or "-".join((*per, unit, spec.window))
    gateway = spec.counted_by == "gateway"
    limit = ir.Limit(name, per, clients, chosen, by, unit, amount, spec.window, over, scope.span(*path), gateway)
    if gateway:
        _check_gateway(scope, policy, limit, path)
    _check_counted(scope, limit, models, path)
    replicas = max(policy.router.replicas, *(one.replicas.get(ROUTER, 1) for one in policy.environments.values()))
    if not gateway and unit != "dollars" and amount < replicas:
        message = (
            f"the limit `{name}` allows {amount:,.12g} {unit} to {replicas} replicas of the router: less than one each"
        )
        scope.report("VSR297", message, path, "Raise the limit, or use fewer replicas of the router.")
    return limit


def _check_gateway(scope: Scope, policy: schema.PolicySpec, limit: ir.Limit, path: Path) -> None:
    """Report VSR277 for what a gateway cannot count: it sees the decision of the router, and headers of clients."""
    own = [test.attribute for test in limit.clients if test.attribute not in GATEWAY_ATTRIBUTES]
    reasons = [
        (limit.over is not None, "`over: {route: …}`, which is decided before the gateway counts"),
        ("key" in limit.per, "keys, which end at the router"),
        ("route" in limit.per or limit.routes is not None, "routes of the policy"),
        (bool(own), f"`{', '.join(own)}` of clients"),
    ]
    for holds, what in reasons:
        if holds:
            hint = "Use `countedBy: router`, or count by team, client or model."
            scope.report("VSR277", f"the gateway does not know {what}", (*path, "countedBy"), hint)
    if policy.gateway.redis is None:
        hint = "Add `gateway.redis`, such as `redis.cache:6379`, or use `countedBy: router`."
        scope.report("VSR277", f"nothing says where the gateway counts for the limit `{limit.name}`", path, hint)


def _selected(
    scope: Scope,
    spec: schema.LimitForSpec | None,
    path: Path,
    known: tuple[Mapping[str, ir.Model], Sequence[ir.Route], ir.Identity | None],
) -> tuple[tuple[ir.ClientTest, ...], tuple[ir.Model, ...] | None, tuple[str, ...] | None]:
    """Return the clients, the models and the routes that a limit counts; None for any."""
    models, routes, identity = known
    if spec is None:
        return (), None, None
    chosen = [scope.resolve(models, name, "model", at) for name, at in listed(spec.model, (*path, "model"))]
    names = {**{route.name: route.name for route in routes}, DEFAULT: DEFAULT}
    by = [scope.resolve(names, name, "route", at) for name, at in listed(spec.route, (*path, "route"))]
    return (
        client_tests(scope, identity, spec, path),
        None if spec.model is None else tuple(model for model in chosen if model is not None),
        None if spec.route is None else tuple(name for name in by if name is not None),
    )


def _check_counted(scope: Scope, limit: ir.Limit, models: Mapping[str, ir.Model], path: Path) -> None:
    """Report VSR279 for a limit that counts nothing, and VSR278 for models whose cost is not known."""
    counted = [
        model for model in models.values() if any(limit.counts(model, route) for route in limit.routes or (None,))
    ]
    if not counted and limit.over is not None:
        message = f"the limit `{limit.name}` counts no request: those to `{limit.over.name}` do not count"
        scope.report("VSR279", message, path, "Name other models in `for`, or another one in `over`.")
    for model in counted if limit.unit == "dollars" else ():
        if models[model.base or model.name].price is None:
            name = model.base or model.name
            hint = f"Add `price` to `{name}`, or name the models that have one in `for: {{model: …}}`."
            message = f"the limit `{limit.name}` counts dollars, and model `{name}` has no price"
            scope.report("VSR278", message, path, hint)


def _amount(spec: schema.LimitSpec) -> tuple[Unit, float]:
    if spec.tokens is not None:
        return "tokens", spec.tokens
    if spec.requests is not None:
        return "requests", spec.requests
    return "dollars", spec.dollars or 0


def _check_circles(
    scope: Scope, limits: Sequence[ir.Limit], models: Mapping[str, ir.Model], routes: Sequence[ir.Route]
) -> None:
    """Report VSR296 if a request could come back to a model that it had to leave."""
    names = (None, DEFAULT, *(route.name for route in routes))
    leads: dict[str, dict[str, int]] = {}
    for index, limit in enumerate(limits):
        if limit.over is None:
            continue
        for model in models.values():
            if any(limit.counts(model, route) for route in names):
                leads.setdefault(model.name, {}).setdefault(limit.over.name, index)
    open_names, done = [], set[str]()

    def visit(name: str) -> None:
        if name in done:
            return
        open_names.append(name)
        for target, index in leads.get(name, {}).items():
            if target in open_names:
                chain = " → ".join(f"`{one}`" for one in (*open_names[open_names.index(target) :], target))
                hint = "Use `over: deny` in one of them, or name fewer models in its `for`."
                scope.report("VSR296", f"limits lead requests back: {chain}", ("limits", index), hint)
            else:
                visit(target)
        open_names.pop()
        done.add(name)

    for name in models:
        visit(name)
