"""Signals: what each kind asks, with its patterns and types checked."""

from __future__ import annotations

from vsr_compiler import ir
from vsr_compiler.diagnostics.suggestions import did_you_mean, suggest
from vsr_compiler.link.classifiers import detector
from vsr_compiler.link.patterns import refusal
from vsr_compiler.link.scope import Scope
from vsr_compiler.syntax.document import Path
from vsr_schemas.languages import LANGUAGES
from vsr_schemas.pii import ALL_TYPES, MODEL_TYPES
from vsr_schemas.policy import v1alpha1 as schema


def link_signals(
    scope: Scope, policy: schema.PolicySpec, classifiers: dict[str, ir.Classifier]
) -> dict[str, ir.Signal]:
    """All signals by name, sorted. One whose parts do not resolve is left out; that is told already."""
    found = {}
    for name, spec in sorted(policy.signals.items()):
        body = _body(scope, spec, ("signals", name), classifiers)
        if body is not None:
            found[name] = ir.Signal(name, body, scope.span("signals", name, key=True))
    return found


def _body(  # noqa: PLR0911, C901 - one branch a kind reads best
    scope: Scope, spec: schema.SignalSpec, path: Path, classifiers: dict[str, ir.Classifier]
) -> ir.SignalKind | None:
    if spec.keywords is not None:
        if spec.regex:
            check_patterns(scope, spec.keywords, (*path, "keywords"))
        return ir.KeywordSignal(tuple(spec.keywords), spec.match, spec.regex, spec.case_sensitive)
    if spec.embedding is not None:
        return ir.EmbeddingSignal(tuple(spec.embedding.to), spec.embedding.threshold, spec.embedding.aggregate)
    if spec.context is not None:
        return ir.ContextSignal(spec.context.min, spec.context.max)
    if spec.language is not None:
        return _language(scope, spec.language, (*path, "language"))
    if spec.complexity is not None:
        each = spec.complexity
        return ir.ComplexitySignal(tuple(each.hard), tuple(each.easy), each.level, each.threshold)
    if spec.structure is not None:
        shape = spec.structure
        if shape.pattern is not None:
            check_pattern(scope, shape.pattern, (*path, "structure", "pattern"))
        return ir.StructureSignal(shape.pattern, tuple(shape.keywords or ()), shape.min, shape.max)
    if spec.conversation is not None:
        talk = spec.conversation
        return ir.ConversationSignal(talk.of, talk.role, talk.min, talk.max)
    if spec.role is not None:
        return ir.RoleSignal(tuple(spec.role.users), tuple(spec.role.groups))
    if spec.pii is not None:
        found = pii_detector(scope, spec.pii.types, spec.pii.detector, (*path, "pii"), classifiers)
        return ir.PiiSignal(tuple(sorted(set(spec.pii.types))), found, spec.pii.threshold)
    if spec.jailbreak is not None:
        attack = detector(scope, classifiers, spec.jailbreak.detector, "jailbreak", (*path, "jailbreak", "detector"))
        return None if attack is None else ir.JailbreakSignal(attack, spec.jailbreak.threshold)
    return None


def _language(scope: Scope, given: str | list[str], path: Path) -> ir.LanguageSignal:
    codes = [given] if isinstance(given, str) else given
    for index, code in enumerate(codes):
        if code not in LANGUAGES:
            where = path if isinstance(given, str) else (*path, index)
            hint = did_you_mean(code, sorted(LANGUAGES)) or "Use a two-letter code of ISO 639-1, such as `de`."
            scope.report("VSR104", f"`{code}` is no language code", where, hint)
    return ir.LanguageSignal(tuple(sorted(set(codes))))


def check_patterns(scope: Scope, patterns: list[str], path: Path) -> None:
    """Every pattern of a list."""
    for index, pattern in enumerate(patterns):
        check_pattern(scope, pattern, (*path, index))


def check_pattern(scope: Scope, pattern: str, path: Path) -> None:
    """A pattern that could not be run, or could take forever, is refused."""
    if reason := refusal(pattern):
        hint = "Use what RE2 has: no look-around, no back-reference, no possessive repeat."
        scope.report("VSR217", reason, path, hint)


def pii_detector(
    scope: Scope, types: list[str], name: str | None, path: Path, classifiers: dict[str, ir.Classifier]
) -> ir.Classifier | None:
    """Check types of personal data, and find the detector that some of them need."""
    for index, each in enumerate(types):
        where = (*path, "types", index)
        if each not in ALL_TYPES:
            hint = suggest(each, sorted(ALL_TYPES))
            scope.report("VSR218", f"`{each}` is no type of personal data", where, hint)
        elif each in MODEL_TYPES and name is None:
            hint = "Name a `detector` of the task `pii`, or take the type out: patterns cannot find it."
            scope.report("VSR219", f"`{each}` is found only by a model", where, hint)
    return None if name is None else detector(scope, classifiers, name, "pii", (*path, "detector"))
