"""The APIs that are routed, by the path of their requests.

Sources: vLLM 0.17.0 (`vllm/entrypoints/**/api_router.py`), and OpenAI's and Anthropic's references for those that vLLM
does not have (speech, images, moderations, retrieval of responses).
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal, get_args

ApiPath = Literal[
    "/v1/chat/completions",
    "/v1/completions",
    "/v1/responses",
    "/v1/responses/input_tokens",
    "/v1/responses/{id}",
    "/v1/responses/{id}/cancel",
    "/v1/responses/{id}/input_items",
    "/v1/messages",
    "/v1/messages/count_tokens",
    "/v1/embeddings",
    "/v1/rerank",
    "/v2/rerank",
    "/rerank",
    "/v1/score",
    "/score",
    "/classify",
    "/pooling",
    "/tokenize",
    "/detokenize",
    "/v1/moderations",
    "/v1/audio/transcriptions",
    "/v1/audio/translations",
    "/v1/audio/speech",
    "/v1/images/generations",
    "/v1/images/edits",
]
"""The path of an API. ``{id}`` stands for the id of a stored response."""
CHAT: ApiPath = "/v1/chat/completions"
COMPLETIONS: ApiPath = "/v1/completions"
RESPONSES: ApiPath = "/v1/responses"
INPUT_TOKENS: ApiPath = "/v1/responses/input_tokens"
STORED_RESPONSE: ApiPath = "/v1/responses/{id}"
CANCEL_RESPONSE: ApiPath = "/v1/responses/{id}/cancel"
INPUT_ITEMS: ApiPath = "/v1/responses/{id}/input_items"
MESSAGES: ApiPath = "/v1/messages"
COUNT_TOKENS: ApiPath = "/v1/messages/count_tokens"
EMBEDDINGS: ApiPath = "/v1/embeddings"
IMAGES: ApiPath = "/v1/images/generations"
SPEECH: ApiPath = "/v1/audio/speech"
TRANSCRIPTIONS: ApiPath = "/v1/audio/transcriptions"
TRANSLATIONS: ApiPath = "/v1/audio/translations"
TOKENIZE: ApiPath = "/tokenize"
RERANK: ApiPath = "/v2/rerank"

API_PATHS: tuple[ApiPath, ...] = get_args(ApiPath)
"""Every routed API, in the order of lists for users."""
TEXT_APIS: tuple[ApiPath, ...] = (CHAT, COMPLETIONS, RESPONSES, MESSAGES, EMBEDDINGS)
"""The APIs that most clients call. A component that does not serve one of them is reported at compile time."""

ApiName = Literal[
    "chat",
    "completions",
    "responses",
    "messages",
    "embeddings",
    "rerank",
    "score",
    "classify",
    "pooling",
    "tokenize",
    "moderations",
    "audio",
    "images",
]
API_NAMES: tuple[ApiName, ...] = get_args(ApiName)

API_GROUPS: Mapping[ApiName, tuple[ApiPath, ...]] = MappingProxyType(
    {
        "chat": (CHAT,),
        "completions": (COMPLETIONS,),
        "responses": (RESPONSES, INPUT_TOKENS, STORED_RESPONSE, CANCEL_RESPONSE, INPUT_ITEMS),
        "messages": (MESSAGES, COUNT_TOKENS),
        "embeddings": (EMBEDDINGS,),
        "rerank": ("/v1/rerank", "/v2/rerank", "/rerank"),
        "score": ("/v1/score", "/score"),
        "classify": ("/classify",),
        "pooling": ("/pooling",),
        "tokenize": (TOKENIZE, "/detokenize"),
        "moderations": ("/v1/moderations",),
        "audio": (TRANSCRIPTIONS, TRANSLATIONS, SPEECH),
        "images": (IMAGES, "/v1/images/edits"),
    }
)
"""The paths of each API that a policy can name."""


def paths_of(names: tuple[ApiName, ...] | list[ApiName]) -> frozenset[ApiPath]:
    """Return the paths of some APIs.

    >>> sorted(paths_of(["messages"]))
    ['/v1/messages', '/v1/messages/count_tokens']
    """
    return frozenset(path for name in names for path in API_GROUPS[name])
