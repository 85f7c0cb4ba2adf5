"""Structure signals: how often something occurs in the last user turn."""

from __future__ import annotations

from dataclasses import dataclass

from vsr_runtime.decision.signals.base import Bounds, Finder
from vsr_runtime.decision.signals.patterns import compile_patterns
from vsr_runtime.decision.signals.predicate import bounds_of
from vsr_runtime.decision.signals.words import compile_words
from vsr_runtime.decision.view import Expired, View
from vsr_schemas.routerconfig import v0_4_0 as contract

MAX_COUNT = 100_000
"""A bound on what is counted, far above what a text is told by."""
WORDS_COST, PATTERN_COST = 3, 5


@dataclass(frozen=True, slots=True)
class Structure:
    """Holds where the number of occurrences lies within bounds."""

    finder: Finder
    bounds: Bounds
    cost: int

    @property
    def work(self) -> int:
        """Steps a byte: each match of a pattern may have to look at all the text that follows it."""
        return self.finder.work * max(self.bounds.enough, 1)

    def holds(self, view: View, expired: Expired) -> bool:
        """Whether the request has it."""
        return self.finder.count(view.turn, self.bounds.enough, expired) in self.bounds


def build_structure(rule: contract.StructureRule) -> Structure:
    """The signal of a config's rule.

    Raises:
        ValueError: its source or its bounds cannot be used.
    """
    bounds = bounds_of(rule.predicate)
    if bounds.enough > MAX_COUNT:
        raise ValueError(f"it counts further than {MAX_COUNT}")
    source = rule.feature.source
    if source.type == "regex":
        if source.pattern is None or source.keywords is not None:
            raise ValueError("a source of type regex has a pattern and no keywords")
        return Structure(compile_patterns([source.pattern], case_sensitive=source.case_sensitive), bounds, PATTERN_COST)
    if not source.keywords or source.pattern is not None:
        raise ValueError("a source of type keyword_set has keywords and no pattern")
    return Structure(compile_words(source.keywords, case_sensitive=source.case_sensitive), bounds, WORDS_COST)
