"""Rules and what follows when they hold."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from vsr_schemas.routerconfig.v0_4_0.base import StockModel
from vsr_schemas.routerconfig.v0_4_0.plugins import Plugin

Number = Annotated[float, Field(allow_inf_nan=False)]
Unknown = Literal["no_match", "match", "fail_request"]
"""Whether a decision holds whose signals cannot be computed; stated at the root of its rules only."""


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
        "classifier",
        "fact_check",
        "projection",
    ]
    name: str
    on_unknown: Unknown | None = None


class RuleNode(StockModel):
    """A boolean combination. ``AND`` of nothing is true: the catch-all."""

    operator: Literal["AND", "OR", "NOT"]
    conditions: list[RuleNode | RuleLeaf] = Field(default_factory=list)
    on_unknown: Unknown | None = None


class ModelRef(StockModel):
    """A model that a decision selects. With ``lora_name`` the adapter is what is asked for."""

    model: str
    lora_name: str | None = None
    use_reasoning: bool = False
    reasoning_mode: Literal["enabled", "disabled", "adaptive"] | None = None
    reasoning_effort: str | None = None
    weight: float | None = None


class LatencyAware(StockModel):
    """Percentiles of latencies, of which the model with the lowest is chosen; 0 if one does not count."""

    tpot_percentile: int = Field(default=0, ge=0, le=100)
    ttft_percentile: int = Field(default=0, ge=0, le=100)
    description: str | None = None


class MultiFactorWeights(StockModel):
    """How much each factor counts."""

    quality: Number = 0.0
    latency: Number = 0.0
    cost: Number = 0.0
    load: Number = 0.0


class MultiFactorCeilings(StockModel):
    """What excludes a model; 0 excludes none."""

    max_tpot_ms: Number = 0.0
    max_ttft_ms: Number = 0.0
    max_cost_per_1m: Number = 0.0
    max_inflight: int = 0


class MultiFactor(StockModel):
    """Factors whose weighted sum is the highest for the model that is chosen."""

    weights: MultiFactorWeights | None = None
    slo: MultiFactorCeilings | None = None
    latency_percentile: int = 0
    on_no_candidates: str | None = None


class Algorithm(StockModel):
    """How one of several models is chosen. The others of the stock router's are refused by name."""

    type: Literal["static", "latency_aware", "multi_factor"]
    latency_aware: LatencyAware | None = None
    multi_factor: MultiFactor | None = None


class Decision(StockModel):
    """Rules and what follows when they hold.

    Higher priority wins; tiers count before it, and confidence decides between equals. Without rules it always holds,
    and without models the default one serves.
    """

    name: str
    description: str | None = None
    priority: int = 0
    tier: int | None = None
    rules: RuleNode | RuleLeaf | None = None
    modelRefs: list[ModelRef] = Field(default_factory=list)  # noqa: N815 - the contract's spelling
    algorithm: Algorithm | None = None
    plugins: list[Plugin] | None = None
