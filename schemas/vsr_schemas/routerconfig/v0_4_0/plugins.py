"""What a decision does to the request and the response."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from vsr_schemas.routerconfig.v0_4_0.base import StockModel


class SystemPrompt(StockModel):
    """Configuration of the plugin ``system_prompt``."""

    enabled: bool = True
    system_prompt: str
    mode: Literal["replace", "insert"] = "insert"


class HeaderPair(StockModel):
    """A header and its value."""

    name: str
    value: str


class HeaderMutation(StockModel):
    """Configuration of the plugin ``header_mutation``. ``add`` and ``update`` set a header, even if it is there."""

    add: list[HeaderPair] | None = None
    update: list[HeaderPair] = Field(default_factory=list)
    delete: list[str] = Field(default_factory=list)


class FastResponse(StockModel):
    """Configuration of the plugin ``fast_response``: the answer, without any model."""

    message: str


class RequestParams(StockModel):
    """Configuration of the plugin ``request_params``."""

    blocked_params: list[str] | None = None
    max_tokens_limit: int | None = None
    max_n: int | None = None
    default_max_tokens: int | None = None
    strip_unknown: bool | None = None


class Tools(StockModel):
    """Configuration of the plugin ``tools``: ``none`` removes all, ``filtered`` keeps those that are allowed."""

    enabled: bool = True
    mode: Literal["none", "passthrough", "filtered"] = "passthrough"
    allow_tools: list[str] | None = None
    block_tools: list[str] | None = None


class SystemPromptPlugin(StockModel):
    """Tells the model something first."""

    type: Literal["system_prompt"]
    configuration: SystemPrompt


class HeaderMutationPlugin(StockModel):
    """Edits the request's headers."""

    type: Literal["header_mutation"]
    configuration: HeaderMutation


class FastResponsePlugin(StockModel):
    """Answers at once."""

    type: Literal["fast_response"]
    configuration: FastResponse


class RequestParamsPlugin(StockModel):
    """Limits what a client may ask of the model."""

    type: Literal["request_params"]
    configuration: RequestParams


class ToolsPlugin(StockModel):
    """Chooses which tools the model gets to see."""

    type: Literal["tools"]
    configuration: Tools


class CacheSemantic(StockModel):
    """How alike another request must be, as a cosine."""

    similarity_threshold: float = Field(gt=0, le=1)


class ResponseCache(StockModel):
    """Configuration of the plugin ``response_cache``: whose answers are kept, for which requests, and for how long.

    ``similarity_threshold`` is the older place of ``semantic.similarity_threshold``.
    """

    enabled: bool = True
    mode: Literal["semantic", "exact", "exact_then_semantic"] = "semantic"
    scope: Literal["user", "team", "tenant", "global"] = "user"
    semantic: CacheSemantic | None = None
    similarity_threshold: float | None = Field(default=None, gt=0, le=1)
    ttl_seconds: int | None = Field(default=None, ge=0)


class ResponseCachePlugin(StockModel):
    """Keeps answers. The other names are those of earlier releases."""

    type: Literal["response_cache", "response-cache", "semantic-cache", "semantic_cache"]
    configuration: ResponseCache


Plugin = Annotated[
    SystemPromptPlugin
    | HeaderMutationPlugin
    | FastResponsePlugin
    | RequestParamsPlugin
    | ResponseCachePlugin
    | ToolsPlugin,
    Field(discriminator="type"),
]
