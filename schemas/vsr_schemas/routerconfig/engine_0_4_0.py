"""What release 0.4.0 of the stock router takes beyond ``v0_4_0``: the part that only that engine executes.

Our runtime refuses all of it by name, since it reads ``v0_4_0`` and has its own words for the same things.

Source: the JSON Schema shipped in the PyPI wheel ``vllm-sr==0.4.0``.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from vsr_schemas.routerconfig import v0_4_0 as common
from vsr_schemas.routerconfig.v0_4_0 import StockModel

PII_TYPES = (
    "AGE",
    "CREDIT_CARD",
    "DATE_TIME",
    "DOMAIN_NAME",
    "EMAIL_ADDRESS",
    "GPE",
    "IBAN_CODE",
    "IP_ADDRESS",
    "NRP",
    "ORGANIZATION",
    "PERSON",
    "PHONE_NUMBER",
    "STREET_ADDRESS",
    "TITLE",
    "US_DRIVER_LICENSE",
    "US_SSN",
    "ZIP_CODE",
)
"""The types of personal data that its detector tells apart; the policy's names for them are the same."""


class ProviderRef(common.BackendRef):
    """A provider outside the cluster, with the environment variable that holds its key."""

    api_key_env: str | None = None


class ProviderModel(common.ProviderModel):
    """A model that the router may select."""

    backend_refs: list[common.BackendRef | ProviderRef]


class Providers(StockModel):
    """All models and the default among them."""

    defaults: common.ProviderDefaults
    models: list[ProviderModel]


class RuleNode(StockModel):
    """A boolean combination. ``on_unknown``, only on the outermost node, is the value of a signal that is unknown."""

    operator: Literal["AND", "OR", "NOT"]
    conditions: list[RuleNode | common.RuleLeaf]
    on_unknown: Literal["match", "no_match"] | None = None


class Decision(StockModel):
    """Rules and what follows when they hold. Higher priority wins."""

    name: str
    description: str
    priority: int
    rules: RuleNode
    modelRefs: list[common.ModelRef]  # noqa: N815 - the contract's spelling
    plugins: list[common.Plugin] | None = None


class Routing(StockModel):
    """Models, signals, decisions."""

    modelCards: list[common.ModelCard]  # noqa: N815 - the contract's spelling
    signals: common.Signals
    decisions: list[Decision]


class SystemModels(StockModel):
    """Which of the registry's models do the classifying, as paths below the router's folder."""

    prompt_guard: str | None = None
    domain_classifier: str | None = None
    pii_classifier: str | None = None


class PromptGuard(StockModel):
    """The detector of attacks. ``threshold`` is the lowest that counts; ``on_error`` what a failure is taken for."""

    enabled: Literal[True] = True
    threshold: float
    jailbreak_mapping_path: str | None = None
    on_error: Literal["allow", "block"]


class DomainModule(StockModel):
    """The classifier of categories."""

    threshold: float
    category_mapping_path: str | None = None


class PiiModule(StockModel):
    """The detector of personal data."""

    enabled: Literal[True] = True
    threshold: float
    pii_mapping_path: str | None = None
    on_error: Literal["allow", "block"]


class ClassifierModules(StockModel):
    """Classifiers by what they tell apart."""

    domain: DomainModule | None = None
    pii: PiiModule | None = None


class Modules(StockModel):
    """How the classifying models are used."""

    prompt_guard: PromptGuard | None = None
    classifier: ClassifierModules | None = None


class ModelCatalog(StockModel):
    """The engine's own models."""

    system: SystemModels
    modules: Modules


class Looper(StockModel):
    """Where the size of a gRPC message is set, for every request."""

    grpc_max_msg_size_mb: int


class Integrations(StockModel):
    """What the router speaks to."""

    looper: Looper


class Toggle(StockModel):
    """Something that is on unless it is switched off."""

    enabled: Literal[False] = False


class Observability(StockModel):
    """What the router tells about itself; traces go nowhere unless somebody says where."""

    tracing: Toggle = Toggle()


class Services(StockModel):
    """Parts of the router other than routing. The Responses API would need a Redis instance."""

    response_api: Toggle = Toggle()
    observability: Observability = Observability()


class Stores(StockModel):
    """What the router keeps."""

    response_cache: Toggle = Toggle()


class Global(StockModel):
    """Settings of the router itself."""

    router: common.RouterGlobal
    services: Services = Services()
    stores: Stores = Stores()
    integrations: Integrations
    model_catalog: ModelCatalog | None = None


class RouterConfig(StockModel):
    """The file ``router/config.yaml`` for that engine."""

    version: Literal["v0.3"] = "v0.3"
    listeners: list[str] = Field(default_factory=list, max_length=0)
    providers: Providers
    routing: Routing
    global_: Global = Field(alias="global")
