"""Decision diagrams with any values at their ends: what a list of decisions gives for each assignment of truth values.

Reduced, ordered and shared, so that equal functions are the same number. `analysis.bdd` has sets of assignments; here a
whole list of decisions is one diagram, whose size grows with the list and not with its square.

Source: R. E. Bryant, "Graph-Based Algorithms for Boolean Function Manipulation", 1986; E. M. Clarke et al.,
"Multi-Terminal Binary Decision Diagrams", 1993.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager

MAX_NODES = 400_000
MAX_DEPTH = 20_000
_END = 1 << 30
Operation = Callable[[Hashable, Hashable], Hashable]


class TooHardError(Exception):
    """The diagrams need more nodes, or more time, than they may have."""


class Diagrams:
    """Diagrams over variables 0, 1, 2, … in that order. A diagram is a number."""

    def __init__(self, seconds: float, nodes: int = MAX_NODES) -> None:
        """Limit the time and the number of nodes."""
        self._until = time.monotonic() + seconds
        self._limit = nodes
        self._nodes: list[tuple[int, int, int]] = []
        self._ends: dict[int, Hashable] = {}
        self._unique: dict[Hashable, int] = {}
        self._steps = 0
        self.false = self.end(False)  # noqa: FBT003 - a value
        self.true = self.end(True)  # noqa: FBT003 - a value

    def end(self, value: Hashable) -> int:
        """Return the diagram that has one value everywhere."""
        key = ("end", type(value), value)
        if key not in self._unique:
            self._unique[key] = len(self._nodes)
            self._ends[len(self._nodes)] = value
            self._nodes.append((_END, 0, 0))
        return self._unique[key]

    def variable(self, index: int) -> int:
        """Return the diagram that is true where a variable is."""
        return self._node(index, self.false, self.true)

    def apply(self, operation: Operation, left: int, right: int) -> int:
        """Return the diagram whose value is that of an operation on the values of two."""
        return self._apply(operation, left, right, {})

    def both(self, left: int, right: int) -> int:
        """Return where both are true."""
        return self.choose(left, right, self.false)

    def either(self, left: int, right: int) -> int:
        """Return where at least one is true."""
        return self.choose(left, self.true, right)

    def without(self, diagram: int) -> int:
        """Return where it is not true."""
        return self.choose(diagram, self.false, self.true)

    def choose(self, condition: int, then: int, otherwise: int) -> int:
        """Return one diagram where the condition is true, and another one where it is false."""
        return self._choose(condition, then, otherwise, {})

    def values(self, diagram: int) -> set[Hashable]:
        """Return all values of a diagram."""
        return {self._ends[node] for node in self._reached(diagram) if node in self._ends}

    def variables(self, diagram: int) -> set[int]:
        """Return the variables that a diagram depends on."""
        return {self._nodes[node][0] for node in self._reached(diagram) if node not in self._ends}

    def value(self, diagram: int, assignment: dict[int, bool]) -> Hashable:
        """Return the value of a diagram. Variables that are not assigned are false."""
        while diagram not in self._ends:
            variable, low, high = self._nodes[diagram]
            diagram = high if assignment.get(variable, False) else low
        return self._ends[diagram]

    def pick(self, diagram: int) -> dict[int, bool] | None:
        """Return an assignment for which a diagram is true, with few true variables; None if there is none."""
        chosen: dict[int, bool] = {}
        if diagram == self.false:
            return None
        while diagram not in self._ends:
            variable, low, high = self._nodes[diagram]
            chosen[variable] = low == self.false
            diagram = high if low == self.false else low
        return chosen

    @contextmanager
    def deep(self, variables: int) -> Iterator[None]:
        """Allow recursion over so many variables. Calls between Python functions need no stack of the system.

        Raises:
            TooHardError: There are too many, or the recursion was too deep anyway.
        """
        if variables > MAX_DEPTH:
            raise TooHardError
        before = sys.getrecursionlimit()
        sys.setrecursionlimit(max(before, 2 * variables + 2_000))
        try:
            yield
        except RecursionError:
            raise TooHardError from None
        finally:
            sys.setrecursionlimit(before)

    def _reached(self, diagram: int) -> set[int]:
        seen, stack = {diagram}, [diagram]
        while stack:
            node = stack.pop()
            if node not in self._ends:
                for child in self._nodes[node][1:]:
                    if child not in seen:
                        seen.add(child)
                        stack.append(child)
        return seen

    def _node(self, variable: int, low: int, high: int) -> int:
        if low == high:
            return low
        key = (variable, low, high)
        if key not in self._unique:
            self._tick()
            if len(self._nodes) >= self._limit:
                raise TooHardError
            self._unique[key] = len(self._nodes)
            self._nodes.append(key)
        return self._unique[key]

    def _tick(self) -> None:
        self._steps += 1
        if self._steps % 1024 == 0 and time.monotonic() > self._until:
            raise TooHardError

    def _apply(self, operation: Operation, left: int, right: int, known: dict[tuple[int, int], int]) -> int:
        key = (left, right)
        if key in known:
            return known[key]
        self._tick()
        if left in self._ends and right in self._ends:
            result = self.end(operation(self._ends[left], self._ends[right]))
        else:
            top = min(self._nodes[left][0], self._nodes[right][0])
            low = self._apply(operation, self._side(left, top, 1), self._side(right, top, 1), known)
            high = self._apply(operation, self._side(left, top, 2), self._side(right, top, 2), known)
            result = self._node(top, low, high)
        known[key] = result
        return result

    def _choose(self, condition: int, then: int, otherwise: int, known: dict[tuple[int, int, int], int]) -> int:
        if condition == self.true or then == otherwise:
            return then
        if condition == self.false:
            return otherwise
        if then == self.true and otherwise == self.false:
            return condition
        key = (condition, then, otherwise)
        if key in known:
            return known[key]
        self._tick()
        top = min(self._nodes[condition][0], self._nodes[then][0], self._nodes[otherwise][0])
        low, high = (
            self._choose(
                self._side(condition, top, side), self._side(then, top, side), self._side(otherwise, top, side), known
            )
            for side in (1, 2)
        )
        result = known[key] = self._node(top, low, high)
        return result

    def _side(self, diagram: int, variable: int, side: int) -> int:
        node = self._nodes[diagram]
        return node[side] if node[0] == variable else diagram
