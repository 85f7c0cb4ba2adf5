"""A structural schema, read lazily: only the parts that an object has are looked at, however large the schema is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from vsr_compiler.verify.manifest import Body, rows, table, text, texts

MAX_RULES = 1000
_TIMES = frozenset({"date", "date-time", "duration", "byte"})
"""Formats whose texts CEL takes for other types."""


class Ref(Body):
    """A schema that is made when it is needed, so that one may hold itself."""

    def __init__(self, load: Callable[[], Body]) -> None:
        super().__init__()
        self.load = load


@dataclass(frozen=True, slots=True)
class Rule:
    """An entry of `x-kubernetes-validations`, as it is written."""

    rule: str
    message: str
    message_expression: str
    field_path: str
    optional_old: bool


class Node:
    """One level of a schema. A malformed keyword counts as absent: an API server never held such a schema.

    Attributes:
        raw: The schema as it is written.
        structural: Whether it says which fields there are; the schemas in `allOf`, `anyOf`, `oneOf`, `not` do not.
        top: Whether it is an object's root, or an embedded one, which has apiVersion, kind and metadata besides.
    """

    def __init__(self, raw: Body, *, structural: bool = True, top: bool = False) -> None:
        self.raw: Body = raw.load() if isinstance(raw, Ref) else raw
        self.structural = structural
        self.top = top or self.raw.get("x-kubernetes-embedded-resource") is True
        self.type = text(self.raw.get("type"))
        self.nullable = self.raw.get("nullable") is True
        self.int_or_string = self.raw.get("x-kubernetes-int-or-string") is True
        self.properties = table(self.raw.get("properties"))
        self.keeps_unknown = self.raw.get("x-kubernetes-preserve-unknown-fields") is True
        self._children: dict[str, Node | None] = {}

    @cached_property
    def additional(self) -> Node | None:
        """The schema of a map's values; None where it is no map."""
        found = self.raw.get("additionalProperties")
        if isinstance(found, dict):
            return Node(found, structural=self.structural)
        return Node({"x-kubernetes-preserve-unknown-fields": True}) if found is True else None

    @cached_property
    def items(self) -> Node | None:
        """The schema of a list's items."""
        found = self.raw.get("items")
        return Node(found, structural=self.structural) if isinstance(found, dict) else None

    @cached_property
    def defaults(self) -> list[tuple[str, Any]]:
        """The fields that are filled in, with what."""
        found = [(name, child) for name, child in self.properties.items() if isinstance(child, dict)]
        return [(name, child["default"]) for name, child in found if child.get("default") is not None]

    @cached_property
    def required(self) -> list[str]:
        """The fields that must be there."""
        return texts(self.raw.get("required"))

    @cached_property
    def weight(self) -> int:
        """About how many things of it one look takes in."""
        choices = self.raw.get("enum")
        return 1 + len(self.raw) + len(self.required) + (len(choices) if isinstance(choices, list) else 0)

    @cached_property
    def rules(self) -> list[Rule]:
        """Its CEL rules."""
        return [
            Rule(
                text(each.get("rule")),
                text(each.get("message")),
                text(each.get("messageExpression")),
                text(each.get("fieldPath")),
                each.get("optionalOldSelf") is True,
            )
            for each in rows(self.raw.get("x-kubernetes-validations"))[:MAX_RULES]
        ]

    @cached_property
    def has_times(self) -> bool:
        """Whether something in it is of a format that CEL knows as a type of its own."""
        stack: list[Any] = [self.raw]
        while stack:
            value = stack.pop()
            if isinstance(value, dict):
                if value.get("format") in _TIMES:
                    return True
                stack += value.values()
            elif isinstance(value, list):
                stack += value
        return False

    def child(self, name: str) -> Node | None:
        """The schema of a field; None where it has none."""
        if name not in self._children:
            found = self.properties.get(name)
            known = Node(found, structural=self.structural) if isinstance(found, dict) else self.additional
            self._children[name] = known
        return self._children[name]

    def within(self, keyword: str) -> list[Node]:
        """The schemas in `allOf`, `anyOf`, `oneOf` or `not`."""
        found = self.raw.get(keyword)
        return [Node(each, structural=False) for each in rows(found if isinstance(found, list) else [found])]

    def forms(self) -> list[tuple[str, list[Node]]]:
        """All of these that it has, by keyword."""
        return self._forms

    @cached_property
    def _forms(self) -> list[tuple[str, list[Node]]]:
        return [(word, self.within(word)) for word in ("allOf", "anyOf", "oneOf", "not") if word in self.raw]
