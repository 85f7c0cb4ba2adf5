"""Releases of the stock router: image, arguments, and the models of its registry.

Sources: the PyPI wheel ``vllm-sr`` of the release and the project's Helm chart, whose values the wheel writes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from vsr_compiler.releases.data import Table, build


@dataclass(frozen=True, slots=True)
class StockRouter:
    """A release of the stock router.

    Attributes:
        image: The image.
        args: The arguments of the process, which finds its config by itself.
        config: The path of its config.
        models: The folder that it downloads models to.
        registry: Folders below ``models/`` by Hugging Face repository. It loads no other models.
        similarity: The default threshold of the cosine similarity to an example.
        chart_has_headless: Whether its chart creates a headless Service, with the name of ours.
    """

    image: str
    args: tuple[str, ...]
    config: str
    models: str
    registry: Mapping[str, str]
    similarity: float
    chart_has_headless: bool


def _stock_router(section: Mapping[str, Any], release: str) -> StockRouter:
    return build(StockRouter, {**section, "image": f"{section['image']}:v{release}"})


STOCK_ROUTER: Mapping[str, StockRouter] = Table("semantic-router", _stock_router)
