"""Conversion of nodes to plain data for the schema, and of schema errors to findings with positions."""

from __future__ import annotations

import types
import typing
from collections.abc import Iterator, Sequence
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from vsr_compiler.diagnostics import MAX_FINDINGS, CompileError, Diagnostic, Span
from vsr_compiler.diagnostics.suggestions import nearest, suggest
from vsr_compiler.syntax.document import Document, Path
from vsr_compiler.syntax.nodes import Mapping, Node, Scalar
from vsr_compiler.syntax.secrets import secrets
from vsr_compiler.syntax.versions import COMMAND, judge
from vsr_schemas.policy.v1alpha1.moved import MOVED
from vsr_schemas.scalars import Plain, in_units
from vsr_schemas.shapes import TAGS

MAX_QUOTE = 60
M = TypeVar("M", bound=BaseModel)
_SHAPES = {
    "dict_type": "a mapping",
    "model_type": "a mapping",
    "model_attributes_type": "a mapping",
    "list_type": "a list",
}
_CODES = {"scalar": "VSR103", "string_type": "VSR103"}
_BOUNDS = {
    "greater_than_equal": ("at least", "ge"),
    "greater_than": ("more than", "gt"),
    "less_than_equal": ("at most", "le"),
    "less_than": ("less than", "lt"),
}


def to_data(node: Node) -> Any:  # noqa: ANN401 - whatever the file holds
    """Return dicts, lists and strings; unquoted scalars as ``Plain``."""
    if isinstance(node, Scalar):
        return Plain(node.text) if node.plain else node.text
    if isinstance(node, Mapping):
        return {key: to_data(value) for key, (_, value) in node.entries.items()}
    return [to_data(item) for item in node.items]


def parse(document: Document, model: type[M]) -> M:
    """Validate a document against a schema model.

    Raises:
        CompileError: VSR101 to VSR104, all at once. VSR227 replaces the findings about a value that is a secret.
    """
    try:
        return model.model_validate(to_data(document.root))
    except ValidationError as error:
        # Converting errors is slow, so only a few more are converted than are shown.
        details = error.errors(include_url=False)[: MAX_FINDINGS * 2]
        leaked = secrets(document)
        diagnostics = [
            _diagnostic(document, model, detail)
            for detail in details
            if not _follows(model, detail, details)
            and (detail["type"] == "extra_forbidden" or _path(detail) not in leaked)
        ]
        raise CompileError(dict.fromkeys([*leaked.values(), *diagnostics])) from None


def _path(detail: ErrorDetails) -> Path:
    """Return the path of an error, without the tags of unions. The name of an unknown key is never a tag."""
    last = len(detail["loc"]) - 1
    return tuple(
        step
        for at, step in enumerate(detail["loc"])
        if step not in TAGS or (detail["type"] == "extra_forbidden" and at == last)
    )


def _follows(model: type[BaseModel], detail: ErrorDetails, others: Sequence[ErrorDetails]) -> bool:
    """Return whether a missing key is due to a misspelt one, which has its own finding."""
    if detail["type"] != "missing":
        return False
    parent, key = detail["loc"][:-1], str(detail["loc"][-1])
    known = list(_keys(model, parent))
    misspelt = [
        other["loc"][-1] for other in others if other["type"] == "extra_forbidden" and other["loc"][:-1] == parent
    ]
    return any(nearest(str(word), known) == key for word in misspelt)


def _diagnostic(  # noqa: PLR0911 - one return for each kind of error
    document: Document, model: type[BaseModel], detail: ErrorDetails
) -> Diagnostic:
    """Return a schema error as a finding."""
    kind, path = detail["type"], _path(detail)
    if path and path[-1] == "[key]":
        # Pydantic reports an error about a key itself as ``…, key, "[key]"``.
        return Diagnostic(_CODES.get(kind, "VSR104"), _first_lower(detail["msg"]), document.span(path[:-1], key=True))
    if kind == "extra_forbidden":
        known = list(_keys(model, path[:-1]))
        message = f"unknown key `{path[-1]}`"
        moved = MOVED.get(tuple(str(step) for step in path))
        hint = f"{moved} Or convert the file: `{COMMAND}`." if moved else suggest(str(path[-1]), known, limit=20)
        return Diagnostic("VSR101", message, document.span(path, key=True), hint)
    if kind == "missing":
        where = f" in {_entry(path[:-1])}" if len(path) > 1 else ""
        span = document.span(path[:-1], key=True)
        return Diagnostic("VSR102", f"missing key `{path[-1]}`{where}", span, f"Add `{path[-1]}:`.")
    span = document.span(path)
    if kind == "literal_error":
        return _literal(model, detail, path, span)
    if kind in _SHAPES:
        return Diagnostic("VSR103", f"expected {_SHAPES[kind]}", span, _shape_hint(_SHAPES[kind], model, path))
    if kind in _BOUNDS:
        word, key = _BOUNDS[kind]
        node = document.node(path)
        bound = in_units(detail["ctx"][key], node.text if isinstance(node, Scalar) else "")
        return Diagnostic("VSR104", f"expected {word} {bound}", span)
    if kind in _CODES:
        return Diagnostic(_CODES[kind], _first_lower(detail["msg"]), span)
    if kind in {"too_short", "string_too_short"}:
        return Diagnostic("VSR104", "expected at least one entry, found none", span, "Add one, or remove the key.")
    return Diagnostic("VSR104", _first_lower(detail["msg"].replace("Input", "the value")), span)


def _literal(model: type[BaseModel], detail: ErrorDetails, path: Path, span: Span) -> Diagnostic:
    """Return the finding about a word that is none of those that are allowed."""
    if path == ("apiVersion",) and (judged := judge(str(detail["input"]), span)) is not None:
        return judged
    allowed = [word.strip("'") for word in detail["ctx"]["expected"].replace(" or ", ", ").split(", ")]
    message = f"`{_clip(detail['input'])}` is not allowed here"
    hint = suggest(str(detail["input"]), allowed)
    others = _other_shapes(model, path)
    if others and not hint.startswith("Did"):
        # The value was probably meant as the mapping or list that is allowed, too.
        hint = f"Write {_listed(allowed)}, or {others}."
    return Diagnostic("VSR104", message, span, hint)


def _keys(model: type[BaseModel], path: Path) -> Iterator[str]:
    """Return the keys that the schema defines at a path."""
    for part in _walk(model, path):
        if isinstance(part, type) and issubclass(part, BaseModel):
            yield from (field.alias or name for name, field in part.model_fields.items())


def _other_shapes(model: type[BaseModel], path: Path) -> str:
    """Describe the mapping or list that is allowed at a path."""
    if keys := list(_keys(model, path)):
        return f"a mapping with {_listed(keys)}"
    return "a list" if any(typing.get_origin(part) is list for part in _walk(model, path)) else ""


def _walk(annotation: Any, path: Path) -> Iterator[Any]:  # noqa: ANN401 - a type annotation of any form
    """Return the annotations of the types at a path."""
    origin = typing.get_origin(annotation)
    if origin is typing.Annotated:
        yield from _walk(typing.get_args(annotation)[0], path)
    elif origin in (typing.Union, types.UnionType):
        for part in typing.get_args(annotation):
            yield from _walk(part, path)
    elif not path:
        yield annotation
    elif origin in (list, dict):
        yield from _walk(typing.get_args(annotation)[-1], path[1:])
    elif isinstance(annotation, type) and issubclass(annotation, BaseModel):
        for name, field in annotation.model_fields.items():
            if (field.alias or name) == path[0]:
                yield from _walk(field.annotation, path[1:])


def _entry(path: Path) -> str:
    """Describe a path."""
    last = path[-1]
    return f"entry {last + 1} of `{path[-2]}`" if isinstance(last, int) and len(path) > 1 else f"`{last}`"


def _shape_hint(shape: str, model: type[BaseModel], path: Path) -> str:
    if shape != "a mapping":
        return "Write `- item` lines below it, or `[a, b]`."
    keys = list(_keys(model, path))
    return f"Its keys are {_listed(keys)}." if keys else "Write `name: value` lines below it."


def _listed(words: Sequence[str]) -> str:
    return ", ".join(f"`{word}`" for word in words)


def _first_lower(text: str) -> str:
    return text[:1].lower() + text[1:]


def _clip(value: object) -> str:
    text = str(value)
    return text if len(text) <= MAX_QUOTE else text[: MAX_QUOTE - 3] + "..."
