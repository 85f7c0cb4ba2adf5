"""The part of the stock router's config that release 0.4.0 accepts and that this project writes and executes.

The file declares ``version: v0.3``: upstream has kept that literal while the contract moved, so the release, not the
literal, names the contract. Everything outside this subset is refused by name, never skipped.

Source: the JSON Schema shipped in the PyPI wheel ``vllm-sr==0.4.0``.
"""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

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


class Strict(BaseModel):
    """Base: unknown keys are errors, values are immutable, no type is coerced."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, populate_by_name=True)


class BackendRef(Strict):
    """Where a model is served, ``endpoint`` as ``host:port``. Unused behind a gateway, but demanded by the contract."""

    name: str
    endpoint: str
    protocol: Literal["http", "https"] = "http"
    weight: int = 1
    provider: str | None = None


class ProviderModel(Strict):
    """A model that the router may select, by the name that clients and routes use."""

    name: str
    backend_refs: list[BackendRef]
    provider_model_id: str | None = None


class ProviderDefaults(Strict):
    """What applies where a decision says nothing."""

    model: str


class Providers(Strict):
    """All models and the default among them."""

    defaults: ProviderDefaults
    models: list[ProviderModel]


class ModelCard(Strict):
    """What the router knows of a model; names match ``providers.models``."""

    name: str
    context_window_size: int | None = None


class Domain(Strict):
    """A category signal. ``mmlu_categories`` ties it to the stock classifier's labels."""

    name: str
    description: str
    mmlu_categories: list[str] | None = None


class Signals(Strict):
    """The signals that decisions may ask about."""

    domains: list[Domain] = Field(default_factory=list)


class Leaf(Strict):
    """One condition: the signal of this type and name matched."""

    type: Literal["domain"]
    name: str


class Node(Strict):
    """A boolean combination. ``AND`` of nothing is true: the catch-all."""

    operator: Literal["AND", "OR", "NOT"]
    conditions: list[Node | Leaf]


class ModelRef(Strict):
    """A model that a decision selects."""

    model: str
    use_reasoning: bool = False


class Decision(Strict):
    """Rules and what follows when they hold. Higher priority wins."""

    name: str
    description: str
    priority: int
    rules: Node
    modelRefs: list[ModelRef]  # noqa: N815 - the contract's spelling


class Routing(Strict):
    """Models, signals, decisions."""

    modelCards: list[ModelCard]  # noqa: N815 - the contract's spelling
    signals: Signals = Field(default_factory=Signals)
    decisions: list[Decision] = Field(default_factory=list)


class RouterGlobal(Strict):
    """Names by which a client lets the router choose, and whether the route is chosen anew after the decision."""

    auto_model_names: list[str]
    clear_route_cache: Literal[True] = True


class Global(Strict):
    """Settings of the router itself."""

    router: RouterGlobal


class RouterConfig(Strict):
    """The file ``router/config.yaml``."""

    version: Literal["v0.3"] = "v0.3"
    listeners: list[str] = Field(default_factory=list, max_length=0)
    providers: Providers
    routing: Routing
    global_: Global = Field(alias="global")
