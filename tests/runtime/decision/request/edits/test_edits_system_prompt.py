from __future__ import annotations

import json

import pytest

from vsr_runtime.decision.apis.endpoints import Api
from vsr_runtime.decision.program.effects import SystemPrompt
from vsr_runtime.decision.request.edits import add_system_prompt
from vsr_runtime.decision.request.json_body import read_body
from vsr_runtime.decision.request.json_edits import BodyDraft

TEXT = 'Be "kind".\n'
USER = {"role": "user", "content": "hello"}


def prompted(api: Api, mode: str, body: str) -> str:
    """The body's text with the prompt in it."""
    draft = BodyDraft(read_body(body.encode()))
    add_system_prompt(draft, api, SystemPrompt(TEXT, mode))
    return draft.text()


def chat(mode: str, *messages: object) -> list[object]:
    """The messages of a chat with the prompt in them."""
    return json.loads(prompted(Api.CHAT, mode, json.dumps({"messages": messages})))["messages"]


@pytest.mark.parametrize("mode", ["replace", "insert"])
def test_chat_without_one_gets_a_system_message(mode):
    """The prompt becomes the first message; those that are there stay as they are."""
    assert chat(mode, USER) == [{"role": "system", "content": TEXT}, USER]
    assert chat(mode, USER, {"role": "system", "content": "x"})[1:] == [USER, {"role": "system", "content": "x"}]
    text = prompted(Api.CHAT, mode, '{"messages" : [ {"role":"user" , "content":"\\u00e9"} ]}')
    assert text.endswith(' {"role":"user" , "content":"\\u00e9"} ]}')


@pytest.mark.parametrize("role", ["system", "developer"])
def test_chat_with_one_has_it_replaced_or_extended(role):
    """Mode `replace` removes the client's text; `insert` puts the policy's before it, as text or as a part."""
    own = {"role": role, "content": "mine", "name": "n"}
    assert chat("replace", own, USER) == [own | {"content": TEXT}, USER]
    assert chat("insert", own, USER) == [own | {"content": f"{TEXT}\n\nmine"}, USER]
    parts = [{"type": "text", "text": "mine"}]
    assert chat("replace", own | {"content": parts}) == [own | {"content": TEXT}]
    assert chat("insert", own | {"content": parts}) == [own | {"content": [{"type": "text", "text": TEXT}, *parts]}]


@pytest.mark.parametrize("mode", ["replace", "insert"])
@pytest.mark.parametrize("content", [None, "", [], 1])
def test_empty_system_message_is_filled(mode, content):
    """Without a client's text the prompt is the whole text."""
    assert chat(mode, {"role": "system", "content": content}) == [{"role": "system", "content": TEXT}]
    assert chat(mode, {"role": "system"}) == [{"role": "system", "content": TEXT}]


@pytest.mark.parametrize(("api", "key"), [(Api.RESPONSES, "instructions"), (Api.MESSAGES, "system")])
def test_other_apis_have_a_field_of_their_own(api, key):
    """The prompt is put where the API has its instructions."""

    def field(mode: str, **body: object) -> object:
        return json.loads(prompted(api, mode, json.dumps(body)))[key]

    assert field("replace", n=1) == field("insert", n=1) == field("insert", **{key: None}) == TEXT
    assert field("replace", **{key: "mine"}) == TEXT
    assert field("insert", **{key: "mine"}) == f"{TEXT}\n\nmine"
    blocks = [{"type": "text", "text": "mine"}]
    assert field("insert", **{key: blocks}) == [{"type": "text", "text": TEXT}, *blocks]


@pytest.mark.parametrize("api", [Api.COMPLETIONS, Api.EMBEDDINGS])
def test_apis_without_instructions_stay_as_they_are(api):
    """A completion's prompt is the client's alone."""
    assert prompted(api, "replace", '{"prompt":"a"}') == '{"prompt":"a"}'
