from __future__ import annotations

import json

import pytest

from vsr_runtime.decision.apis.endpoints import Api
from vsr_runtime.decision.request.immediate_responses import IMMEDIATE_RESPONSE_HEADERS
from vsr_runtime.decision.request.static_response import static_response

TEXT = 'No "way", naïve.'
ROUTED = (Api.CHAT, Api.COMPLETIONS, Api.RESPONSES, Api.MESSAGES)


def events(data: bytes) -> list[tuple[str | None, object]]:
    """Name and data of each server-sent event."""
    found = []
    for block in data.decode().split("\n\n")[:-1]:
        fields = dict(line.split(": ", 1) for line in block.split("\n"))
        text = fields.pop("data")
        found.append((fields.pop("event", None), text if text == "[DONE]" else json.loads(text)))
        assert not fields
    return found


@pytest.mark.parametrize("api", ROUTED)
@pytest.mark.parametrize("stream", [False, True])
def test_static_response_is_marked_and_streamed_on_request(api, stream):
    """It is a 200 of the right type that says by a header that no model gave it, and the same for the same request."""
    answer = static_response(api, TEXT, {"stream": stream}, b"id")
    headers = dict(answer.headers)
    assert (answer.status, headers["x-vsr-fast-response"]) == (200, "true")
    assert headers["content-type"] == ("text/event-stream" if stream else "application/json")
    assert set(headers) <= set(IMMEDIATE_RESPONSE_HEADERS)
    assert answer == static_response(api, TEXT, {"stream": stream}, b"id")
    assert answer != static_response(api, TEXT, {"stream": stream}, b"other")


def test_whole_answers_have_the_forms_of_their_apis():
    """The text is where each API has it."""
    chat, completion, response, message = (json.loads(static_response(api, TEXT, {}, b"id").body) for api in ROUTED)
    assert (chat["object"], chat["model"]) == ("chat.completion", "router")
    assert chat["choices"][0]["message"] == {"role": "assistant", "content": TEXT, "refusal": None}
    assert (completion["object"], completion["choices"][0]["text"]) == ("text_completion", TEXT)
    assert (response["object"], response["status"]) == ("response", "completed")
    assert response["output"][0]["content"][0]["text"] == TEXT
    assert (message["type"], message["role"], message["stop_reason"]) == ("message", "assistant", "end_turn")
    assert message["content"] == [{"type": "text", "text": TEXT}]
    for document, name in ((chat, "chatcmpl-"), (completion, "cmpl-"), (response, "resp_"), (message, "msg_")):
        assert document["id"].startswith(name)


@pytest.mark.parametrize(("api", "usage"), [(Api.CHAT, True), (Api.CHAT, False), (Api.COMPLETIONS, True)])
def test_chunks_add_up_to_the_text(api, usage):
    """OpenAI's chunks have the text, a finish reason and the marker, and usage only on request."""
    values = {"stream": True, "stream_options": {"include_usage": usage}}
    found = events(static_response(api, TEXT, values, b"id").body)
    assert found[-1] == (None, "[DONE]")
    chunks = [data for _, data in found[:-1]]
    choices = [chunk["choices"][0] for chunk in chunks if chunk["choices"]]
    said = [choice["delta"].get("content", "") if api is Api.CHAT else choice["text"] for choice in choices]
    assert "".join(said) == TEXT
    assert [choice["finish_reason"] for choice in choices][-1] == "stop"
    assert any("usage" in chunk for chunk in chunks) is usage
    assert len({chunk["id"] for chunk in chunks}) == 1


def test_events_of_a_response_are_numbered_and_complete():
    """Each event names its type, the numbers go up by one, and the last one carries the whole response."""
    found = events(static_response(Api.RESPONSES, TEXT, {"stream": True}, b"id").body)
    assert [(name, data["type"], data["sequence_number"]) for name, data in found] == [
        (name, name, i) for i, (name, _) in enumerate(found)
    ]
    assert found[0][0] == "response.created"
    assert next(data["delta"] for name, data in found if name == "response.output_text.delta") == TEXT
    assert found[-1][0] == "response.completed"
    assert found[-1][1]["response"] == json.loads(static_response(Api.RESPONSES, TEXT, {}, b"id").body)


def test_events_of_a_message_open_and_close():
    """Anthropic's events come in their documented order."""
    found = events(static_response(Api.MESSAGES, TEXT, {"stream": True}, b"id").body)
    assert [name for name, _ in found] == [
        "message_start",
        "content_block_start",
        "content_block_delta",
        "content_block_stop",
        "message_delta",
        "message_stop",
    ]
    assert found[2][1]["delta"] == {"type": "text_delta", "text": TEXT}
    assert all(name == data["type"] for name, data in found)
