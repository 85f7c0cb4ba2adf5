"""Which answers are worth keeping: whole ones, in which the model said all it had to say, called and refused nobody."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from vsr_runtime.decision.request.apis import Api
from vsr_runtime.decision.request.body import BodyError, read_body
from vsr_runtime.decision.request.sse import Splitter, StreamError

_ENDED = frozenset({"end_turn", "stop_sequence"})
_NO_ANSWER = ("tool_calls", "function_call", "refusal")
"""Fields of a message that calls somebody, or refuses."""
_SAID = frozenset({"message", "reasoning"})


def complete(api: Api, data: bytes, *, streamed: bool) -> bool:
    """Whether an answer of 200 is all that it should be.

    Args:
        api: the API that it is of.
        data: its whole body.
        streamed: whether that is a stream of events.
    """
    try:
        return _stream(api, list(_events(data))) if streamed else _document(api, read_body(data).values)
    except (BodyError, StreamError, TypeError):  # the last: a list or an object where the API has a word
        return False


def _document(api: Api, values: Mapping[str, Any]) -> bool:
    if values.get("error") is not None:
        return False
    if api is Api.RESPONSES:
        output = values.get("output")
        kinds = {item.get("type") if isinstance(item, dict) else None for item in output or [None]}
        return values.get("status") == "completed" and kinds <= _SAID and not _refused(output or [])
    if api is Api.MESSAGES:
        return values.get("stop_reason") in _ENDED
    choices = values.get("choices")
    return isinstance(choices, list) and bool(choices) and all(_stopped(choice) for choice in choices)


def _stopped(choice: object) -> bool:
    """Whether a choice ended by itself, and calls no tool: some servers say `stop` of such a one, too."""
    if not isinstance(choice, dict) or choice.get("finish_reason") != "stop":
        return False
    message = choice.get("message")
    return not (isinstance(message, dict) and any(map(message.get, _NO_ANSWER)))


def _refused(output: Iterable[Any]) -> bool:
    """Whether a part of a response is a refusal, of which the same model may think better."""
    contents = [item.get("content") for item in output if isinstance(item, dict)]
    parts = [part for content in contents if isinstance(content, list) for part in content]
    return any(isinstance(part, dict) and part.get("type") == "refusal" for part in parts)


def _events(data: bytes) -> Iterable[str]:
    splitter = Splitter()
    events = [*splitter.feed(data), splitter.end()]
    return [event.data.strip() for event in events if event is not None and event.data is not None]


def _stream(api: Api, events: list[str]) -> bool:
    if not events:
        return False
    if api in {Api.CHAT, Api.COMPLETIONS}:
        return events[-1] == "[DONE]" and _choices_stopped([_values(event) for event in events[:-1]])
    said = [_values(event) for event in events]
    if api is Api.RESPONSES:
        final = said[-1].get("response")
        return said[-1].get("type") == "response.completed" and isinstance(final, dict) and _document(api, final)
    deltas = [values.get("delta") for values in said if values.get("type") == "message_delta"]
    reasons = {delta.get("stop_reason") if isinstance(delta, dict) else None for delta in deltas}
    failed = any(values.get("type") == "error" for values in said)
    return said[-1].get("type") == "message_stop" and bool(reasons) and reasons <= _ENDED and not failed


def _values(event: str) -> Mapping[str, Any]:
    return read_body(event.encode()).values


def _choices_stopped(chunks: Iterable[Mapping[str, Any]]) -> bool:
    """Whether every choice of a stream ended by itself."""
    reasons: dict[object, object] = {}
    for chunk in chunks:
        choices = chunk.get("choices")
        if chunk.get("error") is not None or not isinstance(choices, list):
            return False
        for choice in choices:
            delta = choice.get("delta") if isinstance(choice, dict) else None
            if not isinstance(choice, dict) or (isinstance(delta, dict) and any(map(delta.get, _NO_ANSWER))):
                return False
            reasons[choice.get("index")] = choice.get("finish_reason") or reasons.get(choice.get("index"))
    return bool(reasons) and set(reasons.values()) == {"stop"}
