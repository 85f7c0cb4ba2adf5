"""Signals that are computed without a model: keyword, context, modality and PII patterns."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from typing import Literal

from vsr_runtime.decision.deadline import DeadlineExceededError, Expired
from vsr_runtime.decision.guards.finders import look_through, personal
from vsr_runtime.decision.guards.guard import CleanTextCache, Finder
from vsr_runtime.decision.guards.normalise import normalise
from vsr_runtime.decision.patterns import compile_patterns
from vsr_runtime.decision.signals.base import Bounds, WordMatcher
from vsr_runtime.decision.signals.keywords import bm25, ngrams
from vsr_runtime.decision.signals.keywords.bm25 import compile_bm25
from vsr_runtime.decision.signals.keywords.fuzzy import with_typing_errors
from vsr_runtime.decision.signals.keywords.ngrams import compile_ngrams
from vsr_runtime.decision.signals.words import compile_words
from vsr_runtime.decision.view import RequestView
from vsr_schemas.modalities import Modality
from vsr_schemas.pii import MODEL_TYPES, denied_types
from vsr_schemas.routerconfig import v0_4_0 as contract

KEYWORD_WORDS_COST, KEYWORD_PATTERNS_COST, KEYWORD_SCORES_COST = 2, 4, 7
MAX_KEYWORDS = 2_000
"""Keywords of a rule with scores or typing errors, each of which is compared with each word of a text."""
_TOKENS = re.compile(r"([0-9]{1,12}(?:\.[0-9]{1,6})?)([KkMm]?)")
_UNITS = {"": 1, "K": 1_000, "M": 1_000_000}
PII_COST, PII_WORK = 5, 100


@dataclass(frozen=True, slots=True)
class KeywordSignal:
    """Holds if any (``OR``), all (``AND``) or none (``NOR``) of the words or patterns occur.

    They are searched for in the person's ask, or in all texts of the request (``everywhere``).
    """

    operator: Literal["OR", "AND", "NOR"]
    matcher: WordMatcher
    cost: int
    everywhere: bool = False

    @property
    def work(self) -> int:
        """Steps per byte of text."""
        return self.matcher.work

    def holds(self, view: RequestView, expired: Expired) -> bool:
        """Return whether the request has the signal."""
        occurrences = self.matcher.occurrences(view.text(everywhere=self.everywhere), expired)
        if self.operator == "AND":
            return all(occurrences)
        return any(occurrences) is (self.operator == "OR")


def build_keyword(rule: contract.KeywordRule) -> KeywordSignal:
    """Build the signal of a config rule.

    Raises:
        ValueError: it has no keywords, or an invalid one.
    """
    if not rule.keywords:
        raise ValueError("it has no keywords")
    matcher, cost = _matcher(rule)
    if cost == KEYWORD_SCORES_COST and len(rule.keywords) > MAX_KEYWORDS:
        raise ValueError(f"it has more than {MAX_KEYWORDS} keywords that are compared with each word")
    return KeywordSignal(rule.operator, matcher, cost)


def _matcher(rule: contract.KeywordRule) -> tuple[WordMatcher, int]:
    """Return what searches for the keywords of a rule, and its cost. A threshold of 0 means the default, as in Go."""
    if rule.method == "bm25":
        return compile_bm25(rule.keywords, rule.bm25_threshold or bm25.THRESHOLD), KEYWORD_SCORES_COST
    if rule.method == "ngram":
        threshold, arity = rule.ngram_threshold or ngrams.THRESHOLD, rule.ngram_arity or ngrams.ARITY
        found = compile_ngrams(rule.keywords, threshold, arity, case_sensitive=rule.case_sensitive)
        return found, KEYWORD_SCORES_COST
    if rule.method == "regex":
        exact: WordMatcher = compile_patterns(rule.keywords, case_sensitive=rule.case_sensitive)
        cost = KEYWORD_PATTERNS_COST
    else:
        exact = compile_words(rule.keywords, case_sensitive=rule.case_sensitive, empty=not rule.fuzzy_match)
        cost = KEYWORD_WORDS_COST
    if not rule.fuzzy_match:
        return exact, cost
    return with_typing_errors(exact, rule.keywords, rule.fuzzy_threshold or 0), KEYWORD_SCORES_COST


@dataclass(frozen=True, slots=True)
class ContextSignal:
    """Holds if the estimated number of tokens of the whole conversation is within bounds."""

    bounds: Bounds
    cost: int = 1
    work: int = 0

    def holds(self, view: RequestView, expired: Expired) -> bool:  # noqa: ARG002 - takes constant time
        """Return whether the request has the signal."""
        return view.tokens in self.bounds


def build_context(rule: contract.ContextRule) -> ContextSignal:
    """Build the signal of a config rule.

    Raises:
        ValueError: it has no bound, an invalid token count, or a minimum above its maximum.
    """
    if rule.min_tokens is None and rule.max_tokens is None:
        raise ValueError("it has neither min_tokens nor max_tokens")
    low = 0.0 if rule.min_tokens is None else parse_token_count(rule.min_tokens)
    high = math.inf if rule.max_tokens is None else parse_token_count(rule.max_tokens)
    if low > high:
        raise ValueError("min_tokens is greater than max_tokens")
    return ContextSignal(Bounds(low, high))


def parse_token_count(text: str) -> float:
    """Parse a token count such as ``8192``, ``8K`` (8,000) or ``2.5M`` (2,500,000).

    Raises:
        ValueError: the text is not a token count.
    """
    match = _TOKENS.fullmatch(text)
    if not match:
        raise ValueError(f"{text!r:.40} is not a token count; write 8192, 8K or 2.5M")
    return float(match[1]) * _UNITS[match[2].upper()]


@dataclass(frozen=True, slots=True)
class ModalitySignal:
    """Holds if some message has content of this kind besides text."""

    modality: Modality
    cost: int = 1
    work: int = 0

    def holds(self, view: RequestView, expired: Expired) -> bool:  # noqa: ARG002 - takes little time
        """Return whether the request has the signal."""
        return self.modality in view.modalities


def build_modality(rule: contract.InputModalityRule) -> ModalitySignal:
    """Build the signal of a config rule."""
    return ModalitySignal(rule.modality)


@dataclass(frozen=True, slots=True)
class PiiSignal:
    """Holds if patterns find personal data in the last user turn, or in any message."""

    finder: Finder
    everywhere: bool
    cost: int = PII_COST
    work: int = PII_WORK
    clean_texts: CleanTextCache = field(default_factory=CleanTextCache, compare=False, repr=False)

    def holds(self, view: RequestView, expired: Expired) -> bool:
        """Return whether the request has the signal."""
        for text in view.history if self.everywhere else (view.turn,):
            if expired():
                raise DeadlineExceededError
            if self._has_match(text, expired):
                return True
        return False

    def _has_match(self, text: str, expired: Expired) -> bool:
        return bool(self.clean_texts.find(text, lambda: look_through([self.finder], normalise(text), expired)))


def build_pii(rule: contract.PiiRule) -> PiiSignal:
    """Build the signal of a config rule. The rule's threshold applies to models only.

    Raises:
        ValueError: every type that patterns can find is allowed, so the signal could never hold.
    """
    types = denied_types(rule.pii_types_allowed or ()) - MODEL_TYPES
    if not types:
        raise ValueError("every type that can be found without a model is allowed")
    return PiiSignal(personal(types), rule.include_history)
