"""Links assertions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from vsr_compiler import ir
from vsr_compiler.link.identity import client_tests, written
from vsr_compiler.link.regions import link_to, listed, to_words
from vsr_compiler.link.routes import Tables
from vsr_compiler.link.scope import Scope
from vsr_compiler.syntax.document import Path
from vsr_schemas.policy import v1alpha1 as schema


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
            linked = _statement(scope, policy, statement, tables, guards, path)
            linked = replace(linked, clients=client_tests(scope, identity, statement, path))
            linked_assertions.append(
                ir.Assertion(key == "always", linked, f"{key}: {_words(statement)}", scope.span("assertions", index))
            )
    return tuple(linked_assertions)


def _statement(
    scope: Scope,
    policy: schema.PolicySpec,
    spec: schema.StatementSpec,
    tables: Tables,
    guards: Mapping[str, ir.Guard],
    path: Path,
) -> ir.Statement:
    category = signal = None
    if spec.category is not None:
        category = scope.resolve(tables.categories, spec.category, "category", (*path, "category"))
    if spec.signal is not None:
        signal = scope.resolve(tables.signals, spec.signal, "signal", (*path, "signal"))
    key = "through" if spec.through is not None else "without"
    named = spec.through or spec.without
    linked_guards = [scope.resolve(guards, name, "guard", where) for name, where in listed(named, (*path, key))]
    finding = [scope.resolve(guards, name, "guard", where) for name, where in listed(spec.with_, (*path, "with"))]
    to, places = link_to(scope, policy, spec.to, tables.models, (*path, "to"))
    return ir.Statement(
        category,
        signal,
        to,
        tuple(guard for guard in linked_guards if guard is not None),
        finding=tuple(guard for guard in finding if guard is not None),
        places=places,
    )


def _words(spec: schema.StatementSpec) -> str:
    """Return the statement as text for messages."""
    parts = []
    values = [(key, getattr(spec, key)) for key in ("category", "signal")]
    values += [(attribute, value) for attribute, value, _ in written(spec)]
    values += [(key, getattr(spec, key)) for key in ("with_", "without", "through")]
    if spec.to is not None:
        values.insert(-3, ("to", to_words(spec.to)))
    for key, value in values:
        if value is not None:
            parts.append(f"{key.rstrip('_')} {value if isinstance(value, str) else ', '.join(value)}")
    return ", ".join(parts)
