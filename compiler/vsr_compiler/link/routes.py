"""Links routes and their conditions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from vsr_compiler import ir
from vsr_compiler.diagnostics.suggestions import suggest
from vsr_compiler.link.fallback import link_retry
from vsr_compiler.link.scope import Scope
from vsr_compiler.link.stickiness import link_route_stickiness
from vsr_compiler.syntax.document import Path
from vsr_schemas.headers import is_protected
from vsr_schemas.obeyed_headers import obeyed_by
from vsr_schemas.policy import v1alpha1 as schema

DEFAULT_NAME = "default"
"""The name of the route with the effects of the default."""
WHOLE = 100
"""The sum of the shares of a split, in per cent."""


@dataclass(frozen=True, slots=True)
class Tables:
    """What conditions and answers can refer to, by name."""

    models: Mapping[str, ir.Model]
    categories: Mapping[str, ir.Category]
    signals: Mapping[str, ir.Signal]


def link_routes(scope: Scope, policy: schema.PolicySpec, tables: Tables) -> tuple[ir.Route, ...]:
    """Return all routes in order of evaluation: by priority, then in file order."""
    routes: list[tuple[int, ir.Route]] = []
    first: dict[str, int] = {}
    for index, spec in enumerate(policy.routes):
        path = ("routes", index)
        if spec.name in first:
            line = scope.span("routes", first[spec.name], "name").line
            hint = f"Rename it. The first is in line {line}."
            scope.report("VSR211", f"duplicate route name `{spec.name}`", (*path, "name"), hint)
        first.setdefault(spec.name, index)
        models = _models(scope, spec, tables, path)
        when = ir.ALWAYS if spec.when == "always" else _condition(scope, spec.when, tables, (*path, "when"))
        if when is not None:
            routes.append((spec.priority, _route(scope, spec, models, when, path, tables.models)))
    return tuple(route for _, route in sorted(routes, key=lambda pair: -pair[0]))


def link_default(
    scope: Scope, policy: schema.PolicySpec, models: Mapping[str, ir.Model]
) -> tuple[ir.Model | None, ir.Route | None]:
    """Return the default model, and the route with its effects; None if the policy only names the model."""
    spec = policy.default
    if isinstance(spec, str):
        return scope.resolve(models, spec, "model", ("default",)), None
    model = scope.resolve(models, spec.model, "model", ("default", "model"))
    for index, route in enumerate(policy.routes):
        if route.name == DEFAULT_NAME:
            hint = "Rename it."
            message = "the route has the name of the default, which has settings of its own"
            scope.report("VSR211", message, ("routes", index, "name"), hint)
    if model is None:
        return None, None
    settings = {name: getattr(spec, name) for name in schema.DefaultSpec.model_fields}
    whole = schema.RouteSpec.model_construct(name=DEFAULT_NAME, when="always", **settings)
    return model, _route(scope, whole, ((model, WHOLE),), ir.ALWAYS, ("default",), models)


def _route(
    scope: Scope,
    spec: schema.RouteSpec,
    models: tuple[tuple[ir.Model, int], ...],
    when: ir.Condition,
    path: Path,
    defined: Mapping[str, ir.Model],
) -> ir.Route:
    retry = link_retry(scope, spec, tuple(model for model, share in models if share), path, defined)
    others = () if retry is None else tuple((model, 0) for model in retry.models)
    _check_reasoning(scope, spec, (*models, *others), path)
    prompt = spec.system_prompt
    tools = spec.tools if isinstance(spec.tools, schema.ToolsSpec) else schema.ToolsSpec()
    params = spec.params or schema.ParamsSpec()
    return ir.Route(
        spec.name,
        when,
        models,
        scope.span(*path),
        priority=spec.priority,
        respond=spec.respond,
        reasoning=spec.reasoning,
        effort=spec.effort,
        system_prompt=None
        if prompt is None
        else (prompt, "replace")
        if isinstance(prompt, str)
        else (prompt.text, prompt.mode),
        header_edits=_headers(scope, spec.headers, path),
        cache=None if spec.cache is None else _cache(spec.cache, scope.span(*path, "cache", key=True)),
        allow_tools=tuple(dict.fromkeys(tools.allow)),
        block_tools=tuple(dict.fromkeys(tools.block)),
        no_tools=spec.tools == "none",
        max_tokens=params.max_tokens,
        max_n=params.max_n,
        block_params=tuple(dict.fromkeys(params.block)),
        stickiness=link_route_stickiness(scope, spec, path),
        retry=retry,
    )


def _cache(spec: schema.CacheSpec, span: ir.Span) -> ir.Cache:
    return ir.Cache(spec.similarity, spec.ttl, spec.scope, span)


def _models(scope: Scope, spec: schema.RouteSpec, tables: Tables, path: Path) -> tuple[tuple[ir.Model, int], ...]:
    """Return the models of an answer with their shares."""
    if spec.respond is not None:
        return ()
    if spec.model is not None:
        model = scope.resolve(tables.models, spec.model, "model", (*path, "model"))
        return () if model is None else ((model, WHOLE),)
    shares = spec.split or {}
    if sum(shares.values()) != WHOLE:
        hint = f"Change them so that they add up to {WHOLE} per cent."
        scope.report(
            "VSR220", f"the shares of the split add up to {sum(shares.values())}", (*path, "split"), hint, key=True
        )
    resolved = []
    for name, share in sorted(shares.items()):
        model = scope.resolve(tables.models, name, "model", (*path, "split", name), key=True)
        if model is not None:
            resolved.append((model, share))
    return tuple(resolved)


def _check_reasoning(
    scope: Scope, spec: schema.RouteSpec, models: tuple[tuple[ir.Model, int], ...], path: Path
) -> None:
    """Check that the model families support the reasoning that a route sets."""
    key = "effort" if spec.effort is not None else "reasoning"
    if spec.effort is None and spec.reasoning is None:
        return
    for model, _ in models:
        family = model.reasoning
        if family is None:
            if spec.reasoning is not False or spec.effort is not None:
                hint = f"Set `reasoningFamily` of model `{model.name}`."
                scope.report("VSR221", f"model `{model.name}` has no `reasoningFamily`", (*path, key), hint)
        elif spec.effort is not None and spec.effort not in family.levels:
            hint = suggest(spec.effort, list(family.levels)) or "Remove `effort`. The family only supports on and off."
            message = f"reasoning family `{family.family}` of model `{model.name}` has no effort `{spec.effort}`"
            scope.report("VSR222", message, (*path, "effort"), hint)
        elif spec.reasoning is False and "disabled" not in family.modes:
            hint = "Remove `reasoning`, or use a model whose reasoning can be switched off."
            message = f"reasoning family `{family.family}` of model `{model.name}` cannot switch reasoning off"
            scope.report("VSR222", message, (*path, "reasoning"), hint)
    if spec.effort is not None and spec.reasoning is False:
        scope.report("VSR223", "`effort` contradicts `reasoning: false`", (*path, "effort"), "Remove one.")


def _headers(scope: Scope, spec: schema.HeadersSpec | None, path: Path) -> tuple[tuple[str, str | None], ...]:
    if spec is None:
        return ()
    edits: dict[str, str | None] = {}
    places = [(name, (*path, "headers", "set", name), True) for name in spec.set]
    places += [(name, (*path, "headers", "remove", index), False) for index, name in enumerate(spec.remove)]
    for name, where, key in places:
        if is_protected(name):
            reader = obeyed_by(name)
            reason = "routing and framing depend on it" if reader is None else f"{reader.title} acts on it"
            message = f"header `{name}` cannot be changed by a policy: {reason}"
            scope.report("VSR224", message, where, "Use another header.", key=key)
        if name in edits:
            scope.report("VSR205", f"header `{name}` is both set and removed", where, "Remove one.", key=key)
        edits[name] = spec.set.get(name) if key else None
    return tuple(sorted(edits.items()))


def _condition(scope: Scope, spec: schema.ConditionSpec, tables: Tables, path: Path) -> ir.Condition | None:
    """Return a condition; None if a name in it is not defined, which is reported."""
    if spec.category is not None:
        category = scope.resolve(tables.categories, spec.category, "category", (*path, "category"))
        return None if category is None else ir.InCategory(category)
    if spec.signal is not None:
        signal = scope.resolve(tables.signals, spec.signal, "signal", (*path, "signal"))
        return None if signal is None else ir.HasSignal(signal)
    if spec.not_ is not None:
        part = _condition(scope, spec.not_, tables, (*path, "not"))
        return None if part is None else ir.Not(part)
    key, conditions = ("all", spec.all) if spec.all is not None else ("any", spec.any or [])
    parts = [_condition(scope, part, tables, (*path, key, index)) for index, part in enumerate(conditions)]
    good = tuple(part for part in parts if part is not None)
    if len(good) < len(parts):
        return None
    return ir.AllOf(good) if key == "all" else ir.AnyOf(good)
