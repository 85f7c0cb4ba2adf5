"""A structural schema that is read lazily: only the parts that an object uses are visited."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from vsr_compiler.verify.manifest import Body, as_mapping, as_mappings, as_string, as_strings

MAX_RULES = 1000
CEL_FORMATS = frozenset({"date", "date-time", "duration", "byte"})
"""Formats whose strings have another type in CEL."""


class Ref(Body):
    """A schema that is loaded on first use, so that schemas may be recursive."""

    def __init__(self, load: Callable[[], Body]) -> None:
        super().__init__()
        self.load = load


@dataclass(frozen=True, slots=True)
class Rule:
    """An entry of `x-kubernetes-validations`."""

    rule: str
    message: str
    message_expression: str
    field_path: str
    optional_old: bool


class Node:
    """One level of a schema. Malformed keywords are ignored: an API server does not accept such a schema.

    Attributes:
        raw: The schema as JSON.
        structural: Whether it defines the allowed fields; the schemas in `allOf`, `anyOf`, `oneOf` and `not` do not.
        top: Whether it is the root of an object or of an embedded object, with apiVersion, kind and metadata.
    """

    def __init__(self, raw: Body, *, structural: bool = True, top: bool = False) -> None:
        self.raw: Body = raw.load() if isinstance(raw, Ref) else raw
        self.structural = structural
        self.top = top or self.raw.get("x-kubernetes-embedded-resource") is True
        self.type = as_string(self.raw.get("type"))
        self.nullable = self.raw.get("nullable") is True
        self.int_or_string = self.raw.get("x-kubernetes-int-or-string") is True
        self.properties = as_mapping(self.raw.get("properties"))
        self.keeps_unknown = self.raw.get("x-kubernetes-preserve-unknown-fields") is True
        self._children: dict[str, Node | None] = {}

    @cached_property
    def additional(self) -> Node | None:
        """The schema of a map's values; None if it is not a map."""
        schema = self.raw.get("additionalProperties")
        if isinstance(schema, dict):
            return Node(schema, structural=self.structural)
        return Node({"x-kubernetes-preserve-unknown-fields": True}) if schema is True else None

    @cached_property
    def items(self) -> Node | None:
        """The schema of a list's items."""
        schema = self.raw.get("items")
        return Node(schema, structural=self.structural) if isinstance(schema, dict) else None

    @cached_property
    def defaults(self) -> list[tuple[str, Any]]:
        """The fields with defaults, with their values."""
        schema = [(name, child) for name, child in self.properties.items() if isinstance(child, dict)]
        return [(name, child["default"]) for name, child in schema if child.get("default") is not None]

    @cached_property
    def required(self) -> list[str]:
        """The required fields."""
        return as_strings(self.raw.get("required"))

    @cached_property
    def weight(self) -> int:
        """Number of keywords and values that one visit costs, approximately."""
        choices = self.raw.get("enum")
        return 1 + len(self.raw) + len(self.required) + (len(choices) if isinstance(choices, list) else 0)

    @cached_property
    def rules(self) -> list[Rule]:
        """Its CEL rules."""
        return [
            Rule(
                as_string(each.get("rule")),
                as_string(each.get("message")),
                as_string(each.get("messageExpression")),
                as_string(each.get("fieldPath")),
                each.get("optionalOldSelf") is True,
            )
            for each in as_mappings(self.raw.get("x-kubernetes-validations"))[:MAX_RULES]
        ]

    @cached_property
    def has_cel_types(self) -> bool:
        """Whether any part of it has a format with its own type in CEL."""
        stack: list[Any] = [self.raw]
        while stack:
            value = stack.pop()
            if isinstance(value, dict):
                # A property may have the name `format`.
                if as_string(value.get("format")) in CEL_FORMATS:
                    return True
                stack += value.values()
            elif isinstance(value, list):
                stack += value
        return False

    def child(self, name: str) -> Node | None:
        """Return the schema of a field; None if there is none."""
        if name not in self._children:
            schema = self.properties.get(name)
            known = Node(schema, structural=self.structural) if isinstance(schema, dict) else self.additional
            self._children[name] = known
        return self._children[name]

    def _subschemas(self, keyword: str) -> list[Node]:
        """Return the schemas in `allOf`, `anyOf`, `oneOf` or `not`."""
        schema = self.raw.get(keyword)
        return [Node(each, structural=False) for each in as_mappings(schema if isinstance(schema, list) else [schema])]

    @cached_property
    def forms(self) -> list[tuple[str, list[Node]]]:
        """The schemas in `allOf`, `anyOf`, `oneOf` and `not`, by keyword."""
        return [(word, self._subschemas(word)) for word in ("allOf", "anyOf", "oneOf", "not") if word in self.raw]
