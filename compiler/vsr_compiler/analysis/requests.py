"""The requests that can be: sets of them, as the policy's conditions can tell them apart.

A request has one category or none, and a length in tokens; every other signal holds or does not. Categories and lengths
make cells; within a cell the signals are free, so a set of requests is one diagram a cell. Signals that are related in
truth (two patterns that overlap) are taken as free: what is proved holds all the more, and a counterexample names the
signals that it rests on.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import reduce
from typing import assert_never

from vsr_compiler import ir
from vsr_compiler.analysis.bdd import FALSE, TRUE, Bdd

Set = tuple[int, ...]
"""A set of requests: a diagram by cell."""


@dataclass(frozen=True, slots=True)
class Cell:
    """Requests of one category (None: of none, or of one that no condition asks about) and a range of lengths."""

    category: ir.Category | None
    low: int
    high: int | None


class Requests:
    """Sets of requests of one policy."""

    def __init__(self, policy: ir.Policy) -> None:
        self.bdd = Bdd()
        self._policy = policy
        asked = {leaf.category.name: leaf.category for leaf in self._leaves() if isinstance(leaf, ir.InCategory)}
        for assertion in policy.assertions:
            if assertion.statement.category is not None:
                asked.setdefault(assertion.statement.category.name, assertion.statement.category)
        starts = sorted(self._starts())
        ends: list[int | None] = [*(start - 1 for start in starts[1:]), None]
        self.cells = [
            Cell(category, low, high)
            for category in (None, *asked.values())
            for low, high in zip(starts, ends, strict=True)
        ]
        self._order: dict[str, int] = {}
        self.all: Set = (TRUE,) * len(self.cells)
        self.none: Set = (FALSE,) * len(self.cells)

    def of(self, condition: ir.Condition) -> Set:
        """The requests for which a condition holds."""
        return ir.fold(
            condition,
            leaf=self._leaf,
            negated=lambda part: self.without(self.all, part),
            all_of=lambda parts: reduce(self.both, parts, self.all),
            any_of=lambda parts: reduce(self.either, parts, self.none),
        )

    def fact(self, name: str) -> Set:
        """The requests for which something holds that no condition can ask, such as what a guard finds."""
        return (self._variable(name),) * len(self.cells)

    def both(self, left: Set, right: Set) -> Set:
        """The requests in both."""
        return tuple(self.bdd.both(a, b) for a, b in zip(left, right, strict=True))

    def either(self, left: Set, right: Set) -> Set:
        """The requests in one or the other."""
        return tuple(self.bdd.either(a, b) for a, b in zip(left, right, strict=True))

    def without(self, left: Set, right: Set) -> Set:
        """The requests in the first that are not in the second."""
        return tuple(self.bdd.both(a, self.bdd.without(b)) for a, b in zip(left, right, strict=True))

    def words(self, some: Set) -> str:
        """One request of a set, described.

        Raises:
            ValueError: The set is empty.
        """
        index = next((index for index, diagram in enumerate(some) if diagram != FALSE), None)
        if index is None:
            raise ValueError("nothing to describe")
        cell, chosen = self.cells[index], self.bdd.pick(some[index])
        names = {number: name for name, number in self._order.items()}
        held = [f"`{names[number]}`" for number, value in sorted(chosen.items()) if value]
        missing = [f"`{names[number]}`" for number, value in sorted(chosen.items()) if not value]
        parts = [f"of the category `{cell.category.name}`" if cell.category else "of no category that a route names"]
        alike = [there for each, there in zip(self.cells, some, strict=True) if each.category is cell.category]
        if FALSE in alike:  # only some lengths are in the set
            parts.append(
                f"of {cell.low} tokens or more" if cell.high is None else f"of {cell.low} to {cell.high} tokens"
            )
        if held:
            parts.append("with " + " and ".join(held))
        if missing:
            parts.append("without " + " and ".join(missing))
        return "a request " + ", ".join(parts)

    def _leaf(self, leaf: ir.Leaf) -> Set:
        match leaf:
            case ir.InCategory(category):
                return tuple(TRUE if cell.category is category else FALSE for cell in self.cells)
            case ir.HasSignal(signal):
                return self._signal(signal)
            case _:
                assert_never(leaf)

    def _signal(self, signal: ir.Signal) -> Set:
        if not isinstance(signal.kind, ir.ContextSignal):
            return self.fact(signal.name)
        low, high = signal.kind.minimum or 0, signal.kind.maximum
        return tuple(
            TRUE if cell.low >= low and (high is None or (cell.high is not None and cell.high <= high)) else FALSE
            for cell in self.cells
        )

    def _variable(self, name: str) -> int:
        return self.bdd.variable(self._order.setdefault(name, len(self._order)))

    def _leaves(self) -> Iterator[ir.Leaf]:
        for route in self._policy.routes:
            yield from ir.leaves(route.when)

    def _starts(self) -> set[int]:
        """Lengths at which some range of tokens begins, or has just ended."""
        starts = {0}
        for signal in self._policy.signals:
            if isinstance(signal.kind, ir.ContextSignal):
                starts.add(signal.kind.minimum or 0)
                if signal.kind.maximum is not None:
                    starts.add(signal.kind.maximum + 1)
        return starts
