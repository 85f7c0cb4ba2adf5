"""Links ``stickiness``: its modes, and the order of models of an escalation."""

from __future__ import annotations

from collections.abc import Mapping

from vsr_compiler import ir
from vsr_compiler.link.identity import check_attribute
from vsr_compiler.link.scope import Scope
from vsr_compiler.syntax.document import Path
from vsr_schemas.headers import is_protected
from vsr_schemas.policy import v1alpha1 as schema

ONLY_CONVERSATION = "Remove it, or use `mode: conversation`."


def link_stickiness(
    scope: Scope,
    policy: schema.PolicySpec,
    models: Mapping[str, ir.Model],
    routes: tuple[ir.Route, ...],
    default: ir.Model | None,
    identity: ir.Identity | None = None,
) -> ir.Stickiness:
    """Return the policy's stickiness. Reports what contradicts its modes."""
    spec = policy.stickiness
    modes = {spec.mode, *(route.stickiness.mode for route in policy.routes if route.stickiness is not None)}
    if spec.margin is not None and spec.mode != "conversation":
        message = f"`margin` has no effect with `mode: {spec.mode}`"
        scope.report("VSR254", message, ("stickiness", "margin"), ONLY_CONVERSATION, key=True)
    if spec.order is not None and "escalate" not in modes:
        hint = "Remove it, or use `mode: escalate` here or at a route."
        scope.report(
            "VSR254", "`order` has no effect without `mode: escalate`", ("stickiness", "order"), hint, key=True
        )
    order = _order(scope, spec.order or (), models)
    if "escalate" in modes:
        _check_order(scope, policy, order, routes, default)
    for key, name in (("keyHeader", spec.key_header), ("stateHeader", spec.state_header)):
        if name is not None and is_protected(name):
            message = f"the gateway removes the header `{name}` from requests, or sets it itself"
            scope.report("VSR224", message, ("stickiness", key), "Use another header.")
    if spec.key is not None:
        check_attribute(scope, identity, spec.key, ("stickiness", "key"))
        if spec.key_header is not None:
            message = "`key` and `keyHeader` both say by what the shares of a `split` are drawn"
            scope.report("VSR293", message, ("stickiness", "keyHeader"), "Remove one.", key=True)
    return ir.Stickiness(
        scope.span("stickiness", key=True) if spec != schema.StickinessSpec() else scope.span(),
        ir.RouteStickiness(spec.mode, spec.margin or 0.0),
        order,
        spec.key_header,
        spec.state_header,
        written="stickiness" in policy.model_fields_set,
        key=spec.key,
    )


def link_route_stickiness(scope: Scope, spec: schema.RouteSpec, path: Path) -> ir.RouteStickiness | None:
    """Return the stickiness of a route; None if it has none of its own."""
    own = spec.stickiness
    if own is None:
        return None
    if own.margin is not None and own.mode != "conversation":
        message = f"`margin` has no effect with `mode: {own.mode}`"
        scope.report("VSR254", message, (*path, "stickiness", "margin"), ONLY_CONVERSATION, key=True)
    return ir.RouteStickiness(own.mode, own.margin or 0.0)


def _order(scope: Scope, names: tuple[str, ...] | list[str], models: Mapping[str, ir.Model]) -> tuple[ir.Model, ...]:
    order: list[ir.Model] = []
    for index, name in enumerate(names):
        path = ("stickiness", "order", index)
        model = scope.resolve(models, name, "model", path)
        if model is None:
            continue
        if model in order:
            scope.report("VSR205", f"duplicate entry `{name}`", path, "Remove one.")
        order.append(model)
    return tuple(order)


def _check_order(
    scope: Scope,
    policy: schema.PolicySpec,
    order: tuple[ir.Model, ...],
    routes: tuple[ir.Route, ...],
    default: ir.Model | None,
) -> None:
    """Check that the order names every model that a route or the default leads to."""
    names = {model.name for model in order}
    places: dict[str, Path] = {} if default is None or default.name in names else {default.name: ("default",)}
    indexes = {spec.name: index for index, spec in reversed(list(enumerate(policy.routes)))}
    for route in routes:
        for model, _ in route.models:
            if model.name not in names:
                places.setdefault(model.name, ("routes", indexes[route.name]))
    for name, path in places.items():
        hint = "Add it to `stickiness.order`, at the place that it has among the models."
        scope.report("VSR253", f"`stickiness.order` does not name the model `{name}`", path, hint)
