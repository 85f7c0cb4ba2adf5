"""CEL macros: loops over lists and map keys with one or two variables, and local names for values."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Protocol

from vsr_compiler.verify.schema.cel.lists import sort_by
from vsr_compiler.verify.schema.cel.syntax import CelSyntaxError, Node
from vsr_compiler.verify.schema.cel.values import NONE, CelError, Optional, type_name

Env = list[Any]
"""The budget, then the values of the variables, then the values that macros bind."""
Run = Callable[[Env], Any]
"""A compiled expression."""


class Scope(Protocol):
    """Compiles the operands of macros and binds their variables."""

    def compile(self, node: Node) -> Run:
        """Compile an expression."""

    def bind(self, *names: str) -> tuple[list[int], Callable[[], None]]:
        """Assign slots to names. Return the slots, and a function that removes the names."""


_LOOPS = {
    "all": (2, 3),
    "exists": (2, 3),
    "exists_one": (2, 3),
    "existsOne": (2, 3),
    "filter": (2,),
    "map": (2, 3),
    "transformList": (3, 4),
    "transformMap": (3, 4),
    "transformMapEntry": (3, 4),
    "sortBy": (2,),
    "optMap": (2,),
    "optFlatMap": (2,),
}
"""Macros by name, with the number of arguments that they take."""


def is_macro(node: Node) -> bool:
    """Whether a method call is a macro."""
    return node.value in _LOOPS and len(node.kids) - 1 in _LOOPS[node.value] and node.kids[1].kind == "name"


def bind(scope: Scope, node: Node) -> Run:
    """Compile `cel.bind(name, value, expression)`."""
    if len(node.kids) != len(("cel", "name", "value", "expression")) or node.kids[1].kind != "name":
        raise CelSyntaxError("`cel.bind` takes a name, a value and an expression")
    value = scope.compile(node.kids[2])
    (slot,), unbind = scope.bind(node.kids[1].value)
    inner = scope.compile(node.kids[3])
    unbind()

    def run(env: Env) -> Any:  # noqa: ANN401 - any value
        env[slot] = value(env)
        return inner(env)

    return run


def expand(scope: Scope, node: Node) -> Run:
    """Compile the loop of a macro."""
    name, arguments = node.value, node.kids[1:]
    has_pair = (
        len(arguments) > 1
        and arguments[1].kind == "name"
        and (name.startswith("transform") or _is_pair(name, arguments))
    )
    collection = scope.compile(node.kids[0])
    slots, unbind = scope.bind(*(str(argument.value) for argument in arguments[: 2 if has_pair else 1]))
    bodies = [scope.compile(body) for body in arguments[2 if has_pair else 1 :]]
    unbind()
    steps = weight_of(arguments)
    pair = (slots[0], slots[1]) if has_pair else None
    if name.startswith("opt"):
        return _opt(collection, slots[0], bodies[0], flat=name == "optFlatMap")
    iterate = _iteration(collection, slots[0], pair, steps)
    if name in {"all", "exists"}:
        return _quantified(iterate, bodies[0], decisive=name == "exists")
    if name in {"exists_one", "existsOne"}:
        return lambda env: sum(_true(bodies[0](env)) for _ in iterate(env)) == 1
    if name.startswith("transformMap"):
        return (_merged if name == "transformMapEntry" else _mapped)(iterate, bodies)
    if name == "sortBy":
        return _sorted(iterate, slots[0], bodies[0])
    return _listed(iterate, bodies, keep=name == "filter")


def _is_pair(name: str, arguments: tuple[Node, ...]) -> bool:
    """Whether a macro has two variables: `all(i, v, …)` does, `map(x, x, x)` has one and a condition."""
    return name != "map" and len(arguments) == len(("index", "value", "condition"))


def weight_of(nodes: tuple[Node, ...]) -> int:
    """Return the approximate number of steps of one iteration."""
    count, stack = 0, list(nodes)
    while stack:
        count += 1
        stack += stack.pop().kids
    return count


def _iteration(
    collection: Run, slot: int, pair: tuple[int, int] | None, steps: int
) -> Callable[[list[Any]], Iterable[Any]]:
    """Return an iteration over a list or a map's keys that sets the variables and spends the budget."""

    def iterate(env: Env) -> Iterable[Any]:
        value = collection(env)
        if not isinstance(value, list | dict):
            raise CelError(f"{type_name(value)} has no elements")
        spend = env[0].spend
        if pair is None:
            for item in value:
                spend(steps)
                env[slot] = item
                yield item
            return
        for key, item in value.items() if isinstance(value, dict) else enumerate(value):
            spend(steps)
            env[pair[0]], env[pair[1]] = key, item
            yield key

    return iterate


def _true(value: object) -> bool:
    if isinstance(value, bool):
        return value
    raise CelError(f"{type_name(value)} is not a bool")


def _quantified(iterate: Callable[[list[Any]], Iterable[Any]], body: Run, *, decisive: bool) -> Run:
    """Return `all` or `exists`: a decisive element takes precedence over one that fails."""

    def run(env: Env) -> bool:
        failure = None
        for _ in iterate(env):
            try:
                if _true(body(env)) is decisive:
                    return decisive
            except CelError as error:
                failure = failure or error
        if failure is not None:
            raise failure
        return not decisive

    return run


def _listed(iterate: Callable[[list[Any]], Iterable[Any]], bodies: list[Run], *, keep: bool) -> Run:
    """Return `filter`, `map` or `transformList`; the first of two bodies is a condition."""
    *condition, result = bodies
    if keep:
        return lambda env: [item for item in iterate(env) if _true(result(env))]
    if condition:
        return lambda env: [result(env) for _ in iterate(env) if _true(condition[0](env))]
    return lambda env: [result(env) for _ in iterate(env)]


def _mapped(iterate: Callable[[list[Any]], Iterable[Any]], bodies: list[Run]) -> Run:
    *condition, result = bodies
    return lambda env: {key: result(env) for key in iterate(env) if not condition or _true(condition[0](env))}


def _merged(iterate: Callable[[list[Any]], Iterable[Any]], bodies: list[Run]) -> Run:
    """Return `transformMapEntry`, whose result is a map of one entry for each element."""
    *condition, result = bodies

    def run(env: Env) -> dict[Any, Any]:
        found: dict[Any, Any] = {}
        for _ in iterate(env):
            if condition and not _true(condition[0](env)):
                continue
            entries = result(env)
            if not isinstance(entries, dict):
                raise CelError(f"{type_name(entries)} is not a map")
            for key, value in entries.items():
                if key in found:
                    raise CelError(f"insert failed: key {key} already exists")
                found[key] = value
        return found

    return run


def _sorted(iterate: Callable[[list[Any]], Iterable[Any]], slot: int, key: Run) -> Run:
    def run(env: Env) -> list[Any]:
        pairs = [(env[slot], key(env)) for _ in iterate(env)]
        return sort_by([value for value, _ in pairs], [order for _, order in pairs])

    return run


def _opt(collection: Run, slot: int, body: Run, *, flat: bool) -> Run:
    def run(env: Env) -> Optional:
        value = collection(env)
        if not isinstance(value, Optional):
            raise CelError(f"{type_name(value)} is not an optional")
        if not value.present:
            return NONE
        env[slot] = value.value
        result = body(env)
        if flat and not isinstance(result, Optional):
            raise CelError(f"{type_name(result)} is not an optional")
        return result if isinstance(result, Optional) and flat else Optional(result, present=True)

    return run
