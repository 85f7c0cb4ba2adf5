"""The whole file, and the settings of the router itself."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, field_validator

from vsr_schemas.routerconfig.v0_4_0.base import StockModel
from vsr_schemas.routerconfig.v0_4_0.decisions import Decision
from vsr_schemas.routerconfig.v0_4_0.projections import Projections
from vsr_schemas.routerconfig.v0_4_0.providers import ModelCard, Providers
from vsr_schemas.routerconfig.v0_4_0.signals import Signals

LEAST_THRESHOLD = 0.5
"""A probability that at most one label exceeds."""


class Routing(StockModel):
    """Models, signals, numbers that are derived from signals, decisions."""

    modelCards: list[ModelCard]  # noqa: N815 - the contract's spelling
    signals: Signals = Field(default_factory=Signals)
    projections: Projections | None = None
    decisions: list[Decision] = Field(default_factory=list)
    strategy: Literal["priority", "confidence"] | None = None


class RecipeRouting(StockModel):
    """Signals, projections and decisions of a recipe. Models are shared between recipes."""

    signals: Signals = Field(default_factory=Signals)
    projections: Projections | None = None
    decisions: list[Decision] = Field(default_factory=list)
    strategy: Literal["priority", "confidence"] | None = None


class Recipe(StockModel):
    """One of several routing profiles."""

    name: str
    description: str | None = None
    routing: RecipeRouting


class Entrypoint(StockModel):
    """Names by which clients choose a recipe."""

    model_names: list[str] = Field(min_length=1)
    recipe: str


class RouterGlobal(StockModel):
    """Auto-model names, and whether the route is selected again after the decision. The names are the stock ones."""

    auto_model_names: list[str] = Field(default_factory=lambda: ["vllm-sr/auto", "auto", "MoM"])
    clear_route_cache: Literal[True] = True


class EmbeddingConfig(StockModel):
    """Whether embeddings hold below their thresholds, from a least similarity, where none reaches its own."""

    enable_soft_matching: bool = True
    min_score_threshold: float = Field(default=0.5, ge=-1, le=1)


class EmbeddingModels(StockModel):
    """How sentences are compared."""

    embedding_config: EmbeddingConfig = Field(default_factory=EmbeddingConfig)


class CatalogEmbeddings(StockModel):
    """The encoder of sentences."""

    semantic: EmbeddingModels = Field(default_factory=EmbeddingModels)


class DomainModule(StockModel):
    """The classifier of domains: its threshold, and the model that says which labels there are."""

    threshold: float | None = Field(default=None, le=1)
    model_id: str | None = None
    category_mapping_path: str | None = None

    @field_validator("threshold")
    @classmethod
    def _one_label(cls, threshold: float | None) -> float | None:
        if threshold is not None and threshold < LEAST_THRESHOLD:
            raise ValueError("below 0.5 a request can have several domains at once, which is not executed; use 0.5")
        return threshold


class ClassifierModules(StockModel):
    """Settings of classifiers."""

    domain: DomainModule = Field(default_factory=DomainModule)


class FactCheckModule(StockModel):
    """The classifier of requests whose facts need a check."""

    threshold: float | None = Field(default=None, ge=0, le=1)


class HallucinationModule(StockModel):
    """Settings of signals about facts."""

    fact_check: FactCheckModule = Field(default_factory=FactCheckModule)


class ModelModules(StockModel):
    """Settings of signals that need a model."""

    hallucination_mitigation: HallucinationModule = Field(default_factory=HallucinationModule)

    classifier: ClassifierModules = Field(default_factory=ClassifierModules)


class ModelCatalog(StockModel):
    """Settings of the models that read requests."""

    embeddings: CatalogEmbeddings = Field(default_factory=CatalogEmbeddings)
    modules: ModelModules = Field(default_factory=ModelModules)


class IdentityHeaders(StockModel):
    """Headers that say who sends a request, for roles. The names are the stock ones."""

    user_id_header: str | None = None
    user_groups_header: str | None = None


class Authz(StockModel):
    """Settings of roles."""

    identity: IdentityHeaders = Field(default_factory=IdentityHeaders)


class Services(StockModel):
    """Settings of what the router offers."""

    authz: Authz | None = None


class Global(StockModel):
    """Settings of the router itself, and of the models that read requests."""

    services: Services | None = None
    router: RouterGlobal = Field(default_factory=RouterGlobal)
    model_catalog: ModelCatalog | None = None


class Listener(StockModel):
    """Where the stock command line lets its own Envoy listen. Without effect here: the gateway has the listeners.

    ``api_keys`` is no field of it: that Envoy demands one of them of clients, and nothing here would.
    """

    name: str | None = None
    address: str | None = None
    port: int | None = None
    timeout: str | None = None


class RouterConfig(StockModel):
    """The file ``router/config.yaml``."""

    version: Literal["v0.3"] = "v0.3"
    listeners: list[Listener] = Field(default_factory=list)
    providers: Providers
    routing: Routing
    recipes: list[Recipe] | None = None
    entrypoints: list[Entrypoint] | None = None
    global_: Global = Field(default_factory=Global, alias="global")
