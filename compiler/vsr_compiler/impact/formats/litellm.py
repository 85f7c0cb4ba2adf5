"""Spend logs of LiteLLM's proxy.

Source: `schema.prisma` of BerriAI/litellm, table `LiteLLM_SpendLogs`; texts are in `messages` or
`proxy_server_request` where `store_prompts_in_spend_logs` is set.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from vsr_compiler.impact.request import NO_TEXT, Found, TrafficRequest, api_of, body_of, client_of, text, usage_of
from vsr_schemas import apis
from vsr_schemas.identity import TEAM, USER

_APIS = {
    "completion": apis.CHAT,
    "acompletion": apis.CHAT,
    "responses": apis.RESPONSES,
    "aresponses": apis.RESPONSES,
    "embedding": apis.EMBEDDINGS,
    "aembedding": apis.EMBEDDINGS,
    "anthropic_messages": apis.MESSAGES,
    "atext_completion": apis.COMPLETIONS,
    "text_completion": apis.COMPLETIONS,
}
"""The API by ``call_type``."""


def requests(record: dict[str, Any]) -> Iterator[Found] | None:
    """Return the request of a row; None for a record of another form."""
    if "call_type" not in record or not {"spend", "startTime", "request_id"} & record.keys():
        return None
    return iter([_request(record)])


def _request(record: dict[str, Any]) -> Found:
    body = body_of(record.get("proxy_server_request"))
    body = body_of(body.get("body")) or body if body is not None else None
    if not body or not any(name in body for name in ("messages", "input", "prompt")):
        messages = record.get("messages")
        messages = (body_of(messages) or _list(messages)) if isinstance(messages, str) else messages
        if not isinstance(messages, list) or not messages:
            return NO_TEXT
        body = {"messages": messages}
    metadata = body_of(record.get("metadata")) or {}
    model = text(record.get("model_group")) or text(record.get("model"))
    team = text(metadata.get("user_api_key_team_alias")) or text(record.get("team_id"))
    return TrafficRequest(
        {"model": model, **body} if model else body,
        _APIS.get(text(record.get("call_type"))) or api_of(body),
        client=client_of({USER: record.get("user") or record.get("end_user"), TEAM: team}),
        team=team,
        usage=usage_of(record.get("prompt_tokens"), record.get("completion_tokens"), _cached(metadata)),
        id=text(record.get("request_id")),
    )


def _list(value: str) -> object:
    wrapped = body_of(f'{{"list": {value}}}')
    return wrapped and wrapped["list"]


def _cached(metadata: Any) -> object:  # noqa: ANN401 - of somebody else's log
    usage = metadata.get("usage_object")
    details = usage.get("prompt_tokens_details") if isinstance(usage, dict) else None
    return details.get("cached_tokens", 0) if isinstance(details, dict) else 0
