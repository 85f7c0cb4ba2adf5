"""Exports the schemas as JSON Schema draft-07, which yaml-language-server and most validators read.

Pydantic generates 2020-12 for the values that Python sees. This module converts it to what a YAML file can contain:
text can be an unquoted number, a duration has a unit, and an optional field is absent rather than null. Descriptions of
a policy's fields are those of the reference page; those of a report come from the docstrings of its sections.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from pydantic import BaseModel, TypeAdapter

from vsr_schemas.base import camel
from vsr_schemas.policy.v1alpha1 import KINDS, PolicySpec
from vsr_schemas.policy.v1alpha1.descriptions import DESCRIPTIONS
from vsr_schemas.policy.v1alpha1.imports import FRAGMENT_KIND, LISTS, MAPPINGS
from vsr_schemas.policy.v1alpha1.tests import CONTENTS, TURN_CONTENTS
from vsr_schemas.reports import Report
from vsr_schemas.scalars import Amount, Bytes, Header, HeaderName, Label, Milliseconds, Port, in_units

DRAFT = "http://json-schema.org/draft-07/schema#"
HOME = "https://vsr.dev/schemas"
Schema = dict[str, Any]

BOUNDS = {"ge": "minimum", "gt": "exclusiveMinimum", "le": "maximum", "lt": "exclusiveMaximum"}
EXACTLY_ONE = {
    "Assertion": ("never", "always"),
    "CloudAuth": ("aws", "gcp", "azure"),
    "Endpoint": ("vllm", "service", "pods", "external", "route", "pool.existing"),
    "KeyReference": ("secret", "configMap"),
    "Route": ("model", "split", "respond"),
    "Signal": KINDS,
    "Structure": ("pattern", "keywords"),
    "Test": CONTENTS,
    "Turn": TURN_CONTENTS,
    "Volume": ("pvc", "emptyDir", "configMap", "secret"),
}
"""Sections that take exactly one of these fields; a dot leads to one of a field's own. Validators enforce the same."""
AT_LEAST_ONE = {
    "Conversation": ("min", "max"),
    "Expectation": ("category", "route", "model", "guards", "error"),
    "Guard": ("detector", "types", "patterns"),
    "Range": ("min", "max"),
    "Role": ("users", "groups"),
    "Structure": ("min", "max"),
}
ONLY_ONE_KEY = ("Condition",)
NESTED = frozenset(
    {"properties", "items", "prefixItems", "additionalProperties", "patternProperties", "propertyNames"}
    | {"anyOf", "oneOf", "allOf"}
)
TEXT = ["string", "number", "boolean"]
"""Types that an editor infers for unquoted text: `1e3`, `12` and `true` are valid names."""


def policy(targets: Iterable[str]) -> Schema:
    """Return the schema of a policy file.

    Args:
        targets: The targets that an environment can name.
    """
    made = _Converter(PolicySpec, file=True).whole()
    target = made["definitions"]["Environment"]["properties"]["target"]
    made["definitions"]["Environment"]["properties"]["target"] = {
        "default": target["default"],
        "enum": list(targets),
        "type": "string",
    }
    for path, fields in DESCRIPTIONS.items():
        for name, text in fields.items():
            field = section(made, path)["properties"][name]
            field["description"] = text + _written(field)
    return {"$schema": DRAFT, "$id": f"{HOME}/routing-policy.schema.json", "title": "RoutingPolicy", **made}


def _required(path: str) -> Schema:
    """Return the condition that a field is written, or one inside of it."""
    key, _, rest = path.partition(".")
    return {"required": [key]} | ({"properties": {key: _required(rest)}} if rest else {})


def fragment(targets: Iterable[str]) -> Schema:
    """Return the schema of a fragment, from that of a policy."""
    whole = policy(targets)
    properties = {name: whole["properties"][name] for name in ("apiVersion", "imports", *MAPPINGS, *LISTS)}
    for name in (*MAPPINGS, *LISTS):
        properties[name] = {key: value for key, value in properties[name].items() if not key.startswith("min")}
    properties["kind"] = {"const": FRAGMENT_KIND, "description": "Kind of the file."}
    identity = {"$id": f"{HOME}/routing-policy-fragment.schema.json", "title": FRAGMENT_KIND}
    return {**whole, **identity, "properties": properties, "required": ["apiVersion", "kind"]}


def section(schema: Schema, path: str) -> Schema:
    """Return the part of a policy's schema at a path of `DESCRIPTIONS`."""
    node = schema
    for name in re.findall(r"[^.\[\]*]+", path):
        (reference,) = dict.fromkeys(re.findall(r"#/definitions/(\w+)", str(node["properties"][name])))
        node = schema["definitions"][reference]
    return node


def report() -> Schema:
    """Return the schema of the JSON report."""
    made = _Converter(Report, file=False).whole()
    made["properties"]["apiVersion"]["description"] = "The version of this report's form."
    made["properties"]["kind"]["description"] = "What this document is."
    return {"$schema": DRAFT, "$id": f"{HOME}/report.schema.json", "title": "Report", **made}


def _written(field: Schema) -> str:
    """Return how a duration or a quantity is written; nothing for other fields."""
    pattern = str(field.get("pattern"))
    return f" Written as {WORDS[pattern].split(' such as ')[1]}" if pattern in (DURATION, QUANTITY) else ""


def _pattern(scalar: Any) -> str:  # noqa: ANN401 - an annotated type
    return str(TypeAdapter(scalar).json_schema().get("pattern", ""))


DURATION, QUANTITY = _pattern(Milliseconds), _pattern(Bytes)
PORT = TypeAdapter(Port).json_schema()
WORDS = {
    DURATION: "A duration such as `1s` or `300ms`.",
    QUANTITY: "A quantity of bytes such as `8Mi`.",
    _pattern(Label): "A DNS label: lower-case letters, digits and `-`, at most 63.",
    _pattern(Header): "A name that a header can carry: printable ASCII without blanks.",
    _pattern(HeaderName): "A lower-case header name.",
    _pattern(Amount): "An amount such as `500m`, `2` or `16Gi`.",
}


class _Converter:
    """Converts a model and everything below it. ``file``: the document is written by hand, in YAML."""

    def __init__(self, model: type[BaseModel], *, file: bool) -> None:
        self._made = model.model_json_schema(by_alias=True, mode="validation")
        definitions: dict[str, Schema] = self._made.pop("$defs", {})
        self._definitions = {_public(name): body for name, body in definitions.items()}
        self._file = file
        self._names = set(self._spellings(self._made)) | {
            name for body in self._definitions.values() for name in self._spellings(body)
        }

    @staticmethod
    def _spellings(body: Schema) -> list[str]:
        return list(body.get("properties", {}))

    def whole(self) -> Schema:
        """Return the schema, with its sections under ``definitions``."""
        made = self._section("", self._made)
        definitions = {name: self._section(name, body) for name, body in sorted(self._definitions.items())}
        return {**made, "definitions": definitions}

    def _section(self, name: str, schema: Schema) -> Schema:
        made = self._node({key: value for key, value in schema.items() if key != "properties"})
        prose = schema.get("description", "")
        if prose:
            made["description"] = self._prose(prose)
        if "properties" in schema:
            made["properties"] = {key: self._key(key, value, prose) for key, value in schema["properties"].items()}
        if name in ONLY_ONE_KEY:
            made |= {"minProperties": 1, "maxProperties": 1}
        if name in EXACTLY_ONE:
            made["oneOf"] = [_required(key) for key in EXACTLY_ONE[name]]
        if name in AT_LEAST_ONE:
            made["anyOf"] = [{"required": [key]} for key in AT_LEAST_ONE[name]]
        return made

    def _key(self, key: str, schema: Schema, prose: str) -> Schema:
        """Return a field's schema with a description: the sentences of its section that name it, or its type's."""
        made = self._node(schema)
        own = [each for each in _sentences(prose) if re.search(rf"``{re.escape(key)}\b", self._respell(each))]
        below = schema.get("description") or self._reference(schema) or self._type(made) or next(_sentences(prose), "")
        description = self._prose(" ".join(own) or below)
        if "$ref" in made:
            # Draft-07 ignores other keywords next to a reference.
            made = {"allOf": [{"$ref": made.pop("$ref")}], **made}
        return {"description": description, **made} if description else made

    def _reference(self, schema: Schema) -> str:
        """Return the first paragraph of the section in a field, directly, in a list or in a mapping."""
        for name in re.findall(r"'\$ref': '#/\$defs/(\w+)'", str(schema)):
            return str(self._definitions[_public(name)].get("description", "")).split("\n\n")[0]
        return ""

    def _type(self, made: Schema) -> str:
        if {"minimum", "maximum"} <= made.keys() and (made["minimum"], made["maximum"]) == (1, PORT.get("le", 65535)):
            return "A port number."
        return WORDS.get(str(made.get("pattern", "")), "")

    def _node(self, schema: Schema) -> Schema:
        """Convert any schema to draft-07."""
        schema = _without_null(schema)
        made: Schema = {}
        for key, value in schema.items():
            made |= self._nested(key, value) if key in NESTED else _plain(key, value, schema)
        if self._file and made.get("type") == "string" and not {"enum", "const"} & made.keys():
            made["type"] = "string" if made.get("pattern") == DURATION else TEXT
        return made

    def _nested(self, key: str, value: Any) -> Schema:  # noqa: ANN401 - whatever JSON can hold
        """Convert a keyword that contains schemas."""
        match key:
            case "properties":
                return {key: {name: self._node(child) for name, child in value.items()}}
            case "prefixItems":
                return {"items": [self._node(child) for child in value]}
            case "patternProperties":
                ((pattern, child),) = value.items()
                return {"propertyNames": {"pattern": pattern}, "additionalProperties": self._node(child)}
            case "anyOf" | "oneOf" | "allOf":
                return {"allOf" if key == "allOf" else "anyOf": [self._node(child) for child in value]}
            case _:
                return {key: self._node(value) if isinstance(value, dict) else value}

    def _prose(self, text: str) -> str:
        """Convert a docstring to a description, with fields in the spelling of the file."""
        paragraphs = [" ".join(part.split()) for part in self._respell(text).split("\n\n")]
        return "\n\n".join(paragraphs).replace("``", "`")

    def _respell(self, text: str) -> str:
        def spelling(match: re.Match[str]) -> str:
            return f"``{camel(match[1])}``" if camel(match[1]) in self._names else match[0]

        return re.sub(r"``(\w+)``", spelling, text)


def _public(name: str) -> str:
    """Return the name of a definition: that of its class, without the suffix of schema models."""
    return name.removesuffix("Spec")


def _sentences(prose: str) -> Any:  # noqa: ANN401 - an iterator of text
    """Return the sentences of a docstring."""
    return iter([part for part in re.split(r"(?<=[.])\s+(?=[A-Z`])", prose.strip()) if part])


def _without_null(schema: Schema) -> Schema:
    """Remove null from a schema: an optional field is absent, and the parser rejects null."""
    branches = schema.get("anyOf")
    if not branches or {"type": "null"} not in branches:
        return schema
    rest = [branch for branch in branches if branch != {"type": "null"}]
    outside = {key: value for key, value in schema.items() if key != "anyOf"}
    return {**rest[0], **outside} if len(rest) == 1 else {"anyOf": rest, **outside}


def _plain(key: str, value: Any, schema: Schema) -> Schema:  # noqa: ANN401 - whatever JSON can hold
    """Convert a keyword that contains no schema."""
    if key in {"title", "discriminator"}:
        return {}
    if key == "$ref":
        return {key: f"#/definitions/{_public(value.removeprefix('#/$defs/'))}"}
    if key in BOUNDS:
        # A bound of a duration or a quantity is in milliseconds or bytes, unlike the value in the file.
        return {BOUNDS[key]: value} if schema.get("type") in ("integer", "number") else {}
    return _default(value, schema.get("pattern")) if key == "default" else {key: value}


def _default(value: Any, pattern: object) -> Schema:  # noqa: ANN401 - whatever JSON can hold
    """Return the default in the spelling of the file; nothing for an empty default."""
    if value is None or isinstance(value, dict) or value == []:
        return {}
    if isinstance(value, int) and pattern in {DURATION, QUANTITY}:
        return {"default": in_units(value, "1s" if pattern == DURATION else "1Ki")}
    return {"default": value}
