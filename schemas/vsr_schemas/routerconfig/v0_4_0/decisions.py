"""Rules and what follows when they hold."""

from __future__ import annotations

from typing import Literal

from vsr_schemas.routerconfig.v0_4_0.base import StockModel
from vsr_schemas.routerconfig.v0_4_0.plugins import Plugin


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
        "projection",
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


class Decision(StockModel):
    """Rules and what follows when they hold. Higher priority wins."""

    name: str
    description: str
    priority: int
    rules: RuleNode
    modelRefs: list[ModelRef]  # noqa: N815 - the contract's spelling
    plugins: list[Plugin] | None = None
