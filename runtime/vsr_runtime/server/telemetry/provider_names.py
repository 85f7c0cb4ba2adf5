"""The names that OpenTelemetry's conventions have for providers of models, by host and by type of a config."""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import urlsplit

from vsr_schemas.routerconfig import v0_4_0 as contract

HOSTS: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern), name)
    for pattern, name in (
        (r"api\.openai\.com", "openai"),
        (r"api\.anthropic\.com", "anthropic"),
        (r"[a-z0-9-]{1,63}\.openai\.azure\.com", "azure.ai.openai"),
        (r"[a-z0-9-]{1,63}\.services\.ai\.azure\.com", "azure.ai.inference"),
        (r"bedrock-runtime\.[a-z0-9-]{1,32}\.amazonaws\.com", "aws.bedrock"),
        (r"generativelanguage\.googleapis\.com", "gcp.gemini"),
        (r"(?:[a-z0-9-]{1,32}-)?aiplatform\.googleapis\.com", "gcp.vertex_ai"),
        (r"api\.cohere\.(?:com|ai)", "cohere"),
        (r"api\.deepseek\.com", "deepseek"),
        (r"api\.groq\.com", "groq"),
        (r"api\.mistral\.ai", "mistral_ai"),
        (r"api\.perplexity\.ai", "perplexity"),
        (r"api\.x\.ai", "x_ai"),
    )
)
"""Names by whole host. Source: the addresses that the providers document for their APIs, December 2026, and the values
of ``gen_ai.provider.name`` in opentelemetry-semantic-conventions 0.66b2."""
TYPES: Mapping[str, str] = {
    "azure-openai": "azure.ai.openai",
    "bedrock": "aws.bedrock",
    "gemini": "gcp.gemini",
    "vertex-ai": "gcp.vertex_ai",
}
"""Names by the stock router's types of providers. ``openai`` and ``vllm`` name an API that many servers have."""


def provider_names(config: contract.RouterConfig) -> dict[str, str]:
    """Return the provider of each model whose backends all have the same known one."""
    known = {}
    for model in config.providers.models:
        names = {_name(ref) for ref in model.backend_refs}
        if len(names) == 1 and (name := names.pop()):
            known[model.name] = name
    return known


def _name(ref: contract.BackendRef) -> str:
    host = urlsplit(ref.base_url or f"//{ref.endpoint or ''}").hostname or ""
    by_host = next((name for pattern, name in HOSTS if pattern.fullmatch(host)), "")
    return by_host or TYPES.get(ref.provider or "", "")
