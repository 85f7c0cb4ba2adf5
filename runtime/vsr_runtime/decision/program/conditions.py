"""The conditions of routes: trees that are true, false, or unknown while a signal is unknown."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from vsr_runtime.decision.fast_dataclass import fast_dataclass
from vsr_runtime.decision.signals.score import Score
from vsr_schemas.routerconfig import v0_4_0 as contract

SignalKind = Literal["category", "similarity", "request-category", "request-similarity"]
"""What models compute: the category, and cosines with the policy's sentences, of the ask or of the whole request."""
CATEGORIES: frozenset[SignalKind] = frozenset({"category", "request-category"})
SIMILARITIES: frozenset[SignalKind] = frozenset({"similarity", "request-similarity"})
OF_REQUEST: Mapping[SignalKind, SignalKind] = {"request-category": "category", "request-similarity": "similarity"}
"""The kinds that are computed for all texts of the request, and what is computed."""

SignalName = tuple[str, str]
"""Type and name of a signal as in the config: ``("keyword", "urgent")``."""


@fast_dataclass(frozen=True, slots=True)
class SignalValues:
    """What is known about one request.

    Attributes:
        category: None if no label reached its threshold, or if no classifier ran.
        probability: probability of the category; None if no classifier ran.
        classified: whether a classifier ran, so that a category of None means that there is none.
        matched: the other evaluated signals, and whether they hold.
        scores: the numbers of those signals of which something reads them.
    """

    category: str | None = None
    probability: float | None = None
    classified: bool = False
    matched: Mapping[SignalName, bool] = field(default_factory=dict)
    scores: Mapping[SignalName, Score] = field(default_factory=dict)

    def also(self, name: SignalName, *, holds: bool) -> SignalValues:
        """Return a copy with one more signal."""
        matched = {**self.matched, name: holds}
        return SignalValues(self.category, self.probability, self.classified, matched, self.scores)

    def scored(self, name: SignalName, score: Score) -> SignalValues:
        """Return a copy with one more signal and its numbers."""
        matched, scores = {**self.matched, name: score.holds}, {**self.scores, name: score}
        return SignalValues(self.category, self.probability, self.classified, matched, scores)

    def confidence(self, name: SignalName) -> float:
        """Return how sure it is that a signal holds, provided that it does: 1.0 for signals without numbers."""
        score = self.scores.get(name)
        return 1.0 if score is None else score.confidence

    def value(self, name: SignalName) -> float:
        """Return the number of a signal; 0.0 for signals without numbers."""
        score = self.scores.get(name)
        return 0.0 if score is None else score.value


@dataclass(frozen=True, slots=True)
class CategoryCondition:
    """Holds if the request's category is one of the labels. ``name`` is the name of the domain signal."""

    labels: frozenset[str]
    name: str = ""

    def truth(self, signals: SignalValues) -> bool | None:
        """Return whether the condition holds; None if that is unknown."""
        return signals.category in self.labels if signals.classified else None


@dataclass(frozen=True, slots=True)
class SignalCondition:
    """Holds if the request has the signal."""

    name: SignalName

    def truth(self, signals: SignalValues) -> bool | None:
        """Return whether the condition holds; None if that is unknown."""
        return signals.matched.get(self.name)


@dataclass(frozen=True, slots=True)
class AllConditions:
    """Holds if every part holds. Without parts it always holds: the catch-all."""

    parts: tuple[Condition, ...]

    def truth(self, signals: SignalValues) -> bool | None:
        """Return whether the condition holds; None if that is unknown. One false part makes it false."""
        known = True
        for part in self.parts:
            truth = part.truth(signals)
            if truth is False:
                return False
            known = known and truth is not None
        return True if known else None


@dataclass(frozen=True, slots=True)
class AnyCondition:
    """Holds if at least one part holds. Without parts it never holds."""

    parts: tuple[Condition, ...]

    def truth(self, signals: SignalValues) -> bool | None:
        """Return whether the condition holds; None if that is unknown. One true part makes it true."""
        known = True
        for part in self.parts:
            truth = part.truth(signals)
            if truth:
                return True
            known = known and truth is not None
        return False if known else None


@dataclass(frozen=True, slots=True)
class NotCondition:
    """Holds if its part does not."""

    part: Condition

    def truth(self, signals: SignalValues) -> bool | None:
        """Return whether the condition holds; None if that is unknown."""
        truth = self.part.truth(signals)
        return None if truth is None else not truth


class DerivedCondition(ABC):
    """A condition that is computed from others in another way than by logic."""

    __slots__ = ()

    @property
    @abstractmethod
    def name(self) -> SignalName:
        """Its type and name in the config's conditions."""

    @property
    @abstractmethod
    def parts(self) -> tuple[Condition, ...]:
        """The conditions on which it depends."""

    @abstractmethod
    def truth(self, signals: SignalValues) -> bool | None:
        """Return whether the condition holds; None if that is unknown."""

    @abstractmethod
    def confidence(self, signals: SignalValues) -> float:
        """Return how certain it is that the condition holds, which does."""


ConditionLeaf = CategoryCondition | SignalCondition
Condition = ConditionLeaf | AllConditions | AnyCondition | NotCondition | DerivedCondition


def compile_condition(
    node: contract.RuleNode | contract.RuleLeaf,
    leaf: Callable[[contract.RuleLeaf], Condition],
    arity: Callable[[], Exception],
) -> Condition:
    """Compile the config's rule tree.

    Args:
        node: the rule tree.
        leaf: compiles a leaf; raises if its signal is not defined.
        arity: creates the exception for a ``NOT`` that does not have exactly one condition.
    """
    if isinstance(node, contract.RuleLeaf):
        return leaf(node)
    parts = tuple(compile_condition(part, leaf, arity) for part in node.conditions)
    if node.operator == "AND":
        return AllConditions(parts)
    if node.operator == "OR":
        return AnyCondition(parts)
    if len(parts) != 1:
        raise arity()
    return NotCondition(parts[0])


def condition_leaves(condition: Condition) -> frozenset[ConditionLeaf]:
    """Return all leaves of a condition."""
    if isinstance(condition, CategoryCondition | SignalCondition):
        return frozenset({condition})
    return frozenset().union(*(condition_leaves(part) for part in _parts(condition)))


def open_leaves(condition: Condition, signals: SignalValues) -> frozenset[ConditionLeaf]:
    """Return the unknown leaves that the condition's truth may still depend on."""
    if condition.truth(signals) is not None:
        return frozenset()
    if isinstance(condition, (CategoryCondition, SignalCondition)):
        return frozenset((condition,))
    return frozenset().union(*(open_leaves(part, signals) for part in _parts(condition)))


def _parts(condition: AllConditions | AnyCondition | NotCondition | DerivedCondition) -> tuple[Condition, ...]:
    return (condition.part,) if isinstance(condition, NotCondition) else condition.parts
