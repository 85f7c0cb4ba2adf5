from __future__ import annotations

import pytest

from vsr_runtime.decision.apis.openai import view_of_completion
from vsr_runtime.decision.view import InvalidRequestError


@pytest.mark.parametrize(
    ("prompt", "text", "size"), [("a", "a", 1), (["a", "b"], "a\nb", 2), ("", "", 0), ("日本", "日本", 6)]
)
def test_prompt_of_a_completion(prompt, text, size):
    """A completion's prompt is one text or several, and counts as one user message."""
    view = view_of_completion({"prompt": prompt})
    assert (view.turn, view.size, view.roles) == (text, size, ("user",))


@pytest.mark.parametrize("prompt", [None, 1, [], [1, 2], [[1]], ["a", 1], {}])
def test_prompt_that_is_not_text_is_rejected(prompt):
    """Token ids cannot be read here, so a request by an auto name must not have them."""
    with pytest.raises(InvalidRequestError) as error:
        view_of_completion({"prompt": prompt})
    assert error.value.param == "prompt"
