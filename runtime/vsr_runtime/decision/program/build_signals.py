"""The signals of a config made ready."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import TypeVar

from vsr_runtime.decision.program.refuse import refuse, unique
from vsr_runtime.decision.program.rules import SignalName
from vsr_runtime.decision.signals.base import Signal
from vsr_runtime.decision.signals.context import build_context
from vsr_runtime.decision.signals.conversation import build_conversation
from vsr_runtime.decision.signals.keyword import build_keyword
from vsr_runtime.decision.signals.language import build_language
from vsr_runtime.decision.signals.model_signals import (
    LEVELS,
    Asking,
    build_attack,
    build_complexity,
    build_likeness,
    build_personal,
)
from vsr_runtime.decision.signals.pii import build_pii
from vsr_runtime.decision.signals.structure import build_structure
from vsr_schemas.pii import PATTERN_TYPES
from vsr_schemas.routerconfig import v0_4_0 as contract

Rule = TypeVar(
    "Rule",
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
Made = TypeVar("Made")
DETECTED = "pii_detector"
"""The type of what a detector finds for a signal of personal data."""


def domains(given: list[contract.Domain], known: frozenset[str]) -> dict[str, frozenset[str]]:
    """The labels behind each domain signal: those it lists, else its own name.

    Raises:
        UserError: a name is doubled, or asks for a label that no classifier knows.
    """
    unique("routing.signals.domains", [domain.name for domain in given])
    labels = {domain.name: frozenset(domain.mmlu_categories or [domain.name]) for domain in given}
    for i, domain in enumerate(given):
        if missing := sorted(labels[domain.name] - known):
            listed = ", ".join(repr(label) for label in missing)
            raise refuse(
                f"routing.signals.domains[{i}]",
                f"domain {domain.name!r} asks for {listed}, which no classifier in runtime.yaml knows",
            )
    return labels


def signals(given: contract.Signals, detected: Collection[str] = ()) -> Mapping[SignalName, Signal]:
    """The signals that are found out from the request alone, by type and name.

    Args:
        given: the config's.
        detected: the signals of personal data that have a detector, so that patterns need not find any of it.

    Raises:
        UserError: a name is doubled, or a signal cannot be executed.
    """
    return dict(
        (
            *_collection("keyword", "keywords", given.keywords or (), build_keyword),
            *_collection("context", "context", given.context or (), build_context),
            *_collection("structure", "structure", given.structure or (), build_structure),
            *_collection("conversation", "conversation", given.conversation or (), build_conversation),
            *_collection("pii", "pii", _by_patterns(given.pii or (), detected), build_pii),
            *_collection("language", "language", given.language or (), build_language),
        )
    )


def _by_patterns(rules: Iterable[contract.PiiRule], detected: Collection[str]) -> Iterable[contract.PiiRule]:
    """The rules that ask for something which patterns can find, and those that nobody else can answer."""
    for rule in rules:
        if rule.name not in detected or not set(rule.pii_types_allowed or ()) >= PATTERN_TYPES:
            yield rule


def asking(
    given: contract.Signals,
    sentences: frozenset[str],
    detectors: Mapping[str, str],
    personal: Mapping[str, str] | None = None,
) -> Mapping[SignalName, Asking]:
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
    likeness = _collection(
        "embedding", "embeddings", given.embeddings or (), lambda rule: build_likeness(rule, sentences)
    )
    attacks = _collection(
        "jailbreak", "jailbreak", given.jailbreak or (), lambda rule: build_attack(rule, detectors.get(rule.name))
    )
    levels = _collection(
        "complexity",
        "complexity",
        given.complexity or (),
        lambda rule: [(level, build_complexity(rule, level, sentences)) for level in LEVELS],
    )
    detected = [rule for rule in given.pii or () if rule.name in (personal or {})]
    found = _collection(DETECTED, "pii", detected, lambda rule: build_personal(rule, (personal or {})[rule.name]))
    each = (((kind, f"{name}:{level}"), one) for (kind, name), made in levels for level, one in made)
    return dict((*likeness, *each, *attacks, *found))


def _collection(
    kind: str, collection: str, rules: Iterable[Rule], make: Callable[[Rule], Made]
) -> Iterable[tuple[SignalName, Made]]:
    given = list(rules)
    unique(f"routing.signals.{collection}", [rule.name for rule in given])
    for i, rule in enumerate(given):
        try:
            yield (kind, rule.name), make(rule)
        except ValueError as error:
            raise refuse(f"routing.signals.{collection}[{i}]", f"{kind} {rule.name!r}: {error}") from None
