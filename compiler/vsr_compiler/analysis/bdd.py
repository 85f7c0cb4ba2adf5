"""Binary decision diagrams: sets of truth assignments that can be compared, combined and sampled without listing them.

Reduced and ordered, with shared nodes, so that equal sets are the same number. Source: R. E. Bryant, "Graph-Based
Algorithms for Boolean Function Manipulation", 1986.
"""

from __future__ import annotations

FALSE, TRUE = 0, 1
MAX_NODES = 500_000


class TooHardError(Exception):
    """The diagrams have more than ``MAX_NODES`` nodes."""


class Bdd:
    """Diagrams over variables 0, 1, 2, … in that order. A diagram is a number: 0 is the empty set, 1 the full set."""

    def __init__(self) -> None:
        self._nodes: list[tuple[int, int, int]] = [(1 << 30, 0, 0), (1 << 30, 1, 1)]
        self._unique: dict[tuple[int, int, int], int] = {}
        self._ite: dict[tuple[int, int, int], int] = {}

    def variable(self, index: int) -> int:
        """Return the assignments in which a variable is true."""
        return self._node(index, FALSE, TRUE)

    def both(self, left: int, right: int) -> int:
        """Return the intersection."""
        return self._choose(left, right, FALSE)

    def either(self, left: int, right: int) -> int:
        """Return the union."""
        return self._choose(left, TRUE, right)

    def without(self, diagram: int) -> int:
        """Return the complement."""
        return self._choose(diagram, FALSE, TRUE)

    def pick(self, diagram: int) -> dict[int, bool]:
        """Return one assignment of the set, with as few true variables as the order allows; only variables that matter.

        Raises:
            ValueError: The set is empty.
        """
        if diagram == FALSE:
            raise ValueError("nothing to pick from")
        chosen: dict[int, bool] = {}
        while diagram != TRUE:
            variable, low, high = self._nodes[diagram]
            chosen[variable] = low == FALSE
            diagram = high if low == FALSE else low
        return chosen

    def _node(self, variable: int, low: int, high: int) -> int:
        if low == high:
            return low
        key = (variable, low, high)
        node = self._unique.get(key)
        if node is None:
            if len(self._nodes) >= MAX_NODES:
                raise TooHardError
            node = self._unique[key] = len(self._nodes)
            self._nodes.append(key)
        return node

    def _choose(self, condition: int, then: int, otherwise: int) -> int:
        """Compute if-then-else, the operation behind the others. Recursion is bounded by the number of variables."""
        if condition == TRUE or then == otherwise:
            return then
        if condition == FALSE:
            return otherwise
        if then == TRUE and otherwise == FALSE:
            return condition
        key = (condition, then, otherwise)
        result = self._ite.get(key)
        if result is not None:
            return result
        top = min(self._nodes[condition][0], self._nodes[then][0], self._nodes[otherwise][0])
        low = self._choose(*(self._part(part, top, 1) for part in key))
        high = self._choose(*(self._part(part, top, 2) for part in key))
        result = self._ite[key] = self._node(top, low, high)
        return result

    def _part(self, diagram: int, variable: int, side: int) -> int:
        node = self._nodes[diagram]
        return node[side] if node[0] == variable else diagram
