"""What of the stock router's decisions and providers the runtime does not execute, and why.

``IGNORED`` changes neither a decision, nor a request or response, nor what protects them. Everything else that is not
in the contract ``v0_4_0`` is refused, with the reason that is here.

Source: the JSON Schema in the PyPI wheel ``vllm-sr==0.4.0``, and the router's code at commit 3d48f8c (2026-08-22).
"""

from __future__ import annotations

from collections.abc import Mapping

PLUGINS_IGNORED: Mapping[str, str] = {
    "router_replay": "records of requests are for the stock router's own API",
    "prompt_cache": "its marks for a provider's cache change only what requests cost",
    "shadow_dispatch": "copies of requests for comparison do not change responses",
}
PLUGINS_REFUSED: Mapping[str, str] = {
    "memory": "the runtime keeps no memories of users, so models would answer without them",
    "rag": "the runtime retrieves no documents, so models would answer without them",
    "tool_selection": "the runtime does not rank tools by a request; choose them with the plugin tools",
    "context_compression": "the runtime does not shorten requests, so some may not fit their model",
    "image_gen": "the runtime makes no images; let clients call a model under /v1/images/generations",
    "response_jailbreak": "it protects responses; use a guard of runtime.yaml with a detector on responses instead",
    "hallucination": "it marks or blocks responses by a model that the runtime does not have",
}
ALGORITHMS_REFUSED: Mapping[str, str] = {
    "prompt": "a model chooses the model",
    "knn": "it needs a trained selector",
    "kmeans": "it needs a trained selector",
    "svm": "it needs a trained selector",
    "mlp": "it needs a trained selector",
    "router_dc": "it needs embeddings of models",
    "automix": "it learns from verified responses",
    "hybrid": "it combines selectors that are trained or learn",
    "confidence": "it asks several models for one request",
    "ratings": "it asks several models for one request",
    "remom": "it asks several models for one request",
    "fusion": "it asks several models for one request",
    "workflows": "it asks several models for one request",
}
SELECTORS = frozenset(
    {"latency_aware", "multi_factor", "knn", "kmeans", "svm", "mlp", "router_dc", "automix", "hybrid"}
)
"""Algorithms that choose one model, so that nothing is to choose where a decision has one."""
CONDITIONS_REFUSED: Mapping[str, str] = {
    "classifier": "classifiers of the config's own",
    "event": "events",
    "kb": "knowledge bases are files beside the config",
    "metadata": "metadata of requests",
    "modality": "what a response should be",
    "preference": "a model, or an encoder in another way than embeddings, prefers a route",
    "reask": "questions of a conversation are not compared with each other",
    "safety": "the safety classifier",
    "user_feedback": "our examples recognise 84 % on topics that they lack, 66 % at the stock threshold",
}
"""Types of conditions that are not executed; a decision may depend on them."""
CACHE_REFUSED: Mapping[str, str] = {
    "request_controls": "clients cannot control the cache here",
    "allow_request_controls": "clients cannot control the cache here",
    "personalized": "responses with memories or documents would be mixed up here",
    "revision": "responses of earlier revisions would still be served here",
}
"""Fields of the plugin ``response_cache``."""
DECISION_IGNORED: Mapping[str, str] = {"annotations": "notes for people and tools"}
MODEL_IGNORED: Mapping[str, str] = {
    "reliability": "balancing, retries and health checks are the gateway's",
}
"""Fields of ``providers.models``."""
