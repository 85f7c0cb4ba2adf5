"""Releases of the stock router: image, arguments, and the models of its registry.

Sources: the PyPI wheel ``vllm-sr`` of the release and the project's Helm chart, whose values the wheel writes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from vsr_compiler.releases.data import Table, build
from vsr_schemas.routerconfig.reasoning_0_4_0 import Family

AUTO = "auto"
"""The name that the engine of 0.3.0 always takes for an auto-model name."""


@dataclass(frozen=True, slots=True)
class StockRouter:
    """A release of the stock router.

    Attributes:
        image: The image.
        contract: The release whose words its config has.
        args: The arguments of the process, which finds its config by itself.
        config: The path of its config.
        models: The folder that it downloads models to.
        registry: Folders below ``models/`` by Hugging Face repository. It loads no other models.
        similarity: The default threshold of the cosine similarity to an example.
        chart_has_headless: Whether its chart creates a headless Service, with the name of ours.
        chart_takes_config: Whether its chart takes a whole config. Otherwise it merges one with defaults of its own.
        detectors_can_block: Whether a failed detector can count as a finding. Otherwise the request passes.
        lacks: Kinds of signals, and of what is counted in a conversation, that it does not know.
    """

    image: str
    contract: Literal["0.3.0", "0.4.0"]
    args: tuple[str, ...]
    config: str
    models: str
    registry: Mapping[str, str]
    similarity: float
    chart_has_headless: bool
    chart_takes_config: bool
    detectors_can_block: bool
    lacks: frozenset[str]


def _stock_router(section: Mapping[str, Any], release: str) -> StockRouter:
    return build(StockRouter, {**section, "image": f"{section['image']}:v{release}"})


STOCK_ROUTER: Mapping[str, StockRouter] = Table("semantic-router", _stock_router)


def executes(family: Family) -> bool:
    """Return whether the engine of 0.3.0 switches reasoning of a family on as intended."""
    if family.type == "chat_template_kwargs":
        return {"enabled", "disabled"} <= set(family.modes)
    return family.type == "reasoning_effort" and not (family.activation_parameter or family.effort_flags)


def other_auto_names(names: list[str]) -> list[str]:
    """Return the auto-model names beside the one that the engine of 0.3.0 always has. It takes one."""
    return [name for name in dict.fromkeys(names) if name != AUTO]
