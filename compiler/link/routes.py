"""Routes: conditions resolved, order fixed."""

from __future__ import annotations

from collections.abc import Mapping

from compiler.link import ir
from compiler.link.scope import Scope
from compiler.source.document import Path
from schemas import policy as nouns


def link_routes(
    scope: Scope, policy: nouns.Policy, models: Mapping[str, ir.Model], categories: Mapping[str, ir.Category]
) -> tuple[ir.Route, ...]:
    """All routes in the order in which they are tried: by priority, then as the file has them."""
    routes: list[tuple[int, ir.Route]] = []
    first: dict[str, int] = {}
    for index, noun in enumerate(policy.routes):
        path = ("routes", index)
        if noun.name in first:
            line = scope.span("routes", first[noun.name], "name").line
            scope.report(
                "VSR211", f"a second route is named `{noun.name}`", (*path, "name"), f"The first is in line {line}."
            )
        first.setdefault(noun.name, index)
        model = scope.resolve(models, noun.model, "model", (*path, "model"))
        when = _condition(scope, noun.when, categories, (*path, "when"))
        if model is not None and when is not None:
            routes.append((noun.priority, ir.Route(noun.name, when, model, scope.span(*path))))
    return tuple(route for _, route in sorted(routes, key=lambda pair: -pair[0]))


def _condition(
    scope: Scope, noun: nouns.Condition, categories: Mapping[str, ir.Category], path: Path
) -> ir.Condition | None:
    """One condition; None when something in it does not resolve."""
    if noun.category is not None:
        category = scope.resolve(categories, noun.category, "category", (*path, "category"))
        return None if category is None else ir.InCategory(category)
    if noun.not_ is not None:
        part = _condition(scope, noun.not_, categories, (*path, "not"))
        return None if part is None else ir.Not(part)
    key, conditions = ("all", noun.all) if noun.all is not None else ("any", noun.any or [])
    parts = [_condition(scope, part, categories, (*path, key, index)) for index, part in enumerate(conditions)]
    good = tuple(part for part in parts if part is not None)
    if len(good) < len(parts):
        return None
    return ir.All(good) if key == "all" else ir.Any(good)
