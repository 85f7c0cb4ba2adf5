"""Models, where they are served, and what the router knows of them."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from vsr_schemas.routerconfig.v0_4_0.base import StockModel


class BackendRef(StockModel):
    """Where a model is served, ``endpoint`` as ``host:port`` or ``base_url``. Behind a gateway neither chooses a host.

    A key is in the variable ``api_key_env`` and goes into ``auth_header`` behind ``auth_prefix``. Requests go to
    ``chat_path``, or to the path of ``base_url`` with the one of the ``provider`` behind it.
    """

    name: str | None = None
    endpoint: str | None = None
    protocol: Literal["http", "https"] = "http"
    weight: int = 1
    provider: str | None = None
    base_url: str | None = None
    api_key_env: str | None = None
    auth_header: str | None = None
    auth_prefix: str | None = None
    extra_headers: dict[str, str] | None = None
    api_version: str | None = None
    chat_path: str | None = None


class Pricing(StockModel):
    """What a million tokens cost."""

    prompt_per_1m: float = Field(default=0.0, allow_inf_nan=False)
    completion_per_1m: float = Field(default=0.0, allow_inf_nan=False)


ReasoningType = Literal["chat_template_kwargs", "reasoning_effort", "reasoning_mode", "top_level_reasoning_effort"]


class Reasoning(StockModel):
    """How reasoning is switched on: a family of ``reasoning_0_4_0``, or the same fields for a model of one's own."""

    family: str | None = None
    type: ReasoningType | None = None
    parameter: str | None = None
    activation_parameter: str | None = None
    effort_flags: dict[str, str] | None = None
    levels: list[str] | None = None
    default: str | None = None
    modes: list[Literal["enabled", "disabled", "adaptive"]] | None = None
    default_mode: Literal["enabled", "disabled", "adaptive"] | None = None
    disabled: str | None = None


class ReasoningFamily(StockModel):
    """A family of the config's own, in the form of release 0.3.0."""

    type: Literal["chat_template_kwargs", "reasoning_effort", "top_level_reasoning_effort"]
    parameter: str


class ProviderModel(StockModel):
    """A model that the router may select, by the name that clients and routes use.

    ``external_model_ids`` are its names at types of providers, and count before ``provider_model_id``.
    """

    name: str
    backend_refs: list[BackendRef]
    provider_model_id: str | None = None
    external_model_ids: dict[str, str] | None = None
    pricing: Pricing | None = None
    reasoning: Reasoning | None = None
    reasoning_family: str | None = None


class ProviderDefaults(StockModel):
    """What applies where a decision says nothing."""

    model: str
    reasoning_effort: str | None = None
    reasoning_families: dict[str, ReasoningFamily] | None = None


class Providers(StockModel):
    """All models and the default among them."""

    defaults: ProviderDefaults
    models: list[ProviderModel]


class Lora(StockModel):
    """An adapter of a model. Its name is one that clients may ask for and decisions may select."""

    name: str
    description: str | None = None


class ModelCard(StockModel):
    """What the router knows of a model; names match ``providers.models``."""

    name: str
    context_window_size: int | None = None
    quality_score: float | None = Field(default=None, allow_inf_nan=False)
    loras: list[Lora] | None = None
