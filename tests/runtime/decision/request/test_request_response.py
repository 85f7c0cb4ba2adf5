"""Responses under guards: whole and streamed, in all four APIs, cut anywhere."""

from __future__ import annotations

import json
import re
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vsr_runtime.decision.apis.endpoints import Api
from vsr_runtime.decision.deadline import DeadlineExceededError, never
from vsr_runtime.decision.guards.detection import TextSpan
from vsr_runtime.decision.guards.guard import Guard
from vsr_runtime.decision.request.events import Cause, GuardMatch, ImmediateResponse, ResponsePlan
from vsr_runtime.decision.request.response_events import (
    BodyMode,
    BodyOutput,
    ForwardHeaders,
    ResponseBody,
    ResponseDone,
    ResponseError,
    ResponseHeaders,
    ResponseTrailers,
)
from vsr_runtime.decision.request.response_machine import AwaitsResponseHeaders, advance_response
from vsr_runtime.decision.request.response_stream import MAX_OPEN_TEXTS, ResponseStream

JSON_HEADERS = (("content-type", "application/json"),)
EVENTS = (("content-type", "text/event-stream"),)


def finds(pattern: str, kind: str):
    """A finder of a pattern."""
    made = re.compile(pattern)

    def find(normalised, expired):
        if expired():
            raise DeadlineExceededError
        return [
            TextSpan(*normalised.original(*match.span()), kind, 1.0, "test") for match in made.finditer(normalised.text)
        ]

    return find


MASK = Guard("names", "mask", (finds("Agent [A-Z]+", "NAME"),), on_response=True)
BLOCK = Guard("keys", "block", (finds("sk-[a-z0-9]{8}", "KEY"),), on_response=True)
FLAG = Guard("watch", "flag", (finds("weather", "W"),), on_response=True)
RESPONSES_PLAN = ResponsePlan(Api.RESPONSES, (BLOCK,))
RESTORE = {"[MAIL_1]": 'jane "j" <jane@example.org>\n'}


def whole(document, *guards, api=Api.CHAT, restore=None, expired=never):
    """What becomes of a document."""
    data = document if isinstance(document, bytes) else json.dumps(document).encode()
    plan = ResponsePlan(api, guards, restore or {})
    state, action = advance_response(AwaitsResponseHeaders(plan), ResponseHeaders(JSON_HEADERS, end_of_stream=False))
    assert action == ForwardHeaders(BodyMode.WHOLE)
    state, action = advance_response(state, ResponseBody(data, end_of_stream=True, expired=expired))
    assert state == ResponseDone()
    return action


def completion(text, **more):
    """A chat completion."""
    message = {"role": "assistant", "content": text, **more}
    return {"id": "a", "object": "chat.completion", "model": "m", "choices": [{"index": 0, "message": message}]}


DOCUMENTS = {
    "content": completion,
    "reasoning": lambda text: completion("x", reasoning_content=text),
    "a refusal": lambda text: completion(None, refusal=text),
    "a call": lambda text: completion(None, tool_calls=[{"function": {"name": "f", "arguments": text}}]),
    "a completion": lambda text: {"choices": [{"index": 0, "text": text}]},
    "an output": lambda text: {
        "output": [{"type": "message", "content": [{"type": "output_text", "text": text, "annotations": []}]}]
    },
    "a summary": lambda text: {"output": [{"type": "reasoning", "summary": [{"type": "summary_text", "text": text}]}]},
    "a block": lambda text: {"type": "message", "content": [{"type": "text", "text": text}]},
    "a tool's input": lambda text: {"content": [{"type": "tool_use", "name": "f", "input": {"a": [text]}}]},
    "an error": lambda text: {"error": {"message": text}},
    "an unknown field": lambda text: {"x": {"y": [text]}},
}


@pytest.mark.parametrize("place", DOCUMENTS)
def test_every_text_of_a_document_is_read(place):
    """Masked in place, blocked, or flagged for the client; clean texts pass unchanged."""
    document = DOCUMENTS[place]
    masked = whole(document("hello Agent SMITH bye"), MASK)
    assert json.loads(masked.body) == document("hello [NAME_1] bye")
    assert ("content-length", str(len(masked.body))) in masked.set_headers
    refused = whole(document("key sk-abcd1234"), MASK, BLOCK)
    assert (refused.status, refused.code) == (403, "guard:keys")
    flagged = whole(document("the weather"), FLAG)
    assert (flagged.body, flagged.set_headers) == (None, (("x-vsr-guards", "watch"),))
    assert whole(document("harmless"), MASK, BLOCK, FLAG) == BodyOutput(None)


def test_restored_values_are_encoded_as_their_place_needs_it():
    """Once in a text, twice in arguments; an unassigned placeholder is unchanged."""
    document = completion("To [MAIL_1], [MAIL_2]", tool_calls=[{"function": {"arguments": '{"to": "[MAIL_1]"}'}}])
    message = json.loads(whole(document, restore=RESTORE).body)["choices"][0]["message"]
    assert message["content"] == f"To {RESTORE['[MAIL_1]']}, [MAIL_2]"
    assert json.loads(message["tool_calls"][0]["function"]["arguments"]) == {"to": RESTORE["[MAIL_1]"]}


ARGUMENT_DELTAS = {
    "chat": (Api.CHAT, lambda text: chunk(tool_calls=[{"index": 0, "function": {"arguments": text}}])),
    "messages": (
        Api.MESSAGES,
        lambda text: {
            "type": "content_block_delta",
            "index": 0,
            "delta": {"type": "input_json_delta", "partial_json": text},
        },
    ),
    "responses": (
        Api.RESPONSES,
        lambda text: {
            "type": "response.function_call_arguments.delta",
            "item_id": "a",
            "output_index": 0,
            "delta": text,
        },
    ),
    "responses of a server of tools": (
        Api.RESPONSES,
        lambda text: {"type": "response.mcp_call_arguments.delta", "item_id": "a", "output_index": 0, "delta": text},
    ),
}


IN_DELTAS = frozenset({"arguments", "partial_json", "delta", "choices", "tool_calls", "function", 0})


def innermost(node):
    """The arguments in an event's delta."""
    if isinstance(node, str):
        return [node]
    inner = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    return [text for key, each in inner if key in IN_DELTAS for text in innermost(each)]


@pytest.mark.parametrize("place", ARGUMENT_DELTAS)
def test_restored_values_break_no_streamed_arguments(place):
    """Arguments are JSON: a value with quotes must not become a part of it, in any API's stream."""
    api, delta = ARGUMENT_DELTAS[place]
    data = sse(*(delta(text) for text in ('{"to": "[MA', 'IL_1]"', "}")))
    out, _ = streamed(data, ResponsePlan(api, (), RESTORE))
    said_ = "".join(text for event in said_events(out) for text in innermost(event))
    assert json.loads(said_) == {"to": RESTORE["[MAIL_1]"]}


def test_masks_of_a_response_are_never_taken_for_those_of_its_request():
    """Both are called NAME_1 by right; only the request's comes back."""
    action = whole(completion("[NAME_1] met Agent SMITH"), MASK, restore={"[NAME_1]": "Jane"})
    assert json.loads(action.body)["choices"][0]["message"]["content"] == "Jane met [NAME_2]"


def test_fields_that_repeat_the_text_as_tokens_are_removed():
    """Guards cannot read log probabilities, so clients of guarded responses do not get them."""
    document = completion("Agent SMITH")
    document["choices"][0]["logprobs"] = {"content": [{"token": "Agent"}, {"token": " SMITH"}]}
    assert b"SMITH" not in whole(document, MASK).body
    assert json.loads(whole(document, FLAG).body)["choices"][0]["logprobs"] is None


@pytest.mark.parametrize("bad", [b"{", b"[]", b'{"a":1,"a":2}', b"\xff"])
def test_unreadable_document_is_rejected_unless_errors_pass(bad):
    """502 by default."""
    assert whole(bad, BLOCK).status == 502
    assert whole(bad, Guard("k", "block", BLOCK.finders, on_response=True, passes_errors=True)) == BodyOutput(None)


def test_late_guards_and_long_texts_refuse_a_response():
    """As for requests, under 502: the client has done nothing wrong."""
    late = whole(completion("x"), BLOCK, expired=lambda: True)
    assert (late.status, late.code, late.guards) == (
        502,
        "guard_failed:keys",
        (GuardMatch("keys", "block", Cause.TIMEOUT),),
    )
    small = Guard("small", "flag", FLAG.finders, on_response=True, max_tokens=4)
    assert whole(completion("x" * 40), small).status == 502


def test_images_in_a_response_are_rejected_unless_they_pass():
    """A guard of responses reads text."""
    document = {"output": [{"type": "image_generation_call", "result": "iVBO" * 40}]}
    assert whole(document, BLOCK).code == "unreadable:keys"


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ((("content-type", "text/html"),), 502),
        ((), 502),
        ((("content-type", "application/json"), ("content-encoding", "br")), 502),
        ((("content-type", "application/json"), ("content-type", "text/event-stream")), 502),
        ((*JSON_HEADERS, ("content-encoding", "gzip"), ("content-encoding", "identity")), 502),
    ],
)
def test_other_responses_are_rejected(headers, status):
    """HTML, nothing at all, compressed: no guard can read it."""
    plan = ResponsePlan(Api.CHAT, (BLOCK,))
    state, action = advance_response(AwaitsResponseHeaders(plan), ResponseHeaders(headers, end_of_stream=False))
    assert (state, action.status) == (ResponseDone(), status)


def test_empty_responses_pass():
    """There is nothing to read."""
    plan = ResponsePlan(Api.CHAT, (BLOCK,))
    assert advance_response(AwaitsResponseHeaders(plan), ResponseHeaders((), end_of_stream=True)) == (
        ResponseDone(),
        ForwardHeaders(BodyMode.NONE),
    )
    assert whole(b"", BLOCK) == BodyOutput(None)


def test_document_in_parts_ends_in_an_error():
    """A gateway that does not heed the mode must not get a document past its guards."""
    state, _ = advance_response(
        AwaitsResponseHeaders(ResponsePlan(Api.CHAT, (BLOCK,))), ResponseHeaders(JSON_HEADERS, end_of_stream=False)
    )
    with pytest.raises(ResponseError, match="allow_mode_override"):
        advance_response(state, ResponseBody(b"{", end_of_stream=False))


def chunk(index=0, finish=None, **delta):
    """A chat chunk."""
    return {"id": "a", "choices": [{"index": index, "delta": delta, "finish_reason": finish}]}


def sse(*events, names=False) -> bytes:
    """Events as bytes."""
    lines = []
    for event in events:
        head = f"event: {event['type']}\n" if names else ""
        lines.append(f"{head}data: {event if isinstance(event, str) else json.dumps(event)}\n\n")
    return "".join(lines).encode()


def streamed(data: bytes, plan: ResponsePlan, cuts=()):
    """What a client gets of a stream that comes in these pieces, and the stream."""
    stream = ResponseStream(plan)
    places = sorted({0, len(data), *(cut % (len(data) + 1) for cut in cuts)})
    pieces = [data[a:b] for a, b in pairwise(places)]
    out = [settled(stream.feed(piece, never, end=False)) for piece in pieces]
    return b"".join([*out, settled(stream.feed(b"", never, end=True))]), stream


def settled(work):
    """The result of work that needs no detectors."""
    try:
        next(work)
    except StopIteration as done:
        return done.value
    raise AssertionError("a detector was asked")


def said_events(data: bytes):
    """The events of a stream."""
    return [json.loads(line[6:]) for line in data.decode().split("\n") if line.startswith("data: {")]


def said(data: bytes):
    """The texts of a chat stream by choice, and its events."""
    events = said_events(data)
    texts: dict[int, str] = {}
    for event in events:
        for choice in event.get("choices", ()):
            texts[choice["index"]] = texts.get(choice["index"], "") + (choice["delta"].get("content") or "")
    return texts, events


TEXT = "Dear [MAIL_1], Agent SMITH says: the weather is fine. " + "lorem ipsum dolor " * 60 + "Yours, Agent JONES"
WANTED = (
    TEXT.replace("[MAIL_1]", RESTORE["[MAIL_1]"]).replace("Agent SMITH", "[NAME_1]").replace("Agent JONES", "[NAME_2]")
)


@settings(deadline=None)
@given(st.lists(st.integers(0, len(TEXT)), max_size=30), st.lists(st.integers(0, 100_000), max_size=30))
def test_text_is_the_same_wherever_events_and_bytes_are_cut(cuts, bytecuts):
    """The text equals that of one whole document."""
    places = sorted({0, len(TEXT), *cuts})
    parts = [TEXT[a:b] for a, b in pairwise(places)]
    data = sse(chunk(role="assistant"), *(chunk(content=part) for part in parts), chunk(finish="stop"), "[DONE]")
    out, stream = streamed(data, ResponsePlan(Api.CHAT, (BLOCK, MASK, FLAG), RESTORE), bytecuts)
    texts, events = said(out)
    assert texts == {0: WANTED}
    assert out.endswith(b"data: [DONE]\n\n")
    assert events[-1]["choices"][0]["finish_reason"] == "stop"
    assert set(stream.matches) == {"names", "watch"}


@settings(deadline=None)
@given(st.lists(st.integers(0, 400), max_size=20), st.booleans())
def test_finding_never_gets_out_wherever_it_is_cut(cuts, together):
    """Nothing of it, and nothing after it."""
    text = "fine words " * 20 + "sk-abcd1234" + " more words" * (0 if together else 40)
    places = sorted({0, len(text), *(min(cut, len(text)) for cut in cuts)})
    parts = [text[a:b] for a, b in pairwise(places)]
    data = sse(*(chunk(content=part) for part in parts), chunk(finish="stop"), "[DONE]")
    out, stream = streamed(data, ResponsePlan(Api.CHAT, (BLOCK,)))
    texts, events = said(out)
    assert "sk-" not in out.decode()
    assert text.startswith(texts.get(0, ""))
    assert events[-1]["error"]["code"] == "guard:keys"
    assert isinstance(stream.rejection, ImmediateResponse)


def test_spaced_letters_are_read_as_words_in_documents_and_streams():
    """As in requests; else a model needs no more than blanks."""
    apart = " ".join("the key is sk-abcd1234 now")
    assert whole(completion(apart), BLOCK).code == "guard:keys"
    _, stream = streamed(sse(*(chunk(content=mark) for mark in apart), "[DONE]"), ResponsePlan(Api.CHAT, (BLOCK,)))
    assert stream.rejection.code == "guard:keys"


def test_escapes_in_a_streamed_call_s_arguments_are_undone_as_in_a_document_s():
    """Arguments are JSON: escaped text is read and masked in place, and the rest is unchanged."""
    arguments = '{"a": "A\\u0067ent S\\u004dITH\\n", "b": "\\\\x"}'
    masked = '{"a": "[NAME_1]\\n", "b": "\\\\x"}'
    document = completion(None, tool_calls=[{"function": {"arguments": arguments}}])
    assert json.loads(whole(document, MASK).body)["choices"][0]["message"]["tool_calls"][0]["function"] == {
        "arguments": masked
    }
    calls = [chunk(tool_calls=[{"index": 0, "function": {"arguments": mark}}]) for mark in arguments]
    out, _ = streamed(sse(*calls, chunk(finish="tool_calls"), "[DONE]"), ResponsePlan(Api.CHAT, (MASK,)))
    deltas = [event["choices"][0]["delta"] for event in said_events(out)]
    parts = [call["function"]["arguments"] for delta in deltas for call in delta.get("tool_calls", ())]
    assert "".join(parts) == masked


def test_choices_and_calls_are_texts_of_their_own():
    """Several at a time, each put together from its own pieces."""
    call = {"index": 0, "id": "c", "type": "function", "function": {"name": "f", "arguments": ""}}
    events = [
        chunk(0, content="Agent "),
        chunk(1, content="fine"),
        chunk(0, content="SMITH"),
        chunk(2, tool_calls=[call]),
        chunk(2, tool_calls=[{"index": 0, "function": {"arguments": '{"to": "[MA'}}]),
        chunk(2, tool_calls=[{"index": 0, "function": {"arguments": 'IL_1]"}'}}]),
        chunk(0, finish="stop"),
        chunk(1, finish="stop"),
        chunk(2, finish="tool_calls"),
    ]
    out, _ = streamed(sse(*events, "[DONE]"), ResponsePlan(Api.CHAT, (MASK,), RESTORE))
    texts, parsed = said(out)
    assert texts[0] == "[NAME_1]"
    assert texts[1] == "fine"
    calls = [call for event in parsed for choice in event["choices"] for call in choice["delta"].get("tool_calls", ())]
    assert json.loads("".join(call["function"]["arguments"] for call in calls)) == {"to": RESTORE["[MAIL_1]"]}
    assert calls[0]["id"] == "c"


def test_messages_stream_is_read_and_ended_in_its_own_form():
    """Anthropic's events: deltas by block, a stop for each, and an error of its own kind."""

    def delta(text, index=0):
        return {"type": "content_block_delta", "index": index, "delta": {"type": "text_delta", "text": text}}

    stop = {"type": "content_block_stop", "index": 0}
    events = [{"type": "message_start", "message": {}}, delta("Agent "), delta("SMITH"), stop, {"type": "message_stop"}]
    out, _ = streamed(sse(*events, names=True), ResponsePlan(Api.MESSAGES, (MASK,)))
    parsed = [json.loads(line[6:]) for line in out.decode().split("\n") if line.startswith("data: ")]
    assert "".join(event["delta"]["text"] for event in parsed if "delta" in event) == "[NAME_1]"
    assert [event["type"] for event in parsed][-2:] == ["content_block_stop", "message_stop"]
    out, _ = streamed(sse(delta("sk-abcd1234"), stop, names=True), ResponsePlan(Api.MESSAGES, (BLOCK,)))
    assert b"event: error" in out
    assert b"sk-" not in out


def test_responses_stream_is_read_in_deltas_and_in_the_whole_that_follows():
    """The last events say everything once more."""
    place = {"item_id": "i", "output_index": 0, "content_index": 0}
    full = "Dear [MAIL_1], Agent SMITH"
    events = [
        {"type": "response.output_text.delta", **place, "delta": "Dear [MAIL_1], Age"},
        {"type": "response.output_text.delta", **place, "delta": "nt SMITH"},
        {"type": "response.output_text.done", **place, "text": full},
        {"type": "response.completed", "response": {"output": [{"content": [{"type": "output_text", "text": full}]}]}},
    ]
    out, _ = streamed(sse(*events, names=True), ResponsePlan(Api.RESPONSES, (MASK,), {"[MAIL_1]": "j@x.org"}))
    parsed = [json.loads(line[6:]) for line in out.decode().split("\n") if line.startswith("data: ")]
    assert "".join(event["delta"] for event in parsed if "delta" in event) == "Dear j@x.org, [NAME_1]"
    assert parsed[-2]["text"] == "Dear j@x.org, [NAME_1]"
    assert parsed[-1]["response"]["output"][0]["content"][0]["text"] == "Dear j@x.org, [NAME_1]"


def test_stream_without_findings_says_the_same_and_keeps_comments():
    """Comments, names and ids of events stay."""
    data = b': ping\n\nevent: x\nid: 7\ndata: {"choices":[],"usage":{"total_tokens":3}}\n\ndata: [DONE]\n\n'
    assert streamed(data, ResponsePlan(Api.CHAT, (BLOCK,)))[0] == data


@pytest.mark.parametrize("bad", [b"data: {\n\n", b"data: hello\n\n", b"data: \xff\n\n"])
def test_stream_that_cannot_be_read_ends_in_an_error(bad):
    """Fail closed, in the stream's own words."""
    out, stream = streamed(bad, ResponsePlan(Api.CHAT, (BLOCK,)))
    assert b"guard_failed:keys" in out
    assert stream.rejection.status == 502


HIDDEN = "sk-abcd1234"
BESIDE = {
    "a comment": f": {HIDDEN}\n\n",
    "a name": f"event: {HIDDEN}\ndata: {{}}\n\n",
    "an id": f"id: {HIDDEN}\n\n",
    "a line of another name": f"date: {HIDDEN}\n\n",
    "a name that clients trim": f'data : {{"a": "{HIDDEN}"}}\n\n',
    "a document under the wrong type": json.dumps(completion(HIDDEN)),
    "the first event behind a byte order mark": "\ufeff" + sse(chunk(content=HIDDEN)).decode(),
}


@pytest.mark.parametrize("place", BESIDE)
def test_every_line_of_a_stream_is_read_not_only_its_data(place):
    """Who takes it for something else than events, or reads comments, sees no more than others."""
    out, stream = streamed(BESIDE[place].encode(), ResponsePlan(Api.CHAT, (BLOCK,)))
    assert HIDDEN not in out.decode()
    assert stream.rejection is not None


def test_lines_other_than_data_are_masked_and_stay_lines():
    """Comments keep connections open; findings in them are masked like all others."""
    out, _ = streamed(b": Agent SMITH\n\n: ping\n\nevent: x\ndata: {}\n\n", ResponsePlan(Api.CHAT, (MASK,)))
    assert out == b": [NAME_1]\n\n: ping\n\nevent: x\ndata: {}\n\n"


def test_event_of_empty_data_is_no_event():
    """As the format says; some servers send them to keep a connection."""
    out, stream = streamed(b"data:\n\n" + sse(chunk(content="hi"), "[DONE]"), ResponsePlan(Api.CHAT, (BLOCK,)))
    assert out.startswith(b"data:\n\n")
    assert stream.rejection is None


ENDS = {
    "an empty reason": lambda text: chunk(content=text, finish=""),
    "a reason each time": lambda text: chunk(content=text, finish="stop"),
}


@pytest.mark.parametrize("how", ENDS)
def test_pieces_that_each_tell_an_end_are_still_one_text(how):
    """Of a reason that is none nothing is seen; where the first end was a lie, no more than the first piece."""
    data = sse(*(ENDS[how](mark) for mark in f"{HIDDEN} is it"), "[DONE]")
    out, stream = streamed(data, ResponsePlan(Api.CHAT, (BLOCK,)))
    assert said(out)[0].get(0, "") in ("", "s")
    assert stream.rejection.code == "guard:keys"


def test_end_of_one_item_ends_no_other():
    """Items may come side by side: each is a text until its own end."""

    def delta(number, text):
        return {"type": "response.output_text.delta", "item_id": "m", "output_index": number, "delta": text}

    done = {"type": "response.output_item.done", "output_index": 1, "item": {}}
    last = {"type": "response.completed", "response": {}}
    out, stream = streamed(sse(delta(0, HIDDEN[:5]), delta(1, "hi"), done, delta(0, HIDDEN[5:]), last), RESPONSES_PLAN)
    assert HIDDEN[:5] not in out.decode()
    assert stream.rejection.code == "guard:keys"
    out, stream = streamed(sse(delta(0, "hello"), delta(1, "hi"), done, delta(0, " you"), last), RESPONSES_PLAN)
    events = said_events(out)
    texts = [(event["output_index"], event["delta"]) for event in events if event.get("delta")]
    assert texts == [(1, "hi"), (0, "hello you")]
    assert events[-1] == last


def test_parts_that_are_clean_alone_are_also_read_together():
    """The whole text that follows the pieces is read as one text."""
    parts = [{"type": "output_text", "text": text} for text in (HIDDEN[:6], HIDDEN[6:])]
    alone = [{"type": "response.content_part.done", "output_index": 0, "part": part} for part in parts]
    whole_ = {"type": "response.completed", "response": {"output": [{"type": "message", "content": parts}]}}
    out, stream = streamed(sse(*alone, whole_), RESPONSES_PLAN)
    assert stream.rejection.code == "guard:keys"
    assert "completed" not in out.decode()


def test_stream_of_too_many_texts_at_a_time_ends_in_an_error():
    """What is held is bounded, whatever comes."""
    few = sse(*(chunk(index=number, content="a") for number in range(MAX_OPEN_TEXTS)))
    assert streamed(few, ResponsePlan(Api.CHAT, (BLOCK,)))[1].rejection is None
    many = few + sse(chunk(index=MAX_OPEN_TEXTS, content="a"))
    assert streamed(many, ResponsePlan(Api.CHAT, (BLOCK,)))[1].rejection.code == "guard_failed:keys"
    wide = b"".join(b"data:" + b" " * (3 << 20) + sse(chunk(index=i, content="a"))[5:] for i in range(6))
    assert streamed(wide, ResponsePlan(Api.CHAT, (BLOCK,)))[1].rejection.code == "guard_failed:keys"


@pytest.mark.parametrize("index", [[], {}, "0", None, 0.5])
def test_choice_without_a_number_is_counted_by_its_place(index):
    """As clients do that know of one choice only."""
    pieces = [{"choices": [{"index": index, "delta": {"content": text}}]} for text in (HIDDEN[:6], HIDDEN[6:])]
    out, stream = streamed(sse(*pieces, "[DONE]"), ResponsePlan(Api.CHAT, (BLOCK,)))
    assert stream.rejection.code == "guard:keys"
    assert HIDDEN[:6] not in out.decode()


def test_stream_longer_than_a_guard_reads_is_cut_off():
    """The same bound as for a document."""
    small = Guard("small", "block", BLOCK.finders, on_response=True, max_tokens=100)
    out, _ = streamed(sse(*(chunk(content="word " * 20) for _ in range(10))), ResponsePlan(Api.CHAT, (small,)))
    assert b"too_long:small" in out


PEM = "-----BEGIN PRIVATE KEY-----\n" + ("b" * 64 + "\n") * 40 + "-----END PRIVATE KEY-----"


@pytest.mark.parametrize("long", ["a" * 3000 + "END", PEM])
@pytest.mark.parametrize("size", [1, 7, 50, 700])
def test_long_tokens_and_keys_stay_together(long, size):
    """A text without blanks, and a key of many lines, are held until they end."""
    guard = Guard("g", "block", (finds(re.escape(long), "X"),), on_response=True)
    text = f"see {long} ok"
    parts = [text[i : i + size] for i in range(0, len(text), size)]
    out, _ = streamed(sse(*(chunk(content=part) for part in parts), "[DONE]"), ResponsePlan(Api.CHAT, (guard,)))
    assert b"aa" not in out
    assert b"bb" not in out
    assert b"guard:g" in out


def test_trailers_after_held_text_end_in_an_error():
    """Held text can no longer be sent, and must not be lost silently."""
    plan = ResponsePlan(Api.CHAT, (BLOCK,))
    state, action = advance_response(AwaitsResponseHeaders(plan), ResponseHeaders(EVENTS, end_of_stream=False))
    assert action == ForwardHeaders(BodyMode.STREAMED, ("content-length",))
    state, _ = advance_response(state, ResponseBody(sse(chunk(content="held")), end_of_stream=False))
    with pytest.raises(ResponseError, match="trailers"):
        advance_response(state, ResponseTrailers())
