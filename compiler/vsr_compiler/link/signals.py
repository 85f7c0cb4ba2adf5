"""Links signals, and checks patterns and types of personal data."""

from __future__ import annotations

import re
import warnings
from dataclasses import replace

from vsr_compiler import ir
from vsr_compiler.diagnostics.suggestions import did_you_mean, suggest
from vsr_compiler.link.classifiers import detector, detector_threshold
from vsr_compiler.link.identity import CLIENT_KINDS, signal_tests
from vsr_compiler.link.labels import link_label_signal
from vsr_compiler.link.scope import Scope
from vsr_compiler.releases.checkpoints import suggestion
from vsr_compiler.syntax.document import Path
from vsr_runtime.decision.patterns import compile_patterns
from vsr_schemas.encoders import FALLBACK_SIGNAL
from vsr_schemas.languages import LANGUAGES
from vsr_schemas.modalities import MODALITIES
from vsr_schemas.pii import ALL_TYPES, MODEL_TYPES, POLICY_TYPES
from vsr_schemas.policy import v1alpha1 as schema

MAX_PATTERN = 1000
_NOT_LINEAR = re.compile(r"\(\?(?:=|!|<=|<!|>|\(|P=)|\\[1-9]|[*+?}]\+")
"""Look-arounds, back-references, atomic groups, conditionals and possessive repeats, none of which RE2 supports."""

_SYNTAX = "Use RE2 syntax: no look-around, no back-reference, no possessive repeat."


def link_signals(
    scope: Scope,
    policy: schema.PolicySpec,
    classifiers: dict[str, ir.Classifier],
    identity: ir.Identity | None = None,
    encoder: ir.Encoder | None = None,
) -> dict[str, ir.Signal]:
    """Return all signals by name, sorted, without those that have an unresolved reference, which is reported."""
    linked = {}
    for name, spec in sorted(policy.signals.items()):
        kind = _kind(scope, spec, ("signals", name), classifiers, identity)
        if isinstance(kind, ir.EmbeddingSignal) and spec.embedding and spec.embedding.threshold is None:
            kind = replace(kind, threshold=_default_similarity(scope, policy, name, encoder or ir.Encoder()))
        if kind is not None:
            linked[name] = ir.Signal(name, kind, scope.span("signals", name, key=True), spec.of)
    return linked


def _kind(  # noqa: PLR0911, PLR0912, C901 - one branch for each kind
    scope: Scope,
    spec: schema.SignalSpec,
    path: Path,
    classifiers: dict[str, ir.Classifier],
    identity: ir.Identity | None,
) -> ir.SignalKind | None:
    if spec.keywords is not None:
        if spec.regex:
            check_patterns(scope, spec.keywords, (*path, "keywords"), case_sensitive=spec.case_sensitive)
        return ir.KeywordSignal(tuple(spec.keywords), spec.match, spec.regex, spec.case_sensitive)
    if spec.embedding is not None:
        similarity = FALLBACK_SIGNAL if spec.embedding.threshold is None else spec.embedding.threshold
        return ir.EmbeddingSignal(tuple(spec.embedding.to), similarity, spec.embedding.aggregate)
    if spec.context is not None:
        return ir.ContextSignal(spec.context.min, spec.context.max)
    if spec.language is not None:
        return _language(scope, spec.language, (*path, "language"))
    if spec.complexity is not None:
        levels = spec.complexity
        return ir.ComplexitySignal(tuple(levels.hard), tuple(levels.easy), levels.level, levels.threshold)
    if spec.structure is not None:
        shape = spec.structure
        if shape.pattern is not None:
            check_pattern(scope, shape.pattern, (*path, "structure", "pattern"))
        return ir.StructureSignal(shape.pattern, tuple(shape.keywords or ()), shape.min, shape.max)
    if spec.conversation is not None:
        parts = spec.conversation
        return ir.ConversationSignal(parts.of, parts.role, parts.min, parts.max)
    if spec.modality is not None:
        kinds = [spec.modality] if isinstance(spec.modality, str) else spec.modality
        return ir.ModalitySignal(tuple(kind for kind in MODALITIES if kind in kinds))
    if spec.kind in CLIENT_KINDS:
        return ir.ClientSignal(signal_tests(scope, identity, spec, path))
    if spec.pii is not None:
        pii = pii_detector(scope, spec.pii.types, spec.pii.detector, (*path, "pii"), classifiers)
        return ir.PiiSignal(tuple(sorted(set(spec.pii.types))), pii, spec.pii.threshold)
    if spec.jailbreak is not None:
        attack = detector(scope, classifiers, spec.jailbreak.detector, "jailbreak", (*path, "jailbreak", "detector"))
        threshold = detector_threshold(attack, spec.jailbreak.threshold)
        return None if attack is None else ir.JailbreakSignal(attack, *threshold)
    if spec.label is not None:
        return link_label_signal(scope, spec.label, path, classifiers)
    return None


def _default_similarity(scope: Scope, policy: schema.PolicySpec, name: str, encoder: ir.Encoder) -> float:
    """Return the threshold of embedding signals for the encoder of the policy; the stock router has one of its own.

    VSR603 if none was measured for the encoder.
    """
    if policy.router.engine == "semantic-router":
        return FALLBACK_SIGNAL
    if encoder.signal_threshold is None:
        message = f"`{name}` has no threshold, and none was measured for these weights of `{encoder.repo}`"
        hint = f"Set `threshold`: `vsr-compile eval --pairs builtin:signals@1 --encoder {encoder.repo}` measures one."
        scope.report("VSR603", message, ("signals", name, "embedding"), hint, key=True)
        return FALLBACK_SIGNAL
    return encoder.signal_threshold


def _language(scope: Scope, value: str | list[str], path: Path) -> ir.LanguageSignal:
    codes = [value] if isinstance(value, str) else value
    for index, code in enumerate(codes):
        if code not in LANGUAGES:
            where = path if isinstance(value, str) else (*path, index)
            hint = did_you_mean(code, sorted(LANGUAGES)) or "Use a two-letter ISO 639-1 code, such as `de`."
            scope.report("VSR104", f"`{code}` is not a language code", where, hint)
    return ir.LanguageSignal(tuple(sorted(set(codes))))


def check_patterns(scope: Scope, patterns: list[str], path: Path, *, case_sensitive: bool = False) -> None:
    """Check every pattern of a list."""
    for index, pattern in enumerate(patterns):
        check_pattern(scope, pattern, (*path, index), case_sensitive=case_sensitive)


def check_pattern(scope: Scope, pattern: str, path: Path, *, case_sensitive: bool = False) -> None:
    """Report a pattern that the runtime does not accept, for whatever reason it has."""
    if reason := pattern_error(pattern, case_sensitive=case_sensitive):
        message, _, remedy = reason.partition("; ")
        hint = f"{remedy[0].upper()}{remedy[1:]}." if remedy else _SYNTAX
        scope.report("VSR217", message, path, hint)


def pii_detector(
    scope: Scope, types: list[str], name: str | None, path: Path, classifiers: dict[str, ir.Classifier]
) -> ir.Classifier | None:
    """Check types of personal data, and return the detector, which some of them need."""
    for index, kind in enumerate(types):
        where = (*path, "types", index)
        if kind not in POLICY_TYPES:
            hint = did_you_mean(kind, sorted(POLICY_TYPES)) or suggest(kind, sorted(ALL_TYPES))
            scope.report("VSR218", f"`{kind}` is not a type of personal data", where, hint)
        elif kind in MODEL_TYPES and name is None:
            hint = (
                "Set `detector` to a classifier with `task: pii`, or remove the type: patterns cannot find it. "
                f"Known are {suggestion('pii')}, and Presidio as a `server`; docs/reference/guards.md lists them."
            )
            if kind == "STREET_ADDRESS":
                hint += " Patterns find `POSTAL_ADDRESS`, addresses in the form in which letters are addressed."
            scope.report("VSR219", f"`{kind}` needs a `detector`", where, hint)
    return None if name is None else detector(scope, classifiers, name, "pii", (*path, "detector"))


def pattern_error(pattern: str, *, case_sensitive: bool = False) -> str | None:
    """Return why a pattern cannot be used; None if it can. It must run in linear time on any input.

    The last check is the runtime's own: a pattern that passes here is loaded there.
    """
    if len(pattern) > MAX_PATTERN:
        return f"the pattern is longer than {MAX_PATTERN} characters"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            re.compile(pattern)
    except (re.error, OverflowError, RecursionError, Warning) as error:
        return f"the pattern is not valid: {error}"
    if match := _NOT_LINEAR.search(pattern.replace(r"\\", "")):
        return f"`{match[0]}` cannot be matched in linear time"
    try:
        compile_patterns([pattern], case_sensitive=case_sensitive)
    except ValueError as error:
        return str(error)
    return None
