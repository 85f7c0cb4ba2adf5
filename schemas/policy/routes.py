"""``routes``: what a request asks for, and which model answers."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from schemas.policy.base import Noun
from schemas.scalars import Header, Int, Name, Text

Conditions = Annotated[list["Condition"], Field(min_length=1)]


class Condition(Noun):
    """A boolean tree: exactly one of a category, all of, any of, not."""

    category: Text | None = None
    all: Conditions | None = None
    any: Conditions | None = None
    not_: Condition | None = Field(default=None, alias="not")

    @model_validator(mode="after")
    def _one_of(self) -> Condition:
        if len(self.model_fields_set) != 1:
            raise PydanticCustomError("one_of", "a condition is exactly one of `category`, `all`, `any` and `not`")
        return self


class Route(Noun):
    """Which model answers when the condition holds. Higher ``priority`` goes first, then file order."""

    name: Name
    when: Condition
    model: Header
    priority: Annotated[Int, Field(ge=0, le=1_000_000)] = 0
