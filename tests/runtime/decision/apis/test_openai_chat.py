from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vsr_runtime.decision.apis.openai import view_of_chat
from vsr_runtime.decision.view import InvalidRequestError


def user(content: object) -> dict[str, object]:
    """A user turn."""
    return {"role": "user", "content": content}


@pytest.mark.parametrize(
    ("messages", "text"),
    [
        ([user("one")], "one"),
        ([user("one"), {"role": "assistant", "content": "no"}, user("two")], "two"),
        ([user("one"), {"role": "tool", "content": "later"}], "one"),
        ([user([{"type": "text", "text": "a"}, {"type": "text", "text": "b"}])], "a\nb"),
        ([user([{"type": "input_text", "text": "a"}])], "a"),
        ([user([{"type": "image_url", "image_url": {"url": "x"}}, {"type": "text", "text": "what?"}])], "what?"),
        ([user([{"type": "image_url", "image_url": {"url": "x"}}])], ""),
        ([user([])], ""),
        ([user(None)], ""),
        ([{"role": "system", "content": "be kind"}], ""),
    ],
)
def test_last_user_turn_is_the_text(messages, text):
    """The text is that of the last user turn with its text parts joined, whatever precedes or follows it."""
    assert view_of_chat({"messages": messages}).turn == text


@pytest.mark.parametrize(
    "messages",
    [
        *(None, [], {}, "hello", ["hello"], [{}], [None], [{"role": 1}]),
        *([user(1)], [user({"text": "a"})], [user([1])], [user([["a"]])]),
        [user("a"), {"role": "assistant", "content": {"text": "a"}}],
        [user("a"), {"role": "assistant", "tool_calls": "f"}],
        *([user([{"texts": "a"}])], [user([{"type": "text"}])], [user([{"type": "text", "text": 1}])]),
        *([user([{"type": None}])], [user([{"type": 1, "text": "a"}])], [user([{}])]),
    ],
)
def test_other_forms_are_rejected(messages):
    """Undocumented forms are rejected, because a server might read them differently."""
    with pytest.raises(InvalidRequestError) as error:
        view_of_chat({"messages": messages})
    assert error.value.param == "messages"


@given(st.lists(st.fixed_dictionaries({"role": st.sampled_from(["user", "assistant"]), "content": st.text()})))
def test_any_messages_are_read_or_rejected(messages):
    """Any conversation of plain messages gives the last user's content, and an empty list an explained error."""
    if not messages:
        with pytest.raises(InvalidRequestError):
            view_of_chat({"messages": messages})
        return
    turns = [message["content"] for message in messages if message["role"] == "user"]
    view = view_of_chat({"messages": messages})
    assert view.turn == (turns[-1] if turns else "")
    assert view.size == sum(len(message["content"].encode()) for message in messages)


def test_conversation_is_counted():
    """Roles, tools of both forms, calls and images are counted over the whole conversation, bytes in UTF-8."""
    view = view_of_chat(
        {
            "messages": [
                {"role": "system", "content": "é"},
                user([{"type": "text", "text": "abc"}, {"type": "image_url", "image_url": {"url": "x"}}]),
                {"role": "assistant", "content": None, "tool_calls": [{}, {}]},
                {"role": "assistant", "function_call": {"name": "f"}},
                {"role": "tool", "content": "12"},
                {"role": "assistant", "content": [{"type": "refusal", "refusal": "no"}]},
            ],
            "tools": [{"type": "function"}],
            "functions": [{"name": "f"}],
        }
    )
    assert (view.turn, view.size, view.tokens) == ("abc", 9, 3)
    assert view.roles == ("system", "user", "assistant", "assistant", "tool", "assistant")
    assert (view.tools, view.tool_calls, view.images) == (2, 3, 1)


@pytest.mark.parametrize("field", ["tools", "functions"])
@pytest.mark.parametrize("value", ["x", {}, [1]])
def test_tools_in_another_form_are_rejected(field, value):
    """Lists that cannot be counted are rejected."""
    with pytest.raises(InvalidRequestError) as error:
        view_of_chat({"messages": [user("a")], field: value})
    assert error.value.param == field
