"""Adds to a program how conversations stay with a model."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace

from vsr_runtime.decision.program.program import Program
from vsr_runtime.decision.program.stickiness import RouteStickiness, Stickiness
from vsr_runtime.errors import check_unique, config_error
from vsr_schemas.runtime import RouteStickinessSettings, StickinessSettings


def with_stickiness(program: Program, settings: StickinessSettings | None) -> Program:
    """Return the program with the settings. Without settings, each request is decided by its last turn.

    Raises:
        UserError: the settings name an unknown decision or model, or an escalation has a model outside its order.
    """
    if settings is None:
        return program
    order, routes = settings.order or [], settings.routes or {}
    _check_names("routes", routes.keys(), {route.name for route in program.routes}, "decision")
    _check_names("order", order, program.models.keys(), "model")
    _check_names("discounts", (settings.discounts or {}).keys(), program.models.keys(), "model")
    check_unique("stickiness.order", order)
    built = Stickiness(
        _route(settings),
        {name: _route(one) for name, one in routes.items()},
        {name: rank for rank, name in enumerate(order)},
        dict(settings.discounts or {}),
        settings.keyHeader,
        settings.stateHeader,
        settings.key,
    )
    if built.escalates:
        if selecting := [route.name for route in program.routes if route.selection is not None]:
            raise config_error(
                "stickiness.mode",
                f"conversations cannot escalate where {selecting[0]!r} selects its model by what is observed",
                "runtime.yaml",
            )
        reached = {program.default, *(target.name for route in program.routes for target, _ in route.targets)}
        if missing := sorted(reached - built.ranks.keys()):
            raise config_error("stickiness.order", f"does not name the model {missing[0]!r}", "runtime.yaml")
    return replace(program, stickiness=built)


def _route(settings: RouteStickinessSettings) -> RouteStickiness:
    return RouteStickiness(settings.mode, settings.margin or 0.0)


def _check_names(field: str, names: Iterable[str], known: Collection[str], kind: str) -> None:
    unknown = [name for name in names if name not in known]
    if unknown:
        raise config_error(f"stickiness.{field}", f"config.yaml has no {kind} {unknown[0]!r}", "runtime.yaml")
