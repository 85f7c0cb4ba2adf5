"""Check a value against a structural schema, and collect the CEL rules that apply to it."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from vsr_compiler.diagnostics.suggestions import suggest
from vsr_compiler.verify.manifest import Path, as_string, as_strings
from vsr_compiler.verify.replaced_words import in_braces
from vsr_compiler.verify.schema import formats, patterns
from vsr_compiler.verify.schema.cel import Budget
from vsr_compiler.verify.schema.cel.quantities import parse as parse_quantity
from vsr_compiler.verify.schema.metadata import METADATA
from vsr_compiler.verify.schema.node import CEL_FORMATS, Node

MAX_PROBLEMS = 100
WALK_STEPS = 50_000_000
"""Limit of keywords and values that a run visits; a thousand generated objects have about 100,000."""
QUANTITY = "quantity"
"""Format of quantities in the schemas of built-in kinds; no CustomResourceDefinition has it."""
_RANGES = {"int32": (-(2**31), 2**31 - 1), "int64": (-(2**63), 2**63 - 1)}
_SIZES = (
    (str, "minLength", "maxLength", "characters"),
    (list, "minItems", "maxItems", "items"),
    (dict, "minProperties", "maxProperties", "entries"),
)
_BOOLEANS = frozenset({"true", "false"})
_ARTICLES = {
    "object": "a mapping",
    "array": "a list",
    "string": "a string",
    "integer": "an integer",
    "number": "a number",
}
_ARTICLES |= {"boolean": "true or false", "null": "null"}


@dataclass(frozen=True, slots=True)
class Problem:
    """A violation of a schema.

    Attributes:
        code: Code of the diagnostic.
        path: Path in the object.
        message: The problem, without the path.
        hint: The remedy.
        at_key: Whether the key is wrong, not the value.
        blocks: Whether CEL rules that read the value are not evaluated: it is missing, or of a wrong type, too long,
            or not one of the choices.
        is_mild: Whether another release of the project may not have it.
    """

    code: str
    path: Path
    message: str
    hint: str
    at_key: bool = False
    blocks: bool = False
    is_mild: bool = False

    def concerns(self, path: Path) -> bool:
        """Whether a CEL rule of the value at a path must not be evaluated because of it."""
        length = min(len(path), len(self.path))
        return self.blocks and path[:length] == self.path[:length]


@dataclass(slots=True)
class Walk:
    """One pass over one object.

    Attributes:
        budget: Number of keywords and values that may still be visited.
        problems: The problems so far.
        rule_nodes: The nodes with CEL rules, with value and path, in the order of the object.
    """

    budget: Budget = field(default_factory=lambda: Budget(WALK_STEPS))
    problems: list[Problem] = field(default_factory=list)
    rule_nodes: list[tuple[Node, Any, Path]] = field(default_factory=list)

    @property
    def is_full(self) -> bool:
        """Whether ``MAX_PROBLEMS`` is reached."""
        return len(self.problems) >= MAX_PROBLEMS

    def report(
        self, code: str, path: Path, message: str, hint: str, *, at_key: bool = False, blocks: bool = False
    ) -> None:
        """Add a problem."""
        last = self.problems[-1] if self.problems else None
        # If a string violates several patterns, the first one is enough.
        if not self.is_full and (last is None or (last.path, last.message) != (path, message)):
            self.problems.append(Problem(code, path, message, hint, at_key, blocks or code in {"VSR442", "VSR443"}))

    def check(self, node: Node, value: Any, path: Path) -> None:  # noqa: ANN401 - JSON of any form
        """Check a value against a schema.

        Raises:
            CostError: The budget is exhausted.
        """
        self.budget.spend(node.weight + (len(value) // 256 if isinstance(value, str) else 0))
        if self.is_full or (value is None and (node.nullable or not node.type)):
            return
        if not self._check_type(node, value, path):
            return
        if isinstance(value, dict):
            self._check_object(node, value, path)
        elif isinstance(value, list):
            self._check_list(node, value, path)
        for message, hint, blocks in _limit_problems(node, value):
            self.report("VSR444", path, message, hint, blocks=blocks)
        if isinstance(value, str):
            self._check_string(node, value, path)
        for word, nodes in node.forms:
            _FORMS[word](self, nodes, value, path)
        if node.rules:
            self.rule_nodes.append((node, value, path))

    def _check_type(self, node: Node, value: Any, path: Path) -> bool:  # noqa: ANN401 - JSON of any form
        kind = json_type(value)
        if node.raw.get("format") == QUANTITY and not node.type:
            if kind not in {"string", "integer", "number"} or not _is_quantity(value):
                self.report(
                    "VSR444", path, f"{shown(value)} is not a quantity", "Write a quantity such as 500m, 2 or 16Gi."
                )
            return False
        if node.int_or_string:
            fits, expected = kind in {"integer", "string"}, "an integer or a string"
        else:
            fits = not node.type or kind == node.type or (node.type == "number" and kind == "integer")
            expected = _ARTICLES.get(node.type, node.type)
        if not fits:
            hint = ""
            if kind == "string" and node.type in {"integer", "number", "boolean"}:
                hint = "Remove the quotes."
            elif node.type == "string" and kind in {"integer", "number", "boolean"}:
                hint = "Put it in quotes."
            # `'1'` only has quotes too many; `REPLICAS` is another value.
            if replaced := in_braces(value) if node.type != "object" else "":
                self.report("VSR443", path, f"must be {expected}, not the string `{replaced}`", "Replace it.")
                return False
            is_word = bool(hint) and isinstance(value, str) and value.isidentifier() and value.lower() not in _BOOLEANS
            message = f"must be {expected}, not {f'the string {shown(value)}' if is_word else _ARTICLES[kind]}"
            self.report("VSR443", path, message, hint or f"Write {expected}.")
        return fits

    def _check_object(self, node: Node, value: dict[str, Any], path: Path) -> None:
        names = {"apiVersion", "kind", "metadata"} if node.top else set()
        for key, item in value.items():
            if key in names:
                self.check(METADATA if key == "metadata" else _TEXT, item, (*path, key))
                continue
            child = node.child(key)
            if child is not None:
                self.check(child, item, (*path, key))
            elif node.structural and not node.keeps_unknown:
                known = sorted({*node.properties, *names})
                self.report("VSR441", (*path, key), "unknown field", _field_hint(key, known), at_key=True)
        for key in [*node.required, *sorted(names - {"metadata"} if path else ())]:
            if key not in value:
                self.report("VSR442", path, f"missing field `{key}`", f"Add `{key}`.")

    def _check_list(self, node: Node, value: list[Any], path: Path) -> None:
        if node.items is not None:
            for number, item in enumerate(value):
                self.check(node.items, item, (*path, number))
        for number, message in _repeated_items(node, value):
            self.report("VSR445", (*path, number), message, "Remove one of them.")

    def _check_string(self, node: Node, value: str, path: Path) -> None:
        pattern, form = node.raw.get("pattern"), node.raw.get("format")
        if isinstance(pattern, str) and patterns.available():
            found = patterns.compiled(pattern)
            if found is not None and found.search(value) is None:
                self.report(
                    "VSR444", path, f"{shown(value)} does not match the pattern", f"Match the pattern {pattern[:200]}"
                )
        if isinstance(form, str) and not formats.valid(form, value):
            self.report(
                "VSR444",
                path,
                f"{shown(value)} does not have the format {form}",
                f"Write it in the format {form}.",
                blocks=form in CEL_FORMATS,
            )

    def _fits(self, node: Node, value: Any, path: Path) -> bool:  # noqa: ANN401 - JSON of any form
        walk = Walk(self.budget)
        walk.check(node, value, path)
        return not walk.problems

    def all_of(self, nodes: list[Node], value: Any, path: Path) -> None:  # noqa: ANN401 - JSON of any form
        """Check a value against all of the schemas."""
        for node in nodes:
            self.check(node, value, path)

    def any_of(self, nodes: list[Node], value: Any, path: Path) -> None:  # noqa: ANN401 - as above
        """Check that a value fits at least one of the schemas."""
        if nodes and not any(self._fits(node, value, path) for node in nodes):
            expected = _fields(nodes)
            message = f"needs one of {expected}" if expected else "has none of the allowed forms"
            self.report(
                "VSR444", path, message, f"Set one of {expected}." if expected else "Use a form of the API reference."
            )

    def one_of(self, nodes: list[Node], value: Any, path: Path) -> None:  # noqa: ANN401 - as above
        """Check that a value fits exactly one of the schemas."""
        count = sum(self._fits(node, value, path) for node in nodes)
        if nodes and count != 1:
            names = [name for name in _names(nodes) if isinstance(value, dict) and name in value]
            fields = f"has {' and '.join(f'`{name}`' for name in names)}" if names else "has none of the allowed forms"
            self.report(
                "VSR444", path, f"{fields}; exactly one form is allowed", f"Set exactly one of: {_fields(nodes)}."
            )

    def none_of(self, nodes: list[Node], value: Any, path: Path) -> None:  # noqa: ANN401 - as above
        """Check that a value fits none of the schemas."""
        for node in nodes:
            if self._fits(node, value, path):
                self.report("VSR444", path, "has a form that is not allowed", f"Remove {_fields(nodes)}.")


_FORMS: dict[str, Callable[[Walk, list[Node], Any, Path], None]] = {
    "allOf": Walk.all_of,
    "anyOf": Walk.any_of,
    "oneOf": Walk.one_of,
    "not": Walk.none_of,
}
_TEXT = Node({"type": "string"})


def _names(nodes: list[Node]) -> list[str]:
    """Return the fields that schemas in `allOf`, `anyOf`, `oneOf` and `not` mention."""
    found: dict[str, None] = {}
    stack = list(reversed(nodes))
    while stack:
        node = stack.pop()
        found |= dict.fromkeys([*node.required, *node.properties])
        stack += [each for _, inner in node.forms for each in reversed(inner)]
    return list(found)


def _fields(nodes: list[Node]) -> str:
    return ", ".join(f"`{name}`" for name in _names(nodes)[:12])


def json_type(value: object) -> str:
    """Return the JSON type of a value."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int) or (isinstance(value, float) and value.is_integer()):
        return "integer"
    names = {float: "number", str: "string", list: "array", dict: "object"}
    return names.get(type(value), "null")


def _field_hint(key: str, known: list[str]) -> str:
    """Return a hint for an unknown field: a similar field, or the allowed ones."""
    return suggest(key, known) or "Remove it; no fields are allowed here."


def shown(value: object) -> str:
    """Return a value for a message, shortened."""
    return f"`{str(value)[:80]}`" + ("…" if len(str(value)) > 80 else "")  # noqa: PLR2004 - as cut


def _limit_problems(node: Node, value: Any) -> Iterator[tuple[str, str, bool]]:  # noqa: ANN401 - JSON of any form
    """Return the violations of a value's own limits, each with a hint and whether it blocks CEL rules."""
    raw = node.raw
    choices = raw.get("enum")
    if isinstance(choices, list) and not any(_same(each, value) for each in choices):
        listed = ", ".join(f"`{each}`" for each in choices[:20])
        yield f"`{str(value)[:80]}` is not allowed", f"Use one of: {listed}.", True
    if isinstance(value, int | float) and not isinstance(value, bool):
        yield from ((message, hint, False) for message, hint in _number(raw, value))
    else:
        yield from _size(raw, value)


def _number(raw: dict[str, Any], value: float) -> Iterator[tuple[str, str]]:
    low, high = raw.get("minimum"), raw.get("maximum")
    form_low, form_high = _RANGES.get(as_string(raw.get("format")), (None, None))
    for bound, least in ((low, True), (high, False), (form_low, True), (form_high, False)):
        if isinstance(bound, bool) or not isinstance(bound, int | float):
            continue
        word = "exclusiveMinimum" if least else "exclusiveMaximum"
        beyond = value < bound if least else value > bound
        if beyond or (raw.get(word) is True and value == bound):
            yield (
                f"{value} is too {'small' if least else 'large'}",
                f"Use {'at least' if least else 'at most'} {bound}.",
            )
            return
    step = raw.get("multipleOf")
    if isinstance(step, int | float) and not isinstance(step, bool) and step > 0 and value % step:
        yield f"{value} is not a multiple of {step}", f"Write a multiple of {step}."


def _size(raw: dict[str, Any], value: Any) -> Iterator[tuple[str, str, bool]]:  # noqa: ANN401 - JSON of any form
    for kind, least, most, unit in _SIZES:
        if not isinstance(value, kind):
            continue
        low, high, size = raw.get(least), raw.get(most), len(value)
        if isinstance(low, int) and size < low:
            empty = "must not be empty" if low == 1 else f"has {size} {unit}, fewer than {low}"
            yield empty, f"Use at least {low} {unit}.", False
        if isinstance(high, int) and size > high:
            yield f"has {size} {unit}, more than {high}", f"Use at most {high} {unit}.", True


def _same(first: object, second: object) -> bool:
    return isinstance(first, bool) == isinstance(second, bool) and first == second


def _repeated_items(node: Node, value: list[Any]) -> Iterator[tuple[int, str]]:
    """Return the duplicate items of a list whose items must differ, each with a message."""
    kind, keys = node.raw.get("x-kubernetes-list-type"), as_strings(node.raw.get("x-kubernetes-list-map-keys"))
    if kind not in {"set", "map"} and node.raw.get("uniqueItems") is not True:
        return
    seen: dict[str, int] = {}
    for number, item in enumerate(value):
        if kind == "map" and not isinstance(item, dict):
            continue
        part = {key: item.get(key) for key in keys} if kind == "map" else item
        name = json.dumps(part, sort_keys=True, default=str)
        if name in seen:
            same = ", ".join(f"{key} `{item.get(key)}`" for key in keys) if kind == "map" else f"`{str(item)[:80]}`"
            yield number, f"has the same {same} as item {seen[name]}" if kind == "map" else f"repeats {same}"
        seen.setdefault(name, number)


def _is_quantity(value: object) -> bool:
    """Whether a string or number is a Kubernetes quantity."""
    if isinstance(value, float):
        return math.isfinite(value)
    return isinstance(value, int) or parse_quantity(value) is not None
