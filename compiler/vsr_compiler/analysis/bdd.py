"""Binary decision diagrams: sets of truth assignments that are compared, combined and picked from without listing them.

Reduced and ordered, with shared nodes, so that equal sets are the same number. Source: R. E. Bryant, "Graph-Based
Algorithms for Boolean Function Manipulation", 1986.
"""

from __future__ import annotations

FALSE, TRUE = 0, 1
MAX_NODES = 500_000


class TooHardError(Exception):
    """The diagrams grew over ``MAX_NODES``."""


class Bdd:
    """Diagrams over variables 0, 1, 2, … in that order. A diagram is a number; 0 is nothing, 1 everything."""

    def __init__(self) -> None:
        self._nodes: list[tuple[int, int, int]] = [(1 << 30, 0, 0), (1 << 30, 1, 1)]
        self._unique: dict[tuple[int, int, int], int] = {}
        self._ite: dict[tuple[int, int, int], int] = {}

    def variable(self, index: int) -> int:
        """The assignments in which a variable is true."""
        return self._node(index, FALSE, TRUE)

    def both(self, left: int, right: int) -> int:
        """The assignments in both."""
        return self._choose(left, right, FALSE)

    def either(self, left: int, right: int) -> int:
        """The assignments in one or the other."""
        return self._choose(left, TRUE, right)

    def without(self, diagram: int) -> int:
        """The assignments that are not in it."""
        return self._choose(diagram, FALSE, TRUE)

    def pick(self, diagram: int) -> dict[int, bool]:
        """One assignment of those in it, with as few variables true as the order allows; only those that matter.

        Raises:
            ValueError: It is empty.
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
        found = self._unique.get(key)
        if found is None:
            if len(self._nodes) >= MAX_NODES:
                raise TooHardError
            found = self._unique[key] = len(self._nodes)
            self._nodes.append(key)
        return found

    def _choose(self, condition: int, then: int, otherwise: int) -> int:
        """If-then-else, the one operation that the others are made of. Recursion is as deep as there are variables."""
        if condition == TRUE or then == otherwise:
            return then
        if condition == FALSE:
            return otherwise
        if then == TRUE and otherwise == FALSE:
            return condition
        key = (condition, then, otherwise)
        found = self._ite.get(key)
        if found is not None:
            return found
        top = min(self._nodes[condition][0], self._nodes[then][0], self._nodes[otherwise][0])
        low = self._choose(*(self._part(each, top, 1) for each in key))
        high = self._choose(*(self._part(each, top, 2) for each in key))
        found = self._ite[key] = self._node(top, low, high)
        return found

    def _part(self, diagram: int, variable: int, side: int) -> int:
        node = self._nodes[diagram]
        return node[side] if node[0] == variable else diagram
