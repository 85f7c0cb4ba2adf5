"""``guards``: what must hold for every request, also for those that name a model."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from vsr_schemas.base import PolicyModel
from vsr_schemas.policy.v1alpha1.classification import Probability
from vsr_schemas.scalars import Bool, Header, Int, Text
from vsr_schemas.shapes import LIST, TEXT, AsList, AsText, by_shape


class ExceptSpec(PolicyModel):
    """Where a guard does not hold: requests that end at one of these models."""

    models: Annotated[list[Header], Field(min_length=1)]


class GuardSpec(PolicyModel):
    """One guard: what it looks for, and what follows.

    It looks for personal data (``types``, by patterns and, where named, by a ``detector``), for credentials
    (``patterns: builtin``), for the marks of an attack (``patterns: injection``) or patterns of the policy's own, or
    for attacks (a ``detector`` alone). Longer text than ``max_tokens`` is refused, never sampled. A detector that fails
    or is late counts as ``on_error`` says. What no guard can read (images, sound, files, token ids) is refused unless
    ``unreadable`` lets it pass. With ``unmask``, the response gets back what was masked in its request.
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
    threshold: Probability = 0.7
    action: Literal["block", "mask", "route", "flag"] = "block"
    model: Header | None = None
    on: Literal["request", "response", "both"] = "request"
    on_error: Literal["block", "pass"] = "block"
    max_tokens: Annotated[Int, Field(ge=1)] = 8192
    unreadable: Literal["block", "pass"] = "block"
    unmask: Bool = False
    except_: ExceptSpec | None = Field(default=None, alias="except")

    @model_validator(mode="after")
    def _coherent(self) -> GuardSpec:
        if self.detector is None and self.types is None and self.patterns is None:
            raise PydanticCustomError("one_of", "a guard names a `detector`, `types` or `patterns`")
        if self.types is not None and self.patterns is not None:
            raise PydanticCustomError("one_of", "a guard looks for `types` or for `patterns`; make it two guards")
        if (self.action == "route") != (self.model is not None):
            raise PydanticCustomError("one_of", "`action: route` and `model` belong together")
        if self.action == "mask" and self.types is None and self.patterns is None:
            raise PydanticCustomError("one_of", "only found text can be masked: name `types` or `patterns`")
        if self.action == "route" and self.on != "request":
            raise PydanticCustomError("one_of", "only a request can be routed: `action: route` is `on: request`")
        if self.unmask and (self.action != "mask" or self.on == "response"):
            raise PydanticCustomError("one_of", "`unmask` undoes `action: mask` of requests")
        return self
