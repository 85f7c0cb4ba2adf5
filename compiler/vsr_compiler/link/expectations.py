"""Links assertions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from vsr_compiler import ir
from vsr_compiler.link.identity import client_tests, written
from vsr_compiler.link.routes import Tables
from vsr_compiler.link.scope import Scope
from vsr_compiler.syntax.document import Path
from vsr_schemas.policy import v1alpha1 as schema

EXTERNAL = "external"
"""In `to`: every model that is served outside the cluster."""


def link_assertions(
    scope: Scope,
    policy: schema.PolicySpec,
    tables: Tables,
    guards: Mapping[str, ir.Guard],
    identity: ir.Identity | None = None,
) -> tuple[ir.Assertion, ...]:
    """Return all assertions in file order."""
    linked_assertions = []
    for index, spec in enumerate(policy.assertions):
        key = "always" if spec.always is not None else "never"
        statement = spec.always or spec.never
        if statement is not None:
            path = ("assertions", index, key)
            linked = _statement(scope, statement, tables, guards, path)
            linked = replace(linked, clients=client_tests(scope, identity, statement, path))
            linked_assertions.append(
                ir.Assertion(key == "always", linked, f"{key}: {_words(statement)}", scope.span("assertions", index))
            )
    return tuple(linked_assertions)


def _statement(
    scope: Scope, spec: schema.StatementSpec, tables: Tables, guards: Mapping[str, ir.Guard], path: Path
) -> ir.Statement:
    category = signal = None
    if spec.category is not None:
        category = scope.resolve(tables.categories, spec.category, "category", (*path, "category"))
    if spec.signal is not None:
        signal = scope.resolve(tables.signals, spec.signal, "signal", (*path, "signal"))
    key = "through" if spec.through is not None else "without"
    named = spec.through or spec.without
    linked_guards = [scope.resolve(guards, name, "guard", where) for name, where in _names(named, (*path, key))]
    return ir.Statement(
        category, signal, _to(scope, spec, tables, path), tuple(guard for guard in linked_guards if guard is not None)
    )


def _to(scope: Scope, spec: schema.StatementSpec, tables: Tables, path: Path) -> tuple[ir.Model, ...] | None:
    if spec.to is None:
        return None
    models: dict[str, ir.Model] = {}
    known: dict[str, ir.Model | None] = {EXTERNAL: None, **tables.models}
    for name, where in _names(spec.to, (*path, "to")):
        if name == EXTERNAL and name not in tables.models:
            models |= {model.name: model for model in tables.models.values() if model.external}
            continue
        model = scope.resolve(known, name, "model", where)
        if model is not None:
            models[model.name] = model
    return tuple(model for _, model in sorted(models.items()))


def _names(names: str | list[str] | None, path: Path) -> list[tuple[str, Path]]:
    """Return names with their paths, for a single name or a list."""
    if names is None:
        return []
    return [(names, path)] if isinstance(names, str) else [(name, (*path, index)) for index, name in enumerate(names)]


def _words(spec: schema.StatementSpec) -> str:
    """Return the statement as text for messages."""
    parts = []
    values = [(key, getattr(spec, key)) for key in ("category", "signal")]
    values += [(attribute, value) for attribute, value, _ in written(spec)]
    values += [(key, getattr(spec, key)) for key in ("to", "without", "through")]
    for key, value in values:
        if value is not None:
            parts.append(f"{key} {value if isinstance(value, str) else ', '.join(value)}")
    return ", ".join(parts)
