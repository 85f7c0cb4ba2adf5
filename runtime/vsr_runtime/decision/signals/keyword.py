"""Keyword signals: words or patterns in the last user turn."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from vsr_runtime.decision.signals.base import Finder
from vsr_runtime.decision.signals.patterns import compile_patterns
from vsr_runtime.decision.signals.words import compile_words
from vsr_runtime.decision.view import Expired, View
from vsr_schemas.routerconfig import v0_4_0 as contract

WORDS_COST, PATTERNS_COST = 2, 4


@dataclass(frozen=True, slots=True)
class Keyword:
    """Holds where any (``OR``), all (``AND``) or none (``NOR``) of the words or patterns occur."""

    operator: Literal["OR", "AND", "NOR"]
    finder: Finder
    cost: int

    @property
    def work(self) -> int:
        """Steps a byte."""
        return self.finder.work

    def holds(self, view: View, expired: Expired) -> bool:
        """Whether the request has it."""
        found = self.finder.found(view.turn, expired)
        if self.operator == "AND":
            return all(found)
        return any(found) is (self.operator == "OR")


def build_keyword(rule: contract.KeywordRule) -> Keyword:
    """The signal of a config's rule.

    Raises:
        ValueError: it has no keywords, or one that cannot be looked for.
    """
    if not rule.keywords:
        raise ValueError("it has no keywords")
    if rule.method == "regex":
        patterns = compile_patterns(rule.keywords, case_sensitive=rule.case_sensitive)
        return Keyword(rule.operator, patterns, PATTERNS_COST)
    words = compile_words(rule.keywords, case_sensitive=rule.case_sensitive)
    return Keyword(rule.operator, words, WORDS_COST)
