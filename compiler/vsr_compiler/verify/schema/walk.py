"""A value held against a schema: what does not fit, each with its place, and the CEL rules that are due."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from vsr_compiler.diagnostics.suggestions import did_you_mean
from vsr_compiler.verify.manifest import Path
from vsr_compiler.verify.schema import formats, limits, patterns, quantity
from vsr_compiler.verify.schema.cel import Budget
from vsr_compiler.verify.schema.meta import METADATA
from vsr_compiler.verify.schema.node import Node

MAX_PROBLEMS = 100
WALK_STEPS = 50_000_000
"""Keywords and values that a run may look at: a thousand objects of ours have some 100,000."""
_ARTICLES = {
    "object": "a mapping",
    "array": "a list",
    "string": "a text",
    "integer": "an integer",
    "number": "a number",
}
_ARTICLES |= {"boolean": "true or false", "null": "null"}


@dataclass(frozen=True, slots=True)
class Problem:
    """What does not fit.

    Attributes:
        code: Of the diagnostic.
        path: Where in the object.
        message: What is wrong there, to be read behind the path.
        hint: What to do.
        at_key: Whether the key is at fault, not the value.
    """

    code: str
    path: Path
    message: str
    hint: str
    at_key: bool = False

    @property
    def blocks(self) -> bool:
        """Whether an API server stops before the rules: it drops unknown fields unless it is asked to be strict."""
        return self.code != "VSR441"


@dataclass(slots=True)
class Walk:
    """One pass over one object.

    Attributes:
        budget: How much may still be looked at.
        problems: What was found.
        due: The nodes with rules, with value and path, in the order of the object.
    """

    budget: Budget = field(default_factory=lambda: Budget(WALK_STEPS))
    problems: list[Problem] = field(default_factory=list)
    due: list[tuple[Node, Any, Path]] = field(default_factory=list)

    @property
    def full(self) -> bool:
        """Whether enough was found."""
        return len(self.problems) >= MAX_PROBLEMS

    def say(self, code: str, path: Path, message: str, hint: str, *, at_key: bool = False) -> None:
        """Take a problem."""
        last = self.problems[-1] if self.problems else None
        # Of several patterns for one text, the first that it does not match says enough.
        if not self.full and (last is None or (last.path, last.message) != (path, message)):
            self.problems.append(Problem(code, path, message, hint, at_key))

    def value(self, node: Node, value: Any, path: Path) -> None:  # noqa: ANN401 - JSON of any form
        """Hold a value against a schema.

        Raises:
            CostError: The budget is spent.
        """
        self.budget.spend(node.weight + (len(value) // 256 if isinstance(value, str) else 0))
        if self.full or (value is None and (node.nullable or not node.type)):
            return
        if not self._type(node, value, path):
            return
        if isinstance(value, dict):
            self._object(node, value, path)
        elif isinstance(value, list):
            self._list(node, value, path)
        for message, hint in limits.problems(node, value):
            self.say("VSR444", path, message, hint)
        if isinstance(value, str):
            self._text(node, value, path)
        for word, nodes in node.forms():
            _FORMS[word](self, nodes, value, path)
        if node.rules:
            self.due.append((node, value, path))

    def _type(self, node: Node, value: Any, path: Path) -> bool:  # noqa: ANN401 - JSON of any form
        kind = json_type(value)
        if node.raw.get("format") == quantity.FORMAT and not node.type:
            if kind not in {"string", "integer", "number"} or not quantity.valid(value):
                self.say("VSR444", path, f"{shown(value)} is no quantity", "Write an amount such as 500m, 2 or 16Gi.")
            return False
        if node.int_or_string:
            fits, wanted = kind in {"integer", "string"}, "an integer or a text"
        else:
            fits = not node.type or kind == node.type or (node.type == "number" and kind == "integer")
            wanted = _ARTICLES.get(node.type, node.type)
        if not fits:
            hint = ""
            if kind == "string" and node.type in {"integer", "number", "boolean"}:
                hint = "Remove the quotes."
            elif node.type == "string" and kind in {"integer", "number", "boolean"}:
                hint = "Put it in quotes."
            what = f"must be {wanted}, not {_ARTICLES[kind]}"
            self.say("VSR443", path, what, hint or f"Write {wanted}.")
        return fits

    def _object(self, node: Node, value: dict[str, Any], path: Path) -> None:
        names = {"apiVersion", "kind", "metadata"} if node.top else set()
        for key, item in value.items():
            if key in names:
                self.value(METADATA if key == "metadata" else _TEXT, item, (*path, key))
                continue
            child = node.child(key)
            if child is not None:
                self.value(child, item, (*path, key))
            elif node.structural and not node.keeps_unknown:
                known = sorted({*node.properties, *names})
                self.say("VSR441", (*path, key), "there is no such field", near(key, known), at_key=True)
        for key in [*node.required, *sorted(names - {"metadata"} if path else ())]:
            if key not in value:
                self.say("VSR442", path, f"`{key}` is missing", f"Add `{key}`.")

    def _list(self, node: Node, value: list[Any], path: Path) -> None:
        if node.items is not None:
            for number, item in enumerate(value):
                self.value(node.items, item, (*path, number))
        for number, message in limits.repeated(node, value):
            self.say("VSR445", (*path, number), message, "Keep one of them.")

    def _text(self, node: Node, value: str, path: Path) -> None:
        pattern, form = node.raw.get("pattern"), node.raw.get("format")
        if isinstance(pattern, str) and patterns.available():
            found = patterns.compiled(pattern)
            if found is not None and found.search(value) is None:
                self.say("VSR444", path, f"{shown(value)} does not match the pattern", f"The pattern: {pattern[:200]}")
        if isinstance(form, str) and not formats.valid(form, value):
            self.say("VSR444", path, f"{shown(value)} is no {form}", f"Write it in the format {form}.")

    def _fits(self, node: Node, value: Any, path: Path) -> bool:  # noqa: ANN401 - JSON of any form
        walk = Walk(self.budget)
        walk.value(node, value, path)
        return not walk.problems

    def all_of(self, nodes: list[Node], value: Any, path: Path) -> None:  # noqa: ANN401 - JSON of any form
        """All must fit."""
        for node in nodes:
            self.value(node, value, path)

    def any_of(self, nodes: list[Node], value: Any, path: Path) -> None:  # noqa: ANN401 - as above
        """One must fit."""
        if nodes and not any(self._fits(node, value, path) for node in nodes):
            wanted = _fields(nodes)
            message = f"needs one of {wanted}" if wanted else "has none of the forms that there are"
            self.say("VSR444", path, message, f"Give {wanted}." if wanted else "Follow the API's reference.")

    def one_of(self, nodes: list[Node], value: Any, path: Path) -> None:  # noqa: ANN401 - as above
        """Exactly one must fit."""
        count = sum(self._fits(node, value, path) for node in nodes)
        if nodes and count != 1:
            names = [name for name in _names(nodes) if isinstance(value, dict) and name in value]
            what = f"has {' and '.join(f'`{name}`' for name in names)}" if names else "has none of its forms"
            self.say("VSR444", path, f"{what}, where exactly one form is allowed", f"One of: {_fields(nodes)}.")

    def none_of(self, nodes: list[Node], value: Any, path: Path) -> None:  # noqa: ANN401 - as above
        """It must not fit."""
        for node in nodes:
            if self._fits(node, value, path):
                self.say("VSR444", path, "has a form that is not allowed", f"Leave out {_fields(nodes)}.")


_FORMS: dict[str, Callable[[Walk, list[Node], Any, Path], None]] = {
    "allOf": Walk.all_of,
    "anyOf": Walk.any_of,
    "oneOf": Walk.one_of,
    "not": Walk.none_of,
}
_TEXT = Node({"type": "string"})


def _names(nodes: list[Node]) -> list[str]:
    """The fields that forms ask for."""
    found: dict[str, None] = {}
    stack = list(reversed(nodes))
    while stack:
        node = stack.pop()
        found |= dict.fromkeys([*node.required, *node.properties])
        stack += [each for _, inner in node.forms() for each in reversed(inner)]
    return list(found)


def _fields(nodes: list[Node]) -> str:
    return ", ".join(f"`{name}`" for name in _names(nodes)[:12])


def json_type(value: object) -> str:
    """What JSON calls the type of a value."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int) or (isinstance(value, float) and value.is_integer()):
        return "integer"
    names = {float: "number", str: "string", list: "array", dict: "object"}
    return names.get(type(value), "null")


def near(key: str, known: list[str]) -> str:
    """What was likely meant."""
    if question := did_you_mean(key, known):
        return question
    if not known:
        return "Remove it; there are no fields here."
    listed = ", ".join(f"`{name}`" for name in known[:12])
    return f"Remove it; there are {listed}{' and more' if len(known) > 12 else ''}."  # noqa: PLR2004 - as shown


def shown(value: object) -> str:
    """A value in a message."""
    return f"`{str(value)[:80]}`" + ("…" if len(str(value)) > 80 else "")  # noqa: PLR2004 - as cut
