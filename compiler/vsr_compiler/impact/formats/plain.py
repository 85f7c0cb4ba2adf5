"""Requests as JSON: a body by itself, or in a record with what belongs to it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from vsr_compiler.impact.request import (
    NOT_A_BODY,
    Found,
    TrafficRequest,
    Usage,
    api_of,
    body_of,
    client_of,
    text,
    usage_of,
)
from vsr_schemas.identity import TEAM

_OWN = ("request", "body")
"""Fields that hold the body of a record."""
_TEXTS = ("messages", "input", "prompt")
_DETAILS = ("prompt_tokens_details", "input_tokens_details")


def requests(record: dict[str, Any]) -> Iterator[Found] | None:
    """Return the request of a record; None for a record of another form.

    A record has the body in ``request`` or ``body``, and may have ``path``, ``headers`` (an object), ``client``
    (``user``, ``team``, ``tenant``, ``role`` and other attributes), ``usage`` (``prompt_tokens``,
    ``completion_tokens``, ``cached_tokens``) and ``id``. A record with none of the two fields is the body itself, or
    has a ``prompt`` and no ``model``. A body without a model lets the router choose.
    """
    own = next((name for name in _OWN if isinstance(record.get(name), dict | str)), None)
    if own is not None:
        return iter([_wrapped(record, body_of(record[own]))])
    if not any(name in record for name in _TEXTS):
        return None
    if "model" not in record and isinstance(record.get("prompt"), str):
        message = {"role": "user", "content": record["prompt"]}
        return iter([_wrapped(record, {"messages": [message]})])
    return iter([TrafficRequest(record, api_of(record))])


def _wrapped(record: Mapping[str, Any], body: Mapping[str, Any] | None) -> Found:
    if body is None:
        return NOT_A_BODY
    sent, usage = record.get("headers"), record.get("usage")
    headers = sent.items() if isinstance(sent, dict) else ()
    who = record.get("client")
    who = who if isinstance(who, dict) else {}
    team = text(who.get(TEAM)) or text(record.get("team"))
    attributes = {**who, TEAM: team}
    roles = attributes.pop("role", attributes.pop("roles", ()))
    return TrafficRequest(
        body,
        text(record.get("path")) or api_of(body),
        tuple((text(name).lower(), text(value)) for name, value in headers if text(name) and isinstance(value, str)),
        client_of(attributes, roles),
        team,
        usage_in(usage) if isinstance(usage, dict) else None,
        text(record.get("id")),
    )


def usage_in(usage: Mapping[str, Any]) -> Usage | None:
    """Return the tokens of a ``usage`` object of the Chat Completions, Responses or Messages API."""
    details: Mapping[str, Any] = next((usage[name] for name in _DETAILS if isinstance(usage.get(name), dict)), {})
    cached = details.get("cached_tokens", usage.get("cached_tokens", usage.get("cache_read_input_tokens", 0)))
    prompt = usage.get("prompt_tokens", usage.get("input_tokens"))
    if "cache_read_input_tokens" in usage and isinstance(prompt, int) and isinstance(cached, int):
        prompt += cached  # the Messages API counts them apart
    return usage_of(prompt, usage.get("completion_tokens", usage.get("output_tokens")), cached)
