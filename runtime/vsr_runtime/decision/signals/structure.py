"""The structure signal: how often something occurs in the last user turn, how densely, or in which order.

Source of the stock router's meaning: ``pkg/classification/structure_classifier.go`` and ``structure_text.go`` at
3d48f8c.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from vsr_runtime.decision.deadline import Expired, check_deadline
from vsr_runtime.decision.patterns import compile_patterns
from vsr_runtime.decision.signals.base import Bounds, bounds_of
from vsr_runtime.decision.signals.score import Score
from vsr_runtime.decision.signals.words import compile_words
from vsr_runtime.decision.view import RequestView
from vsr_schemas.routerconfig import v0_4_0 as contract
from vsr_schemas.runtime import MAX_COUNT

WORDS_COST, PATTERN_COST = 3, 5
_CONFIDENCE_SLOPE = 4.0
MAX_BYTES = 2**31
"""Bytes of a text up to which they are counted: more than any body may have."""
_PIECE = 1 << 16
"""Characters whose units are counted between two looks at the deadline."""
_UNSPACED = (
    "\u1100-\u11ff\u2e80-\u2fd5\u3005\u3007\u3021-\u3029\u3031-\u303b\u3041-\u3096\u309d-\u309f\u30a1-\u30fa\u30fd-\u30ff"
    "\u3131-\u318e\u31f0-\u31ff\u3200-\u321e\u3260-\u327e\u32d0-\u32fe\u3300-\u3357\u3400-\u4dbf\u4e00-\u9fff\ua960-\ua97c"
    "\uac00-\ud7fb\uf900-\ufad9\uff66-\uff6f\uff71-\uff9d\uffa0-\uffdc\U0001b000-\U0001b167\U00020000-\U0003ffff"
)
"""Han, Hiragana, Katakana and Hangul: each character is a unit of content."""
_UNIT = re.compile(rf"[{_UNSPACED}]|[^\W_{_UNSPACED}]+")


class Counter(Protocol):
    """What is counted in a text."""

    @property
    def work(self) -> int: ...  # noqa: D102 - steps per byte of text

    def count(self, text: str, stop: int, expired: Expired) -> int:
        """Return the number of occurrences; counting stops at ``stop``."""


@dataclass(frozen=True, slots=True)
class Sequences:
    """Holds, as a count of one, if the markers of some sequence occur one behind the other."""

    sequences: tuple[tuple[str, ...], ...]
    folded: bool

    @property
    def work(self) -> int:
        """Steps per byte of text."""
        return len(self.sequences)

    def count(self, text: str, stop: int, expired: Expired) -> int:  # noqa: ARG002 - it is at most one
        """Return 1 if some sequence occurs, else 0. Each sequence reads the text once."""
        text = text.lower() if self.folded else text
        for sequence in self.sequences:
            check_deadline(expired, len(text))
            at = 0
            for marker in sequence:
                found = text.find(marker, at)
                if found < 0:
                    break
                at = found + len(marker)
            else:
                return 1
        return 0


@dataclass(frozen=True, slots=True)
class Bytes:
    """The size of the text in UTF-8."""

    work: int = 1

    def count(self, text: str, stop: int, expired: Expired) -> int:
        """Return the number of bytes, at most ``stop``."""
        check_deadline(expired, len(text))
        return min(len(text.encode()), stop)


@dataclass(frozen=True, slots=True)
class StructureSignal:
    """Holds if the number that a feature of the last user turn has is within bounds.

    The feature is the ``count`` of occurrences, their ``density`` (occurrences per word, or per character of a script
    without spaces), or whether there is one (``exists``: 1 or 0). ``edge`` is the bound from which confidence grows;
    None if any occurrence is certain.
    """

    matcher: Counter
    bounds: Bounds
    cost: int
    feature: Literal["count", "density", "exists"] = "count"
    edge: float | None = None

    @property
    def work(self) -> int:
        """Steps per byte of text: each match of a pattern may scan all the text that follows it."""
        return self.matcher.work * min(max(self._enough, 1), MAX_COUNT)

    def holds(self, view: RequestView, expired: Expired) -> bool:
        """Return whether the request has the signal."""
        return self._number(view, self._enough, expired) in self.bounds

    def score(self, view: RequestView, expired: Expired) -> Score:
        """Return the number, and a confidence that grows with its distance from the bound, as in the stock router."""
        number = self._number(view, self._all, expired)
        if number not in self.bounds:
            return Score(holds=False, value=number, confidence=0.0)
        if self.edge is None:
            return Score(holds=True, value=number)
        return Score(True, number, 1 / (1 + math.exp(-_CONFIDENCE_SLOPE * abs(number - self.edge))))  # noqa: FBT003 - holds

    @property
    def _enough(self) -> int:
        if self.feature == "exists":
            return 1
        return self.bounds.enough if self.feature == "count" else self._all

    @property
    def _all(self) -> int:
        """How far to count for the exact number. A density needs it, whatever its bounds are."""
        if self.feature == "exists":
            return 1
        return MAX_BYTES

    def _number(self, view: RequestView, stop: int, expired: Expired) -> float:
        number = self.matcher.count(view.turn, stop, expired)
        if self.feature == "density":
            units = units_of(view.turn, expired)
            return number / units if units else 0.0
        return float(min(number, 1)) if self.feature == "exists" else float(number)


def units_of(text: str, expired: Expired) -> int:
    """Return the number of words of a text; each character of a script without spaces counts as one."""
    number = at = 0
    while at < len(text):
        check_deadline(expired, _PIECE)
        end = at + _PIECE
        number += sum(1 for _ in _UNIT.finditer(text, at, end))
        # A word that the border cuts in two is one word.
        if end < len(text) and (match := _UNIT.match(text, end - 1)) and match.end() > end:
            number -= 1
        at = end
    return number


def build_structure(rule: contract.StructureRule) -> StructureSignal:
    """Build the signal of a config rule.

    Raises:
        ValueError: its source or its bounds are invalid, or do not fit its feature.
    """
    feature, source = rule.feature.type, rule.feature.source
    if (feature == "sequence") and source.type != "sequence":
        raise ValueError("a feature of type sequence has a source of type sequence")
    if source.type == "text_bytes" and feature != "count":
        raise ValueError("bytes of text can only be counted")
    if feature == "exists" and rule.predicate is not None:
        raise ValueError("a feature of type exists has no predicate; it holds if there is one")
    bounds = Bounds(0, open_low=True) if rule.predicate is None else bounds_of(rule.predicate)
    edge = None if rule.predicate is None else edge_of(rule.predicate)
    matcher, cost = _matcher(source)
    if feature == "density":
        return StructureSignal(matcher, bounds, cost, "density", edge)
    if feature != "count":
        return StructureSignal(matcher, bounds, cost, "exists", edge)
    if bounds.enough > (MAX_BYTES if source.type == "text_bytes" else MAX_COUNT):
        raise ValueError(f"it counts further than {MAX_COUNT}")
    return StructureSignal(matcher, bounds, cost, "count", edge)


def edge_of(predicate: contract.Predicate) -> float | None:
    """Return the bound from which the stock router measures distances: the first of gt, gte, lt and lte."""
    bounds = (predicate.gt, predicate.gte, predicate.lt, predicate.lte)
    return next((bound for bound in bounds if bound is not None), None)


def _matcher(source: contract.StructureSource) -> tuple[Counter, int]:
    given = {
        name
        for name, value in (("pattern", source.pattern), ("keywords", source.keywords), ("sequences", source.sequences))
        if value
    }
    expected = {"regex": "pattern", "keyword_set": "keywords", "sequence": "sequences", "text_bytes": None}[source.type]
    if given != ({expected} if expected else set()):
        wanted = f"{expected} and nothing else" if expected else "nothing else"
        raise ValueError(f"a source of type {source.type} has {wanted}")
    if source.pattern:
        return compile_patterns([source.pattern], case_sensitive=source.case_sensitive), PATTERN_COST
    if source.keywords:
        return compile_words(source.keywords, case_sensitive=source.case_sensitive), WORDS_COST
    if source.sequences:
        return _sequences(source.sequences, case_sensitive=source.case_sensitive), WORDS_COST
    return Bytes(), WORDS_COST


def _sequences(sequences: Sequence[Sequence[str]], *, case_sensitive: bool) -> Sequences:
    if any(len(sequence) < 2 or not all(sequence) for sequence in sequences):  # noqa: PLR2004 - a pair at least
        raise ValueError("a sequence has at least two markers, none of them empty")
    folded = not case_sensitive
    return Sequences(
        tuple(tuple(marker.lower() if folded else marker for marker in sequence) for sequence in sequences), folded
    )
