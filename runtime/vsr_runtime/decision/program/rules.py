"""The rules of a decision as a tree that is true, false, or open as long as a signal is not known."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from vsr_runtime.decision.fast_dataclass import light
from vsr_schemas.routerconfig import v0_4_0 as contract

SignalKind = Literal["category", "likeness"]
"""What is asked of a model about the last user turn: its category, and the cosines with a policy's sentences."""

SignalName = tuple[str, str]
"""Type and name of a signal, as the config has them: ``("keyword", "urgent")``."""


@light(frozen=True, slots=True)
class Signals:
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

    def also(self, name: SignalName, *, holds: bool) -> Signals:
        """The same with one more signal that was looked at."""
        return Signals(self.category, self.probability, self.classified, {**self.matched, name: holds})


@dataclass(frozen=True, slots=True)
class Category:
    """Holds when the request's category is one of the labels. ``name`` is the signal's."""

    labels: frozenset[str]
    name: str = ""

    def truth(self, signals: Signals) -> bool | None:
        """Whether the signals satisfy the rule; None while that is open."""
        return signals.category in self.labels if signals.classified else None


@dataclass(frozen=True, slots=True)
class Has:
    """Holds when the request has the signal."""

    name: SignalName

    def truth(self, signals: Signals) -> bool | None:
        """Whether the signals satisfy the rule; None while that is open."""
        return signals.matched.get(self.name)


@dataclass(frozen=True, slots=True)
class All:
    """Holds when every part does; of nothing it holds, which makes the catch-all."""

    parts: tuple[Rule, ...]

    def truth(self, signals: Signals) -> bool | None:
        """Whether the signals satisfy the rule; None while that is open. One part that does not settles it."""
        known = True
        for part in self.parts:
            truth = part.truth(signals)
            if truth is False:
                return False
            known = known and truth is not None
        return True if known else None


@dataclass(frozen=True, slots=True)
class AnyOf:
    """Holds when some part does; of nothing it does not."""

    parts: tuple[Rule, ...]

    def truth(self, signals: Signals) -> bool | None:
        """Whether the signals satisfy the rule; None while that is open. One part that does settles it."""
        known = True
        for part in self.parts:
            truth = part.truth(signals)
            if truth:
                return True
            known = known and truth is not None
        return False if known else None


@dataclass(frozen=True, slots=True)
class Not:
    """Holds when its one part does not."""

    part: Rule

    def truth(self, signals: Signals) -> bool | None:
        """Whether the signals satisfy the rule; None while that is open."""
        truth = self.part.truth(signals)
        return None if truth is None else not truth


Leaf = Category | Has
Rule = Leaf | All | AnyOf | Not


def compile_rule(
    node: contract.RuleNode | contract.RuleLeaf,
    leaf: Callable[[contract.RuleLeaf], Rule],
    arity: Callable[[], Exception],
) -> Rule:
    """Turn the contract's tree into rules.

    Args:
        node: the tree as the config holds it.
        leaf: makes a leaf, or what stands for one; raises for a signal that is not defined.
        arity: makes the exception for a ``NOT`` that has not exactly one condition.
    """
    if isinstance(node, contract.RuleLeaf):
        return leaf(node)
    parts = tuple(compile_rule(part, leaf, arity) for part in node.conditions)
    if node.operator == "AND":
        return All(parts)
    if node.operator == "OR":
        return AnyOf(parts)
    if len(parts) != 1:
        raise arity()
    return Not(parts[0])


def leaves(rule: Rule) -> frozenset[Leaf]:
    """All leaves of the rule."""
    if isinstance(rule, Category | Has):
        return frozenset({rule})
    return frozenset().union(*(leaves(part) for part in _parts(rule)))


def open_leaves(rule: Rule, signals: Signals) -> frozenset[Leaf]:
    """The leaves that are not known and that the rule's truth may still depend on."""
    if rule.truth(signals) is not None:
        return frozenset()
    if isinstance(rule, (Category, Has)):
        return frozenset((rule,))
    return frozenset().union(*(open_leaves(part, signals) for part in _parts(rule)))


def _parts(rule: All | AnyOf | Not) -> tuple[Rule, ...]:
    return (rule.part,) if isinstance(rule, Not) else rule.parts
