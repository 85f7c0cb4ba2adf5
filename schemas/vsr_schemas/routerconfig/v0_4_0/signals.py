"""What decisions may ask about a request."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from vsr_schemas.modalities import Modality
from vsr_schemas.routerconfig.v0_4_0.base import StockModel
from vsr_schemas.routerconfig.v0_4_0.decisions import RuleLeaf, RuleNode

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
    description: str | None = None


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
    description: str | None = None


class EmbeddingRule(StockModel):
    """A request that is like one of some sentences: ``threshold`` is of their cosine similarity."""

    name: str
    threshold: float
    candidates: list[str]
    aggregation_method: Literal["max", "mean", "any"] | None = None
    query_modality: Literal["text"] | None = None


class LanguageRule(StockModel):
    """A request in the language of this ISO 639-1 code, with at least this probability."""

    name: str
    description: str | None = None
    threshold: float | None = None


class InputModalityRule(StockModel):
    """Content of this kind is in the conversation. The stock router does not know ``file``."""

    name: str
    description: str
    modality: Modality


class Candidates(StockModel):
    """Sentences of one difficulty."""

    candidates: list[str]


class ComplexityRule(StockModel):
    """How hard a request is; conditions name it with its level behind a colon. A composer must hold, too."""

    name: str
    threshold: float
    hard: Candidates
    easy: Candidates
    description: str | None = None
    composer: RuleNode | RuleLeaf | None = None


class JailbreakRule(StockModel):
    """An attack, by the probability that the detector gives, in the last message or in all of them."""

    name: str
    method: Literal["classifier"] = "classifier"
    threshold: float
    include_history: bool


class Subject(StockModel):
    """A user, or all members of a group; kinds in any case."""

    kind: str
    name: str = Field(min_length=1)


class RoleBinding(StockModel):
    """Who has a role, by whose name decisions ask for it (`authz`)."""

    name: str = Field(min_length=1)
    role: str = Field(min_length=1)
    subjects: list[Subject] = Field(min_length=1)
    description: str | None = None


class FactCheckRule(StockModel):
    """Whether the answer of a request needs a check of its facts. The name says which of both the signal is."""

    name: Literal["needs_fact_check", "no_fact_check_needed"]
    description: str | None = None


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
    role_bindings: list[RoleBinding] | None = None
    fact_check: list[FactCheckRule] | None = None
