"""Spans of OpenTelemetry's conventions for generative AI, as OTLP in JSON or one span an object.

Source: semantic conventions for GenAI: `gen_ai.input.messages`, `gen_ai.system_instructions`,
`gen_ai.request.model`, `gen_ai.usage.input_tokens`, `gen_ai.usage.output_tokens`,
`gen_ai.usage.cache_read.input_tokens`; OTLP's JSON encoding: `resourceSpans`, `scopeSpans`, `spans`, `attributes`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from vsr_compiler.impact.request import NO_TEXT, Found, TrafficRequest, client_of, text, usage_of
from vsr_schemas.identity import TEAM, USER

MODEL, MESSAGES, SYSTEM = "gen_ai.request.model", "gen_ai.input.messages", "gen_ai.system_instructions"
_PREFIX = "gen_ai."
_MAX_DEPTH = 32


def requests(record: dict[str, Any]) -> Iterator[Found] | None:
    """Return the requests of a record, one for each span of a model; None for a record of another form."""
    if "resourceSpans" in record:
        return _of_export(record)
    attributes = _attributes(record.get("attributes"))
    if not any(name.startswith(_PREFIX) for name in attributes):
        return None
    return _of_span(attributes, text(record.get("spanId")) or text(record.get("span_id")))


def _of_export(record: dict[str, Any]) -> Iterator[Found]:
    for resource in _dicts(record["resourceSpans"]):
        for scope in _dicts(resource.get("scopeSpans")):
            for span in _dicts(scope.get("spans")):
                yield from _of_span(_attributes(span.get("attributes")), text(span.get("spanId")))


def _of_span(attributes: Mapping[str, Any], number: str) -> Iterator[Found]:
    """Yield the request of a span; none for a span of something else, such as a tool's call."""
    if MODEL not in attributes and MESSAGES not in attributes:
        return
    messages = [*_system(_json(attributes.get(SYSTEM))), *_messages(_json(attributes.get(MESSAGES)))]
    if not messages:
        yield NO_TEXT
        return
    team = text(attributes.get("team")) or text(attributes.get("user.team"))
    model = text(attributes.get(MODEL))
    yield TrafficRequest(
        {**({"model": model} if model else {}), "messages": messages},
        client=client_of({USER: attributes.get("enduser.id") or attributes.get("user.id"), TEAM: team}),
        team=team,
        usage=usage_of(
            attributes.get("gen_ai.usage.input_tokens"),
            attributes.get("gen_ai.usage.output_tokens"),
            attributes.get("gen_ai.usage.cache_read.input_tokens", 0),
        ),
        id=number,
    )


def _messages(value: object) -> Iterator[dict[str, Any]]:
    """Yield the messages of a conversation as the Chat Completions API has them."""
    for message in _dicts(value):
        role, parts = text(message.get("role")) or "user", message.get("parts")
        if isinstance(message.get("content"), str):
            yield {"role": role, "content": message["content"]}
            continue
        texts = [part["content"] for part in _dicts(parts) if isinstance(part.get("content"), str)]
        calls = [_call(part) for part in _dicts(parts) if part.get("type") == "tool_call"]
        for part in _dicts(parts):
            if part.get("type") == "tool_call_response":
                answer = part.get("response", part.get("result"))
                content = answer if isinstance(answer, str) else json.dumps(answer)
                yield {"role": "tool", "tool_call_id": text(part.get("id")), "content": content}
        if calls:
            yield {"role": role, "content": "\n".join(texts), "tool_calls": calls}
        elif texts:
            yield {"role": role, "content": "\n".join(texts)}


def _call(part: Mapping[str, Any]) -> dict[str, Any]:
    given = part.get("arguments")
    arguments = given if isinstance(given, str) else json.dumps(given)
    function = {"name": text(part.get("name")), "arguments": arguments}
    return {"id": text(part.get("id")), "type": "function", "function": function}


def _system(value: object) -> Iterator[dict[str, Any]]:
    texts = [part["content"] for part in _dicts(value) if isinstance(part.get("content"), str)]
    if texts:
        yield {"role": "system", "content": "\n".join(texts)}


def _attributes(value: object) -> dict[str, Any]:
    """Return attributes given as an object, or as OTLP's list of keys and values."""
    if isinstance(value, dict):
        return value
    return {text(item.get("key")): _value(item.get("value"), _MAX_DEPTH) for item in _dicts(value)}


def _value(value: object, depth: int) -> Any:  # noqa: ANN401 - any JSON
    """Return what an ``AnyValue`` of OTLP holds; None below the depth that is read."""
    if not isinstance(value, dict) or not depth:
        return None
    for name in ("stringValue", "intValue", "doubleValue", "boolValue"):
        if name in value:
            return value[name]
    if "arrayValue" in value:
        return [_value(item, depth - 1) for item in _dicts(_within(value["arrayValue"]))]
    if "kvlistValue" in value:
        pairs = _dicts(_within(value["kvlistValue"]))
        return {text(item.get("key")): _value(item.get("value"), depth - 1) for item in pairs}
    return None


def _within(value: object) -> object:
    return value.get("values") if isinstance(value, dict) else None


def _json(value: object) -> object:
    """Return a structure that spans may have as JSON text."""
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        return None


def _dicts(value: object) -> list[dict[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []
