"""Keywords by n-grams of characters, as the stock router compares them: each word of a text, and then the whole text.

Source: the crate ``ngrammatic`` 0.7.0 as the router's ``nlp-binding`` calls it, read on 2026-12-02. Both sides are
padded with blanks, so that a text of n characters has n + arity - 1 n-grams. With the n-grams that both have (``same``)
and those that either has (``all``), the similarity is 1 - (1 - same / all)².
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from vsr_runtime.decision.deadline import Expired, check_deadline

THRESHOLD, ARITY = 0.4, 3
MAX_ARITY = 10
WORK = 1000
"""Steps per byte of text."""
_STEPS = 1000
"""Steps of the budget for each character of a word that is compared."""
_BEST = 10
"""Keywords that one word of the text can be, the most similar ones."""
_WORD = re.compile(r"[\w-]+")


@dataclass(frozen=True, slots=True)
class NgramKeywords:
    """Keywords that occur if a word of the text, or the whole text, is similar enough.

    Attributes:
        keywords: as they are compared.
        sizes: the number of n-grams of each distinct keyword.
        grams: by n-gram, the keywords that have it, and how often.
        threshold: the similarity that is enough.
        arity: characters of an n-gram.
        folded: whether case is ignored.
    """

    keywords: tuple[str, ...]
    sizes: Mapping[str, int]
    grams: Mapping[str, tuple[tuple[str, int], ...]]
    threshold: float
    arity: int
    folded: bool
    work: int = WORK

    def occurrences(self, text: str, expired: Expired) -> Iterator[bool]:
        """Yield, for each keyword, whether it occurs."""
        text = text.lower() if self.folded else text
        check_deadline(expired, len(text))
        found: set[str] = set()
        for word in dict.fromkeys(match[0] for match in _WORD.finditer(text)):
            found.update(self.similar(word, expired))
        if len(found) < len(self.sizes):
            found.update(self.similar(text, expired))
        return (keyword in found for keyword in self.keywords)

    def similar(self, word: str, expired: Expired) -> Mapping[str, float]:
        """Return the keywords that are similar enough to a word, with their similarities; at most ten."""
        size = len(word) + self.arity - 1
        if not any(self._similarity(min(size, own), max(size, own)) >= self.threshold for own in self.sizes.values()):
            check_deadline(expired)
            return {}
        check_deadline(expired, _STEPS * size)
        padded = f"{' ' * (self.arity - 1)}{word}{' ' * (self.arity - 1)}"
        same: dict[str, int] = {}
        for gram, times in Counter(padded[at : at + self.arity] for at in range(size)).items():
            for keyword, own in self.grams.get(gram, ()):
                same[keyword] = same.get(keyword, 0) + min(times, own)
        scores = {
            keyword: self._similarity(shared, size + self.sizes[keyword] - shared) for keyword, shared in same.items()
        }
        enough = [keyword for keyword in scores if scores[keyword] >= self.threshold]
        best = sorted(enough, key=lambda keyword: -scores[keyword])[:_BEST]
        return {keyword: scores[keyword] for keyword in best}

    def _similarity(self, same: int, either: int) -> float:
        return 1 - (1 - same / either) ** 2


def compile_ngrams(keywords: Sequence[str], threshold: float, arity: int, *, case_sensitive: bool) -> NgramKeywords:
    """Compile keywords. An arity below 2 means 2, as in the stock router.

    Raises:
        ValueError: a keyword is empty, the threshold is not a similarity, or the arity is too large.
    """
    if not 0 < threshold <= 1:
        raise ValueError("its ngram_threshold must be above 0 and at most 1")
    if arity > MAX_ARITY:
        raise ValueError(f"its ngram_arity must be at most {MAX_ARITY}")
    if not all(keyword.strip() for keyword in keywords):
        raise ValueError("a keyword is empty")
    arity = max(arity, 2)
    compared = tuple(keyword if case_sensitive else keyword.lower() for keyword in keywords)
    sizes = {keyword: len(keyword) + arity - 1 for keyword in compared}
    grams: dict[str, list[tuple[str, int]]] = {}
    for keyword, size in sizes.items():
        padded = f"{' ' * (arity - 1)}{keyword}{' ' * (arity - 1)}"
        for gram, times in Counter(padded[at : at + arity] for at in range(size)).items():
            grams.setdefault(gram, []).append((keyword, times))
    having = {gram: tuple(listed) for gram, listed in grams.items()}
    return NgramKeywords(compared, sizes, having, threshold, arity, not case_sensitive)
