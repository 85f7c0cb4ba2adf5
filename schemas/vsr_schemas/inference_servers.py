"""Protocols of the servers that classify text for the router: facts about each, with their source."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

ServerProtocol = Literal[
    "presidio",
    "openai-moderation",
    "llama-guard",
    "nemo-guardrails",
    "kserve-v2",
    "tei",
    "vllm-classify",
    "vllm-pooling",
]


@dataclass(frozen=True, slots=True)
class ProtocolFacts:
    """What is known of a protocol.

    Attributes:
        title: The software or API.
        path: The path of its requests, with the model's name where it belongs there.
        tasks: The tasks of classifiers that it can serve.
        batch: Texts of one request. More than one only if every release takes several.
        window: Characters that the server reads of a text at a time, if the policy does not say. Longer texts are read
            in overlapping windows, because some servers cut what is too long without a word.
        model: Whether a request names a model; ``path`` if its name is in the path.
        numbered: Whether answers list probabilities without labels, in the order of the model's outputs.
        labels: What of an answer counts if the policy names no labels.
        source: Where the facts are from, with the date.
    """

    title: str
    path: str
    tasks: frozenset[str]
    batch: int
    window: int
    model: Literal["required", "optional", "none"]
    source: str
    numbered: bool = False
    labels: tuple[str, ...] = ("jailbreak",)


SHORT = 400
"""Characters that fit 512 tokens in most scripts."""
LONG = 8_000
_ATTACKS = frozenset({"jailbreak"})
_CLASSES = frozenset({"jailbreak", "category"})

PROTOCOLS: Mapping[ServerProtocol, ProtocolFacts] = MappingProxyType(
    {
        "presidio": ProtocolFacts(
            "Presidio Analyzer",
            "/analyze",
            frozenset({"pii"}),
            1,
            50_000,
            "none",
            "microsoft/presidio presidio-analyzer/app.py, read 2026-12-02",
            labels=(),
        ),
        "openai-moderation": ProtocolFacts(
            "OpenAI Moderations API",
            "/v1/moderations",
            _ATTACKS,
            32,
            LONG,
            "optional",
            "CreateModerationResponse in clients generated from OpenAI's API document (openai-client-base 0.14, "
            "ex_openai 1.8), read 2026-12-02",
            labels=("flagged",),
        ),
        "llama-guard": ProtocolFacts(
            "Llama Guard by chat completions",
            "/v1/chat/completions",
            _ATTACKS,
            1,
            LONG,
            "required",
            "developers.cloudflare.com/workers-ai/models/llama-guard-3-8b and public guides: `safe`, or `unsafe` and a "
            "line of categories S1 to S14, read 2026-12-02",
            labels=("unsafe",),
        ),
        "nemo-guardrails": ProtocolFacts(
            "NeMo Guardrails microservice",
            "/v1/guardrail/checks",
            _ATTACKS,
            1,
            LONG,
            "required",
            "docs.nvidia.com/nemo/microservices, Checking a Guardrail and GuardrailCheckResponse, read 2026-12-02",
            labels=("blocked",),
        ),
        "kserve-v2": ProtocolFacts(
            "Open Inference Protocol (KServe v2)",
            "/v2/models/{model}/infer",
            _CLASSES,
            32,
            SHORT,
            "required",
            "kserve/kserve python/kserve/kserve/utils/utils.py and huggingfaceserver/encoder_model.py, read 2026-12-02",
            numbered=True,
        ),
        "tei": ProtocolFacts(
            "text-embeddings-inference",
            "/predict",
            _CLASSES,
            32,
            SHORT,
            "none",
            "huggingface/text-embeddings-inference router/src/http/types.rs, read 2026-12-02",
        ),
        "vllm-classify": ProtocolFacts(
            "vLLM /classify",
            "/classify",
            _CLASSES,
            32,
            SHORT,
            "required",
            "vllm-project/vllm vllm/entrypoints/pooling/classify/protocol.py, read 2026-12-02",
            numbered=True,
        ),
        "vllm-pooling": ProtocolFacts(
            "vLLM /pooling",
            "/pooling",
            _CLASSES,
            32,
            SHORT,
            "required",
            "vllm-project/vllm vllm/entrypoints/pooling/pooling/protocol.py, read 2026-12-02",
            numbered=True,
        ),
    }
)
