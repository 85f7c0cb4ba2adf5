"""Media under any name that servers read, and bytes that are text in disguise."""

from __future__ import annotations

import base64
import json
from dataclasses import replace

import pytest

from vsr_runtime.decision.apis.endpoints import ENDPOINTS, Api
from vsr_runtime.decision.guards.finders import credentials, personal
from vsr_runtime.decision.guards.guard import Guard
from vsr_runtime.decision.guards.media_names import MEDIA_KEYS, MEDIA_TYPES, PART_MEDIA_KEYS
from vsr_runtime.decision.request.events import ImmediateResponse, RequestBody, SendToModel
from vsr_runtime.decision.request.request_machine import advance
from vsr_runtime.decision.request.states import AwaitsBody, MachineConfig

MODEL = "phi4-mini"
KEY = "sk-proj-" + "aB3dE5fG7hJ9kL1mN2pQ4rS6tU8vW0xYz" * 4
AWS = "AKIA" + "IOSFODNN7EXAMPL3"
PNG = base64.b64encode(b"\x89PNG\r\n\x1a\n" + bytes(range(256))).decode()
CLOSED = Guard("secrets", "block", (credentials(),))
OPEN = Guard("secrets", "block", (credentials(), personal(["EMAIL_ADDRESS"])), passes_unreadable=True)


def decided(program, guard, document, api=Api.MESSAGES):
    """What becomes of a request under a guard."""
    rules = MachineConfig(replace(program, guards=(guard,)), 8 << 20)
    body = json.dumps({"model": MODEL, "max_tokens": 5, **document}).encode()
    return advance(rules, AwaitsBody(ENDPOINTS[api.value], "one"), RequestBody(body))[1]


def part(**fields):
    """A request with one part."""
    return {"messages": [{"role": "user", "content": [fields]}]}


def call(**arguments):
    """A request with a call of a tool."""
    use = {"type": "tool_use", "id": "a", "name": "f", "input": arguments}
    return {"messages": [{"role": "user", "content": "x"}, {"role": "assistant", "content": [use]}]}


@pytest.mark.parametrize("kind", MEDIA_TYPES)
def test_part_of_a_media_type_is_refused(program, kind):
    """Whatever its fields are called."""
    action = decided(program, CLOSED, part(type=kind, thing={"x": "https://example.org/a"}), Api.CHAT)
    assert (action.status, action.code) == (415, "unreadable:secrets")


@pytest.mark.parametrize("key", [*MEDIA_KEYS, *PART_MEDIA_KEYS])
def test_part_with_a_media_key_is_refused(program, key):
    """With any type, or with none."""
    for more in ({}, {"type": "text", "text": "hi"}, {"type": "new"}, {"uuid": "1"}):
        action = decided(program, CLOSED, part(**more, **{key: "https://example.org/a"}), Api.CHAT)
        assert (action.status, action.code) == (415, "unreadable:secrets"), more


def test_images_of_a_message_are_refused(program):
    """As Ollama and its relatives read them."""
    action = decided(program, CLOSED, {"messages": [{"role": "user", "content": "hi", "images": [PNG]}]}, Api.CHAT)
    assert (action.status, action.code) == (415, "unreadable:secrets")


@pytest.mark.parametrize("fields", [{"type": "picture", "picture": PNG}, {"type": "new_image_v2", "ref": "a"}])
def test_part_of_an_unknown_type_that_holds_media_is_refused(program, fields):
    """By its name, or by its content."""
    assert decided(program, CLOSED, part(**fields), Api.CHAT).code == "unreadable:secrets"


@pytest.mark.parametrize(
    "document",
    [
        call(image="nginx:1.27", file="a.txt", video=True),
        {"messages": [{"role": "user", "content": "hi"}], "metadata": {"image": "nginx"}},
        {"messages": [{"role": "user", "content": PNG}]},
        part(type="text", text="hi", image=None),
        {
            "messages": [{"role": "user", "content": "hi"}],
            "tools": [{"name": "f", "input_schema": {"properties": {"image": {"type": "string"}, "file_id": {}}}}],
        },
    ],
)
def test_words_that_mean_something_else_are_no_media(program, document):
    """A tool may have an argument `image`, and a base64 text is a text."""
    assert isinstance(decided(program, CLOSED, document), SendToModel)


HIDDEN = {
    "a plain-text document": part(type="document", source={"type": "text", "media_type": "text/plain", "data": KEY}),
    "an argument `url`": call(url=KEY),
    "an argument `data`": call(data=AWS + "A" * 64),
    "an argument that begins like a picture": call(image={"data": PNG[:60] + " " + KEY}),
    "an argument in the form of a picture": call(
        picture={"type": "image", "source": {"type": "base64", "data": PNG + KEY}}
    ),
    "a field of a message": {"messages": [{"role": "user", "content": "x", "result": AWS * 4}]},
    "a picture that is none": part(type="image", source={"type": "base64", "data": KEY}),
    "a picture in letters of URLs": part(type="image", source={"type": "base64", "data": "iVBORw0KGgo_" + KEY}),
    "a text file": part(
        type="file", file={"file_data": "data:text/plain;base64," + base64.b64encode(f"x {KEY} y".encode()).decode()}
    ),
    "a vector image": part(
        type="image_url",
        image_url={"url": "data:image/svg+xml;base64," + base64.b64encode(f"<svg>{KEY}</svg>".encode()).decode()},
    ),
    "a text as base64": part(type="input_file", file_data=base64.b64encode(f"{KEY} and {KEY}".encode()).decode()),
    "the text of a picture": part(type="image", source={"type": "base64", "data": PNG}, text=KEY),
}


@pytest.mark.parametrize("place", HIDDEN)
def test_key_is_found_where_media_may_pass(program, place):
    """`unreadable: pass` lets pass what is no text. What looks like base64 may be a key, and what decodes is read."""
    for api in (Api.CHAT, Api.MESSAGES):
        action = decided(program, OPEN, HIDDEN[place], api)
        assert isinstance(action, ImmediateResponse), api
        assert action.code == "guard:secrets"


def test_mask_covers_the_whole_of_a_text_in_base64(program):
    """Nothing inside can be replaced."""
    data = "data:text/plain;base64," + base64.b64encode(b"write to jane@example.org please, and soon").decode()
    guard = Guard("pii", "mask", (personal(["EMAIL_ADDRESS"]),), passes_unreadable=True)
    action = decided(program, guard, part(type="file", file={"file_data": data}), Api.CHAT)
    assert json.loads(action.body)["messages"][0]["content"][0]["file"]["file_data"] == "[EMAIL_ADDRESS_1]"


@pytest.mark.parametrize(
    "document",
    [
        part(type="image", source={"type": "base64", "media_type": "image/png", "data": PNG}),
        part(type="image_url", image_url={"url": f"data:image/png;base64,{PNG}"}),
        part(type="tool_result", content=[{"type": "image", "source": {"type": "base64", "data": PNG}}]),
    ],
)
def test_bytes_of_a_picture_are_not_read_as_text(program, document):
    """They would match patterns by chance, and take time."""
    read = []

    def look(normalised, _):
        read.append(normalised.text)
        return []

    assert isinstance(decided(program, Guard("g", "block", (look,), passes_unreadable=True), document), SendToModel)
    assert not any(PNG in text for text in read)
