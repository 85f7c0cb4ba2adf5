"""``assertions``: properties of all requests, proved at compile time."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from vsr_schemas.base import PolicyModel
from vsr_schemas.policy.v1alpha1.clients import AttributeValues, Claims
from vsr_schemas.scalars import Text
from vsr_schemas.shapes import LIST, MAPPING, TEXT, AsList, AsMapping, AsText, by_shape

Names = Annotated[Annotated[Text, AsText] | Annotated[list[Text], Field(min_length=1), AsList], by_shape(TEXT, LIST)]


class RegionsSpec(PolicyModel):
    """Models by where they are served: ``inside`` one of these regions, or ``outside`` all of them; exactly one."""

    inside: Names | None = None
    outside: Names | None = None

    @model_validator(mode="after")
    def _one_of(self) -> RegionsSpec:
        if (self.inside is None) == (self.outside is None):
            raise PydanticCustomError("one_of", "name exactly one of `inside` and `outside`")
        return self


class StatementSpec(PolicyModel):
    """The requests that an assertion covers, and their models and guards.

    ``to`` are models, ``external`` for every model that is served outside the cluster, or those inside or outside
    regions. ``category`` and ``signal``
    select requests, the attributes of a client (``user`` to ``claims``) those of some clients, whether the router
    chooses the model or they name it. ``without`` are guards of which at least one is missing, ``through`` are guards
    that all apply. ``with`` are guards: a request in which one of them finds something, and does not remove it.
    """

    category: Text | None = None
    signal: Text | None = None
    user: AttributeValues | None = None
    team: AttributeValues | None = None
    role: AttributeValues | None = None
    tenant: AttributeValues | None = None
    claims: Claims = {}
    with_: Names | None = Field(default=None, alias="with")
    to: (
        Annotated[
            Annotated[Text, AsText]
            | Annotated[list[Text], Field(min_length=1), AsList]
            | Annotated[RegionsSpec, AsMapping],
            by_shape(TEXT, LIST, MAPPING),
        ]
        | None
    ) = None
    without: Names | None = None
    through: Names | None = None

    @model_validator(mode="after")
    def _says_something(self) -> StatementSpec:
        if self.to is None and self.through is None and self.without is None:
            raise PydanticCustomError("one_of", "an assertion needs `to`, `without` or `through`")
        return self


class AssertionSpec(PolicyModel):
    """Exactly one of two: ``never``, no request matches the statement; ``always``, every selected request does."""

    never: StatementSpec | None = None
    always: StatementSpec | None = None

    @model_validator(mode="after")
    def _one_of(self) -> AssertionSpec:
        if (self.never is None) == (self.always is None):
            raise PydanticCustomError("one_of", "an assertion is exactly one of `never` and `always`")
        if self.never is not None and self.never.through is not None:
            raise PydanticCustomError("one_of", "`never` takes `without`; `through` belongs to `always`")
        if self.always is not None and self.always.with_ is not None:
            raise PydanticCustomError("one_of", "`always` takes no `with`; use `never`")
        if self.always is not None and self.always.without is not None:
            raise PydanticCustomError("one_of", "`always` takes `through`; `without` belongs to `never`")
        return self
