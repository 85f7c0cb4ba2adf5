"""The schema of policies in the form that SchemaStore accepts: Ajv's strict mode, draft-07, an ``$id`` of its own.

Strict mode knows no list of types, and a required field must be a property of its schema. What is valid is the same.
Source: CONTRIBUTING.md and cli.js of SchemaStore, 2026-11.
"""

from __future__ import annotations

from typing import Any

Schema = dict[str, Any]
NAME = "vsr-routing-policy"
"""The name of the schema in SchemaStore."""
ADDRESS = f"https://www.schemastore.org/{NAME}.json"
FILES = ("*.routing-policy.yaml", "*.routing-policy.yml", "routing-policy.yaml", "routing-policy.yml")
"""Names of files that are policies whoever has written them."""
_OF_TYPE = {
    "string": {"pattern", "format", "minLength", "maxLength"},
    "number": {"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"},
    "integer": {"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"},
    "array": {"items", "minItems", "maxItems", "uniqueItems", "contains"},
    "object": {"properties", "required", "additionalProperties", "patternProperties", "propertyNames"}
    | {"minProperties", "maxProperties"},
    "boolean": set(),
    "null": set(),
}
"""Keywords by the type of value that they are about."""
_OF_ANY = frozenset({"enum", "const"})


def entry() -> Schema:
    """Return the entry of SchemaStore's catalog."""
    return {
        "name": "vsr-compile routing policy",
        "description": "How LLM traffic is routed: models, signals, guards, routes and environments",
        "fileMatch": list(FILES),
        "url": ADDRESS,
    }


def schemastore(schema: Schema) -> Schema:
    """Return a schema of policies in SchemaStore's form."""
    return {**_strict(schema), "$id": ADDRESS}


def _strict(node: Any) -> Any:  # noqa: ANN401 - a part of a schema
    if isinstance(node, list):
        return [_strict(item) for item in node]
    if not isinstance(node, dict):
        return node
    made = {
        key: {name: _strict(item) for name, item in value.items()} if key in _MAPPINGS else _strict(value)
        for key, value in node.items()
        if key not in _VALUES
    } | {key: node[key] for key in _VALUES if key in node}
    if isinstance(made.get("type"), list):
        made = _one_type_each(made)
    missing = [name for name in made.get("required", ()) if name not in made.get("properties", {})]
    if missing:
        made["properties"] = {**made.get("properties", {}), **dict.fromkeys(missing, True)}
        made.setdefault("type", "object")
    return made


_MAPPINGS = frozenset({"properties", "patternProperties", "definitions"})
"""Keywords whose value is a schema for each name."""
_VALUES = ("default", "enum", "const", "examples")
"""Keywords whose value is data."""


def _one_type_each(node: Schema) -> Schema:
    """Return a schema with a choice of types in place of a list of them."""
    special = set[str]().union(*_OF_TYPE.values()) | _OF_ANY | {"type"}
    choices = []
    for kind in node["type"]:
        own = {key: value for key, value in node.items() if key in _OF_TYPE[kind]}
        if "enum" in node:
            values = [value for value in node["enum"] if _is(value, kind)]
            if not values:
                continue
            own["enum"] = values
        if "const" in node:
            if not _is(node["const"], kind):
                continue
            own["const"] = node["const"]
        choices.append({"type": kind, **own})
    if "anyOf" in node:
        raise ValueError("a list of types beside anyOf has no form here")
    return {**{key: value for key, value in node.items() if key not in special}, "anyOf": choices}


def _is(value: object, kind: str) -> bool:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return {
        "string": isinstance(value, str),
        "number": number,
        "integer": number and float(str(value)).is_integer(),
        "boolean": isinstance(value, bool),
        "null": value is None,
        "array": isinstance(value, list),
        "object": isinstance(value, dict),
    }[kind]
