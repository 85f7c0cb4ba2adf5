from __future__ import annotations

import pytest

from vsr_runtime.decision.apis.openai import view_of_response
from vsr_runtime.decision.view import InvalidRequestError


def test_input_as_text_is_the_turn():
    """A plain input is one user message; instructions count as a system message."""
    view = view_of_response({"input": "hello", "instructions": "be kind"})
    assert (view.turn, view.size, view.roles) == ("hello", 12, ("system", "user"))


def test_items_are_read():
    """Messages with and without a type, calls and their results are read; of other items nothing is."""
    view = view_of_response(
        {
            "input": [
                {"role": "developer", "content": "a"},
                {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "bc"}]},
                {"type": "reasoning", "summary": []},
                {"type": "function_call", "name": "f", "arguments": "{}"},
                {"type": "function_call_output", "output": "def"},
                {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "g"}]},
                {
                    "role": "user",
                    "content": [{"type": "input_image", "image_url": "x"}, {"type": "input_text", "text": "h"}],
                },
                {"type": "item_reference", "id": "x"},
            ],
            "tools": [{"type": "web_search"}],
        }
    )
    assert (view.turn, view.size, view.images) == ("h", 8, 1)
    assert view.roles == ("developer", "user", "tool", "assistant", "user")
    assert (view.tools, view.tool_calls) == (1, 1)


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"input": []}, "input"),
        ({"input": 1}, "input"),
        ({"input": {}}, "input"),
        ({"input": ["a"]}, "input"),
        ({"input": [{"type": 1}]}, "input"),
        ({"input": [{"content": "a"}]}, "input"),
        ({"input": [{"role": "user", "content": 1}]}, "input"),
        ({"input": [{"type": "function_call_output", "output": {}}]}, "input"),
        ({"input": "a", "instructions": 1}, "instructions"),
        ({"input": "a", "tools": {}}, "tools"),
    ],
)
def test_other_forms_are_rejected(body, param):
    """Undocumented forms are rejected."""
    with pytest.raises(InvalidRequestError) as error:
        view_of_response(body)
    assert error.value.param == param
