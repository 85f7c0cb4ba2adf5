"""``tests``: requests with their expected results."""

from __future__ import annotations

from pydantic import model_validator
from pydantic_core import PydanticCustomError

from vsr_schemas.base import PolicyModel
from vsr_schemas.scalars import Header, Name, Text


class ExpectationSpec(PolicyModel):
    """The expected result of a request; at least one field. ``route: default`` means that no route matches.

    ``guards`` are exactly the guards that match; an empty list means none.
    """

    category: Name | None = None
    route: Name | None = None
    model: Header | None = None
    guards: list[Name] | None = None

    @model_validator(mode="after")
    def _something(self) -> ExpectationSpec:
        if not self.model_fields_set:
            raise PydanticCustomError("one_of", "a test expects one of `category`, `route`, `model` and `guards`")
        return self


class TestSpec(PolicyModel):
    """A request. ``model`` is the name that the client sends; the default is the first auto-model name."""

    prompt: Text
    model: Header | None = None
    expect: ExpectationSpec
