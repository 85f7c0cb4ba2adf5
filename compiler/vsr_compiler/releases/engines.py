"""The stock router by release: its image, how it is started, and the models of its registry.

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
        image: Where it is pulled from.
        args: What it is started with; it finds its config by itself.
        config: Where it looks for its config.
        models: The folder that its models are downloaded to.
        registry: Folders of models below ``models/``, by their Hugging Face repositories. It loads no others.
        similarity: The cosine similarity from which text is like an example, where a policy says nothing.
    """

    image: str
    args: tuple[str, ...]
    config: str
    models: str
    registry: Mapping[str, str]
    similarity: float


_MMBERT = (
    "mmbert32k-intent-classifier-merged",
    "mmbert32k-jailbreak-detector-merged",
    "mmbert32k-pii-detector-merged",
)

STOCK_ROUTER: Mapping[str, StockRouter] = MappingProxyType(
    {
        "0.4.0": StockRouter(
            image="ghcr.io/vllm-project/semantic-router/extproc:v0.4.0",
            # TLS ends at the gateway, which speaks to the router inside the cluster.
            args=("--secure=false",),
            config="/app/config/config.yaml",
            models="/app/models",
            registry=MappingProxyType({f"llm-semantic-router/{name}": f"models/{name}" for name in _MMBERT}),
            similarity=0.5,
        )
    }
)
