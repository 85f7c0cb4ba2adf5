"""Static responses in the form of each API, as a document or as an event stream."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from hashlib import blake2b

from vsr_runtime.decision.apis.endpoints import Api
from vsr_runtime.decision.request.events import ImmediateResponse

STATIC_MODEL = "router"
"""The model name in static responses, as in the stock router."""
_Event = tuple[str | None, object]
_Form = dict[str, object]
_DONE: _Event = (None, "[DONE]")
_USAGE = {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}
_MESSAGE_USAGE = {"input_tokens": 0, "output_tokens": 0}
STATIC_RESPONSE_CODE = "fast_response"
STATIC_RESPONSE_HEADER = ("x-vsr-fast-response", "true")


def _chat(name: str, text: str) -> _Form:
    """Return a chat completion."""
    content = {"role": "assistant", "content": text, "refusal": None}
    choice = {"index": 0, "message": content, "logprobs": None, "finish_reason": "stop"}
    return _openai_base("chatcmpl-fast-", name, "chat.completion") | {"choices": [choice], "usage": _USAGE}


def _chat_events(name: str, text: str, *, usage: bool) -> Iterator[_Event]:
    """Yield the chunks of a chat completion."""
    deltas: tuple[tuple[_Form, str | None], ...] = (
        ({"role": "assistant", "content": ""}, None),
        ({"content": text}, None),
        ({}, "stop"),
    )
    base = _openai_base("chatcmpl-fast-", name, "chat.completion.chunk")
    for delta, reason in deltas:
        yield None, base | {"choices": [{"index": 0, "delta": delta, "logprobs": None, "finish_reason": reason}]}
    if usage:
        yield None, base | {"choices": [], "usage": _USAGE}
    yield _DONE


def _completion(name: str, text: str) -> _Form:
    """Return a completion."""
    choice = {"index": 0, "text": text, "logprobs": None, "finish_reason": "stop"}
    return _openai_base("cmpl-fast-", name, "text_completion") | {"choices": [choice], "usage": _USAGE}


def _completion_events(name: str, text: str, *, usage: bool) -> Iterator[_Event]:
    """Yield the chunks of a completion."""
    base = _openai_base("cmpl-fast-", name, "text_completion")
    for part, reason in ((text, None), ("", "stop")):
        yield None, base | {"choices": [{"index": 0, "text": part, "logprobs": None, "finish_reason": reason}]}
    if usage:
        yield None, base | {"choices": [], "usage": _USAGE}
    yield _DONE


def _response(name: str, text: str) -> _Form:
    """Return a response of the responses API."""
    usage = {
        "input_tokens": 0,
        "input_tokens_details": {"cached_tokens": 0},
        "output_tokens": 0,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": 0,
    }
    return _response_base(name, "completed") | {"output": [_item(name, text)], "usage": usage}


def _response_events(name: str, text: str, *, usage: bool) -> Iterator[_Event]:  # noqa: ARG001 - the last event always has it
    """Yield the events of a response of the responses API."""
    place = {"item_id": f"msg_fast_{name}", "output_index": 0, "content_index": 0}
    empty, part = _part(""), _part(text)
    events: tuple[tuple[str, _Form], ...] = (
        ("response.created", {"response": _response_base(name, "in_progress")}),
        ("response.in_progress", {"response": _response_base(name, "in_progress")}),
        (
            "response.output_item.added",
            {"output_index": 0, "item": _item(name, text) | {"status": "in_progress", "content": []}},
        ),
        ("response.content_part.added", place | {"part": empty}),
        ("response.output_text.delta", place | {"delta": text, "logprobs": []}),
        ("response.output_text.done", place | {"text": text, "logprobs": []}),
        ("response.content_part.done", place | {"part": part}),
        ("response.output_item.done", {"output_index": 0, "item": _item(name, text)}),
        ("response.completed", {"response": _response(name, text)}),
    )
    for number, (kind, data) in enumerate(events):
        yield kind, {"type": kind, "sequence_number": number} | data


def _message(name: str, text: str) -> _Form:
    """Return a message of Anthropic's API."""
    return _message_base(name) | {"content": [{"type": "text", "text": text}], "stop_reason": "end_turn"}


def _message_events(name: str, text: str, *, usage: bool) -> Iterator[_Event]:  # noqa: ARG001 - the events always have it
    """Yield the events of a message of Anthropic's API."""
    events: tuple[tuple[str, _Form], ...] = (
        ("message_start", {"message": _message_base(name)}),
        ("content_block_start", {"index": 0, "content_block": {"type": "text", "text": ""}}),
        ("content_block_delta", {"index": 0, "delta": {"type": "text_delta", "text": text}}),
        ("content_block_stop", {"index": 0}),
        ("message_delta", {"delta": {"stop_reason": "end_turn", "stop_sequence": None}, "usage": {"output_tokens": 0}}),
        ("message_stop", {}),
    )
    for kind, data in events:
        yield kind, {"type": kind} | data


def _openai_base(prefix: str, name: str, kind: str) -> _Form:
    return {"id": prefix + name, "object": kind, "created": 0, "model": STATIC_MODEL}


def _response_base(name: str, status: str) -> _Form:
    return {
        "id": f"resp_fast_{name}",
        "object": "response",
        "created_at": 0,
        "status": status,
        "error": None,
        "incomplete_details": None,
        "instructions": None,
        "metadata": {},
        "model": STATIC_MODEL,
        "output": [],
        "parallel_tool_calls": False,
        "temperature": None,
        "tool_choice": "none",
        "tools": [],
        "top_p": None,
    }


def _item(name: str, text: str) -> _Form:
    done = {"id": f"msg_fast_{name}", "type": "message", "role": "assistant", "status": "completed"}
    return done | {"content": [_part(text)]}


def _part(text: str) -> _Form:
    return {"type": "output_text", "text": text, "annotations": [], "logprobs": []}


def _message_base(name: str) -> _Form:
    return {
        "id": f"msg_fast_{name}",
        "type": "message",
        "role": "assistant",
        "model": STATIC_MODEL,
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": _MESSAGE_USAGE,
    }


_FORMS = {
    Api.CHAT: (_chat, _chat_events),
    Api.COMPLETIONS: (_completion, _completion_events),
    Api.RESPONSES: (_response, _response_events),
    Api.MESSAGES: (_message, _message_events),
}


def static_response(api: Api, text: str, values: Mapping[str, object], seed: bytes) -> ImmediateResponse:
    """Return the response, streamed if the client requests that.

    It has all fields of a model's response. The model is ``router``, no tokens are used, the creation time is 0, and
    the id derives from the request's id.

    Args:
        api: the API of the request.
        text: the text of the response.
        values: the client's body.
        seed: the request's id, or its body.
    """
    whole, events = _FORMS[api]
    name = blake2b(seed, digest_size=12).hexdigest()
    if values.get("stream") is True:
        options = values.get("stream_options")
        usage = isinstance(options, Mapping) and options.get("include_usage") is True
        data = _serialise_events(events(name, text, usage=usage))
        return ImmediateResponse(
            200, data, STATIC_RESPONSE_CODE, (("content-type", "text/event-stream"), STATIC_RESPONSE_HEADER)
        )
    return ImmediateResponse(
        200,
        json.dumps(whole(name, text)).encode(),
        STATIC_RESPONSE_CODE,
        (("content-type", "application/json"), STATIC_RESPONSE_HEADER),
    )


def token_count(api: Api, tokens: int) -> ImmediateResponse:
    """Return a number of tokens in the form of the API that counts them."""
    body: _Form = {"input_tokens": tokens}
    if api is Api.INPUT_TOKENS:
        body = {"object": "response.input_tokens", **body}
    headers = (("content-type", "application/json"), STATIC_RESPONSE_HEADER)
    return ImmediateResponse(200, json.dumps(body).encode(), STATIC_RESPONSE_CODE, headers)


def _serialise_events(events: Iterable[tuple[str | None, object]]) -> bytes:
    """Return server-sent events: a name if the API has names, and JSON or the final marker."""
    lines = []
    for name, data in events:
        head = f"event: {name}\n" if name else ""
        lines.append(f"{head}data: {data if isinstance(data, str) else json.dumps(data)}\n\n")
    return "".join(lines).encode()
