"""Signals that are computed without a model: keyword, structure, context, conversation and PII patterns."""

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
from vsr_runtime.decision.signals.base import Bounds, TextMatcher, bounds_of
from vsr_runtime.decision.signals.words import compile_words
from vsr_runtime.decision.view import RequestView
from vsr_schemas.modalities import Modality
from vsr_schemas.pii import PATTERN_TYPES
from vsr_schemas.routerconfig import v0_4_0 as contract
from vsr_schemas.runtime import MAX_COUNT

KEYWORD_WORDS_COST, KEYWORD_PATTERNS_COST = 2, 4
STRUCTURE_WORDS_COST, STRUCTURE_PATTERN_COST = 3, 5
_TOKENS = re.compile(r"([0-9]{1,12}(?:\.[0-9]{1,6})?)([KkMm]?)")
_UNITS = {"": 1, "K": 1_000, "M": 1_000_000}
PII_COST, PII_WORK = 5, 100


@dataclass(frozen=True, slots=True)
class KeywordSignal:
    """Holds if any (``OR``), all (``AND``) or none (``NOR``) of the words or patterns occur.

    They are searched for in the person's ask, or in all texts of the request (``everywhere``).
    """

    operator: Literal["OR", "AND", "NOR"]
    matcher: TextMatcher
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
    if rule.method == "regex":
        patterns = compile_patterns(rule.keywords, case_sensitive=rule.case_sensitive)
        return KeywordSignal(rule.operator, patterns, KEYWORD_PATTERNS_COST)
    words = compile_words(rule.keywords, case_sensitive=rule.case_sensitive)
    return KeywordSignal(rule.operator, words, KEYWORD_WORDS_COST)


@dataclass(frozen=True, slots=True)
class StructureSignal:
    """Holds if the number of occurrences in the last user turn is within bounds."""

    matcher: TextMatcher
    bounds: Bounds
    cost: int

    @property
    def work(self) -> int:
        """Steps per byte of text: each match of a pattern may scan all the text that follows it."""
        return self.matcher.work * max(self.bounds.enough, 1)

    def holds(self, view: RequestView, expired: Expired) -> bool:
        """Return whether the request has the signal."""
        return self.matcher.count(view.turn, self.bounds.enough, expired) in self.bounds


def build_structure(rule: contract.StructureRule) -> StructureSignal:
    """Build the signal of a config rule.

    Raises:
        ValueError: its source or its bounds are invalid.
    """
    bounds = bounds_of(rule.predicate)
    if bounds.enough > MAX_COUNT:
        raise ValueError(f"it counts further than {MAX_COUNT}")
    source = rule.feature.source
    if source.type == "regex":
        if source.pattern is None or source.keywords is not None:
            raise ValueError("a source of type regex has a pattern and no keywords")
        return StructureSignal(
            compile_patterns([source.pattern], case_sensitive=source.case_sensitive), bounds, STRUCTURE_PATTERN_COST
        )
    if not source.keywords or source.pattern is not None:
        raise ValueError("a source of type keyword_set has keywords and no pattern")
    return StructureSignal(
        compile_words(source.keywords, case_sensitive=source.case_sensitive), bounds, STRUCTURE_WORDS_COST
    )


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
class ConversationSignal:
    """Holds if the number of parts of a kind is within bounds. ``role`` selects messages; None counts all."""

    of: str
    role: str | None
    bounds: Bounds
    cost: int = 0
    work: int = 0

    def holds(self, view: RequestView, expired: Expired) -> bool:  # noqa: ARG002 - takes constant time
        """Return whether the request has the signal."""
        return self._number(view) in self.bounds

    def _number(self, view: RequestView) -> int:
        match self.of:
            case "tool_definition":
                return view.tools
            case "assistant_tool_call":
                return view.tool_calls
            case "image_content":
                return view.images
        return len(view.roles) if self.role is None else view.roles.count(self.role)


def build_conversation(rule: contract.ConversationRule) -> ConversationSignal:
    """Build the signal of a config rule.

    Raises:
        ValueError: its bounds are invalid, or a role is given for parts that have no role.
    """
    source = rule.feature.source
    if source.role is not None and source.type != "message":
        raise ValueError(f"a role narrows messages, and {source.type} is counted")
    return ConversationSignal(source.type, source.role, bounds_of(rule.predicate))


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
    types = PATTERN_TYPES - set(rule.pii_types_allowed or ())
    if not types:
        raise ValueError("every type that can be found without a model is allowed")
    return PiiSignal(personal(types), rule.include_history)
