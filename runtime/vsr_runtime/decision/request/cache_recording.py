"""Records responses for the cache. Only complete responses without tool calls or refusals are worth caching."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from vsr_runtime.decision.apis.endpoints import Api
from vsr_runtime.decision.request.cache_key import VARY_HEADERS
from vsr_runtime.decision.request.json_body import BodyError, read_body
from vsr_runtime.decision.request.sse import SseSplitter, StreamError

MAX_RESPONSE = 256 << 10
"""Maximum bytes of a cached response."""
_CONTENT_TYPES = re.compile(r"(application/json|text/event-stream)\s*(?:;.*)?", re.IGNORECASE)
_FORBIDDING = frozenset({"no-store", "private", "no-cache", "must-understand"})
"""Directives of a response that is not stored, or would have to be validated at each use, which no model can."""
_KNOWN_VARIATION = frozenset({"", "accept", "accept-encoding", "origin", *VARY_HEADERS})
"""Headers by which responses may vary: the key covers them, or they change no content. Any other may be a reason for
another answer, and `*` always is."""
_END_REASONS = frozenset({"end_turn", "stop_sequence"})
_NOT_CACHEABLE = ("tool_calls", "function_call", "refusal")
"""Fields of a message with a tool call or a refusal."""
_OUTPUT_TYPES = frozenset({"message", "reasoning"})


@dataclass(frozen=True, slots=True)
class CachedResponse:
    """A response: its content type and body, and the seconds for which its server calls it fresh."""

    content_type: str
    body: bytes = field(repr=False)
    lifetime: float | None = None


class ResponseRecorder:
    """Records one response.

    Args:
        api: the API of the response.
        kind: its content type.
        lifetime: the seconds for which it is fresh; None if the server does not say.
    """

    def __init__(self, api: Api, kind: str, lifetime: float | None = None) -> None:
        self._api, self._kind, self._lifetime = api, kind, lifetime
        self._pieces: list[bytes] | None = []
        self._size = 0

    def add(self, data: bytes) -> None:
        """Add data that is sent to the client."""
        self._size += len(data)
        if self._size > MAX_RESPONSE:
            self.spoil()
        if self._pieces is not None:
            self._pieces.append(data)

    def spoil(self) -> None:
        """Mark the response as not cacheable."""
        self._pieces = None

    def done(self) -> CachedResponse | None:
        """Return the complete response; None if it is not worth caching."""
        if self._pieces is None:
            return None
        data = b"".join(self._pieces)
        streamed = self._kind.lower().startswith("text/event-stream")
        return (
            CachedResponse(self._kind, data, self._lifetime)
            if is_complete(self._api, data, streamed=streamed)
            else None
        )


def joined_headers(headers: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return headers by name; several fields of one name are one list."""
    joined: dict[str, str] = {}
    for name, value in headers:
        joined[name] = f"{joined[name]}, {value}" if name in joined else value
    return joined


def start_recording(api: Api, headers: Mapping[str, str]) -> ResponseRecorder | None:
    """Return a recorder for a response with these headers; None if it cannot be cached."""
    plain = headers.get("content-encoding", "").strip().lower() in {"", "identity"}
    kind = headers.get("content-type", "").strip()
    directives = _directives(headers)
    lifetime = _lifetime(directives)
    if not _may_be_stored(headers, directives) or lifetime == 0:
        return None
    if headers.get(":status") != "200" or not plain or not is_cacheable_type(kind):
        return None
    return ResponseRecorder(api, kind, lifetime)


def is_cacheable_type(content_type: str) -> bool:
    """Return whether answers of a content type may be cached."""
    return _CONTENT_TYPES.fullmatch(content_type) is not None


def _directives(headers: Mapping[str, str]) -> dict[str, str]:
    parts = (part.partition("=") for part in headers.get("cache-control", "").split(","))
    return {name.strip().lower(): value.strip(' "') for name, _, value in parts}


def _lifetime(directives: Mapping[str, str]) -> float | None:
    """Return the seconds for which a shared cache may use a response; 0 if they are not understood."""
    value = directives.get("s-maxage", directives.get("max-age"))
    if value is None:
        return None
    return float(value) if re.fullmatch(r"[0-9]{1,10}", value) else 0.0


def _may_be_stored(headers: Mapping[str, str], directives: Mapping[str, str]) -> bool:
    """Return whether the server lets a cache that is not the client's own store its response (RFC 9111).

    ``scope: user`` is no exception: whether two requests are of one user is the router's view, not the server's.
    """
    if _FORBIDDING & directives.keys() or "set-cookie" in headers or "no-cache" in headers.get("pragma", "").lower():
        return False
    varied = {name.strip().lower() for name in headers.get("vary", "").split(",")}
    return varied <= _KNOWN_VARIATION


def is_complete(api: Api, data: bytes, *, streamed: bool) -> bool:
    """Return whether a response with status 200 is complete.

    Args:
        api: the API of the response.
        data: its whole body.
        streamed: whether the body is an event stream.
    """
    try:
        return (
            _stream_complete(api, list(_event_data(data)))
            if streamed
            else _document_complete(api, read_body(data).values)
        )
    except (BodyError, StreamError, TypeError):  # TypeError: a list or an object instead of a string
        return False


def _document_complete(api: Api, values: Mapping[str, Any]) -> bool:
    if values.get("error") is not None:
        return False
    if api is Api.RESPONSES:
        output = values.get("output")
        kinds = {item.get("type") if isinstance(item, dict) else None for item in output or [None]}
        return values.get("status") == "completed" and kinds <= _OUTPUT_TYPES and not _has_refusal(output or [])
    if api is Api.MESSAGES:
        return values.get("stop_reason") in _END_REASONS
    choices = values.get("choices")
    return isinstance(choices, list) and bool(choices) and all(_choice_stopped(choice) for choice in choices)


def _choice_stopped(choice: object) -> bool:
    """Return whether a choice is finished without a tool call. Some servers report `stop` for tool calls, too."""
    if not isinstance(choice, dict) or choice.get("finish_reason") != "stop":
        return False
    message = choice.get("message")
    return not (isinstance(message, dict) and any(map(message.get, _NOT_CACHEABLE)))


def _has_refusal(output: Iterable[Any]) -> bool:
    """Return whether a part of a response is a refusal, which the model may not repeat."""
    contents = [item.get("content") for item in output if isinstance(item, dict)]
    parts = [part for content in contents if isinstance(content, list) for part in content]
    return any(isinstance(part, dict) and part.get("type") == "refusal" for part in parts)


def _event_data(data: bytes) -> Iterable[str]:
    splitter = SseSplitter()
    events = [*splitter.feed(data), splitter.end()]
    return [event.data.strip() for event in events if event is not None and event.data is not None]


def _stream_complete(api: Api, events: list[str]) -> bool:
    if not events:
        return False
    if api in {Api.CHAT, Api.COMPLETIONS}:
        return events[-1] == "[DONE]" and _choices_stopped([_parse_event(event) for event in events[:-1]])
    values_of_events = [_parse_event(event) for event in events]
    if api is Api.RESPONSES:
        final = values_of_events[-1].get("response")
        return (
            values_of_events[-1].get("type") == "response.completed"
            and isinstance(final, dict)
            and _document_complete(api, final)
        )
    deltas = [values.get("delta") for values in values_of_events if values.get("type") == "message_delta"]
    reasons = {delta.get("stop_reason") if isinstance(delta, dict) else None for delta in deltas}
    failed = any(values.get("type") == "error" for values in values_of_events)
    return (
        values_of_events[-1].get("type") == "message_stop" and bool(reasons) and reasons <= _END_REASONS and not failed
    )


def _parse_event(event: str) -> Mapping[str, Any]:
    return read_body(event.encode()).values


def _choices_stopped(chunks: Iterable[Mapping[str, Any]]) -> bool:
    """Return whether every choice of a stream is finished."""
    reasons: dict[object, object] = {}
    for chunk in chunks:
        choices = chunk.get("choices")
        if chunk.get("error") is not None or not isinstance(choices, list):
            return False
        for choice in choices:
            delta = choice.get("delta") if isinstance(choice, dict) else None
            if not isinstance(choice, dict) or (isinstance(delta, dict) and any(map(delta.get, _NOT_CACHEABLE))):
                return False
            reasons[choice.get("index")] = choice.get("finish_reason") or reasons.get(choice.get("index"))
    return bool(reasons) and set(reasons.values()) == {"stop"}
