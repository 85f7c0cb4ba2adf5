"""Keywords by BM25, as the stock router scores them: each keyword is a document, and the text is the query.

Source: the crate ``bm25`` 2.3.2 as the router's ``nlp-binding`` calls it, read on 2026-12-02. The sum runs over all
words of the query, so a word that the text has twice counts twice.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from vsr_runtime.decision.deadline import Expired, never
from vsr_runtime.decision.signals.keywords.english import terms, unknown_letters

THRESHOLD = 0.1
WORK = 100
"""Steps per byte of text."""
_K1, _B, _SMOOTHING = 1.2, 0.75, 0.5
_LENGTH = 256.0
"""Length of a document in words, if no keyword has any."""


@dataclass(frozen=True, slots=True)
class Bm25Keywords:
    """Keywords that occur if their score reaches a threshold.

    Attributes:
        count: how many keywords there are.
        weights: by word, the keywords that have it, and what one occurrence in the text adds to their scores.
        threshold: the score that is enough.
    """

    count: int
    weights: Mapping[str, tuple[tuple[int, float], ...]]
    threshold: float
    work: int = WORK

    def occurrences(self, text: str, expired: Expired) -> Iterator[bool]:
        """Yield, for each keyword, whether it occurs."""
        scores = self.scores(text, expired)
        # Without a word in common a keyword is no result at all, whatever the threshold.
        return (number in scores and scores[number] >= self.threshold for number in range(self.count))

    def scores(self, text: str, expired: Expired = never) -> Mapping[int, float]:
        """Return the scores of the keywords that have a word of the text."""
        found = Counter(term for term in terms(text, expired) if term in self.weights)
        scores: dict[int, float] = {}
        for term, times in found.items():
            for number, weight in self.weights[term]:
                scores[number] = scores.get(number, 0.0) + times * weight
        return scores


def compile_bm25(keywords: Sequence[str], threshold: float) -> Bm25Keywords:
    """Compile keywords. Case does not matter: the words are compared in lower case, whatever the config says.

    Raises:
        ValueError: a keyword has letters that cannot be compared, or the threshold is not a positive number.
    """
    if not 0 < threshold < math.inf:
        raise ValueError("its bm25_threshold must be a positive number")
    for keyword in keywords:
        if letters := unknown_letters(keyword):
            raise ValueError(
                f"the keyword {keyword!r:.100} has letters that bm25 cannot compare ({letters:.20}); write it in Latin "
                "letters, or use the default method"
            )
    documents = [list(terms(keyword, never)) for keyword in keywords]
    mean = sum(map(len, documents)) / len(documents) or _LENGTH
    having = Counter(term for document in documents for term in set(document))
    weights: dict[str, list[tuple[int, float]]] = {}
    for number, document in enumerate(documents):
        for term, times in Counter(document).items():
            rarity = math.log(1 + (len(documents) - having[term] + _SMOOTHING) / (having[term] + _SMOOTHING))
            weight = times * (_K1 + 1) / (times + _K1 * (1 - _B + _B * len(document) / mean))
            weights.setdefault(term, []).append((number, rarity * weight))
    return Bm25Keywords(len(documents), {term: tuple(listed) for term, listed in weights.items()}, threshold)
