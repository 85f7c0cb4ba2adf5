"""Links guards."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import assert_never

from vsr_compiler import ir
from vsr_compiler.link.classifiers import detector, detector_threshold
from vsr_compiler.link.scope import Scope
from vsr_compiler.link.signals import check_patterns, pii_detector
from vsr_schemas.policy import v1alpha1 as schema

BUILTIN = {"builtin": "credentials", "injection": "injection"}
"""The runtime's names for its built-in pattern sets, by their spelling in the policy."""
MIN_DEFAULT_TOKENS = 8192
"""Tokens that a guard reads at least, unless the policy says otherwise."""
BYTES_PER_TOKEN = 4
"""As the runtime estimates the length of a text."""


def link_guards(
    scope: Scope, policy: schema.PolicySpec, models: dict[str, ir.Model], classifiers: dict[str, ir.Classifier]
) -> dict[str, ir.Guard]:
    """Return all guards by name, sorted."""
    return {
        name: _guard(scope, name, spec, models, classifiers, policy.router)
        for name, spec in sorted(policy.guards.items())
    }


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


def _default_max_tokens(
    models: Iterable[ir.Model], exempt: Collection[ir.Model], max_body: int, *, detects: bool
) -> int:
    """Return the longest text that a guard reads unless the policy says otherwise: whatever its models can read.

    A model without ``context`` may read any body. Patterns can, too; a detector takes time, so its default is low.
    """
    contexts = [model.context for model in models if model not in exempt]
    unknown = None in contexts and not detects
    known = max((context for context in contexts if context is not None), default=0)
    return max(MIN_DEFAULT_TOKENS, known, -(-max_body // BYTES_PER_TOKEN) if unknown else 0)


def _guard(
    scope: Scope,
    name: str,
    spec: schema.GuardSpec,
    models: dict[str, ir.Model],
    classifiers: dict[str, ir.Classifier],
    router: schema.RouterSpec,
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
    threshold, by_head = detector_threshold(detecting, spec.threshold)
    # The stock router finds types of personal data with a classifier of its own.
    detects = detecting is not None or (router.engine == "semantic-router" and spec.patterns is None)
    own = spec.patterns if isinstance(spec.patterns, list) else []
    builtin = (BUILTIN[spec.patterns],) if isinstance(spec.patterns, str) else ()
    return ir.Guard(
        name,
        detecting,
        tuple(sorted(set(spec.types or ()))),
        tuple(own),
        builtin,
        threshold,
        _action(spec, target),
        spec.on,
        spec.on_error,
        spec.max_tokens or _default_max_tokens(models.values(), exempt, router.max_body, detects=detects),
        tuple(sorted(exempt, key=lambda model: model.name)),
        spec.unreadable,
        scope.span(*path, key=True),
        by_head,
    )
