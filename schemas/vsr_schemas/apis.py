"""The APIs that are routed, by the path of their requests."""

from __future__ import annotations

from typing import Literal

ApiPath = Literal["/v1/chat/completions", "/v1/completions", "/v1/responses", "/v1/messages", "/v1/embeddings"]
CHAT: ApiPath = "/v1/chat/completions"
COMPLETIONS: ApiPath = "/v1/completions"
RESPONSES: ApiPath = "/v1/responses"
MESSAGES: ApiPath = "/v1/messages"
EMBEDDINGS: ApiPath = "/v1/embeddings"

API_PATHS: tuple[ApiPath, ...] = (CHAT, COMPLETIONS, RESPONSES, MESSAGES, EMBEDDINGS)
"""Every routed API, in the order of lists for users."""
