"""Keywords with typing errors, as the stock router finds them: words within an edit distance of a keyword.

Source: ``pkg/classification/keyword_classifier_match.go`` at 3d48f8c. A keyword occurs if it is found exactly, or if
some word of letters and digits, in lower case, is at most ``distance`` insertions, deletions and substitutions away.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from vsr_runtime.decision.deadline import Expired, check_deadline
from vsr_runtime.decision.signals.base import WordMatcher

DISTANCE, MAX_DISTANCE = 2, 16
_STEPS = 300
"""Steps of the budget for each character of a word and each keyword that it is compared with."""
_WORD = re.compile(r"[^\W_]+")


@dataclass(frozen=True, slots=True)
class FuzzyKeyword:
    """A keyword in lower case, and the places of its characters as bits."""

    word: str
    places: Mapping[str, int]

    def distance(self, other: str) -> int:
        """Return the edit distance to another word (Myers' algorithm: one step for each of its characters)."""
        size = len(self.word)
        if not size:
            return len(other)
        mask, top, result = (1 << size) - 1, 1 << (size - 1), size
        rises, falls = mask, 0
        for char in other:
            equal = self.places.get(char, 0)
            diagonal = (((equal & rises) + rises) ^ rises) | equal | falls
            up = falls | (mask & ~(diagonal | rises))
            down = rises & diagonal
            result += bool(up & top) - bool(down & top)
            up = (up << 1) | 1
            rises = ((down << 1) | (mask & ~(diagonal | up))) & mask
            falls = up & diagonal & mask
        return result


@dataclass(frozen=True, slots=True)
class FuzzyKeywords:
    """Keywords that occur if they are found exactly, or nearly."""

    exact: WordMatcher
    keywords: tuple[FuzzyKeyword, ...]
    most: int

    @property
    def work(self) -> int:
        """Steps per byte of text."""
        return self.exact.work + _STEPS * len(self.keywords)

    def occurrences(self, text: str, expired: Expired) -> Iterator[bool]:
        """Yield, for each keyword, whether it occurs."""
        words: Mapping[int, set[str]] | None = None
        for keyword, found in zip(self.keywords, self.exact.occurrences(text, expired), strict=True):
            if not found and words is None:
                words = _by_length(text, expired)
            yield found or (words is not None and self._near(keyword, words, expired))

    def _near(self, keyword: FuzzyKeyword, words: Mapping[int, set[str]], expired: Expired) -> bool:
        """Return whether some word is near; words whose length differs too much cannot be."""
        size = len(keyword.word)
        for length in range(max(size - self.most, 1), size + self.most + 1):
            for word in words.get(length, ()):
                check_deadline(expired, _STEPS * length)
                if keyword.distance(word) <= self.most:
                    return True
        return False


def _by_length(text: str, expired: Expired) -> Mapping[int, set[str]]:
    """Return the distinct words of a text in lower case, by their length."""
    check_deadline(expired, 10 * len(text))
    words: dict[int, set[str]] = {}
    for match in _WORD.finditer(text):
        word = match[0].lower()
        words.setdefault(len(word), set()).add(word)
    return words


def with_typing_errors(exact: WordMatcher, keywords: Sequence[str], distance: int) -> FuzzyKeywords:
    """Let keywords match with typing errors. A distance of 0 means 2, as in the stock router.

    Raises:
        ValueError: the distance is negative or too large.
    """
    if not 0 <= distance <= MAX_DISTANCE:
        raise ValueError(f"its fuzzy_threshold must be a number from 0 to {MAX_DISTANCE}")
    return FuzzyKeywords(exact, tuple(_keyword(keyword.lower()) for keyword in keywords), distance or DISTANCE)


def _keyword(word: str) -> FuzzyKeyword:
    places: dict[str, int] = {}
    for place, char in enumerate(word):
        places[char] = places.get(char, 0) | 1 << place
    return FuzzyKeyword(word, places)
