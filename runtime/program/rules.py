"""The rules of a decision as a tree that can be asked whether it holds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from schemas.routerconfig import v0_4_0 as contract

SignalKind = Literal["category"]
"""What a request can be asked for. One kind so far; each costs work, so only what some rule needs is computed."""


@dataclass(frozen=True, slots=True)
class Signals:
    """What was found out about one request. ``category`` is None where no label reached its threshold."""

    category: str | None = None
    probability: float | None = None


@dataclass(frozen=True, slots=True)
class Category:
    """Holds when the request's category is one of the labels."""

    labels: frozenset[str]

    def holds(self, signals: Signals) -> bool:
        """Whether the signals satisfy the rule."""
        return signals.category in self.labels


@dataclass(frozen=True, slots=True)
class All:
    """Holds when every part does; of nothing it holds, which makes the catch-all."""

    parts: tuple[Rule, ...]

    def holds(self, signals: Signals) -> bool:
        """Whether the signals satisfy the rule."""
        return all(part.holds(signals) for part in self.parts)


@dataclass(frozen=True, slots=True)
class AnyOf:
    """Holds when some part does; of nothing it does not."""

    parts: tuple[Rule, ...]

    def holds(self, signals: Signals) -> bool:
        """Whether the signals satisfy the rule."""
        return any(part.holds(signals) for part in self.parts)


@dataclass(frozen=True, slots=True)
class Not:
    """Holds when its one part does not."""

    part: Rule

    def holds(self, signals: Signals) -> bool:
        """Whether the signals satisfy the rule."""
        return not self.part.holds(signals)


Rule = Category | All | AnyOf | Not


def compile_rule(
    node: contract.Node | contract.Leaf, domains: Callable[[str], frozenset[str]], arity: Callable[[], Exception]
) -> Rule:
    """Turn the contract's tree into rules.

    Args:
        node: the tree as the config holds it.
        domains: labels of a domain signal by its name; raises for a name that is not defined.
        arity: makes the exception for a ``NOT`` that has not exactly one condition.
    """
    if isinstance(node, contract.Leaf):
        return Category(domains(node.name))
    parts = tuple(compile_rule(part, domains, arity) for part in node.conditions)
    if node.operator == "AND":
        return All(parts)
    if node.operator == "OR":
        return AnyOf(parts)
    if len(parts) != 1:
        raise arity()
    return Not(parts[0])


def needs(rule: Rule) -> frozenset[SignalKind]:
    """The kinds of signal that the rule asks for."""
    if isinstance(rule, Category):
        return frozenset({"category"})
    parts = (rule.part,) if isinstance(rule, Not) else rule.parts
    return frozenset().union(*(needs(part) for part in parts))
