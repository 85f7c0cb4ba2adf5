"""The rules of a decision as a tree that is true, false, or open as long as a signal is not known."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from vsr_runtime.decision.fast_dataclass import fast_dataclass
from vsr_schemas.routerconfig import v0_4_0 as contract

SignalKind = Literal["category", "similarity"]
"""What is asked of a model about the last user turn: its category, and the cosines with a policy's sentences."""

SignalName = tuple[str, str]
"""Type and name of a signal, as the config has them: ``("keyword", "urgent")``."""


@fast_dataclass(frozen=True, slots=True)
class SignalValues:
    """What was found out about one request.

    Attributes:
        category: None where no label reached its threshold, or none was looked for.
        probability: that of the category; None where none was looked for.
        classified: whether a category was looked for, so that None means none.
        matched: of the other signals, those that were looked at, and whether they hold.
    """

    category: str | None = None
    probability: float | None = None
    classified: bool = False
    matched: Mapping[SignalName, bool] = field(default_factory=dict)

    def also(self, name: SignalName, *, holds: bool) -> SignalValues:
        """The same with one more signal that was looked at."""
        return SignalValues(self.category, self.probability, self.classified, {**self.matched, name: holds})


@dataclass(frozen=True, slots=True)
class CategoryCondition:
    """Holds when the request's category is one of the labels. ``name`` is the signal's."""

    labels: frozenset[str]
    name: str = ""

    def truth(self, signals: SignalValues) -> bool | None:
        """Whether the signals satisfy the rule; None while that is open."""
        return signals.category in self.labels if signals.classified else None


@dataclass(frozen=True, slots=True)
class SignalCondition:
    """Holds when the request has the signal."""

    name: SignalName

    def truth(self, signals: SignalValues) -> bool | None:
        """Whether the signals satisfy the rule; None while that is open."""
        return signals.matched.get(self.name)


@dataclass(frozen=True, slots=True)
class AllConditions:
    """Holds when every part does; of nothing it holds, which makes the catch-all."""

    parts: tuple[Condition, ...]

    def truth(self, signals: SignalValues) -> bool | None:
        """Whether the signals satisfy the rule; None while that is open. One part that does not settles it."""
        known = True
        for part in self.parts:
            truth = part.truth(signals)
            if truth is False:
                return False
            known = known and truth is not None
        return True if known else None


@dataclass(frozen=True, slots=True)
class AnyCondition:
    """Holds when some part does; of nothing it does not."""

    parts: tuple[Condition, ...]

    def truth(self, signals: SignalValues) -> bool | None:
        """Whether the signals satisfy the rule; None while that is open. One part that does settles it."""
        known = True
        for part in self.parts:
            truth = part.truth(signals)
            if truth:
                return True
            known = known and truth is not None
        return False if known else None


@dataclass(frozen=True, slots=True)
class NotCondition:
    """Holds when its one part does not."""

    part: Condition

    def truth(self, signals: SignalValues) -> bool | None:
        """Whether the signals satisfy the rule; None while that is open."""
        truth = self.part.truth(signals)
        return None if truth is None else not truth


ConditionLeaf = CategoryCondition | SignalCondition
Condition = ConditionLeaf | AllConditions | AnyCondition | NotCondition


def compile_condition(
    node: contract.RuleNode | contract.RuleLeaf,
    leaf: Callable[[contract.RuleLeaf], Condition],
    arity: Callable[[], Exception],
) -> Condition:
    """Turn the contract's tree into rules.

    Args:
        node: the tree as the config holds it.
        leaf: makes a leaf, or what stands for one; raises for a signal that is not defined.
        arity: makes the exception for a ``NOT`` that has not exactly one condition.
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


def condition_leaves(rule: Condition) -> frozenset[ConditionLeaf]:
    """All leaves of the rule."""
    if isinstance(rule, CategoryCondition | SignalCondition):
        return frozenset({rule})
    return frozenset().union(*(condition_leaves(part) for part in _parts(rule)))


def open_leaves(rule: Condition, signals: SignalValues) -> frozenset[ConditionLeaf]:
    """The leaves that are not known and that the rule's truth may still depend on."""
    if rule.truth(signals) is not None:
        return frozenset()
    if isinstance(rule, (CategoryCondition, SignalCondition)):
        return frozenset((rule,))
    return frozenset().union(*(open_leaves(part, signals) for part in _parts(rule)))


def _parts(rule: AllConditions | AnyCondition | NotCondition) -> tuple[Condition, ...]:
    return (rule.part,) if isinstance(rule, NotCondition) else rule.parts
