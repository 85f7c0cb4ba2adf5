"""The APIs that are routed."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum

from vsr_runtime.decision.apis.anthropic import view_of_message
from vsr_runtime.decision.apis.openai import view_of_chat, view_of_completion, view_of_response
from vsr_runtime.decision.ask.rules import AskRules
from vsr_runtime.decision.view import RequestView
from vsr_schemas import apis


class Api(Enum):
    """An API, identified by its path."""

    CHAT = apis.CHAT
    COMPLETIONS = apis.COMPLETIONS
    RESPONSES = apis.RESPONSES
    INPUT_TOKENS = apis.INPUT_TOKENS
    STORED_RESPONSE = apis.STORED_RESPONSE
    CANCEL_RESPONSE = apis.CANCEL_RESPONSE
    INPUT_ITEMS = apis.INPUT_ITEMS
    MESSAGES = apis.MESSAGES
    COUNT_TOKENS = apis.COUNT_TOKENS
    EMBEDDINGS = apis.EMBEDDINGS
    RERANK = "/v1/rerank"
    RERANK_V2 = "/v2/rerank"
    RERANK_BARE = "/rerank"
    SCORE = "/v1/score"
    SCORE_BARE = "/score"
    CLASSIFY = "/classify"
    POOLING = "/pooling"
    TOKENIZE = apis.TOKENIZE
    DETOKENIZE = "/detokenize"
    MODERATIONS = "/v1/moderations"
    TRANSCRIPTIONS = apis.TRANSCRIPTIONS
    TRANSLATIONS = apis.TRANSLATIONS
    SPEECH = apis.SPEECH
    IMAGES = apis.IMAGES
    IMAGE_EDITS = "/v1/images/edits"

    @property
    def anthropic(self) -> bool:
        """Whether errors have Anthropic's form."""
        return self in (Api.MESSAGES, Api.COUNT_TOKENS)

    @property
    def generates(self) -> bool:
        """Whether a response is generated text, which can be fixed, cached and streamed."""
        return self in (Api.CHAT, Api.COMPLETIONS, Api.RESPONSES, Api.MESSAGES)


@dataclass(frozen=True, slots=True)
class ApiEndpoint:
    """A routed API: how its requests name the model and what they hold.

    If ``view_of`` is None, requests are not routed by content and the client must name the model.

    Attributes:
        api: the API.
        fields: the fields with the content of a request, one of which it must have; empty for a stored response.
        view_of: reader of its requests; takes a body, and how the person's ask is extracted.
        form: whether requests are forms (``multipart/form-data``) instead of JSON.
        methods: the methods of its requests. Those without ``POST`` have no body.
        stored: whether requests name a stored response in their path, and no model.
    """

    api: Api
    fields: tuple[str, ...]
    view_of: Callable[[Mapping[str, object], AskRules | None], RequestView] | None = None
    form: bool = False
    methods: tuple[str, ...] = ("POST",)
    stored: bool = False


_SCORED = ("text_1", "queries", "data_1", "query")

ENDPOINTS: Mapping[str, ApiEndpoint] = {
    endpoint.api.value: endpoint
    for endpoint in (
        ApiEndpoint(Api.CHAT, ("messages",), view_of_chat),
        ApiEndpoint(Api.COMPLETIONS, ("prompt",), view_of_completion),
        ApiEndpoint(Api.RESPONSES, ("input", "prompt"), view_of_response),
        ApiEndpoint(Api.INPUT_TOKENS, ("input", "prompt"), view_of_response),
        ApiEndpoint(Api.STORED_RESPONSE, (), methods=("GET", "DELETE"), stored=True),
        ApiEndpoint(Api.CANCEL_RESPONSE, (), stored=True),
        ApiEndpoint(Api.INPUT_ITEMS, (), methods=("GET",), stored=True),
        ApiEndpoint(Api.MESSAGES, ("messages",), view_of_message),
        ApiEndpoint(Api.COUNT_TOKENS, ("messages",), view_of_message),
        ApiEndpoint(Api.EMBEDDINGS, ("input", "messages")),
        ApiEndpoint(Api.RERANK, ("query",)),
        ApiEndpoint(Api.RERANK_V2, ("query",)),
        ApiEndpoint(Api.RERANK_BARE, ("query",)),
        ApiEndpoint(Api.SCORE, _SCORED),
        ApiEndpoint(Api.SCORE_BARE, _SCORED),
        ApiEndpoint(Api.CLASSIFY, ("input", "messages")),
        ApiEndpoint(Api.POOLING, ("input", "messages", "data")),
        ApiEndpoint(Api.TOKENIZE, ("prompt", "messages")),
        ApiEndpoint(Api.DETOKENIZE, ("tokens",)),
        ApiEndpoint(Api.MODERATIONS, ("input",)),
        ApiEndpoint(Api.TRANSCRIPTIONS, ("file",), form=True),
        ApiEndpoint(Api.TRANSLATIONS, ("file",), form=True),
        ApiEndpoint(Api.SPEECH, ("input",)),
        ApiEndpoint(Api.IMAGES, ("prompt",)),
        ApiEndpoint(Api.IMAGE_EDITS, ("prompt",), form=True),
    )
}
_STORED = re.compile(r"/v1/responses/[A-Za-z0-9][A-Za-z0-9_.:-]{0,255}(/cancel|/input_items)?")


def endpoint_of(path: str) -> ApiEndpoint | None:
    """Return the API of a path without its query; None if there is none."""
    endpoint = ENDPOINTS.get(path)
    if endpoint is not None:
        return None if endpoint.stored else endpoint
    match = _STORED.fullmatch(path)
    return ENDPOINTS[f"{Api.STORED_RESPONSE.value}{match[1] or ''}"] if match else None
