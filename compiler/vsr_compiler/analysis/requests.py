"""Sets of requests, as far as the policy's conditions distinguish them.

A request has at most one category, and a length in tokens; every other signal is true or false. Categories and ranges
of lengths form cells. Within a cell the signals are independent variables, so a set of requests is one diagram per
cell. Signals that are related in reality (two overlapping patterns) are treated as independent: a proof stays valid,
and a counterexample names the signals that it depends on. What is known of clients is exact: see ``clients``.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import reduce
from typing import assert_never

from vsr_compiler import ir
from vsr_compiler.analysis.bdd import FALSE, TRUE, Bdd
from vsr_compiler.analysis.clients import Clients

RequestSet = tuple[int, ...]
"""A set of requests: one diagram per cell."""


@dataclass(frozen=True, slots=True)
class Cell:
    """Requests with one category (None: with none, or one that no condition uses) and a range of lengths."""

    category: ir.Category | None
    low: int
    high: int | None


class Requests:
    """Sets of requests of one policy."""

    def __init__(self, policy: ir.Policy) -> None:
        self.bdd = Bdd()
        self._policy = policy
        tested = {leaf.category.name: leaf.category for leaf in self._leaves() if isinstance(leaf, ir.InCategory)}
        for assertion in policy.assertions:
            if assertion.statement.category is not None:
                tested.setdefault(assertion.statement.category.name, assertion.statement.category)
        starts = sorted(self._starts())
        ends: list[int | None] = [*(start - 1 for start in starts[1:]), None]
        self.cells = [
            Cell(category, low, high)
            for category in (None, *tested.values())
            for low, high in zip(starts, ends, strict=True)
        ]
        self._clients = Clients(policy, self.bdd)
        self._order: dict[str, int] = {}
        self.all: RequestSet = (TRUE,) * len(self.cells)
        self.none: RequestSet = (FALSE,) * len(self.cells)

    def of(self, condition: ir.Condition) -> RequestSet:
        """Return the requests for which a condition is true."""
        return ir.fold(
            condition,
            leaf=self._leaf,
            negated=lambda part: self.without(self.all, part),
            all_of=lambda parts: reduce(self.both, parts, self.all),
            any_of=lambda parts: reduce(self.either, parts, self.none),
        )

    def fact(self, name: str) -> RequestSet:
        """Return the requests for which a fact is true that no condition expresses, such as the match of a guard."""
        return (self._variable(name),) * len(self.cells)

    def of_clients(self, tests: Collection[ir.ClientTest]) -> RequestSet:
        """Return the requests of clients that pass at least one test."""
        return (self._clients.of(tests),) * len(self.cells)

    def both(self, left: RequestSet, right: RequestSet) -> RequestSet:
        """Return the intersection."""
        return tuple(self.bdd.both(a, b) for a, b in zip(left, right, strict=True))

    def either(self, left: RequestSet, right: RequestSet) -> RequestSet:
        """Return the union."""
        return tuple(self.bdd.either(a, b) for a, b in zip(left, right, strict=True))

    def without(self, left: RequestSet, right: RequestSet) -> RequestSet:
        """Return the difference: requests in the first set and not in the second."""
        return tuple(self.bdd.both(a, self.bdd.without(b)) for a, b in zip(left, right, strict=True))

    def describe(self, some: RequestSet) -> str:
        """Describe one request of a set.

        Raises:
            ValueError: The set is empty.
        """
        index = next((index for index, diagram in enumerate(some) if diagram != FALSE), None)
        if index is None:
            raise ValueError("nothing to describe")
        cell, chosen = self.cells[index], self.bdd.pick(some[index])
        names = {number: name for name, number in self._order.items()}
        true = [f"`{names[number]}`" for number, value in sorted(chosen.items()) if number in names and value]
        false = [f"`{names[number]}`" for number, value in sorted(chosen.items()) if number in names and not value]
        client = list(self._clients.describe(chosen))
        parts = [f"of category `{cell.category.name}`" if cell.category else "of no category that a route uses"]
        if client and not any(other.category for other in self.cells):
            parts = []
        lengths = [diagram for other, diagram in zip(self.cells, some, strict=True) if other.category is cell.category]
        if FALSE in lengths:  # only some lengths are in the set
            parts.append(
                f"of {cell.low} tokens or more" if cell.high is None else f"of {cell.low} to {cell.high} tokens"
            )
        parts += client
        if true:
            parts.append("with " + " and ".join(true))
        if false:
            parts.append("without " + " and ".join(false))
        return "a request " + ", ".join(parts)

    def describe_client(self, some: RequestSet) -> str:
        """Describe one request of a set by its client alone."""
        diagram = next(diagram for diagram in some if diagram != FALSE)
        return " ".join(["a request", *self._clients.describe(self.bdd.pick(diagram))])

    def _leaf(self, leaf: ir.Leaf) -> RequestSet:
        match leaf:
            case ir.InCategory(category):
                return tuple(TRUE if cell.category is category else FALSE for cell in self.cells)
            case ir.HasSignal(signal):
                return self._signal(signal)
            case _:
                assert_never(leaf)

    def _signal(self, signal: ir.Signal) -> RequestSet:
        if isinstance(signal.kind, ir.ClientSignal):
            return self.of_clients(signal.kind.tests)
        if not isinstance(signal.kind, ir.ContextSignal):
            return self.fact(signal.name)
        low, high = signal.kind.minimum or 0, signal.kind.maximum
        return tuple(
            TRUE if cell.low >= low and (high is None or (cell.high is not None and cell.high <= high)) else FALSE
            for cell in self.cells
        )

    def _variable(self, name: str) -> int:
        return self.bdd.variable(self._order.setdefault(name, self._clients.size + len(self._order)))

    def _leaves(self) -> Iterator[ir.Leaf]:
        for route in self._policy.routes:
            yield from ir.leaves(route.when)

    def _starts(self) -> set[int]:
        """Return the lengths at which a range of tokens begins, or has just ended."""
        starts = {0}
        for signal in self._policy.signals:
            if isinstance(signal.kind, ir.ContextSignal):
                starts.add(signal.kind.minimum or 0)
                if signal.kind.maximum is not None:
                    starts.add(signal.kind.maximum + 1)
        return starts
