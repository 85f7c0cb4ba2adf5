"""``guards``: checks of every request, also of requests that name a model."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from vsr_schemas.base import PolicyModel
from vsr_schemas.policy.v1alpha1.classification import Probability
from vsr_schemas.scalars import Bool, Header, Int, Text
from vsr_schemas.shapes import LIST, TEXT, AsList, AsText, by_shape


class ExceptSpec(PolicyModel):
    """Requests for one of these models, to which a guard does not apply."""

    models: Annotated[list[Header], Field(min_length=1)]


class GuardSpec(PolicyModel):
    """A guard: what it detects, and its action.

    It detects personal data (``types``, by patterns and optionally by a ``detector``), credentials
    (``patterns: builtin``), signs of an attack (``patterns: injection``), a list of ``patterns``, or attacks (a
    ``detector`` alone). Text longer than ``max_tokens`` (by default the largest ``context`` of the models that the
    guard applies to) is rejected, never sampled. If a detector fails or times out,
    ``on_error`` decides. Content that no guard can read (images, audio, files, token ids) is rejected unless
    ``unreadable`` is ``pass``. With ``unmask``, responses get the original values back that were masked in the request.
    """

    detector: Text | None = None
    types: Annotated[list[Text], Field(min_length=1)] | None = None
    patterns: (
        Annotated[
            Annotated[Literal["builtin", "injection"], AsText] | Annotated[list[Text], Field(min_length=1), AsList],
            by_shape(TEXT, LIST),
        ]
        | None
    ) = None
    threshold: Probability | None = None
    action: Literal["block", "mask", "route", "flag"] = "block"
    model: Header | None = None
    on: Literal["request", "response", "both"] = "request"
    on_error: Literal["block", "pass"] = "block"
    max_tokens: Annotated[Int, Field(ge=1)] | None = None
    unreadable: Literal["block", "pass"] = "block"
    unmask: Bool = False
    except_: ExceptSpec | None = Field(default=None, alias="except")

    @model_validator(mode="after")
    def _coherent(self) -> GuardSpec:
        if self.detector is None and self.types is None and self.patterns is None:
            raise PydanticCustomError("one_of", "a guard needs a `detector`, `types` or `patterns`")
        if self.types is not None and self.patterns is not None:
            raise PydanticCustomError("one_of", "a guard has `types` or `patterns`, not both; split it into two guards")
        if (self.action == "route") != (self.model is not None):
            raise PydanticCustomError("one_of", "`action: route` needs `model`, and `model` needs `action: route`")
        if self.action == "mask" and self.types is None and self.patterns is None:
            raise PydanticCustomError("one_of", "`action: mask` needs `types` or `patterns`")
        if self.action == "route" and self.on != "request":
            raise PydanticCustomError("one_of", "`action: route` is only possible with `on: request`")
        if self.unmask and (self.action != "mask" or self.on == "response"):
            raise PydanticCustomError("one_of", "`unmask` needs `action: mask`, and `on: request` or `on: both`")
        return self
