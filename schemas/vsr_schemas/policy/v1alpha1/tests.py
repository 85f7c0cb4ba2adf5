"""``tests``: requests and what must become of them."""

from __future__ import annotations

from pydantic import model_validator
from pydantic_core import PydanticCustomError

from vsr_schemas.base import PolicyModel
from vsr_schemas.scalars import Header, Name, Text


class ExpectationSpec(PolicyModel):
    """What must become of a request; at least one of them. ``route: default`` is the policy's default.

    ``guards`` are those that find something, no more and no less; an empty list is none.
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
    """A request. ``model`` is the name that the client sends; left out, the first auto name."""

    prompt: Text
    model: Header | None = None
    expect: ExpectationSpec
