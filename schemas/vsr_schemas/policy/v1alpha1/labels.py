"""Labels of heads: their examples under ``classifiers``, and the signal that tests one."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from vsr_schemas.base import PolicyModel
from vsr_schemas.scalars import Name, Number, Text, not_blank
from vsr_schemas.shapes import LIST, TEXT, AsList, AsText, by_shape

LabelExamples = Annotated[
    dict[Name, Annotated[list[Annotated[Text, not_blank, Field(min_length=1, max_length=4000)]], Field(min_length=1)]],
    Field(min_length=1, max_length=64),
]
"""Examples by label."""
FalseAlarms = Annotated[Number, Field(gt=0, le=0.2)]


class LabelSignalSpec(PolicyModel):
    """The classifier gives the request this label, or one of a list. ``other`` is a request without a label."""

    classifier: Text
    is_: Annotated[
        Annotated[Name, AsText] | Annotated[list[Name], Field(min_length=1, max_length=64), AsList],
        by_shape(TEXT, LIST),
        Field(alias="is"),
    ]
