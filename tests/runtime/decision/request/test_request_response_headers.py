"""Headers of responses under guards, and keys of responses that replaced values would make equal."""

from __future__ import annotations

import json

import pytest

from vsr_runtime.decision.apis.endpoints import Api
from vsr_runtime.decision.deadline import never
from vsr_runtime.decision.guards.finders import credentials, personal
from vsr_runtime.decision.guards.guard import Guard
from vsr_runtime.decision.request.events import GuardMatch, ResponsePlan
from vsr_runtime.decision.request.response_events import BodyMode, ForwardHeaders, ResponseBody, ResponseHeaders
from vsr_runtime.decision.request.response_machine import AwaitsResponseHeaders, advance_response
from vsr_runtime.decision.request.response_stream import ResponseStream

KEY = "ghp_16C7e42F292c6912E7710c838347Ae178B4a"
BLOCK = Guard("secrets", "block", (credentials(),), on_response=True)
MASK = Guard("pii", "mask", (personal(["EMAIL_ADDRESS"]),), on_response=True)
FLAG = Guard("watch", "flag", (credentials(),), on_response=True)
JSON_TYPE = ("content-type", "application/json")
RESTORE = {"[EMAIL_ADDRESS_1]": "jane@example.org"}


def forwarded(*headers, guards=(BLOCK, MASK), status="200", restore=None):
    """What becomes of the headers of a response."""
    event = ResponseHeaders(((":status", status), *headers), end_of_stream=False)
    action = advance_response(AwaitsResponseHeaders(ResponsePlan(Api.CHAT, guards, restore or {})), event)[1]
    assert isinstance(action, ForwardHeaders)
    return action


@pytest.mark.parametrize("status", ["200", "302", "429", "503"])
@pytest.mark.parametrize("name", ["x-leak", "location", "set-cookie", "server"])
def test_header_with_a_key_is_removed_and_the_rest_stays(name, status):
    """Whatever its name is; status and body keep their way."""
    action = forwarded(JSON_TYPE, (name, f"https://x/{KEY}"), ("retry-after", "3"), status=status)
    assert action.remove == (name,)
    assert action.guards == (GuardMatch("secrets", "block"),)
    assert action.mode is not BodyMode.NONE


def test_header_with_an_address_is_removed_by_a_mask():
    """A header cannot be masked, since clients do not expect placeholders there."""
    assert forwarded(JSON_TYPE, ("x-owner", "jane%40example.org"), ("x-other", "fine words")).remove == ("x-owner",)


def test_flag_only_counts():
    """It changes nothing."""
    action = forwarded(JSON_TYPE, ("x-leak", KEY), guards=(FLAG,))
    assert (action.remove, action.guards) == ((), (GuardMatch("watch", "flag"),))


def test_usual_headers_stay():
    """Of servers and gateways."""
    usual = (
        JSON_TYPE,
        ("content-length", "4111111111111111"),
        ("date", "Tue, 01 Dec 2026 18:35:44 GMT"),
        ("server", "envoy"),
        ("x-request-id", "7f9c24e8-3b1d-4a52-9c6e-2d1f0a8b7c65"),
        ("x-envoy-upstream-service-time", "12"),
        ("openai-processing-ms", "1204"),
        ("strict-transport-security", "max-age=31536000; includeSubDomains"),
        ("x-ratelimit-reset-tokens", "6m0s"),
    )
    assert forwarded(*usual) == ForwardHeaders(BodyMode.WHOLE)


def test_headers_of_a_response_that_is_only_restored_stay():
    """No guard reads it."""
    assert forwarded(JSON_TYPE, ("x-leak", KEY), guards=(), restore=RESTORE).remove == ()


def whole(document, restore):
    """What becomes of a document of which values are restored."""
    plan = ResponsePlan(Api.CHAT, (), restore)
    headers = ResponseHeaders((JSON_TYPE,), end_of_stream=False)
    state, _ = advance_response(AwaitsResponseHeaders(plan), headers)
    return advance_response(state, ResponseBody(json.dumps(document).encode(), end_of_stream=True))[1]


@pytest.mark.parametrize("wrap", [lambda inner: inner, lambda inner: {"choices": [{"message": {"content": inner}}]}])
def test_restoring_never_makes_a_key_twice(wrap):
    """Parsers would read different responses."""
    refused = whole(wrap({"[EMAIL_ADDRESS_1]": 1, "jane@example.org": 2}), RESTORE)
    assert (refused.status, refused.code) == (502, "duplicate_key")
    fine = whole(wrap({"[EMAIL_ADDRESS_1]": 1, "joe@example.org": 2}), RESTORE)
    assert json.loads(fine.body) == wrap({"jane@example.org": 1, "joe@example.org": 2})


def test_restoring_never_makes_a_key_twice_in_a_stream():
    """The stream ends in an error instead of losing one of them."""
    event = {"choices": [], "extra": {"[EMAIL_ADDRESS_1]": 1, "jane@example.org": 2}}
    stream = ResponseStream(ResponsePlan(Api.CHAT, (), RESTORE))
    with pytest.raises(StopIteration) as done:
        next(stream.feed(f"data: {json.dumps(event)}\n\n".encode(), never, end=True))
    assert b"duplicate_key" in done.value.value
    assert b"jane" not in done.value.value
