"""The APIs that are routed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum

from vsr_runtime.decision.apis.anthropic import view_of_message
from vsr_runtime.decision.apis.openai import view_of_chat, view_of_completion, view_of_response
from vsr_runtime.decision.view import RequestView
from vsr_schemas import apis


class Api(Enum):
    """An API, identified by its path."""

    CHAT = apis.CHAT
    COMPLETIONS = apis.COMPLETIONS
    RESPONSES = apis.RESPONSES
    MESSAGES = apis.MESSAGES
    EMBEDDINGS = apis.EMBEDDINGS


@dataclass(frozen=True, slots=True)
class ApiEndpoint:
    """A routed API: its required field and the reader of its requests.

    If ``view_of`` is None, requests are not routed by content and the client must name the model.
    """

    api: Api
    field: str
    view_of: Callable[[Mapping[str, object]], RequestView] | None


ENDPOINTS: Mapping[str, ApiEndpoint] = {
    endpoint.api.value: endpoint
    for endpoint in (
        ApiEndpoint(Api.CHAT, "messages", view_of_chat),
        ApiEndpoint(Api.COMPLETIONS, "prompt", view_of_completion),
        ApiEndpoint(Api.RESPONSES, "input", view_of_response),
        ApiEndpoint(Api.MESSAGES, "messages", view_of_message),
        ApiEndpoint(Api.EMBEDDINGS, "input", None),
    )
}
