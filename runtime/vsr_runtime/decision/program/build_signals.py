"""The signals of a config made ready."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import TypeVar

from vsr_runtime.decision.program.conditions import SignalName
from vsr_runtime.decision.signals.base import Signal
from vsr_runtime.decision.signals.heuristic import (
    build_context,
    build_conversation,
    build_keyword,
    build_pii,
    build_structure,
)
from vsr_runtime.decision.signals.language import build_language
from vsr_runtime.decision.signals.model_signals import (
    LEVELS,
    ModelSignal,
    build_complexity,
    build_embedding,
    build_jailbreak,
    build_pii_model,
)
from vsr_runtime.errors import check_unique, config_error
from vsr_schemas.pii import PATTERN_TYPES
from vsr_schemas.routerconfig import v0_4_0 as contract

_Rule = TypeVar(
    "_Rule",
    contract.KeywordRule,
    contract.ContextRule,
    contract.StructureRule,
    contract.ConversationRule,
    contract.PiiRule,
    contract.LanguageRule,
    contract.EmbeddingRule,
    contract.ComplexityRule,
    contract.JailbreakRule,
)
_Built = TypeVar("_Built")
PII_DETECTOR = "pii_detector"
"""The type of what a detector finds for a signal of personal data."""


def category_labels(given: list[contract.Domain], known: frozenset[str]) -> dict[str, frozenset[str]]:
    """The labels behind each domain signal: those it lists, else its own name.

    Raises:
        UserError: a name is doubled, or asks for a label that no classifier knows.
    """
    check_unique("routing.signals.domains", [domain.name for domain in given])
    labels = {domain.name: frozenset(domain.mmlu_categories or [domain.name]) for domain in given}
    for i, domain in enumerate(given):
        if missing := sorted(labels[domain.name] - known):
            listed = ", ".join(repr(label) for label in missing)
            raise config_error(
                f"routing.signals.domains[{i}]",
                f"domain {domain.name!r} asks for {listed}, which no classifier in runtime.yaml knows",
            )
    return labels


def build_signals(given: contract.Signals, detected: Collection[str] = ()) -> Mapping[SignalName, Signal]:
    """The signals that are found out from the request alone, by type and name.

    Args:
        given: the config's.
        detected: the signals of personal data that have a detector, so that patterns need not find any of it.

    Raises:
        UserError: a name is doubled, or a signal cannot be executed.
    """
    return dict(
        (
            *_build_each("keyword", "keywords", given.keywords or (), build_keyword),
            *_build_each("context", "context", given.context or (), build_context),
            *_build_each("structure", "structure", given.structure or (), build_structure),
            *_build_each("conversation", "conversation", given.conversation or (), build_conversation),
            *_build_each("pii", "pii", _rules_for_patterns(given.pii or (), detected), build_pii),
            *_build_each("language", "language", given.language or (), build_language),
        )
    )


def _rules_for_patterns(rules: Iterable[contract.PiiRule], detected: Collection[str]) -> Iterable[contract.PiiRule]:
    """The rules that ask for something which patterns can find, and those that nobody else can answer."""
    for rule in rules:
        if rule.name not in detected or not set(rule.pii_types_allowed or ()) >= PATTERN_TYPES:
            yield rule


def build_model_signals(
    given: contract.Signals,
    sentences: frozenset[str],
    detectors: Mapping[str, str],
    personal: Mapping[str, str] | None = None,
) -> Mapping[SignalName, ModelSignal]:
    """The signals that take a model, by type and name; a complexity's name ends in its level.

    What patterns find of personal data holds without a model, so that the detector's part has a type of its own.

    Args:
        given: the config's.
        sentences: those that have a vector.
        detectors: the detector of each jailbreak signal.
        personal: the detector of signals of personal data that have one.

    Raises:
        UserError: a name is doubled, or a signal cannot be executed.
    """
    likeness = _build_each(
        "embedding", "embeddings", given.embeddings or (), lambda rule: build_embedding(rule, sentences)
    )
    attacks = _build_each(
        "jailbreak", "jailbreak", given.jailbreak or (), lambda rule: build_jailbreak(rule, detectors.get(rule.name))
    )
    levels = _build_each(
        "complexity",
        "complexity",
        given.complexity or (),
        lambda rule: [(level, build_complexity(rule, level, sentences)) for level in LEVELS],
    )
    detected = [rule for rule in given.pii or () if rule.name in (personal or {})]
    found = _build_each(PII_DETECTOR, "pii", detected, lambda rule: build_pii_model(rule, (personal or {})[rule.name]))
    each = (((kind, f"{name}:{level}"), one) for (kind, name), made in levels for level, one in made)
    return dict((*likeness, *each, *attacks, *found))


def _build_each(
    kind: str, collection: str, rules: Iterable[_Rule], make: Callable[[_Rule], _Built]
) -> Iterable[tuple[SignalName, _Built]]:
    given = list(rules)
    check_unique(f"routing.signals.{collection}", [rule.name for rule in given])
    for i, rule in enumerate(given):
        try:
            yield (kind, rule.name), make(rule)
        except ValueError as error:
            raise config_error(f"routing.signals.{collection}[{i}]", f"{kind} {rule.name!r}: {error}") from None
