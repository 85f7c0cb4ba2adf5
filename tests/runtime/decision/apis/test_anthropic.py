from __future__ import annotations

import pytest

from vsr_runtime.decision.apis.anthropic import view_of_message
from vsr_runtime.decision.view import InvalidRequestError


@pytest.mark.parametrize("system", ["be kind", [{"type": "text", "text": "be kind"}]])
def test_system_counts_as_a_message(system):
    """The system text is a message of its own, as text or as blocks."""
    view = view_of_message({"system": system, "messages": [{"role": "user", "content": "hello"}]})
    assert (view.turn, view.size, view.roles) == ("hello", 12, ("system", "user"))


def test_results_of_tools_are_no_turn_of_the_user():
    """In a tool loop the turn stays the last user text, and each result is a tool message."""
    view = view_of_message(
        {
            "messages": [
                {"role": "user", "content": [{"type": "text", "text": "ab"}, {"type": "image", "source": {}}]},
                {
                    "role": "assistant",
                    "content": [{"type": "tool_use", "name": "f"}, {"type": "tool_use", "name": "g"}],
                },
                {
                    "role": "user",
                    "content": [
                        {"type": "tool_result", "content": "cd"},
                        {"type": "tool_result", "content": [{"type": "text", "text": "e"}]},
                    ],
                },
            ],
            "tools": [{"name": "f"}, {"name": "g"}],
        }
    )
    assert (view.turn, view.size) == ("ab", 5)
    assert view.roles == ("user", "assistant", "tool", "tool")
    assert (view.tools, view.tool_calls, view.images) == (2, 2, 1)


def test_text_next_to_tool_results_is_a_turn():
    """A message that answers a tool and says something is both."""
    content = [{"type": "tool_result", "content": None}, {"type": "text", "text": "go on"}]
    view = view_of_message({"messages": [{"role": "user", "content": content}]})
    assert (view.turn, view.roles) == ("go on", ("tool", "user"))


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"messages": []}, "messages"),
        ({"messages": "a"}, "messages"),
        ({"messages": [{"content": "a"}]}, "messages"),
        ({"messages": [{"role": "user", "content": 1}]}, "messages"),
        ({"messages": [{"role": "user", "content": [{"type": "tool_result", "content": 1}]}]}, "messages"),
        ({"messages": [{"role": "user", "content": "a"}], "system": 1}, "system"),
        ({"messages": [{"role": "user", "content": "a"}], "tools": "f"}, "tools"),
    ],
)
def test_other_forms_are_rejected(body, param):
    """Undocumented forms are rejected."""
    with pytest.raises(InvalidRequestError) as error:
        view_of_message(body)
    assert error.value.param == param
