"""The part of the stock router's config that release 0.4.0 accepts and that this project writes and executes.

The file declares ``version: v0.3``: upstream has kept that literal while the contract moved, so the release, not the
literal, names the contract. Everything outside this subset is refused by name, never skipped.

Source: the JSON Schema shipped in the PyPI wheel ``vllm-sr==0.4.0``.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from vsr_schemas.base import StrictModel
from vsr_schemas.modalities import Modality

RELEASE = "0.4.0"
MMLU_CATEGORIES = (
    "biology",
    "business",
    "chemistry",
    "computer science",
    "economics",
    "engineering",
    "health",
    "history",
    "law",
    "math",
    "other",
    "philosophy",
    "physics",
    "psychology",
)
"""The only values that ``mmlu_categories`` may hold, in the order of the stock checkpoints' label ids."""


class StockModel(StrictModel):
    """Base of the stock router's models. Fields can be given by their Python names."""

    model_config = ConfigDict(populate_by_name=True)


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


class Domain(StockModel):
    """A category signal. ``mmlu_categories`` ties it to the stock classifier's labels."""

    name: str
    description: str
    mmlu_categories: list[str] | None = None


class Predicate(StockModel):
    """Bounds on a number; ``gte`` and ``lte`` are included."""

    gt: float | None = None
    gte: float | None = None
    lt: float | None = None
    lte: float | None = None


class KeywordRule(StockModel):
    """Words in the request. Without ``method`` they are literal and whole words; with ``regex`` they are patterns.

    ``bm25`` and ``ngram`` compare by scores. ``fuzzy_match`` adds words within an edit distance. A number that is
    missing or 0 means the router's default.
    """

    name: str
    operator: Literal["AND", "OR", "NOR"]
    keywords: list[str]
    case_sensitive: bool = False
    method: Literal["regex", "bm25", "ngram"] | None = None
    fuzzy_match: bool | None = None
    fuzzy_threshold: int | None = None
    bm25_threshold: float | None = None
    ngram_threshold: float | None = None
    ngram_arity: int | None = None


class ContextRule(StockModel):
    """The request's length in tokens, both ends included, as texts such as ``8192``."""

    name: str
    min_tokens: str | None = None
    max_tokens: str | None = None


class StructureSource(StockModel):
    """What is counted in the text. A sequence is one if its markers occur one behind the other."""

    type: Literal["regex", "keyword_set", "sequence", "text_bytes"]
    pattern: str | None = None
    keywords: list[str] | None = None
    sequences: list[list[str]] | None = None
    case_sensitive: bool = False


class StructureFeature(StockModel):
    """How often something occurs, how often for each word, or whether it does."""

    type: Literal["count", "density", "exists", "sequence"]
    source: StructureSource


class StructureRule(StockModel):
    """What the text looks like. Without ``predicate`` anything above 0 is enough."""

    name: str
    feature: StructureFeature
    description: str | None = None
    predicate: Predicate | None = None


class ConversationSource(StockModel):
    """What is counted in the conversation."""

    type: Literal[
        "message",
        "tool_definition",
        "assistant_tool_call",
        "assistant_tool_cycle",
        "active_tool_loop",
        "image_content",
    ]
    role: Literal["user", "assistant", "system", "developer", "tool", "non_user"] | None = None


class ConversationFeature(StockModel):
    """How many parts of a kind there are, or whether there is one."""

    type: Literal["count", "exists"]
    source: ConversationSource


class ConversationRule(StockModel):
    """What the conversation consists of. Without ``predicate`` any number is enough."""

    name: str
    feature: ConversationFeature
    description: str | None = None
    predicate: Predicate | None = None


class PiiRule(StockModel):
    """Personal data is in the text, of a type that is not among those allowed, with at least this score.

    It is looked for in the last turn of the user, with ``include_history`` in all messages.
    """

    name: str
    threshold: float
    pii_types_allowed: list[str] | None = None
    include_history: bool = False


class EmbeddingRule(StockModel):
    """A request that is like one of some sentences: ``threshold`` is of their cosine similarity."""

    name: str
    threshold: float
    candidates: list[str]
    aggregation_method: Literal["max", "mean"]


class LanguageRule(StockModel):
    """A request in the language of this ISO 639-1 code."""

    name: str
    description: str


class InputModalityRule(StockModel):
    """Content of this kind is in the conversation. The stock router does not know ``file``."""

    name: str
    description: str
    modality: Modality


class Candidates(StockModel):
    """Sentences of one difficulty."""

    candidates: list[str]


class ComplexityRule(StockModel):
    """How hard a request is; conditions name it with its level behind a colon."""

    name: str
    threshold: float
    hard: Candidates
    easy: Candidates


class JailbreakRule(StockModel):
    """An attack, by the probability that the detector gives, in the last message or in all of them."""

    name: str
    method: Literal["classifier"] = "classifier"
    threshold: float
    include_history: bool


class Signals(StockModel):
    """The signals that decisions may ask about."""

    domains: list[Domain] = Field(default_factory=list)
    keywords: list[KeywordRule] | None = None
    context: list[ContextRule] | None = None
    structure: list[StructureRule] | None = None
    conversation: list[ConversationRule] | None = None
    pii: list[PiiRule] | None = None
    embeddings: list[EmbeddingRule] | None = None
    language: list[LanguageRule] | None = None
    complexity: list[ComplexityRule] | None = None
    jailbreak: list[JailbreakRule] | None = None
    input_modality: list[InputModalityRule] | None = None


class RuleLeaf(StockModel):
    """One condition: the signal of this type and name matched. A complexity's name ends in its level: ``hard``."""

    type: Literal[
        "domain",
        "keyword",
        "context",
        "structure",
        "conversation",
        "embedding",
        "language",
        "input_modality",
        "complexity",
        "jailbreak",
        "pii",
        "authz",
    ]
    name: str


class RuleNode(StockModel):
    """A boolean combination. ``AND`` of nothing is true: the catch-all."""

    operator: Literal["AND", "OR", "NOT"]
    conditions: list[RuleNode | RuleLeaf]


class ModelRef(StockModel):
    """A model that a decision selects. With ``lora_name`` the adapter is what is asked for."""

    model: str
    lora_name: str | None = None
    use_reasoning: bool = False
    reasoning_effort: str | None = None


class SystemPrompt(StockModel):
    """Configuration of the plugin ``system_prompt``."""

    enabled: Literal[True] = True
    system_prompt: str
    mode: Literal["replace", "insert"]


class HeaderPair(StockModel):
    """A header and its value."""

    name: str
    value: str


class HeaderMutation(StockModel):
    """Configuration of the plugin ``header_mutation``. ``update`` sets, whether the header is there or not."""

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


class Tools(StockModel):
    """Configuration of the plugin ``tools``: ``none`` removes all, ``filtered`` keeps those that are allowed."""

    enabled: Literal[True] = True
    mode: Literal["none", "filtered"]
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
    """Configuration of the plugin ``response_cache``: whose answers are kept, for which requests, and for how long."""

    enabled: Literal[True] = True
    mode: Literal["exact", "exact_then_semantic"]
    scope: Literal["user", "team", "tenant", "global"]
    semantic: CacheSemantic | None = None
    ttl_seconds: int = Field(gt=0)


class ResponseCachePlugin(StockModel):
    """Keeps answers."""

    type: Literal["response_cache"]
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


class Decision(StockModel):
    """Rules and what follows when they hold. Higher priority wins."""

    name: str
    description: str
    priority: int
    rules: RuleNode
    modelRefs: list[ModelRef]  # noqa: N815 - the contract's spelling
    plugins: list[Plugin] | None = None


class Routing(StockModel):
    """Models, signals, decisions."""

    modelCards: list[ModelCard]  # noqa: N815 - the contract's spelling
    signals: Signals = Field(default_factory=Signals)
    decisions: list[Decision] = Field(default_factory=list)


class RouterGlobal(StockModel):
    """Auto-model names, and whether the route is selected again after the decision."""

    auto_model_names: list[str]
    clear_route_cache: Literal[True] = True


class Global(StockModel):
    """Settings of the router itself."""

    router: RouterGlobal


class RouterConfig(StockModel):
    """The file ``router/config.yaml``."""

    version: Literal["v0.3"] = "v0.3"
    listeners: list[str] = Field(default_factory=list, max_length=0)
    providers: Providers
    routing: Routing
    global_: Global = Field(alias="global")
