"""Replay records of the stock router.

Source: `src/semantic-router/pkg/routerreplay/store/store.go` of vllm-project/semantic-router: `Record` and its JSON
names.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from vsr_compiler.impact.request import (
    NO_TEXT,
    NOT_A_BODY,
    TRUNCATED,
    Found,
    TrafficRequest,
    api_of,
    body_of,
    text,
    usage_of,
)

_TELLING = frozenset({"lifecycle_state", "decision_tier", "original_model", "selected_model"})


def requests(record: dict[str, Any]) -> Iterator[Found] | None:
    """Return the request of a record; None for a record of another form.

    The body is read if it was captured whole; otherwise the prompt alone is, which has no conversation.
    """
    if len(_TELLING & record.keys()) < 2:  # noqa: PLR2004 - one of them alone may be anybody's
        return None
    return iter([_request(record)])


def _request(record: dict[str, Any]) -> Found:
    usage = usage_of(
        record.get("prompt_tokens"), record.get("completion_tokens"), record.get("cached_prompt_tokens", 0)
    )
    number = text(record.get("request_id")) or text(record.get("id"))
    if record.get("request_body") and not record.get("request_body_truncated"):
        body = body_of(record["request_body"])
        return NOT_A_BODY if body is None else TrafficRequest(body, api_of(body), usage=usage, id=number)
    prompt = record.get("prompt")
    if record.get("prompt_truncated") or (record.get("request_body") and not prompt):
        return TRUNCATED
    if not isinstance(prompt, str) or not prompt:
        return NO_TEXT
    model = text(record.get("original_model"))
    body = {**({"model": model} if model else {}), "messages": [{"role": "user", "content": prompt}]}
    return TrafficRequest(body, usage=usage, id=number)
