"""``limits``: how much each client, team, route or model may use in a window of time."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from vsr_schemas.base import PolicyModel
from vsr_schemas.policy.v1alpha1.assertions import Names
from vsr_schemas.policy.v1alpha1.clients import AttributeValues, Claims
from vsr_schemas.scalars import Header, Int, Name, Number
from vsr_schemas.shapes import LIST, MAPPING, TEXT, AsList, AsMapping, AsText, by_shape

UNITS = ("tokens", "requests", "dollars")
MOST = 10**12
Subject = Literal["team", "key", "model", "route", "client"]


class LimitForSpec(PolicyModel):
    """The requests that a limit counts: of clients with all of these attributes, to these models, by these routes."""

    user: AttributeValues | None = None
    team: AttributeValues | None = None
    role: AttributeValues | None = None
    tenant: AttributeValues | None = None
    claims: Claims = {}
    model: Names | None = None
    route: Names | None = None

    @model_validator(mode="after")
    def _something(self) -> LimitForSpec:
        if not self.model_fields_set:
            raise PydanticCustomError("one_of", "`for` names an attribute of clients, a `model` or a `route`")
        return self


class OverSpec(PolicyModel):
    """Where requests go that are over the limit."""

    route: Header


class LimitSpec(PolicyModel):
    """How much may be used in a window of time: exactly one of ``tokens``, ``requests`` and ``dollars``.

    ``per`` says what has a count of its own, ``for`` which requests count. ``over`` says what becomes of requests above
    the limit: they are refused with 429, or go to a cheaper model, whose requests the limit does not count.
    ``counted_by`` says whether each replica of the router counts its share, or the gateway the whole in Redis.
    """

    name: Name | None = None
    per: Annotated[
        Annotated[Subject, AsText] | Annotated[list[Subject], Field(min_length=1, max_length=5), AsList],
        by_shape(TEXT, LIST),
    ]
    for_: LimitForSpec | None = Field(default=None, alias="for")
    tokens: Annotated[Int, Field(ge=1, le=MOST)] | None = None
    requests: Annotated[Int, Field(ge=1, le=MOST)] | None = None
    dollars: Annotated[Number, Field(gt=0, le=MOST)] | None = None
    window: Literal["1m", "1h", "1d", "30d"]
    over: Annotated[
        Annotated[Literal["deny"], AsText] | Annotated[OverSpec, AsMapping],
        by_shape(TEXT, MAPPING),
    ] = "deny"
    counted_by: Literal["router", "gateway"] = "router"

    @model_validator(mode="after")
    def _one_unit(self) -> LimitSpec:
        if sum(getattr(self, unit) is not None for unit in UNITS) != 1:
            raise PydanticCustomError("one_of", "a limit is exactly one of `tokens`, `requests` and `dollars`")
        return self
