"""The forms of an answer in the four APIs, each whole and as events. An event is a name or None, and its data."""

from __future__ import annotations

from collections.abc import Iterator

MODEL = "router"
"""What a fixed answer gives as its model, as the stock router does."""
Event = tuple[str | None, object]
Form = dict[str, object]
_DONE: Event = (None, "[DONE]")
_USAGE = {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}
_MESSAGE_USAGE = {"input_tokens": 0, "output_tokens": 0}


def chat(name: str, text: str) -> Form:
    """A chat completion."""
    said = {"role": "assistant", "content": text, "refusal": None}
    choice = {"index": 0, "message": said, "logprobs": None, "finish_reason": "stop"}
    return _openai("chatcmpl-fast-", name, "chat.completion") | {"choices": [choice], "usage": _USAGE}


def chat_events(name: str, text: str, *, usage: bool) -> Iterator[Event]:
    """The chunks of a chat completion."""
    deltas: tuple[tuple[Form, str | None], ...] = (
        ({"role": "assistant", "content": ""}, None),
        ({"content": text}, None),
        ({}, "stop"),
    )
    base = _openai("chatcmpl-fast-", name, "chat.completion.chunk")
    for delta, reason in deltas:
        yield None, base | {"choices": [{"index": 0, "delta": delta, "logprobs": None, "finish_reason": reason}]}
    if usage:
        yield None, base | {"choices": [], "usage": _USAGE}
    yield _DONE


def completion(name: str, text: str) -> Form:
    """A completion of the older API."""
    choice = {"index": 0, "text": text, "logprobs": None, "finish_reason": "stop"}
    return _openai("cmpl-fast-", name, "text_completion") | {"choices": [choice], "usage": _USAGE}


def completion_events(name: str, text: str, *, usage: bool) -> Iterator[Event]:
    """The chunks of a completion of the older API."""
    base = _openai("cmpl-fast-", name, "text_completion")
    for part, reason in ((text, None), ("", "stop")):
        yield None, base | {"choices": [{"index": 0, "text": part, "logprobs": None, "finish_reason": reason}]}
    if usage:
        yield None, base | {"choices": [], "usage": _USAGE}
    yield _DONE


def response(name: str, text: str) -> Form:
    """A response."""
    usage = {
        "input_tokens": 0,
        "input_tokens_details": {"cached_tokens": 0},
        "output_tokens": 0,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": 0,
    }
    return _response(name, "completed") | {"output": [_item(name, text)], "usage": usage}


def response_events(name: str, text: str, *, usage: bool) -> Iterator[Event]:  # noqa: ARG001 - always in the last event
    """The events of a response."""
    place = {"item_id": f"msg_fast_{name}", "output_index": 0, "content_index": 0}
    empty, part = _part(""), _part(text)
    events: tuple[tuple[str, Form], ...] = (
        ("response.created", {"response": _response(name, "in_progress")}),
        ("response.in_progress", {"response": _response(name, "in_progress")}),
        (
            "response.output_item.added",
            {"output_index": 0, "item": _item(name, text) | {"status": "in_progress", "content": []}},
        ),
        ("response.content_part.added", place | {"part": empty}),
        ("response.output_text.delta", place | {"delta": text, "logprobs": []}),
        ("response.output_text.done", place | {"text": text, "logprobs": []}),
        ("response.content_part.done", place | {"part": part}),
        ("response.output_item.done", {"output_index": 0, "item": _item(name, text)}),
        ("response.completed", {"response": response(name, text)}),
    )
    for number, (kind, data) in enumerate(events):
        yield kind, {"type": kind, "sequence_number": number} | data


def message(name: str, text: str) -> Form:
    """A message of Anthropic's API."""
    return _message(name) | {"content": [{"type": "text", "text": text}], "stop_reason": "end_turn"}


def message_events(name: str, text: str, *, usage: bool) -> Iterator[Event]:  # noqa: ARG001 - always in the events
    """The events of a message of Anthropic's API."""
    events: tuple[tuple[str, Form], ...] = (
        ("message_start", {"message": _message(name)}),
        ("content_block_start", {"index": 0, "content_block": {"type": "text", "text": ""}}),
        ("content_block_delta", {"index": 0, "delta": {"type": "text_delta", "text": text}}),
        ("content_block_stop", {"index": 0}),
        ("message_delta", {"delta": {"stop_reason": "end_turn", "stop_sequence": None}, "usage": {"output_tokens": 0}}),
        ("message_stop", {}),
    )
    for kind, data in events:
        yield kind, {"type": kind} | data


def _openai(prefix: str, name: str, kind: str) -> Form:
    return {"id": prefix + name, "object": kind, "created": 0, "model": MODEL}


def _response(name: str, status: str) -> Form:
    return {
        "id": f"resp_fast_{name}",
        "object": "response",
        "created_at": 0,
        "status": status,
        "error": None,
        "incomplete_details": None,
        "instructions": None,
        "metadata": {},
        "model": MODEL,
        "output": [],
        "parallel_tool_calls": False,
        "temperature": None,
        "tool_choice": "none",
        "tools": [],
        "top_p": None,
    }


def _item(name: str, text: str) -> Form:
    done = {"id": f"msg_fast_{name}", "type": "message", "role": "assistant", "status": "completed"}
    return done | {"content": [_part(text)]}


def _part(text: str) -> Form:
    return {"type": "output_text", "text": text, "annotations": [], "logprobs": []}


def _message(name: str) -> Form:
    return {
        "id": f"msg_fast_{name}",
        "type": "message",
        "role": "assistant",
        "model": MODEL,
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": _MESSAGE_USAGE,
    }
