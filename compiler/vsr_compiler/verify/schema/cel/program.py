"""Compile a syntax tree to closures: names become slots, macros become loops. Evaluation spends a budget."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from vsr_compiler.verify.schema.cel import macros
from vsr_compiler.verify.schema.cel.functions import CONSTANTS, FUNCTIONS, METHODS
from vsr_compiler.verify.schema.cel.macros import Env, Run
from vsr_compiler.verify.schema.cel.syntax import RESERVED, CelSyntaxError, Node, Unsigned, parse
from vsr_compiler.verify.schema.cel.times import arithmetic
from vsr_compiler.verify.schema.cel.values import (
    NONE,
    TYPES,
    Budget,
    CelError,
    Optional,
    bounded,
    equal,
    number,
    ordered,
    type_name,
)

BUDGET = 0
_ORDERS: dict[str, Callable[[int], bool]] = {
    "<": lambda order: order < 0,
    "<=": lambda order: order <= 0,
    ">": lambda order: order > 0,
    ">=": lambda order: order >= 0,
}
_ESCAPES = (("__underscores__", "__"), ("__dot__", "."), ("__dash__", "-"), ("__slash__", "/"))
_KEYWORDS = RESERVED - {"var", "void", "while"} | {"true", "false", "null", "in"}
"""Field names that Kubernetes escapes with underscores: the reserved words of CEL, except three."""


@dataclass(frozen=True, slots=True)
class Program:
    """A compiled expression.

    Attributes:
        run: Its closure.
        slots: Number of names that its macros bind at a time.
        names: The variables that it uses.
    """

    run: Run
    slots: int
    names: frozenset[str]

    def __call__(self, variables: tuple[Any, ...], budget: Budget) -> Any:  # noqa: ANN401 - any value
        """Return the value for the variables, which have the order of the compilation.

        Raises:
            CelError: The evaluation fails.
            CostError: The budget is exhausted.
        """
        return self.run([budget, *variables, *(None,) * self.slots])


@lru_cache(maxsize=4096)
def compiled(text: str, variables: tuple[str, ...] = ("self", "oldSelf")) -> Program:
    """Return the program of an expression; programs are cached.

    Raises:
        CelSyntaxError: The expression is invalid, or uses an unknown name or function.
    """
    scope = _Compiler({name: number + 1 for number, name in enumerate(variables)}, len(variables) + 1)
    run = scope.compile(parse(text))
    return Program(run, scope.high - len(variables) - 1, frozenset(scope.used & set(variables)))


class _Compiler:
    """Compiles one expression, and assigns names to slots."""

    def __init__(self, names: dict[str, int], free: int) -> None:
        self.names = names
        self.high = free
        self.used: set[str] = set()
        self._free = free

    def bind(self, *names: str) -> tuple[list[int], Callable[[], None]]:
        """Assign slots to names. Return the slots, and a function that removes the names."""
        before, free = dict(self.names), self._free
        slots = list(range(free, free + len(names)))
        self.names = before | dict(zip(names, slots, strict=True))
        self._free += len(names)
        self.high = max(self.high, self._free)

        def unbind() -> None:
            self.names, self._free = before, free

        return slots, unbind

    def compile(self, node: Node) -> Run:
        """Return the closure of a tree."""
        build: Callable[[Node], Run] = getattr(self, f"_{node.kind}")
        return build(node)

    def _literal(self, node: Node) -> Run:
        value = node.value
        return lambda _env: value

    def _name(self, node: Node) -> Run:
        name = node.value
        if name in self.names:
            self.used.add(name)
            slot = self.names[name]
            return lambda env: env[slot]
        if name in TYPES:
            value = TYPES[name]
            return lambda _env: value
        raise CelSyntaxError(f"unknown name `{name}`")

    def _select(self, node: Node) -> Run:
        dotted = _dotted(node)
        if dotted in CONSTANTS and dotted.split(".")[0] not in self.names:
            value = CONSTANTS[dotted]
            return lambda _env: value
        inner, name = self.compile(node.kids[0]), field(node.value)
        if node.optional:
            return lambda env: _look(inner(env), name)

        def select(env: Env) -> Any:  # noqa: ANN401 - any value
            value = inner(env)
            if isinstance(value, dict):
                try:
                    return value[name]
                except KeyError:
                    raise CelError(f"no such key: {name}") from None
            if isinstance(value, Optional):
                return _look(value, name)
            raise CelError(f"{type_name(value)} has no fields")

        return select

    def _index(self, node: Node) -> Run:
        inner, key = (self.compile(kid) for kid in node.kids)
        if node.optional:
            return lambda env: _look(inner(env), key(env))

        def index(env: Env) -> Any:  # noqa: ANN401 - any value
            value, at = inner(env), key(env)
            if isinstance(value, Optional):
                return _look(value, at)
            found = _look(value, at)
            if not found.present:
                raise CelError(f"no such key: {at}" if isinstance(value, dict) else f"index out of bounds: {at}")
            return found.value

        return index

    def _not(self, node: Node) -> Run:
        inner = self.compile(node.kids[0])
        return lambda env: not _boolean(inner(env))

    def _minus(self, node: Node) -> Run:
        inner = self.compile(node.kids[0])

        def minus(env: Env) -> Any:  # noqa: ANN401 - any value
            value = inner(env)
            if not number(value) or isinstance(value, Unsigned):
                raise CelError(f"no `-` of {type_name(value)}")
            return -value if isinstance(value, float) else bounded(-value)

        return minus

    def _if(self, node: Node) -> Run:
        condition, first, second = (self.compile(kid) for kid in node.kids)
        return lambda env: first(env) if _boolean(condition(env)) else second(env)

    def _or(self, node: Node) -> Run:
        return _either([self.compile(kid) for kid in node.kids], decisive=True)

    def _and(self, node: Node) -> Run:
        return _either([self.compile(kid) for kid in node.kids], decisive=False)

    def _binary(self, node: Node) -> Run:
        mark = node.value
        first, second = (self.compile(kid) for kid in node.kids)
        if mark == "==":
            return lambda env: equal(first(env), second(env), env[BUDGET])
        if mark == "!=":
            return lambda env: not equal(first(env), second(env), env[BUDGET])
        if mark == "in":
            return lambda env: _contains(second(env), first(env), env[BUDGET])
        if mark in _ORDERS:
            holds = _ORDERS[mark]
            return lambda env: holds(ordered(first(env), second(env)))
        return lambda env: arithmetic(mark, first(env), second(env), env[BUDGET])

    def _list(self, node: Node) -> Run:
        kids = [self.compile(kid) for kid in node.kids]
        if not node.optional:
            return lambda env: [kid(env) for kid in kids]
        by = node.optional

        def listed(env: Env) -> list[Any]:
            values = [(number, kid(env)) for number, kid in enumerate(kids)]
            some = [(value.value, value.present) if number in by else (value, True) for number, value in values]
            return [value for value, present in some if present]

        return listed

    def _map(self, node: Node) -> Run:
        kids = [self.compile(kid) for kid in node.kids]
        by = node.optional

        def mapped(env: Env) -> dict[Any, Any]:
            found = {}
            for at in range(0, len(kids), 2):
                key, value = _key(kids[at](env)), kids[at + 1](env)
                if at in by:
                    if not value.present:
                        continue
                    value = value.value
                found[key] = value
            return found

        return mapped

    def _call(self, node: Node) -> Run:
        if node.value == "has":
            return self._has(node)
        return self._function(node.value, FUNCTIONS.get(node.value), node.kids)

    def _has(self, node: Node) -> Run:
        if len(node.kids) != 1 or node.kids[0].kind != "select":
            raise CelSyntaxError("`has` takes a field")
        inner, name = self.compile(node.kids[0].kids[0]), field(node.kids[0].value)

        def has(env: Env) -> bool:
            value = inner(env)
            if isinstance(value, dict):
                return name in value
            if isinstance(value, Optional):
                return _look(value, name).present
            raise CelError(f"{type_name(value)} has no fields")

        return has

    def _method(self, node: Node) -> Run:
        dotted = f"{_dotted(node.kids[0])}.{node.value}"
        if dotted == "cel.bind":
            return macros.bind(self, node)
        if dotted in FUNCTIONS and _dotted(node.kids[0]) not in self.names:
            return self._function(dotted, FUNCTIONS[dotted], node.kids[1:])
        if macros.is_macro(node):
            return macros.expand(self, node)
        return self._function(node.value, METHODS.get(node.value), node.kids)

    def _function(self, name: str, function: Callable[..., Any] | None, kids: tuple[Node, ...]) -> Run:
        if function is None:
            raise CelSyntaxError(f"unknown function `{name}`")
        arguments = [self.compile(kid) for kid in kids]

        def call(env: Env) -> Any:  # noqa: ANN401 - any value
            values = [argument(env) for argument in arguments]
            size = sum(len(value) for value in values if isinstance(value, str | bytes | list))
            env[BUDGET].spend(1 + size // 16)
            try:
                return function(*values)
            except (TypeError, AttributeError):
                # The functions rely on Python for checks of types and numbers of arguments.
                raise CelError(f"no `{name}` of {', '.join(map(type_name, values))}") from None

        return call


def field(name: str) -> str:
    """Return the field name of an identifier, which CEL escapes if the name is not a valid identifier."""
    if name[:2] == name[-2:] == "__" and name[2:-2] in _KEYWORDS:
        return name[2:-2]
    for escape, character in _ESCAPES:
        name = name.replace(escape, character)
    return name


def _dotted(node: Node) -> str:
    if node.kind == "name":
        return str(node.value)
    return f"{_dotted(node.kids[0])}.{node.value}" if node.kind == "select" else "?"


def _boolean(value: object) -> bool:
    if isinstance(value, bool):
        return value
    raise CelError(f"{type_name(value)} is not a bool")


def _either(runs: list[Run], *, decisive: bool) -> Run:
    """Return `||` or `&&`: a decisive operand takes precedence over one that fails."""

    def either(env: Env) -> bool:
        failure = None
        for run in runs:
            try:
                if _boolean(run(env)) is decisive:
                    return decisive
            except CelError as error:
                failure = failure or error
        if failure is not None:
            raise failure
        return not decisive

    return either


def _contains(whole: object, part: Any, budget: Budget) -> bool:  # noqa: ANN401 - any value
    if isinstance(whole, dict):
        return isinstance(part, str | int | bool) and part in whole
    if isinstance(whole, list):
        budget.spend(1 + len(whole) // 16)
        return any(equal(item, part, budget) for item in whole)
    raise CelError(f"no `in` of {type_name(whole)}")


def _key(key: Any) -> Any:  # noqa: ANN401 - any value
    if isinstance(key, str | int | bool):
        return key
    raise CelError(f"{type_name(key)} is not a key of a map")


def _look(value: Any, key: Any) -> Optional:  # noqa: ANN401 - any value
    """Return the value at a key or index, as an optional."""
    if isinstance(value, Optional):
        return _look(value.value, key) if value.present else NONE
    if isinstance(value, dict):
        return Optional(value[key], present=True) if _key(key) in value else NONE
    if isinstance(value, list):
        if isinstance(key, bool) or not isinstance(key, int):
            raise CelError(f"{type_name(key)} is not an index")
        return Optional(value[key], present=True) if 0 <= key < len(value) else NONE
    raise CelError(f"{type_name(value)} cannot be indexed")
