"""``classifiers`` and ``categories``: how a request is told apart."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from schemas.policy.base import Noun
from schemas.scalars import Number, Text


class Classifier(Noun):
    """A model that reads the request: a head trained at compile time over a sentence encoder.

    Below ``threshold`` (a probability) a request has no category. ``precision`` is the encoder's as served.
    """

    task: Literal["category"]
    encoder: Literal["sentence-transformers/all-MiniLM-L6-v2"] = "sentence-transformers/all-MiniLM-L6-v2"
    head: Literal["compiled"] = "compiled"
    precision: Literal["int8", "fp32"] = "int8"
    threshold: Annotated[Number, Field(ge=0, lt=1)] | None = None


class Category(Noun):
    """One of mutually exclusive kinds of request, told by its description and by examples."""

    description: Text
    examples: Annotated[list[Annotated[Text, Field(min_length=1, max_length=4000)]], Field(min_length=1)]
