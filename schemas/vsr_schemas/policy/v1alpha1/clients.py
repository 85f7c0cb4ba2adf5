"""Clients by their attributes, as signals, assertions, tests and models name them."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from vsr_schemas.base import PolicyModel
from vsr_schemas.scalars import Text, form, shown
from vsr_schemas.shapes import LIST, TEXT, AsList, AsText, by_shape

_NAME = r"[a-z]([-a-z0-9]{0,30}[a-z0-9])?"
AttributeName = Annotated[
    Text, shown(_NAME, "the name of an attribute (lower-case letters, digits and `-`, at most 32, a letter first)")
]
_VALUE = r"\S(.{0,251}\S)?"
AttributeValue = Annotated[Text, form(_VALUE, "a value of an attribute (1 to 253 characters, no blank at either end)")]
AttributeValues = Annotated[
    Annotated[AttributeValue, AsText] | Annotated[list[AttributeValue], Field(min_length=1, max_length=256), AsList],
    by_shape(TEXT, LIST),
]
Claims = Annotated[dict[AttributeName, AttributeValues], Field(max_length=16)]


class ClientSpec(PolicyModel):
    """Clients by their attributes: a value, or a list of which one must be the client's."""

    user: AttributeValues | None = None
    team: AttributeValues | None = None
    role: AttributeValues | None = None
    tenant: AttributeValues | None = None
    claims: Claims = {}

    @model_validator(mode="after")
    def _somebody(self) -> ClientSpec:
        if not self.model_fields_set:
            raise PydanticCustomError("one_of", "name at least one of `user`, `team`, `role`, `tenant` and `claims`")
        return self


class AsSpec(PolicyModel):
    """The client of a test. Without `user`, it is the user `test`."""

    user: AttributeValue | None = None
    team: AttributeValue | None = None
    role: AttributeValues | None = None
    tenant: AttributeValue | None = None
    claims: Annotated[dict[AttributeName, AttributeValue], Field(max_length=16)] = {}
