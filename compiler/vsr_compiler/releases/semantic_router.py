"""Releases of the stock router: image, arguments, and the models of its registry.

Sources: the PyPI wheel ``vllm-sr`` of the release and the project's Helm chart, whose values the wheel writes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


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


_MMBERT = (
    "mmbert32k-intent-classifier-merged",
    "mmbert32k-jailbreak-detector-merged",
    "mmbert32k-pii-detector-merged",
)

STOCK_ROUTER: Mapping[str, StockRouter] = MappingProxyType(
    {
        "0.4.0": StockRouter(
            image="ghcr.io/vllm-project/semantic-router/extproc:v0.4.0",
            # TLS ends at the gateway; the connection to the router is inside the cluster.
            args=("--secure=false",),
            config="/app/config/config.yaml",
            models="/app/models",
            registry=MappingProxyType({f"llm-semantic-router/{name}": f"models/{name}" for name in _MMBERT}),
            similarity=0.5,
            # deploy/helm/semantic-router/templates/service.yaml since 1e3517551 (2026-07-14); v0.3.0 has none.
            chart_has_headless=True,
        )
    }
)
