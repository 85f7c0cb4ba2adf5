"""Documents and streams get equal verdicts, in every API, wherever a stream is cut."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import cache
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.guard_samples import OBFUSCATIONS, SAMPLES, finder_of
from support.properties import examples
from vsr_runtime.decision.apis.endpoints import Api
from vsr_runtime.decision.deadline import never
from vsr_runtime.decision.guards.guard import Guard
from vsr_runtime.decision.request.events import ResponsePlan
from vsr_runtime.decision.request.response_events import ResponseBody, ResponseHeaders
from vsr_runtime.decision.request.response_machine import AwaitsResponseHeaders, advance_response
from vsr_runtime.decision.request.response_stream import ResponseStream

KEY = "ghp_16C7e42F292c6912E7710c838347Ae178B4a"


@cache
def guard_of(name, action):
    """The guard of a sample."""
    return Guard("g", action, (finder_of(name),), on_response=True)


def in_json(text):
    """The text as an argument of a call."""
    return json.dumps({"a": text})


def escaped(text):
    """JSON in JSON in the arguments of a call, every letter by its code."""
    inner = "".join(f"\\u{unit:04x}" for unit in memoryview(text.encode("utf-16-le")).cast("H"))
    return json.dumps({"a": f'{{"b": "{inner}"}}'})


def plain(text):
    """The text itself."""
    return text


def chat_call(text):
    """A call in a chat."""
    return {"tool_calls": [{"index": 0, "id": "c", "type": "function", "function": {"name": "f", "arguments": text}}]}


def chat(*fields):
    """A chat completion of several fields, and the events of its stream."""
    message = {"role": "assistant"}
    events = [{"choices": [{"index": 0, "delta": {"role": "assistant"}}]}]
    for kind, text, parts in fields:
        message |= chat_call(text) if kind == "arguments" else {kind: text}
        events += [
            {"choices": [{"index": 0, "delta": chat_call(part) if kind == "arguments" else {kind: part}}]}
            for part in parts
        ]
    return {"choices": [{"index": 0, "message": message}]}, [
        *events,
        {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]},
        "[DONE]",
    ]


def completions(*fields):
    """A completion, and the events of its stream."""
    text = "".join(text for _, text, _ in fields)
    events = [{"choices": [{"index": 0, "text": part}]} for *_, parts in fields for part in parts]
    return {"choices": [{"index": 0, "text": text}]}, [
        *events,
        {"choices": [{"index": 0, "text": "", "finish_reason": "stop"}]},
        "[DONE]",
    ]


BLOCKS = {
    "content": ("text_delta", "text", lambda text: {"type": "text", "text": text}),
    "reasoning_content": ("thinking_delta", "thinking", lambda text: {"type": "thinking", "thinking": text}),
    "arguments": (
        "input_json_delta",
        "partial_json",
        lambda text: {"type": "tool_use", "id": "t", "name": "f", "input": json.loads(text)},
    ),
}


def messages(*fields):
    """A message, and the events of its stream."""
    content, events = [], [{"type": "message_start", "message": {"id": "m", "content": []}}]
    for index, (kind, text, parts) in enumerate(fields):
        delta, key, block = BLOCKS[kind]
        content.append(block(text))
        events += [
            {"type": "content_block_delta", "index": index, "delta": {"type": delta, key: part}} for part in parts
        ]
        events.append({"type": "content_block_stop", "index": index})
    return {"type": "message", "content": content}, [*events, {"type": "message_stop"}]


ITEMS = {
    "content": (
        "response.output_text",
        lambda text: {"type": "message", "content": [{"type": "output_text", "text": text}]},
    ),
    "reasoning_content": (
        "response.reasoning_text",
        lambda text: {"type": "reasoning", "content": [{"type": "reasoning_text", "text": text}]},
    ),
    "arguments": (
        "response.function_call_arguments",
        lambda text: {"type": "function_call", "call_id": "c", "name": "f", "arguments": text},
    ),
}


def responses(*fields):
    """A response, and the deltas of its stream, without the events that repeat the whole."""
    output, events, number = [], [], 0
    for index, (kind, text, parts) in enumerate(fields):
        name, item = ITEMS[kind]
        output.append(item(text))
        place = {"item_id": str(index), "output_index": index, "content_index": 0}
        for part in parts:
            events.append({"type": f"{name}.delta", "sequence_number": number, **place, "delta": part})
            number += 1
        events.append({"type": "response.output_item.done", "sequence_number": number, "output_index": index})
        number += 1
    return {"output": output}, [
        *events,
        {"type": "response.completed", "sequence_number": number, "response": {"id": "r"}},
    ]


APIS = {
    Api.CHAT: (chat, ("content", "reasoning_content", "arguments")),
    Api.COMPLETIONS: (completions, ("content",)),
    Api.MESSAGES: (messages, ("content", "reasoning_content", "arguments")),
    Api.RESPONSES: (responses, ("content", "reasoning_content", "arguments")),
}


def of_document(api, guard, document):
    """Whether a guard acts on a document."""
    plan = ResponsePlan(api, (guard,))
    headers = ResponseHeaders((("content-type", "application/json"),), end_of_stream=False)
    state, _ = advance_response(AwaitsResponseHeaders(plan), headers)
    _, action = advance_response(state, ResponseBody(json.dumps(document).encode(), end_of_stream=True))
    return bool(action.guards)


def of_stream(api, guard, events, bytecuts=()):
    """Whether a guard acts on a stream, and what the client gets."""
    data = "".join(f"data: {event if event == '[DONE]' else json.dumps(event)}\n\n" for event in events).encode()
    stream = ResponseStream(ResponsePlan(api, (guard,)))
    places = sorted({0, len(data), *(cut % (len(data) + 1) for cut in bytecuts)})
    out = b""
    for begin, end in pairwise(places):
        with pytest.raises(StopIteration) as done:
            next(stream.feed(data[begin:end], never, end=end == len(data)))
        out += done.value.value
    return bool(stream.matches) or stream.rejection is not None, out


def pieces(text, cuts):
    """The text in pieces."""
    places = sorted({0, len(text), *(cut % (len(text) + 1) for cut in cuts)})
    return [text[begin:end] for begin, end in pairwise(places)]


CUTS = st.one_of(st.just(range(400)), st.lists(st.integers(0, 10_000), max_size=12))


@given(st.data())
@examples(100)
def test_stream_and_document_get_equal_verdicts(data):
    """Every sample, in every disguise, in every field of every API; cut into bytes, events and deltas anywhere."""
    name = data.draw(st.sampled_from(sorted(SAMPLES)))
    hide = OBFUSCATIONS[data.draw(st.sampled_from(sorted(OBFUSCATIONS)))]
    api = data.draw(st.sampled_from(sorted(APIS, key=str)))
    form, kinds = APIS[api]
    kind = data.draw(st.sampled_from(kinds))
    text = data.draw(st.sampled_from(["", "A first line. " * 30])) + hide(SAMPLES[name])
    encode = data.draw(st.sampled_from([in_json, escaped] if kind == "arguments" else [plain]))
    text = encode(text)
    document, events = form((kind, text, pieces(text, data.draw(CUTS))))
    guard = guard_of(name, data.draw(st.sampled_from(["block", "flag", "mask"])))
    bytecuts = data.draw(st.lists(st.integers(0, 100_000), max_size=8))
    acted, _ = of_stream(api, guard, events, bytecuts)
    assert acted == of_document(api, guard, document)


@given(st.data())
@examples(50)
def test_value_between_two_fields_gets_equal_verdicts(data):
    """Half in one field and half in another, whatever their kinds."""
    name = data.draw(st.sampled_from(sorted(SAMPLES)))
    api = data.draw(st.sampled_from([Api.CHAT, Api.MESSAGES, Api.RESPONSES]))
    form, _ = APIS[api]
    sample = SAMPLES[name]
    cut = data.draw(st.integers(1, len(sample) - 1))
    fields = []
    order = [("reasoning_content", "content"), ("content", "arguments"), ("reasoning_content", "arguments")]
    for kind, half in zip(data.draw(st.sampled_from(order)), (sample[:cut], sample[cut:]), strict=True):
        text = in_json(half) if kind == "arguments" else half
        fields.append((kind, text, pieces(text, data.draw(CUTS))))
    document, events = form(*fields)
    guard = guard_of(name, data.draw(st.sampled_from(["block", "flag"])))
    assert of_stream(api, guard, events)[0] == of_document(api, guard, document)


PADDED = {
    "150 zero-width spaces behind each letter": "".join(f"{letter}{chr(0x200B) * 150}" for letter in KEY),
    "300 control characters behind each letter": "".join(f"{letter}{chr(1) * 300}" for letter in KEY),
    "40 noncharacters behind each letter": "".join(f"{letter}{chr(0xFDD0) * 40}" for letter in KEY),
    "references with many zeros": "".join(f"&#{ord(letter):09d};" for letter in KEY),
    "percent-encoded": "".join(f"%{ord(letter):02X}" for letter in KEY),
}


@pytest.mark.parametrize("form", [*APIS], ids=str)
@pytest.mark.parametrize("how", PADDED)
def test_padding_carries_no_key_through_a_stream(how, form):
    """What is held back counts letters that show something."""
    make, _ = APIS[form]
    text = "the key is " + PADDED[how] + " and so on" * 100
    document, events = make(("content", text, text))
    guard = guard_of("credential", "block")
    assert of_document(form, guard, document)
    acted, out = of_stream(form, guard, events)
    assert acted
    assert KEY[-8:] not in "".join(letter for letter in out.decode() if letter in KEY)


@pytest.mark.parametrize("levels", range(1, 6))
def test_escapes_of_any_depth_are_undone_in_a_stream(levels):
    """JSON in JSON in the arguments of a call, as in documents."""
    text = "".join(f"\\u{ord(letter):04x}" for letter in KEY)
    for _ in range(levels):
        text = json.dumps({"a": json.dumps(text)[1:-1]})
    document, events = chat(("arguments", text, pieces(text, range(0, len(text), 7))))
    guard = guard_of("credential", "block")
    assert of_document(Api.CHAT, guard, document)
    assert of_stream(Api.CHAT, guard, events)[0]


def test_text_that_shows_nothing_ends_a_stream_at_a_limit():
    """Memory is bounded, and nothing passes unread."""
    text = "x" + "\u200b" * 300_000
    _, events = chat(("content", text, pieces(text, range(0, 300_000, 10_000))))
    guard = replace(guard_of("credential", "block"), max_tokens=1 << 20)
    acted, out = of_stream(Api.CHAT, guard, events)
    assert acted
    assert b"too_complex" in out


def test_rest_of_a_value_that_began_in_another_field_is_masked():
    """Its beginning may have been sent; no word of another field is taken for a part of an address."""
    guard = guard_of("EMAIL_ADDRESS", "mask")
    first, second, whole = "mail maria.l", "opez@example.com x", in_json("maria@example.com")
    _, out = of_stream(Api.CHAT, guard, chat(("reasoning_content", first, [first]), ("content", second, [second]))[1])
    assert b"example.com" not in out
    _, events = chat(("content", "I send it now.", ["I send it now."]), ("arguments", whole, [whole]))
    acted, out = of_stream(Api.CHAT, guard, events)
    assert acted
    assert b"I send it now." in out
    assert b"error" not in out
