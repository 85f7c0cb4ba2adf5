"""Answers with a fixed text as a model would, in each API's form, whole or as a stream of events."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from hashlib import blake2b

from vsr_runtime.decision.request.apis import Api
from vsr_runtime.decision.request.events import Answer
from vsr_runtime.decision.request.static_response_forms import (
    chat,
    chat_events,
    completion,
    completion_events,
    message,
    message_events,
    response,
    response_events,
)

CODE = "fast_response"
MARK = ("x-vsr-fast-response", "true")
_FORMS = {
    Api.CHAT: (chat, chat_events),
    Api.COMPLETIONS: (completion, completion_events),
    Api.RESPONSES: (response, response_events),
    Api.MESSAGES: (message, message_events),
}


def fixed(api: Api, text: str, values: Mapping[str, object], seed: bytes) -> Answer:
    """The answer, streamed where the client asks for that.

    It has the fields of a real one: the model is ``router``, no token was used, and it was created at 0, since what is
    fixed has no date. Its id comes from the request's.

    Args:
        api: the API that the client speaks.
        text: what to say.
        values: the client's body.
        seed: the request's id, or its body.
    """
    whole, events = _FORMS[api]
    name = blake2b(seed, digest_size=12).hexdigest()
    if values.get("stream") is True:
        options = values.get("stream_options")
        usage = isinstance(options, Mapping) and options.get("include_usage") is True
        data = _stream(events(name, text, usage=usage))
        return Answer(200, data, CODE, (("content-type", "text/event-stream"), MARK))
    return Answer(200, json.dumps(whole(name, text)).encode(), CODE, (("content-type", "application/json"), MARK))


def _stream(events: Iterable[tuple[str | None, object]]) -> bytes:
    """Server-sent events: a name where the API gives one, and JSON, or the bare mark that closes the stream."""
    lines = []
    for name, data in events:
        head = f"event: {name}\n" if name else ""
        lines.append(f"{head}data: {data if isinstance(data, str) else json.dumps(data)}\n\n")
    return "".join(lines).encode()
