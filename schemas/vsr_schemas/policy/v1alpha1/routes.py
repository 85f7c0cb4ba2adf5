"""``routes``: conditions, the models that answer, and how they are called."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from vsr_schemas.base import PolicyModel
from vsr_schemas.policy.v1alpha1.classification import Probability
from vsr_schemas.policy.v1alpha1.fallback import Fallbacks, RetrySpec
from vsr_schemas.policy.v1alpha1.stickiness import RouteStickinessSpec
from vsr_schemas.scalars import Bool, Header, HeaderName, HeaderValue, Int, Milliseconds, Name, Text
from vsr_schemas.shapes import MAPPING, TEXT, AsMapping, AsText, by_shape

Conditions = Annotated[list["ConditionSpec"], Field(min_length=1)]
Percent = Annotated[Int, Field(ge=0, le=100)]


class ConditionSpec(PolicyModel):
    """A boolean tree: exactly one of a category, a signal, all of, any of, not."""

    category: Text | None = None
    signal: Text | None = None
    all: Conditions | None = None
    any: Conditions | None = None
    not_: ConditionSpec | None = Field(default=None, alias="not")

    @model_validator(mode="after")
    def _one_of(self) -> ConditionSpec:
        if len(self.model_fields_set) != 1:
            raise PydanticCustomError(
                "one_of", "a condition is exactly one of `category`, `signal`, `all`, `any` and `not`"
            )
        return self


class SystemPromptSpec(PolicyModel):
    """The system prompt. With ``mode: insert`` it precedes the client's own, otherwise it replaces it."""

    text: Annotated[Text, Field(min_length=1)]
    mode: Literal["replace", "insert"] = "replace"


class HeadersSpec(PolicyModel):
    """Changes of request headers before the request reaches the model."""

    set: dict[HeaderName, HeaderValue] = {}
    remove: list[HeaderName] = []


class CacheSpec(PolicyModel):
    """A response cache for equal requests, or for requests as similar as ``similarity``. ``ttl`` is in milliseconds."""

    similarity: Probability | None = None
    ttl: Milliseconds = 3_600_000
    scope: Literal["user", "team", "tenant", "global"] = "user"


class ToolsSpec(PolicyModel):
    """The tools of a request that reach the model."""

    allow: list[Name] = []
    block: list[Name] = []


class ParamsSpec(PolicyModel):
    """Limits on request parameters."""

    max_tokens: Annotated[Int, Field(ge=1)] | None = None
    max_n: Annotated[Int, Field(ge=1)] | None = None
    block: list[Name] = []


class DefaultSpec(PolicyModel):
    """The default model, and how it is called. The fields are those of a route."""

    model: Header
    reasoning: Bool | None = None
    effort: Text | None = None
    system_prompt: (
        Annotated[
            Annotated[Text, Field(min_length=1), AsText] | Annotated[SystemPromptSpec, AsMapping],
            by_shape(TEXT, MAPPING),
        ]
        | None
    ) = None
    headers: HeadersSpec | None = None
    tools: (
        Annotated[Annotated[Literal["none"], AsText] | Annotated[ToolsSpec, AsMapping], by_shape(TEXT, MAPPING)] | None
    ) = None
    params: ParamsSpec | None = None
    fallback: Fallbacks | None = None
    retry: RetrySpec | None = None


class RouteSpec(PolicyModel):
    """A condition and its answer: a ``model``, a ``split`` of models in per cent, or a fixed text in ``respond``.

    Routes with a higher ``priority`` are evaluated first, then in file order. ``when: always`` matches every request.
    """

    name: Name
    when: Annotated[
        Annotated[Literal["always"], AsText] | Annotated[ConditionSpec, AsMapping],
        by_shape(TEXT, MAPPING),
    ]
    model: Header | None = None
    split: Annotated[dict[Header, Percent], Field(min_length=1)] | None = None
    respond: Annotated[Text, Field(min_length=1)] | None = None
    priority: Annotated[Int, Field(ge=0, le=1_000_000)] = 0
    reasoning: Bool | None = None
    effort: Text | None = None
    system_prompt: (
        Annotated[
            Annotated[Text, Field(min_length=1), AsText] | Annotated[SystemPromptSpec, AsMapping],
            by_shape(TEXT, MAPPING),
        ]
        | None
    ) = None
    headers: HeadersSpec | None = None
    cache: CacheSpec | None = None
    tools: (
        Annotated[Annotated[Literal["none"], AsText] | Annotated[ToolsSpec, AsMapping], by_shape(TEXT, MAPPING)] | None
    ) = None
    params: ParamsSpec | None = None
    fallback: Fallbacks | None = None
    retry: RetrySpec | None = None
    stickiness: RouteStickinessSpec | None = None

    @model_validator(mode="after")
    def _one_answer(self) -> RouteSpec:
        if len(self.model_fields_set & {"model", "split", "respond"}) != 1:
            raise PydanticCustomError("one_of", "a route has exactly one of `model`, `split` and `respond`")
        return self
