"""Links guards."""

from __future__ import annotations

from typing import assert_never

from vsr_compiler import ir
from vsr_compiler.link.classifiers import detector
from vsr_compiler.link.scope import Scope
from vsr_compiler.link.signals import check_patterns, pii_detector
from vsr_schemas.policy import v1alpha1 as schema

BUILTIN = {"builtin": "credentials", "injection": "injection"}
"""The runtime's names for its built-in pattern sets, by their spelling in the policy."""


def link_guards(
    scope: Scope, policy: schema.PolicySpec, models: dict[str, ir.Model], classifiers: dict[str, ir.Classifier]
) -> dict[str, ir.Guard]:
    """Return all guards by name, sorted."""
    return {name: _guard(scope, name, spec, models, classifiers) for name, spec in sorted(policy.guards.items())}


def _action(spec: schema.GuardSpec, target: ir.Model | None) -> ir.GuardAction:
    """Return the action. If its model is not defined, which is reported, it is ``Block``."""
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
    detecting = None
    if spec.types is not None:
        detecting = pii_detector(scope, spec.types, spec.detector, path, classifiers)
    elif spec.detector is not None:
        detecting = detector(scope, classifiers, spec.detector, "jailbreak", (*path, "detector"))
    if isinstance(spec.patterns, list):
        check_patterns(scope, spec.patterns, (*path, "patterns"))
    target = None if spec.model is None else scope.resolve(models, spec.model, "model", (*path, "model"))
    exempt = []
    for index, exempt_name in enumerate(spec.except_.models if spec.except_ else []):
        model = scope.resolve(models, exempt_name, "model", (*path, "except", "models", index))
        if model is not None:
            exempt.append(model)
    own = spec.patterns if isinstance(spec.patterns, list) else []
    builtin = (BUILTIN[spec.patterns],) if isinstance(spec.patterns, str) else ()
    return ir.Guard(
        name,
        detecting,
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
