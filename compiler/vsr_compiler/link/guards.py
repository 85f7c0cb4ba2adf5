"""Guards: what they look for and what follows, resolved."""

from __future__ import annotations

from typing import assert_never

from vsr_compiler import ir
from vsr_compiler.link.classifiers import detector
from vsr_compiler.link.scope import Scope
from vsr_compiler.link.signals_linker import check_patterns, pii_detector
from vsr_schemas.policy import v1alpha1 as nouns

BUILTIN = {"builtin": "credentials", "injection": "injection"}
"""What the runtime calls the sets of patterns that it brings."""


def link_guards(
    scope: Scope, policy: nouns.Policy, models: dict[str, ir.Model], classifiers: dict[str, ir.Classifier]
) -> dict[str, ir.Guard]:
    """All guards by name, sorted."""
    return {name: _guard(scope, name, noun, models, classifiers) for name, noun in sorted(policy.guards.items())}


def _action(noun: nouns.Guard, target: ir.Model | None) -> ir.GuardAction:
    """The action; one whose model does not resolve, which is reported, blocks."""
    match noun.action:
        case "block":
            return ir.Block()
        case "mask":
            return ir.Mask(noun.unmask)
        case "flag":
            return ir.Flag()
        case "route":
            return ir.Block() if target is None else ir.RouteTo(target)
    assert_never(noun.action)


def _guard(
    scope: Scope, name: str, noun: nouns.Guard, models: dict[str, ir.Model], classifiers: dict[str, ir.Classifier]
) -> ir.Guard:
    path = ("guards", name)
    found = None
    if noun.types is not None:
        found = pii_detector(scope, noun.types, noun.detector, path, classifiers)
    elif noun.detector is not None:
        found = detector(scope, classifiers, noun.detector, "jailbreak", (*path, "detector"))
    if isinstance(noun.patterns, list):
        check_patterns(scope, noun.patterns, (*path, "patterns"))
    target = None if noun.model is None else scope.resolve(models, noun.model, "model", (*path, "model"))
    exempt = []
    for index, each in enumerate(noun.except_.models if noun.except_ else []):
        model = scope.resolve(models, each, "model", (*path, "except", "models", index))
        if model is not None:
            exempt.append(model)
    own = noun.patterns if isinstance(noun.patterns, list) else []
    builtin = (BUILTIN[noun.patterns],) if isinstance(noun.patterns, str) else ()
    return ir.Guard(
        name,
        found,
        tuple(sorted(set(noun.types or ()))),
        tuple(own),
        builtin,
        noun.threshold,
        _action(noun, target),
        noun.on,
        noun.on_error,
        noun.max_tokens,
        tuple(sorted(exempt, key=lambda model: model.name)),
        noun.unreadable,
        scope.span(*path, key=True),
    )
