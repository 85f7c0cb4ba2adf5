from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vsr_runtime.decision.program.effects import ParameterLimits
from vsr_runtime.decision.request.edits import limit_params
from vsr_runtime.decision.request.json_body import read_body
from vsr_runtime.decision.request.json_edits import BodyDraft


def limited(body: dict[str, object], **limits: object) -> dict[str, object]:
    """The body within limits."""
    draft = BodyDraft(read_body(json.dumps(body).encode()))
    limit_params(draft, ParameterLimits(**limits))
    return json.loads(draft.text())


def test_blocked_parameters_are_removed():
    """A blocked parameter does not reach the model, whatever its value."""
    body = {"model": "a", "logprobs": True, "top_logprobs": 5, "seed": 1}
    assert limited(body, blocked=("logprobs", "top_logprobs", "missing")) == {"model": "a", "seed": 1}


@pytest.mark.parametrize("name", ["max_tokens", "max_completion_tokens", "max_output_tokens"])
@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (5, 5),
        (10, 10),
        (11, 10),
        (1e9, 10),
        (9.5, 9.5),
        (0, 0),
        (-1, 10),
        ("99", 10),
        (True, 10),
        ([], 10),
        (None, None),
    ],
)
def test_length_of_an_answer_is_clamped(name, value, expected):
    """What is within the bound or null stays; anything else becomes the bound."""
    assert limited({name: value}, max_tokens=10) == {name: expected}


@pytest.mark.parametrize("name", ["n", "best_of"])
def test_number_of_answers_is_clamped(name):
    """Several answers, and several to choose from, are bounded alike."""
    assert limited({name: 8}, max_n=2) == {name: 2}
    assert limited({name: 1}, max_n=2) == {name: 1}


def test_missing_parameters_are_not_added():
    """A parameter that is missing stays missing, and without a bound nothing changes."""
    assert limited({}, max_tokens=10, max_n=1) == {}
    assert limited({"max_tokens": 10**9, "n": 99}, blocked=()) == {"max_tokens": 10**9, "n": 99}


def test_blocked_and_bounded_is_removed():
    """A parameter that may not be there is not put back at its bound."""
    assert limited({"n": 9}, blocked=("n",), max_n=1) == {}


@given(value=st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text() | st.booleans())
def test_no_value_gets_past_the_bound(value):
    """Whatever a client writes, what goes out is a number from 0 to the bound."""
    out = limited({"max_tokens": value}, max_tokens=10)["max_tokens"]
    assert isinstance(out, int | float)
    assert 0 <= out <= 10
