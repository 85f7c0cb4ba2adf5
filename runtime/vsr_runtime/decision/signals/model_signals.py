"""Signals that need a model: the texts that it must read, and the evaluation of its results."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol, runtime_checkable

from vsr_runtime.decision.guards.detection import Detection
from vsr_runtime.decision.guards.normalise import normalise
from vsr_runtime.decision.signals.score import Score
from vsr_runtime.decision.view import READ, RequestView
from vsr_schemas.pii import denied_types
from vsr_schemas.routerconfig import v0_4_0 as contract

Level = Literal["hard", "medium", "easy"]
LEVELS: tuple[Level, ...] = ("hard", "medium", "easy")


@dataclass(frozen=True, slots=True)
class ModelResults:
    """Model results for one request. A missing entry was not requested or failed.

    Attributes:
        similarities: cosine of the person's ask and each sentence of the policy.
        attacks: probability of an attack, by detector and text.
        detections: detections, by detector and text.
        request_similarities: cosine of all texts of the request and each sentence.
    """

    similarities: Mapping[str, float] = field(default_factory=dict)
    attacks: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    detections: Mapping[str, Mapping[str, Detection]] = field(default_factory=dict)
    request_similarities: Mapping[str, float] = field(default_factory=dict)


class ModelSignal(Protocol):
    """A signal that needs a model. ``detector`` names the model; None means the sentence encoder."""

    @property
    def detector(self) -> str | None: ...  # noqa: D102 - scores by the class
    @property
    def everywhere(self) -> bool: ...  # noqa: D102 - whether it reads all texts of the request

    def texts(self, view: RequestView) -> Sequence[str]:
        """Return the texts that the model must read. If there are none, the signal does not hold."""

    def evaluate(self, view: RequestView, results: ModelResults) -> bool | None:
        """Return whether the request has the signal; None if a required model result is missing."""


@runtime_checkable
class ScoredModelSignal(Protocol):
    """A signal of a model that has numbers."""

    def score(self, view: RequestView, results: ModelResults) -> Score | None:
        """Return the numbers of the request; None if a required model result is missing."""


@dataclass(frozen=True, slots=True)
class Scoring:
    """How the stock router scores sentences, by its defaults: three quarters the best, one quarter the mean of two.

    Attributes:
        best: the weight of the best cosine.
        top: the number of cosines in the mean.
        near: the similarity from which a signal holds as long as no other one reaches its threshold; None for never.
    """

    best: float = 0.75
    top: int = 2
    near: float | None = None

    def of(self, scores: Sequence[float]) -> float:
        """Return the similarity of one or more cosines."""
        ranked = sorted(scores, reverse=True)[: self.top]
        return self.best * ranked[0] + (1 - self.best) * sum(ranked) / len(ranked)


BEST = Scoring(best=1.0, top=1)
"""The best cosine alone, as in compiled policies."""


@dataclass(frozen=True, slots=True)
class EmbeddingSignal:
    """Holds if the person's ask is similar to the sentences, by the maximum or the mean cosine.

    ``others`` are the signals of which one that reaches its threshold keeps near misses from holding.
    """

    sentences: tuple[str, ...]
    threshold: float
    mean: bool
    everywhere: bool = False
    detector: None = None
    scoring: Scoring = BEST
    others: tuple[EmbeddingSignal, ...] = field(default=(), repr=False)

    def texts(self, view: RequestView) -> Sequence[str]:
        """Return the person's ask, or all texts of the request as one."""
        return _read(view, everywhere=self.everywhere)

    def evaluate(self, view: RequestView, results: ModelResults) -> bool | None:  # noqa: ARG002 - the encoder reads the ask
        """Return whether the similarity reaches the threshold, or is a near miss where no other signal holds."""
        similarity = self._similarity(results, everywhere=self.everywhere)
        return None if similarity is None else self._holds(similarity, results)

    def score(self, view: RequestView, results: ModelResults) -> Score | None:  # noqa: ARG002 - as above
        """Return the similarity, which is also the confidence."""
        similarity = self._similarity(results, everywhere=self.everywhere)
        holds = None if similarity is None else self._holds(similarity, results)
        return None if similarity is None or holds is None else Score(holds, similarity, similarity)

    def _holds(self, similarity: float, results: ModelResults) -> bool | None:
        if similarity >= self.threshold:
            return True
        if self.scoring.near is None or similarity < self.scoring.near:
            return False
        found = [(other, other._similarity(results, everywhere=self.everywhere)) for other in self.others]  # noqa: SLF001 - of this class
        if any(value is not None and value >= other.threshold for other, value in found):
            return False
        return None if any(value is None for _, value in found) else True

    def _similarity(self, results: ModelResults, *, everywhere: bool) -> float | None:
        scores = _similarities(self.sentences, results, everywhere=everywhere)
        if scores is None:
            return None
        return sum(scores) / len(scores) if self.mean else self.scoring.of(scores)


@dataclass(frozen=True, slots=True)
class ComplexitySignal:
    """Holds if the person's ask has a complexity level: hard, medium or easy.

    The margin is the maximum cosine with a hard sentence minus the maximum cosine with an easy one. Above ``threshold``
    the level is ``hard``, below its negative ``easy``, otherwise ``medium``.
    """

    hard: tuple[str, ...]
    easy: tuple[str, ...]
    level: Level
    threshold: float
    everywhere: bool = False
    detector: None = None
    scoring: Scoring = BEST

    def texts(self, view: RequestView) -> Sequence[str]:
        """Return the person's ask, or all texts of the request as one."""
        return _read(view, everywhere=self.everywhere)

    def evaluate(self, view: RequestView, results: ModelResults) -> bool | None:  # noqa: ARG002 - the encoder reads the ask
        """Return whether the request has this level."""
        margin = self._margin(results)
        return None if margin is None else self._level(margin) == self.level

    def score(self, view: RequestView, results: ModelResults) -> Score | None:  # noqa: ARG002 - as above
        """Return the margin; its distance from 0 is the confidence, whatever the level is."""
        margin = self._margin(results)
        return None if margin is None else Score(self._level(margin) == self.level, margin, abs(margin))

    def _margin(self, results: ModelResults) -> float | None:
        hard, easy = (_similarities(side, results, everywhere=self.everywhere) for side in (self.hard, self.easy))
        return None if hard is None or easy is None else self.scoring.of(hard) - self.scoring.of(easy)

    def _level(self, margin: float) -> Level:
        return "hard" if margin > self.threshold else "easy" if margin < -self.threshold else "medium"


@dataclass(frozen=True, slots=True)
class JailbreakSignal:
    """Holds if a detector classifies the last user turn, or any message, as an attack.

    The detector reads normalised texts: whatever hides a word from patterns also hides it from a model.
    """

    detector: str
    threshold: float
    everywhere: bool

    def texts(self, view: RequestView) -> Sequence[str]:
        """Return the distinct texts of all messages including instructions, or the last user turn."""
        return normalised_texts(view, everywhere=self.everywhere)

    def evaluate(self, view: RequestView, results: ModelResults) -> bool | None:
        """Return whether any text is an attack. One attack decides even if other results are missing."""
        probabilities = results.attacks.get(self.detector, {})
        scores = [probabilities.get(text, math.nan) for text in self.texts(view)]
        if any(score >= self.threshold for score in scores):
            return True
        return None if any(math.isnan(score) for score in scores) else False

    def score(self, view: RequestView, results: ModelResults) -> Score | None:
        """Return the highest probability, once all texts have been read; it is also the confidence."""
        probabilities = results.attacks.get(self.detector, {})
        scores = [probabilities.get(text, math.nan) for text in self.texts(view)]
        if any(math.isnan(score) for score in scores):
            return None
        best = max(scores, default=0.0)
        return Score(best >= self.threshold, best, best)


@dataclass(frozen=True, slots=True)
class PiiModelSignal:
    """Holds if a detector finds personal data of some types in the last user turn, or in any message."""

    detector: str
    types: frozenset[str]
    threshold: float
    everywhere: bool

    def texts(self, view: RequestView) -> Sequence[str]:
        """Return the same texts as `JailbreakSignal.texts`."""
        return normalised_texts(view, everywhere=self.everywhere)

    def evaluate(self, view: RequestView, results: ModelResults) -> bool | None:
        """Return whether any text has personal data. One match decides even if other results are missing."""
        detections = results.detections.get(self.detector, {})
        texts = self.texts(view)
        if any(detections[text].spans(self.types, self.threshold) for text in texts if text in detections):
            return True
        return None if any(text not in detections for text in texts) else False


def normalised_texts(view: RequestView, *, everywhere: bool) -> Sequence[str]:
    """Return the distinct normalised texts of all messages, or of the last user turn."""
    texts = view.history if everywhere else (view.turn,)
    read: dict[str, str] = view.memo.setdefault(READ, {})
    for text in texts:
        if text not in read:
            read[text] = normalise(text).text
    return tuple(dict.fromkeys(read[text] for text in texts if read[text].strip()))


def _read(view: RequestView, *, everywhere: bool) -> Sequence[str]:
    text = view.text(everywhere=everywhere)
    return (text,) if text.strip() else ()


def _similarities(sentences: Sequence[str], results: ModelResults, *, everywhere: bool) -> list[float] | None:
    """Return the cosine of each sentence; None if one is missing or not finite."""
    cosines = results.request_similarities if everywhere else results.similarities
    scores = [cosines.get(sentence, math.nan) for sentence in sentences]
    return scores if all(map(math.isfinite, scores)) else None


def build_embedding(rule: contract.EmbeddingRule, sentences: frozenset[str]) -> EmbeddingSignal:
    """Build the signal of a config rule.

    Args:
        rule: the rule.
        sentences: the sentences that have a vector.

    Raises:
        ValueError: it has no candidates, one without a vector, or a threshold that is not a cosine.
    """
    if not -1 <= rule.threshold <= 1:
        raise ValueError("its threshold is not a cosine; give a number from -1 to 1")
    return EmbeddingSignal(
        _check_sentences(rule.candidates, sentences), rule.threshold, rule.aggregation_method == "mean"
    )


def build_complexity(rule: contract.ComplexityRule, level: Level, sentences: frozenset[str]) -> ComplexitySignal:
    """Build the signal for one level of a config rule. Raises the same errors as ``build_embedding``."""
    if not 0 <= rule.threshold <= 2:  # noqa: PLR2004 - the distance of two cosines
        raise ValueError("its threshold is not a difference of cosines; give a number from 0 to 2")
    hard, easy = (_check_sentences(side.candidates, sentences) for side in (rule.hard, rule.easy))
    return ComplexitySignal(hard, easy, level, rule.threshold)


def build_jailbreak(rule: contract.JailbreakRule, detector: str | None) -> JailbreakSignal:
    """Build the signal of a config rule.

    Raises:
        ValueError: no detector is configured for it, or its threshold is not a probability.
    """
    if detector is None:
        raise ValueError("runtime.yaml names no detector for it under detectors.jailbreak")
    if not 0 <= rule.threshold <= 1:
        raise ValueError("its threshold is not a probability; give a number from 0 to 1")
    return JailbreakSignal(detector, rule.threshold, rule.include_history)


def build_pii_model(rule: contract.PiiRule, detector: str) -> PiiModelSignal:
    """Build the model-based part of a config rule.

    Raises:
        ValueError: every type is allowed, or its threshold is not a probability.
    """
    types = denied_types(rule.pii_types_allowed or ())
    if not types:
        raise ValueError("every type is allowed")
    if not 0 <= rule.threshold <= 1:
        raise ValueError("its threshold is not a probability; give a number from 0 to 1")
    return PiiModelSignal(detector, types, rule.threshold, rule.include_history)


def _check_sentences(candidates: Sequence[str], sentences: frozenset[str]) -> tuple[str, ...]:
    if not candidates:
        raise ValueError("it has no sentences")
    if missing := [sentence for sentence in candidates if sentence not in sentences]:
        raise ValueError(f"runtime.yaml has no vector for the sentence {missing[0]!r:.100}; compile the policy again")
    return tuple(candidates)
