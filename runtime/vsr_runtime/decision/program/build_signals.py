"""Builds the signals of a config."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import TypeVar

from vsr_runtime.decision.program.conditions import SignalName
from vsr_runtime.decision.signals.base import Signal
from vsr_runtime.decision.signals.conversation import build_conversation
from vsr_runtime.decision.signals.heuristic import build_context, build_keyword, build_modality, build_pii
from vsr_runtime.decision.signals.language import build_language
from vsr_runtime.decision.signals.model_signals import (
    LEVELS,
    ModelSignal,
    build_complexity,
    build_embedding,
    build_jailbreak,
    build_pii_model,
)
from vsr_runtime.decision.signals.structure import build_structure
from vsr_runtime.errors import check_unique, config_error
from vsr_schemas.pii import MODEL_TYPES, denied_types, type_of
from vsr_schemas.routerconfig import v0_4_0 as contract

_Rule = TypeVar(
    "_Rule",
    contract.KeywordRule,
    contract.ContextRule,
    contract.StructureRule,
    contract.ConversationRule,
    contract.PiiRule,
    contract.LanguageRule,
    contract.InputModalityRule,
    contract.EmbeddingRule,
    contract.ComplexityRule,
    contract.JailbreakRule,
)
_Built = TypeVar("_Built")
PII_DETECTOR = "pii_detector"
"""Signal type of the detector's part of a PII signal."""


def category_labels(domains: list[contract.Domain], known: frozenset[str]) -> dict[str, frozenset[str]]:
    """Return the labels for which each domain signal holds, as in the stock router.

    A label means the domain that lists it, or the one of its name that lists nothing, in any case; otherwise it means
    itself. Of several domains it means the last. A domain holds for what means its name, and for what means a label
    that it lists.

    Raises:
        UserError: a name is duplicated, or a label is unknown to the classifiers.
    """
    check_unique("routing.signals.domains", [domain.name for domain in domains])
    lower = {label.lower() for label in known}
    for i, domain in enumerate(domains):
        if missing := sorted(one for one in domain.mmlu_categories or [domain.name] if one.lower() not in lower):
            listed = ", ".join(repr(label) for label in missing)
            raise config_error(
                f"routing.signals.domains[{i}]",
                f"domain {domain.name!r} needs {listed}, which no classifier in runtime.yaml recognises; "
                "`vsr-compile import config.yaml` makes a policy that compiles to one",
            )
    means = {label.lower(): domain.name for domain in domains for label in domain.mmlu_categories or [domain.name]}
    return {
        domain.name: frozenset(
            label
            for label in known
            if means.get(label.lower(), label) in {domain.name, *(domain.mmlu_categories or ())}
        )
        for domain in domains
    }


def check_personal_data(rules: Iterable[contract.PiiRule], detected: Collection[str]) -> None:
    """Check that what finds personal data can find all types that a signal does not allow.

    Args:
        rules: the PII signals.
        detected: those that have a detector.

    Raises:
        UserError: a signal without a detector does not allow a type that no pattern finds.
    """
    for i, rule in enumerate(rules):
        allowed = {type_of(name) for name in rule.pii_types_allowed or ()}
        if rule.name not in detected and (missing := sorted(MODEL_TYPES - allowed)):
            raise config_error(
                f"routing.signals.pii[{i}]",
                f"pii {rule.name!r} denies {', '.join(missing)}, which only a detector finds; bind a checkpoint in "
                f"runtime.yaml under detectors.pii.{rule.name}, or list them under pii_types_allowed",
            )


def build_signals(signals: contract.Signals, detected: Collection[str] = ()) -> Mapping[SignalName, Signal]:
    """Build the signals that are computed from the request alone, by type and name.

    Args:
        signals: the signals of the config.
        detected: PII signals that have a detector. Patterns are only added to them if they could find something.

    Raises:
        UserError: a name is duplicated, or a signal cannot be executed.
    """
    return dict(
        (
            *_build_each("keyword", "keywords", signals.keywords or (), build_keyword),
            *_build_each("context", "context", signals.context or (), build_context),
            *_build_each("structure", "structure", signals.structure or (), build_structure),
            *_build_each("conversation", "conversation", signals.conversation or (), build_conversation),
            *_build_each("pii", "pii", _rules_for_patterns(signals.pii or (), detected), build_pii),
            *_build_each("input_modality", "input_modality", signals.input_modality or (), build_modality),
            *_build_each("language", "language", signals.language or (), build_language),
        )
    )


def _rules_for_patterns(rules: Iterable[contract.PiiRule], detected: Collection[str]) -> Iterable[contract.PiiRule]:
    """Yield the rules with types that patterns can find, and those without a detector."""
    for rule in rules:
        if rule.name not in detected or denied_types(rule.pii_types_allowed or ()) - MODEL_TYPES:
            yield rule


def build_model_signals(
    signals: contract.Signals,
    sentences: frozenset[str],
    jailbreak: Mapping[str, str],
    pii: Mapping[str, str] | None = None,
) -> Mapping[SignalName, ModelSignal]:
    """Build the signals that need a model, by type and name. The name of a complexity signal ends in its level.

    Personal data that patterns find needs no model, so the detector's part of a PII signal has its own type.

    Args:
        signals: the signals of the config.
        sentences: the sentences that have a vector.
        jailbreak: the detector of each jailbreak signal.
        pii: the detector of each PII signal that has one.

    Raises:
        UserError: a name is duplicated, or a signal cannot be executed.
    """
    embeddings = _build_each(
        "embedding", "embeddings", signals.embeddings or (), lambda rule: build_embedding(rule, sentences)
    )
    attacks = _build_each(
        "jailbreak", "jailbreak", signals.jailbreak or (), lambda rule: build_jailbreak(rule, jailbreak.get(rule.name))
    )
    levels = _build_each(
        "complexity",
        "complexity",
        signals.complexity or (),
        lambda rule: [(level, build_complexity(rule, level, sentences)) for level in LEVELS],
    )
    detected = [rule for rule in signals.pii or () if rule.name in (pii or {})]
    pii_detectors = _build_each(
        PII_DETECTOR, "pii", detected, lambda rule: build_pii_model(rule, (pii or {})[rule.name])
    )
    complexity = (((kind, f"{name}:{level}"), signal) for (kind, name), built in levels for level, signal in built)
    return dict((*embeddings, *complexity, *attacks, *pii_detectors))


def _build_each(
    kind: str, collection: str, rules: Iterable[_Rule], make: Callable[[_Rule], _Built]
) -> Iterable[tuple[SignalName, _Built]]:
    listed = list(rules)
    check_unique(f"routing.signals.{collection}", [rule.name for rule in listed])
    for i, rule in enumerate(listed):
        try:
            yield (kind, rule.name), make(rule)
        except ValueError as error:
            raise config_error(f"routing.signals.{collection}[{i}]", f"{kind} {rule.name!r}: {error}") from None
