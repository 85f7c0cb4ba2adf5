from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.program.text import UnreadableError, text_of_chat, text_of_completion


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
    """The text is that of the last user turn, its text parts joined, whatever stands before or after."""
    assert text_of_chat({"messages": messages}) == text


@pytest.mark.parametrize(
    "messages",
    [
        *(None, [], {}, "hello", ["hello"], [{}], [None], [{"role": 1}]),
        *([user(1)], [user({"text": "a"})], [user(["a"])]),
        *([user([{"text": "a"}])], [user([{"type": "text"}])], [user([{"type": "text", "text": 1}])]),
    ],
)
def test_other_shapes_are_refused(messages):
    """What the API does not document is refused instead of guessed at, since a server might read it otherwise."""
    with pytest.raises(UnreadableError) as error:
        text_of_chat({"messages": messages})
    assert error.value.param == "messages"


@pytest.mark.parametrize(("prompt", "text"), [("a", "a"), (["a", "b"], "a\nb"), ("", "")])
def test_prompt_of_a_completion(prompt, text):
    """A completion's prompt is one text or several."""
    assert text_of_completion({"prompt": prompt}) == text


@pytest.mark.parametrize("prompt", [None, 1, [], [1, 2], [[1]], ["a", 1], {}])
def test_prompt_that_is_no_text_is_refused(prompt):
    """Token ids cannot be read here, so a request by an auto name must not have them."""
    with pytest.raises(UnreadableError) as error:
        text_of_completion({"prompt": prompt})
    assert error.value.param == "prompt"


@given(st.lists(st.fixed_dictionaries({"role": st.sampled_from(["user", "assistant"]), "content": st.text()})))
def test_text_is_found_or_refused_and_nothing_else(messages):
    """Any conversation of plain messages gives the last user's content, and an empty list an explained error."""
    if not messages:
        with pytest.raises(UnreadableError):
            text_of_chat({"messages": messages})
        return
    turns = [message["content"] for message in messages if message["role"] == "user"]
    assert text_of_chat({"messages": messages}) == (turns[-1] if turns else "")
