"""The tables of ``docs/reference/policy.md``: fields of the policy with type, default and description.

Run ``python tests/support/policy_reference.py`` to rewrite the tables in the page; a test compares both.
"""

from __future__ import annotations

import re
import sys
from typing import Any

from support.common import ROOT
from vsr_compiler.targets import environment_targets
from vsr_schemas import export

PAGE = ROOT / "docs" / "reference" / "policy.md"
SCHEMA: dict[str, Any] = export.policy(environment_targets())
_TABLE = re.compile(r"(<!-- fields: (?P<path>\S*) -->\n\n)(?:\|.*\n)*\n?(<!-- end -->)")
_FORMS = {
    "A duration": "duration",
    "A quantity": "bytes",
    "A DNS label": "DNS label",
    "A name that a header": "model name",
    "A lower-case header": "header name",
    "An amount": "quantity",
}


def form(node: dict[str, Any]) -> str:
    """The type of a value in words."""
    if "allOf" in node or "$ref" in node:
        return "mapping"
    if "anyOf" in node:
        return " or ".join(dict.fromkeys(form(child) for child in node["anyOf"]))
    if "enum" in node or "const" in node:
        return ", ".join(f"`{value}`" for value in node.get("enum", [node.get("const")]))
    match node["type"]:
        case "array":
            words = f"list of {plural(form(node['items']))}"
        case "object" if not isinstance(node.get("additionalProperties"), dict):
            words = "mapping"
        case "object":
            words = f"mapping of names to {plural(form(node['additionalProperties']))}"
        case "integer" | "number" as kind:
            words = kind + bounds(node)
        case "boolean":
            words = "boolean"
        case _:
            words = string(node)
    return words


def string(node: dict[str, Any]) -> str:
    """The form of a string, by its pattern."""
    for pattern, words in export.WORDS.items():
        if pattern and pattern == node.get("pattern"):
            return next(short for start, short in _FORMS.items() if words.startswith(start))
    return "string"


def plural(words: str) -> str:
    """The plural of a type, or the words as they are if they list values."""
    if words.startswith("`") or "," in words or words == "bytes":
        return words
    if words.startswith("list of "):
        return words.replace("list", "lists", 1)
    return f"{words[:-1]}ies" if words.endswith("y") else f"{words}s"


def bounds(node: dict[str, Any]) -> str:
    """The range of a number."""
    low, high = node.get("minimum"), node.get("maximum")
    if "exclusiveMinimum" in node:
        return f", over {node['exclusiveMinimum']:g} to {high:,g}"
    if "exclusiveMaximum" in node:
        return f", {low:g} to under {node['exclusiveMaximum']:g}"
    if high is None:
        return f", {low:,g} or more" if low is not None else ""
    return f", {low:,g} to {high:,d}" if isinstance(high, int) else f", {low:g} to {high:g}"


def default(node: dict[str, Any], *, required: bool) -> str:
    """The default as the file spells it."""
    if required:
        return "required"
    if "default" not in node:
        return ""
    value = node["default"]
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    return f"`[{', '.join(value)}]`" if isinstance(value, list) else f"`{value}`"


def table(path: str) -> str:
    """The table of one section."""
    node = export.section(SCHEMA, path)
    rows = [
        (
            f"`{name}`",
            form(child),
            default(child, required=name in node.get("required", [])),
            child["description"],
        )
        for name, child in node["properties"].items()
    ]
    return "".join(f"| {' | '.join(row)} |\n" for row in [("field", "type", "default", "meaning"), ("---",) * 4, *rows])


def page(current: str) -> str:
    """The page with the tables of today."""
    return _TABLE.sub(lambda match: f"{match[1]}{table(match['path'])}\n{match[3]}", current)


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
    sys.stdout.write(f"{PAGE.relative_to(ROOT)}\n")
