"""Guards: what they look for and what follows, resolved."""

from __future__ import annotations

from typing import assert_never

from vsr_compiler import ir
from vsr_compiler.link.classifiers import detector
from vsr_compiler.link.scope import Scope
from vsr_compiler.link.signals_linker import check_patterns, pii_detector
from vsr_schemas.policy import v1alpha1 as schema

BUILTIN = {"builtin": "credentials", "injection": "injection"}
"""What the runtime calls the sets of patterns that it brings."""


def link_guards(
    scope: Scope, policy: schema.PolicySpec, models: dict[str, ir.Model], classifiers: dict[str, ir.Classifier]
) -> dict[str, ir.Guard]:
    """All guards by name, sorted."""
    return {name: _guard(scope, name, spec, models, classifiers) for name, spec in sorted(policy.guards.items())}


def _action(spec: schema.GuardSpec, target: ir.Model | None) -> ir.GuardAction:
    """The action; one whose model does not resolve, which is reported, blocks."""
    match spec.action:
        case "block":
            return ir.Block()
        case "mask":
            return ir.Mask(spec.unmask)
        case "flag":
            return ir.Flag()
        case "route":
            return ir.Block() if target is None else ir.RouteTo(target)
    assert_never(spec.action)


def _guard(
    scope: Scope, name: str, spec: schema.GuardSpec, models: dict[str, ir.Model], classifiers: dict[str, ir.Classifier]
) -> ir.Guard:
    path = ("guards", name)
    found = None
    if spec.types is not None:
        found = pii_detector(scope, spec.types, spec.detector, path, classifiers)
    elif spec.detector is not None:
        found = detector(scope, classifiers, spec.detector, "jailbreak", (*path, "detector"))
    if isinstance(spec.patterns, list):
        check_patterns(scope, spec.patterns, (*path, "patterns"))
    target = None if spec.model is None else scope.resolve(models, spec.model, "model", (*path, "model"))
    exempt = []
    for index, each in enumerate(spec.except_.models if spec.except_ else []):
        model = scope.resolve(models, each, "model", (*path, "except", "models", index))
        if model is not None:
            exempt.append(model)
    own = spec.patterns if isinstance(spec.patterns, list) else []
    builtin = (BUILTIN[spec.patterns],) if isinstance(spec.patterns, str) else ()
    return ir.Guard(
        name,
        found,
        tuple(sorted(set(spec.types or ()))),
        tuple(own),
        builtin,
        spec.threshold,
        _action(spec, target),
        spec.on,
        spec.on_error,
        spec.max_tokens,
        tuple(sorted(exempt, key=lambda model: model.name)),
        spec.unreadable,
        scope.span(*path, key=True),
    )
