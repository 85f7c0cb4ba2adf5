"""Signals that take a model: which texts it must read, and what follows from what it says of them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

from vsr_runtime.decision.guards.detection import Detection
from vsr_runtime.decision.guards.normalise import normalise
from vsr_runtime.decision.view import RequestView
from vsr_schemas.pii import ALL_TYPES
from vsr_schemas.routerconfig import v0_4_0 as contract

_MEMO_KEY = "read"
"""In a view's memo: texts as detectors read them."""
Level = Literal["hard", "medium", "easy"]
LEVELS: tuple[Level, ...] = ("hard", "medium", "easy")


@dataclass(frozen=True, slots=True)
class ModelResults:
    """What models said of one request. What is missing was not asked for, or failed.

    Attributes:
        likeness: the cosine of the last user turn and each sentence of the policy.
        attacks: by detector and text, how probable an attack is.
        seen: by detector and text, all that it saw.
    """

    similarities: Mapping[str, float] = field(default_factory=dict)
    attacks: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    seen: Mapping[str, Mapping[str, Detection]] = field(default_factory=dict)


class ModelSignal(Protocol):
    """One signal. ``detector`` is the model that it asks; None for the sentence encoder."""

    @property
    def detector(self) -> str | None: ...  # noqa: D102 - said by the class

    def texts(self, view: RequestView) -> Sequence[str]:
        """What the model must read; nothing where there is no text, and then the signal does not hold."""

    def verdict(self, view: RequestView, found: ModelResults) -> bool | None:
        """Whether the request has it; None where the model did not say."""


@dataclass(frozen=True, slots=True)
class EmbeddingSignal:
    """Holds where the last user turn is like the sentences: by the best cosine, or by the mean."""

    sentences: tuple[str, ...]
    threshold: float
    mean: bool
    detector: None = None

    def texts(self, view: RequestView) -> Sequence[str]:
        """The last user turn."""
        return _user_turn(view)

    def verdict(self, view: RequestView, found: ModelResults) -> bool | None:  # noqa: ARG002 - the encoder has read it
        """Whether the request is like that."""
        said = _similarities(self.sentences, found)
        if said is None:
            return None
        return (sum(said) / len(said) if self.mean else max(said)) >= self.threshold


@dataclass(frozen=True, slots=True)
class ComplexitySignal:
    """Holds where the last user turn is of a level: by how much more it is like a hard sentence than like an easy one.

    The margin is the best cosine among the hard ones less the best among the easy ones: above ``threshold`` it is
    ``hard``, below its negative ``easy``, else ``medium``.
    """

    hard: tuple[str, ...]
    easy: tuple[str, ...]
    level: Level
    threshold: float
    detector: None = None

    def texts(self, view: RequestView) -> Sequence[str]:
        """The last user turn."""
        return _user_turn(view)

    def verdict(self, view: RequestView, found: ModelResults) -> bool | None:  # noqa: ARG002 - the encoder has read it
        """Whether the request is of that level."""
        hard, easy = _similarities(self.hard, found), _similarities(self.easy, found)
        if hard is None or easy is None:
            return None
        margin = max(hard) - max(easy)
        level = "hard" if margin > self.threshold else "easy" if margin < -self.threshold else "medium"
        return level == self.level


@dataclass(frozen=True, slots=True)
class JailbreakSignal:
    """Holds where a detector takes the last user turn, or some message, for an attack.

    It reads them normalised: what hides a word from patterns hides it from a model.
    """

    detector: str
    threshold: float
    everywhere: bool

    def texts(self, view: RequestView) -> Sequence[str]:
        """The texts of all messages, instructions among them, each once; or the last user turn."""
        return normalised_texts(view, everywhere=self.everywhere)

    def verdict(self, view: RequestView, found: ModelResults) -> bool | None:
        """Whether one of the texts is an attack. One that is settles it, whatever is known of the others."""
        scores = found.attacks.get(self.detector, {})
        said = [scores.get(text, math.nan) for text in self.texts(view)]
        if any(score >= self.threshold for score in said):
            return True
        return None if any(math.isnan(score) for score in said) else False


@dataclass(frozen=True, slots=True)
class PiiModelSignal:
    """Holds where a detector sees personal data of some types in the last user turn, or in some message."""

    detector: str
    types: frozenset[str]
    threshold: float
    everywhere: bool

    def texts(self, view: RequestView) -> Sequence[str]:
        """As of an attack."""
        return normalised_texts(view, everywhere=self.everywhere)

    def verdict(self, view: RequestView, found: ModelResults) -> bool | None:
        """Whether one of the texts has some. One that has settles it, whatever is known of the others."""
        seen = found.seen.get(self.detector, {})
        texts = self.texts(view)
        if any(seen[text].spans(self.types, self.threshold) for text in texts if text in seen):
            return True
        return None if any(text not in seen for text in texts) else False


def normalised_texts(view: RequestView, *, everywhere: bool) -> Sequence[str]:
    """The texts of all messages, or the last user turn, as detectors read them; each once."""
    asked = view.history if everywhere else (view.turn,)
    read: dict[str, str] = view.memo.setdefault(_MEMO_KEY, {})
    for text in asked:
        if text not in read:
            read[text] = normalise(text).text
    return tuple(dict.fromkeys(read[text] for text in asked if read[text].strip()))


def _user_turn(view: RequestView) -> Sequence[str]:
    return (view.turn,) if view.turn.strip() else ()


def _similarities(sentences: Sequence[str], found: ModelResults) -> list[float] | None:
    """The cosine of each sentence; None where one was not said, or is no number."""
    said = [found.similarities.get(sentence, math.nan) for sentence in sentences]
    return said if all(map(math.isfinite, said)) else None


def build_embedding(rule: contract.EmbeddingRule, sentences: frozenset[str]) -> EmbeddingSignal:
    """The signal of a config's rule.

    Args:
        rule: the rule.
        sentences: those that have a vector.

    Raises:
        ValueError: it has no candidates, one without a vector, or a threshold that is no cosine.
    """
    if not -1 <= rule.threshold <= 1:
        raise ValueError("its threshold is no cosine; give a number from -1 to 1")
    return EmbeddingSignal(
        _check_sentences(rule.candidates, sentences), rule.threshold, rule.aggregation_method == "mean"
    )


def build_complexity(rule: contract.ComplexityRule, level: Level, sentences: frozenset[str]) -> ComplexitySignal:
    """One level of a config's rule. Raises what ``build_likeness`` raises."""
    if not 0 <= rule.threshold <= 2:  # noqa: PLR2004 - the distance of two cosines
        raise ValueError("its threshold is no margin of cosines; give a number from 0 to 2")
    hard, easy = (_check_sentences(side.candidates, sentences) for side in (rule.hard, rule.easy))
    return ComplexitySignal(hard, easy, level, rule.threshold)


def build_jailbreak(rule: contract.JailbreakRule, detector: str | None) -> JailbreakSignal:
    """The signal of a config's rule.

    Raises:
        ValueError: no detector is loaded for it, or its threshold is no probability.
    """
    if detector is None:
        raise ValueError("runtime.yaml names no detector for it under detectors.jailbreak")
    if not 0 <= rule.threshold <= 1:
        raise ValueError("its threshold is no probability; give a number from 0 to 1")
    return JailbreakSignal(detector, rule.threshold, rule.include_history)


def build_pii_model(rule: contract.PiiRule, detector: str) -> PiiModelSignal:
    """The part of a config's rule that its detector answers.

    Raises:
        ValueError: every type is allowed, or its threshold is no probability.
    """
    types = ALL_TYPES - set(rule.pii_types_allowed or ())
    if not types:
        raise ValueError("every type is allowed")
    if not 0 <= rule.threshold <= 1:
        raise ValueError("its threshold is no probability; give a number from 0 to 1")
    return PiiModelSignal(detector, types, rule.threshold, rule.include_history)


def _check_sentences(candidates: Sequence[str], sentences: frozenset[str]) -> tuple[str, ...]:
    if not candidates:
        raise ValueError("it has no sentences")
    if missing := [each for each in candidates if each not in sentences]:
        raise ValueError(f"runtime.yaml has no vector of the sentence {missing[0]!r:.100}; compile the policy again")
    return tuple(candidates)
