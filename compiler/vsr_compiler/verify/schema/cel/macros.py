"""The macros of CEL: loops over lists and the keys of maps, with one variable or two, and names for values."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from vsr_compiler.verify.schema.cel.syntax import CelSyntaxError, Node
from vsr_compiler.verify.schema.cel.values import NONE, CelError, Optional, type_name

if TYPE_CHECKING:
    from vsr_compiler.verify.schema.cel.program import Run, Scope

_LOOPS = {
    "all": (2, 3),
    "exists": (2, 3),
    "exists_one": (2, 3),
    "existsOne": (2, 3),
    "filter": (2,),
    "map": (2, 3),
    "transformList": (3, 4),
    "transformMap": (3, 4),
    "optMap": (2,),
    "optFlatMap": (2,),
}
"""Macros by name, and how many arguments they take."""


def is_one(node: Node) -> bool:
    """Whether a method call is a macro."""
    return node.value in _LOOPS and len(node.kids) - 1 in _LOOPS[node.value] and node.kids[1].kind == "name"


def bind(scope: Scope, node: Node) -> Run:
    """`cel.bind(name, value, expression)`."""
    if len(node.kids) != len(("cel", "name", "value", "expression")) or node.kids[1].kind != "name":
        raise CelSyntaxError("`cel.bind` takes a name, a value and an expression")
    value = scope.compile(node.kids[2])
    (slot,), undo = scope.bind(node.kids[1].value)
    inner = scope.compile(node.kids[3])
    undo()

    def run(env: list[Any]) -> Any:  # noqa: ANN401 - any value
        env[slot] = value(env)
        return inner(env)

    return run


def expand(scope: Scope, node: Node) -> Run:
    """The loop of a macro."""
    name, rest = node.value, node.kids[1:]
    two = len(rest) > 1 and rest[1].kind == "name" and (name.startswith("transform") or _is_pair(name, rest))
    whole = scope.compile(node.kids[0])
    slots, undo = scope.bind(*(str(each.value) for each in rest[: 2 if two else 1]))
    bodies = [scope.compile(each) for each in rest[2 if two else 1 :]]
    undo()
    steps = weight_of(rest)
    pair = (slots[0], slots[1]) if two else None
    if name.startswith("opt"):
        return _opt(whole, slots[0], bodies[0], flat=name == "optFlatMap")
    each = _each(whole, slots[0], pair, steps)
    if name in {"all", "exists"}:
        return _quantified(each, bodies[0], decisive=name == "exists")
    if name in {"exists_one", "existsOne"}:
        return lambda env: sum(_true(bodies[0](env)) for _ in each(env)) == 1
    if name == "transformMap":
        return _mapped(each, bodies)
    return _listed(each, bodies, keep=name == "filter")


def _is_pair(name: str, rest: tuple[Node, ...]) -> bool:
    """`all(i, v, …)` has two variables; `map(x, x, x)` has one and a condition."""
    return name != "map" and len(rest) == len(("index", "value", "condition"))


def weight_of(nodes: tuple[Node, ...]) -> int:
    """About how many steps one turn of a loop takes."""
    count, stack = 0, list(nodes)
    while stack:
        count += 1
        stack += stack.pop().kids
    return count


def _each(whole: Run, slot: int, pair: tuple[int, int] | None, steps: int) -> Callable[[list[Any]], Iterable[Any]]:
    """Goes through a list or a map's keys with the variables set; each turn is paid for."""

    def each(env: list[Any]) -> Iterable[Any]:
        value = whole(env)
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

    return each


def _true(value: object) -> bool:
    if isinstance(value, bool):
        return value
    raise CelError(f"{type_name(value)} is no bool")


def _quantified(each: Callable[[list[Any]], Iterable[Any]], body: Run, *, decisive: bool) -> Run:
    """`all` or `exists`: an element that decides wins over one that has no value."""

    def run(env: list[Any]) -> bool:
        failure = None
        for _ in each(env):
            try:
                if _true(body(env)) is decisive:
                    return decisive
            except CelError as error:
                failure = failure or error
        if failure is not None:
            raise failure
        return not decisive

    return run


def _listed(each: Callable[[list[Any]], Iterable[Any]], bodies: list[Run], *, keep: bool) -> Run:
    """`filter`, `map` and `transformList`; of two bodies the first is a condition."""
    *condition, result = bodies
    if keep:
        return lambda env: [item for item in each(env) if _true(result(env))]
    if condition:
        return lambda env: [result(env) for _ in each(env) if _true(condition[0](env))]
    return lambda env: [result(env) for _ in each(env)]


def _mapped(each: Callable[[list[Any]], Iterable[Any]], bodies: list[Run]) -> Run:
    *condition, result = bodies
    return lambda env: {key: result(env) for key in each(env) if not condition or _true(condition[0](env))}


def _opt(whole: Run, slot: int, body: Run, *, flat: bool) -> Run:
    def run(env: list[Any]) -> Optional:
        value = whole(env)
        if not isinstance(value, Optional):
            raise CelError(f"{type_name(value)} is no optional")
        if not value.present:
            return NONE
        env[slot] = value.value
        result = body(env)
        if flat and not isinstance(result, Optional):
            raise CelError(f"{type_name(result)} is no optional")
        return result if isinstance(result, Optional) and flat else Optional(result, present=True)

    return run
