"""Debug headers of responses, without a gateway."""

from __future__ import annotations

from dataclasses import replace

import pytest

from support.request_machine import RULES, drive, headers
from vsr_runtime.decision.request.events import Continue, ImmediateResponse, RequestBody, SendToModel, SignalsReady
from vsr_runtime.decision.request.response_events import BodyMode, ForwardHeaders, ResponseDone, ResponseHeaders
from vsr_runtime.decision.request.response_machine import AwaitsResponseHeaders, advance_response
from vsr_schemas.headers import DEBUG_HEADERS

ALWAYS, ASKED = replace(RULES, debug_headers="always"), replace(RULES, debug_headers="on-request")


def test_category_header_is_sent_if_the_classifier_ran(chat):
    """With the decision that it led to; a request that names its model has neither."""
    _, action = drive(headers(), RequestBody(chat("auto", "2+2")), SignalsReady("math", 0.9), rules=ALWAYS)
    assert dict(action.response.debug_headers) == {
        "x-vsr-selected-model": "phi4-mini",
        "x-vsr-selected-decision": "math",
        "x-vsr-selected-category": "math",
        "x-vsr-response-path": "upstream",
    }
    _, action = drive(headers(), RequestBody(chat("phi4-mini")), rules=ALWAYS)
    assert [name for name, _ in action.response.debug_headers] == ["x-vsr-selected-model", "x-vsr-response-path"]


@pytest.mark.parametrize("value", [None, "false", "TRUE", "1"])
def test_only_the_value_true_enables_debug_headers(chat, value):
    """If the policy permits no debug headers, the request header has no effect."""
    for rules in (ASKED, RULES):
        _, action = drive(headers(x_vsr_debug=value), rules=rules)
        assert action == Continue()
        _, action = drive(headers(x_vsr_debug=value), RequestBody(chat("phi4-mini")), rules=rules)
        assert isinstance(action, SendToModel)
        assert action.response is None
    _, action = drive(headers(x_vsr_debug="true"), rules=RULES)
    assert action == Continue()


def test_debug_request_only_needs_response_headers(chat):
    """The gateway is asked to send response headers when the request headers arrive, and nothing more."""
    _, action = drive(headers(x_vsr_debug="true"), rules=ASKED)
    assert action == Continue(needs_response_headers=True)
    _, action = drive(headers(x_vsr_debug="true"), RequestBody(chat("phi4-mini")), rules=ASKED)
    assert "accept-encoding" not in action.remove_headers
    forged = ((":status", "200"), ("content-encoding", "gzip"), *((name, "forged") for name in DEBUG_HEADERS))
    state, action = advance_response(
        AwaitsResponseHeaders(action.response), ResponseHeaders(forged, end_of_stream=False)
    )
    assert isinstance(state, ResponseDone)
    assert isinstance(action, ForwardHeaders)
    assert action.mode is BodyMode.NONE
    assert set(action.remove) == set(DEBUG_HEADERS) - {"x-vsr-selected-model", "x-vsr-response-path"}


def test_errors_have_no_debug_headers(chat):
    """An error has its code."""
    _, action = drive(headers(x_vsr_debug="true"), RequestBody(chat("gpt")), rules=ASKED)
    assert isinstance(action, ImmediateResponse)
    assert not {name for name, _ in action.headers} & set(DEBUG_HEADERS)
