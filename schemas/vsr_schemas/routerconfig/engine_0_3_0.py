"""The part of release 0.3.0 of the stock router's config that is written for that engine.

The file declares ``version: v0.3`` as later releases do, but several words are older. Its CLI drops fields that it does
not know and its engine warns about them, so what is not here must not be written: it would be ignored in silence.

Source: ``src/semantic-router/pkg/config`` at the tag v0.3.0, and ``cli/models.py`` of the wheel ``vllm-sr==0.3.0``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field

from vsr_schemas.routerconfig import engine_0_4_0 as later
from vsr_schemas.routerconfig import v0_4_0 as common
from vsr_schemas.routerconfig.v0_4_0 import StockModel

UNBOUNDED_TOKENS = str(2**31 - 1)
"""``max_tokens`` of a range without an end: the release takes none for 0, and such a rule would never match."""


class BackendRef(StockModel):
    """Where a model is served. ``provider`` is not written: the engine would then ignore ``endpoint``."""

    name: str
    endpoint: str
    protocol: Literal["http", "https"] = "http"
    weight: int = 1
    api_key_env: str | None = None


class ReasoningFamily(StockModel):
    """Where the switch goes: the two places that the release knows."""

    type: Literal["chat_template_kwargs", "reasoning_effort"]
    parameter: str


class ProviderDefaults(StockModel):
    """What applies if a decision says nothing, and the families of models."""

    default_model: str
    reasoning_families: Mapping[str, ReasoningFamily] | None = None


class ProviderModel(StockModel):
    """A model that the router may select."""

    name: str
    backend_refs: list[BackendRef]
    provider_model_id: str | None = None
    pricing: common.Pricing | None = None
    reasoning_family: str | None = None


class Providers(StockModel):
    """All models and the default among them."""

    defaults: ProviderDefaults
    models: list[ProviderModel]


class ContextRule(StockModel):
    """The request's length in tokens. Both ends are required."""

    name: str
    min_tokens: str
    max_tokens: str


class ConversationSource(StockModel):
    """What is counted in the conversation."""

    type: Literal["message", "tool_definition", "assistant_tool_call"]
    role: Literal["user", "assistant", "system", "developer", "tool"] | None = None


class ConversationFeature(StockModel):
    """How many parts of a kind there are."""

    type: Literal["count"]
    source: ConversationSource


class ConversationRule(StockModel):
    """What the conversation consists of."""

    name: str
    feature: ConversationFeature
    predicate: common.Predicate


class Signals(StockModel):
    """The signals that decisions may ask about."""

    domains: list[common.Domain] = Field(default_factory=list)
    keywords: list[common.KeywordRule] | None = None
    context: list[ContextRule] | None = None
    structure: list[common.StructureRule] | None = None
    conversation: list[ConversationRule] | None = None
    pii: list[common.PiiRule] | None = None
    embeddings: list[common.EmbeddingRule] | None = None
    language: list[common.LanguageRule] | None = None
    complexity: list[common.ComplexityRule] | None = None
    jailbreak: list[common.JailbreakRule] | None = None


class RuleLeaf(StockModel):
    """One condition."""

    type: Literal[
        "domain",
        "keyword",
        "context",
        "structure",
        "conversation",
        "embedding",
        "language",
        "complexity",
        "jailbreak",
        "pii",
    ]
    name: str


class RuleNode(StockModel):
    """A boolean combination. ``AND`` of nothing is true: the catch-all."""

    operator: Literal["AND", "OR", "NOT"]
    conditions: list[RuleNode | RuleLeaf]


Plugin = Annotated[
    common.SystemPromptPlugin
    | common.HeaderMutationPlugin
    | common.FastResponsePlugin
    | common.RequestParamsPlugin
    | common.ToolsPlugin,
    Field(discriminator="type"),
]


class Decision(StockModel):
    """Rules and what follows when they hold. Higher priority wins."""

    name: str
    description: str
    priority: int
    rules: RuleNode
    modelRefs: list[common.ModelRef]  # noqa: N815 - the contract's spelling
    plugins: list[Plugin] | None = None


class Routing(StockModel):
    """Models, signals, decisions."""

    modelCards: list[common.ModelCard]  # noqa: N815 - the contract's spelling
    signals: Signals
    decisions: list[Decision]


class PromptGuard(StockModel):
    """The detector of attacks. If it fails, nothing is found."""

    enabled: Literal[True] = True
    threshold: float
    jailbreak_mapping_path: str | None = None


class PiiModule(StockModel):
    """The detector of personal data. If it fails, nothing is found."""

    enabled: Literal[True] = True
    threshold: float
    pii_mapping_path: str | None = None


class ClassifierModules(StockModel):
    """Classifiers by what they tell apart."""

    domain: later.DomainModule | None = None
    pii: PiiModule | None = None


class Modules(StockModel):
    """How the classifying models are used."""

    prompt_guard: PromptGuard | None = None
    classifier: ClassifierModules | None = None


class ModelCatalog(StockModel):
    """The engine's own models."""

    system: later.SystemModels
    modules: Modules


class RouterGlobal(StockModel):
    """The auto-model name beside ``auto``, which always is one."""

    auto_model_name: str
    clear_route_cache: Literal[True] = True


class Services(StockModel):
    """Parts of the router other than routing. By default two of them need a database."""

    response_api: later.Toggle = later.Toggle()
    router_replay: later.Toggle = later.Toggle()
    observability: later.Observability = later.Observability()


class Stores(StockModel):
    """What the router keeps."""

    semantic_cache: later.Toggle = later.Toggle()


class Global(StockModel):
    """Settings of the router itself."""

    router: RouterGlobal
    services: Services = Services()
    stores: Stores = Stores()
    integrations: later.Integrations
    model_catalog: ModelCatalog | None = None


class RouterConfig(StockModel):
    """The file ``router/config.yaml`` for that engine."""

    version: Literal["v0.3"] = "v0.3"
    listeners: list[str] = Field(default_factory=list, max_length=0)
    providers: Providers
    routing: Routing
    global_: Global = Field(alias="global")
