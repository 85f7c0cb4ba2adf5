"""Unions that are discriminated by the shape of the value in the file, so that one mistake gives one message."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, Discriminator, Tag

TEXT, LIST, MAPPING = "<text>", "<list>", "<mapping>"
TAGS = frozenset({TEXT, LIST, MAPPING})
"""Parts of an error location that name the chosen branch of a union."""
_WORDS = {TEXT: "text", LIST: "a list", MAPPING: "a mapping"}


def _shape(value: Any) -> str:  # noqa: ANN401 - whatever the file holds
    # Serialising calls this too, and then a mapping is a model already.
    return MAPPING if isinstance(value, (dict, BaseModel)) else LIST if isinstance(value, list) else TEXT


def by_shape(*shapes: str) -> Discriminator:
    """Return a discriminator that chooses the branch with the value's shape, and rejects other shapes."""
    expected = " or ".join(_WORDS[shape] for shape in shapes)

    def choose(value: Any) -> str | None:  # noqa: ANN401 - as above
        shape = _shape(value)
        return shape if shape in shapes else None

    return Discriminator(choose, custom_error_type="scalar", custom_error_message=f"expected {expected}")


AsText, AsList, AsMapping = Tag(TEXT), Tag(LIST), Tag(MAPPING)
