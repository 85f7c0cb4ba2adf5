"""Models, where they are served, and what the router knows of them."""

from __future__ import annotations

from typing import Literal

from vsr_schemas.routerconfig.v0_4_0.base import StockModel


class BackendRef(StockModel):
    """Where a model is served, ``endpoint`` as ``host:port``. Unused behind a gateway, but demanded by the contract."""

    name: str
    endpoint: str
    protocol: Literal["http", "https"] = "http"
    weight: int = 1
    provider: str | None = None


class Pricing(StockModel):
    """What a million tokens cost."""

    prompt_per_1m: float
    completion_per_1m: float


class Reasoning(StockModel):
    """The family that says how reasoning is switched on; see ``reasoning_0_4_0``."""

    family: str


class ProviderModel(StockModel):
    """A model that the router may select, by the name that clients and routes use."""

    name: str
    backend_refs: list[BackendRef]
    provider_model_id: str | None = None
    pricing: Pricing | None = None
    reasoning: Reasoning | None = None


class ProviderDefaults(StockModel):
    """What applies where a decision says nothing."""

    model: str


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
    loras: list[Lora] | None = None
