"""Which answers are whole, in every API's form."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vsr_runtime.decision.apis.endpoints import Api
from vsr_runtime.decision.request.cache_recording import is_complete, joined_headers, start_recording


def events(*documents: object, done: bool = False) -> bytes:
    """A stream."""
    lines = [f"data: {json.dumps(each)}\n\n" for each in documents]
    return "".join([*lines, *(["data: [DONE]\n\n"] if done else [])]).encode()


def chunk(reason: str | None = None, index: int = 0, **delta: object) -> dict:
    """A piece of a chat's answer."""
    return {"choices": [{"index": index, "delta": delta, "finish_reason": reason}]}


USAGE = {"choices": [], "usage": {"total_tokens": 1}}
CALL = [{"index": 0, "function": {"name": "f"}}]
RESPONSE = {"status": "completed", "output": [{"type": "reasoning"}, {"type": "message"}]}
STREAMS = {
    "chat": (Api.CHAT, events(chunk(content="a"), chunk("stop"), USAGE, done=True), True),
    "two choices": (Api.CHAT, events(chunk("stop"), chunk("stop", 1), done=True), True),
    "one of two": (Api.CHAT, events(chunk("stop"), chunk(content="a", index=1), done=True), False),
    "no mark": (Api.CHAT, events(chunk("stop")), False),
    "no end": (Api.CHAT, events(chunk(content="a"), done=True), False),
    "limit": (Api.CHAT, events(chunk("length"), done=True), False),
    "call": (Api.CHAT, events(chunk(tool_calls=CALL), chunk("stop"), done=True), False),
    "refused": (Api.CHAT, events(chunk(refusal="I will not"), chunk("stop"), done=True), False),
    "older call": (Api.CHAT, events(chunk(function_call={"name": "f"}), chunk("stop"), done=True), False),
    "called": (Api.CHAT, events(chunk("tool_calls"), done=True), False),
    "error": (Api.CHAT, events(chunk("stop"), {"error": {"message": "x"}}, done=True), False),
    "nothing": (Api.CHAT, b"", False),
    "no events": (Api.CHAT, b"data: [DONE]\n\n", False),
    "no JSON": (Api.CHAT, b"data: {\n\ndata: [DONE]\n\n", False),
    "no UTF-8": (Api.CHAT, b"data: \xff\n\ndata: [DONE]\n\n", False),
    "text": (
        Api.COMPLETIONS,
        events({"choices": [{"index": 0, "text": "a", "finish_reason": "stop"}]}, done=True),
        True,
    ),
    "response": (Api.RESPONSES, events({"type": "response.completed", "response": RESPONSE}), True),
    "response failed": (Api.RESPONSES, events({"type": "response.failed", "response": RESPONSE}), False),
    "response cut": (Api.RESPONSES, events({"type": "response.output_text.delta", "delta": "a"}), False),
    "message": (
        Api.MESSAGES,
        events({"type": "message_delta", "delta": {"stop_reason": "end_turn"}}, {"type": "message_stop"}),
        True,
    ),
    "message cut": (Api.MESSAGES, events({"type": "message_delta", "delta": {"stop_reason": "end_turn"}}), False),
    "message call": (
        Api.MESSAGES,
        events({"type": "message_delta", "delta": {"stop_reason": "tool_use"}}, {"type": "message_stop"}),
        False,
    ),
    "message error": (
        Api.MESSAGES,
        events(
            {"type": "message_delta", "delta": {"stop_reason": "end_turn"}}, {"type": "error"}, {"type": "message_stop"}
        ),
        False,
    ),
}
DOCUMENTS = {
    "chat": (Api.CHAT, {"choices": [{"finish_reason": "stop", "message": {"content": "a"}}]}, True),
    "limit": (Api.CHAT, {"choices": [{"finish_reason": "length"}]}, False),
    "refused": (Api.CHAT, {"choices": [{"finish_reason": "stop", "message": {"refusal": "I will not"}}]}, False),
    "refused in a part": (
        Api.RESPONSES,
        {"status": "completed", "output": [{"type": "message", "content": [{"type": "refusal", "refusal": "no"}]}]},
        False,
    ),
    "call": (Api.CHAT, {"choices": [{"finish_reason": "stop", "message": {"tool_calls": CALL}}]}, False),
    "older call": (
        Api.CHAT,
        {"choices": [{"finish_reason": "stop", "message": {"function_call": {"name": "f"}}}]},
        False,
    ),
    "none": (Api.CHAT, {"choices": []}, False),
    "odd": (Api.CHAT, {"choices": "stop"}, False),
    "error": (Api.CHAT, {"error": {"message": "x"}, "choices": [{"finish_reason": "stop"}]}, False),
    "text": (Api.COMPLETIONS, {"choices": [{"finish_reason": "stop", "text": "a"}]}, True),
    "response": (Api.RESPONSES, RESPONSE, True),
    "response under way": (Api.RESPONSES, RESPONSE | {"status": "in_progress"}, False),
    "response call": (Api.RESPONSES, RESPONSE | {"output": [{"type": "function_call"}]}, False),
    "response of nothing": (Api.RESPONSES, RESPONSE | {"output": []}, False),
    "message": (Api.MESSAGES, {"stop_reason": "end_turn"}, True),
    "message limit": (Api.MESSAGES, {"stop_reason": "max_tokens"}, False),
    "message call": (Api.MESSAGES, {"stop_reason": "tool_use"}, False),
}


@pytest.mark.parametrize("case", STREAMS)
def test_a_stream_is_whole_where_everybody_in_it_came_to_an_end(case):
    """By the API's own mark, and with no error or call on the way."""
    api, data, whole = STREAMS[case]
    assert is_complete(api, data, streamed=True) is whole


@pytest.mark.parametrize("case", DOCUMENTS)
def test_a_document_is_whole_where_the_model_ended_by_itself(case):
    """Not where a limit or a tool ended it."""
    api, values, whole = DOCUMENTS[case]
    assert is_complete(api, json.dumps(values).encode(), streamed=False) is whole


@pytest.mark.parametrize("data", [b"", b"[]", b"{", b'{"choices":[{"finish_reason":"stop"}],"choices":[]}'])
def test_unreadable_response_is_not_complete(data):
    """Nothing is kept that no guard could have read."""
    assert is_complete(Api.CHAT, data, streamed=False) is False


WORDS = st.sampled_from(
    ["choices", "delta", "finish_reason", "index", "message", "output", "status", "stop", "type", "error"]
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | WORDS, lambda each: st.lists(each) | st.dictionaries(WORDS, each)
)


@given(st.sampled_from(sorted(Api, key=str)), st.lists(JSON, min_size=1, max_size=4), st.booleans())
def test_no_answer_is_so_odd_that_it_breaks_anything(api, documents, streamed):
    """Any data of a server is either complete or not."""
    data = events(*documents, done=True) if streamed else json.dumps(documents[0]).encode()
    assert is_complete(api, data, streamed=streamed) in {True, False}


def recorded(*headers: tuple[str, str]):
    """What is recorded of a whole answer with these headers."""
    own = (":status", "200"), ("content-type", "application/json")
    recorder = start_recording(Api.CHAT, joined_headers([*own, *headers]))
    if recorder is None:
        return None
    recorder.add(json.dumps({"choices": [{"finish_reason": "stop", "message": {"content": "x"}}]}).encode())
    return recorder.done()


@pytest.mark.parametrize(
    "headers",
    [
        [("cache-control", "no-store")],
        [("cache-control", "private")],
        [("cache-control", "Private, max-age=60")],
        [("cache-control", 'private="x-account"')],
        [("cache-control", "no-cache")],
        [("cache-control", "max-age=0")],
        [("cache-control", "max-age=60, s-maxage=0")],
        [("cache-control", "max-age=soon")],
        [("cache-control", "public"), ("cache-control", "private")],
        [("pragma", "no-cache")],
        [("vary", "*")],
        [("vary", "accept, accept-language")],
        [("vary", "cookie")],
        [("vary", "Authorization")],
        [("set-cookie", "session=1")],
    ],
)
def test_answer_that_its_server_calls_private_or_stale_is_not_kept(headers):
    """Whoever may share answers by the policy: the server knows what is in this one."""
    assert recorded(*headers) is None


@pytest.mark.parametrize(
    ("headers", "lifetime"),
    [
        ([], None),
        ([("cache-control", "public, max-age=60")], 60),
        ([("cache-control", "max-age=60, s-maxage=30")], 30),
        ([("vary", "Origin, Accept-Encoding")], None),
        ([("vary", "accept")], None),
    ],
)
def test_other_answers_are_kept_as_long_as_they_are_fresh(headers, lifetime):
    """By the server's own words; a shorter lifetime than the policy's holds."""
    kept = recorded(*headers)
    assert kept is not None
    assert kept.lifetime == lifetime
