"""Responses without success under guards: status and headers stay, and so does a body in which nothing was found."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vsr_runtime.decision.apis.endpoints import Api
from vsr_runtime.decision.guards.detection import TextSpan
from vsr_runtime.decision.guards.guard import Guard
from vsr_runtime.decision.request.events import ResponsePlan
from vsr_runtime.decision.request.response_events import (
    BodyMode,
    BodyOutput,
    ForwardHeaders,
    ResponseBody,
    ResponseDone,
    ResponseError,
    ResponseHeaders,
    ResponseTrailers,
)
from vsr_runtime.decision.request.response_machine import AwaitsResponseHeaders, advance_response


def _finds(pattern: str, kind: str):
    made = re.compile(pattern)

    def find(normalised, _):
        return [
            TextSpan(*normalised.original(*match.span()), kind, 1.0, "test") for match in made.finditer(normalised.text)
        ]

    return find


BLOCK = Guard("keys", "block", (_finds("sk-[a-z0-9]{8}", "KEY"),), on_response=True)
MASK = Guard("names", "mask", (_finds("Agent [A-Z]+", "NAME"),), on_response=True)
FLAG = Guard("watch", "flag", (_finds("weather", "W"),), on_response=True)
LENIENT = Guard("lenient", "block", BLOCK.finders, on_response=True, passes_unreadable=True)
RESTORE = {"[MAIL_1]": "jane@example.org"}
KEY = "sk-abcd1234"


def headers_of(status, kind, length=None, **more):
    """The headers of a response."""
    named = {
        ":status": str(status),
        "content-type": kind,
        "content-length": None if length is None else str(length),
        "retry-after": "7",
    } | {key.replace("_", "-"): value for key, value in more.items()}
    return tuple((name, value) for name, value in named.items() if value is not None)


def reply(
    data, *guards, status=503, kind="text/plain", sized=True, api=Api.CHAT, restore=None, limit=1000, cut=None, **more
):
    """The actions on a reply: on its headers, and on each piece of its body."""
    plan = ResponsePlan(api, guards, restore or {})
    length = len(data) if sized else None
    state, on_headers = advance_response(
        AwaitsResponseHeaders(plan, limit),
        ResponseHeaders(headers_of(status, kind, length, **more), end_of_stream=False),
    )
    if state == ResponseDone():
        return on_headers, []
    size = cut if cut and on_headers.mode is BodyMode.STREAMED else max(len(data), 1)
    pieces = [data[start : start + size] for start in range(0, len(data), size)] or [b""]
    outputs = []
    for number, piece in enumerate(pieces):
        state, output = advance_response(state, ResponseBody(piece, end_of_stream=number == len(pieces) - 1))
        outputs.append(output)
        if state == ResponseDone():
            break
    assert state == ResponseDone()
    return on_headers, outputs


def sent(data, outputs):
    """What the client reads, when all pieces came as one."""
    return b"".join(data if output.body is None else output.body for output in outputs)


@pytest.mark.parametrize("status", [302, 400, 401, 403, 404, 408, 413, 429, 500, 502, 503, 504])
@pytest.mark.parametrize(
    ("kind", "data"),
    [
        ("text/plain", b"no healthy upstream"),
        ("text/plain; charset=UTF-8", "zu viele Anfragen für heute".encode()),
        ("text/html", b"<html><body>403 Forbidden</body></html>"),
        ("application/json", b'{"error": {"message": "slow down"}}'),
        ("application/json", b"not JSON at all"),
        ("application/json", b'["a list"]'),
        ("application/problem+json", b'{"title": "Forbidden"}'),
        ("application/grpc", b"RBAC: access denied"),
        ("application/octet-stream", b"local_rate_limited"),
        ("text/plain; charset=iso-8859-1", b"Jwt is missing"),
        (None, b"inference gateway: ServiceUnavailable"),
        ("text/plain", b""),
    ],
)
def test_refusal_of_any_content_type_keeps_status_headers_and_body(status, kind, data):
    """No guard found anything in it, so nothing is changed."""
    on_headers, outputs = reply(data, BLOCK, MASK, status=status, kind=kind)
    assert on_headers == ForwardHeaders(BodyMode.WHOLE)
    assert outputs == [BodyOutput(None)]


@pytest.mark.parametrize("cut", [None, 1, 7])
def test_refusal_of_unknown_length_is_sent_when_it_was_read(cut):
    """Envoy could not buffer a long one, and would answer 500. Nothing is sent before all was read."""
    data = b"no healthy upstream"
    on_headers, outputs = reply(data, BLOCK, sized=False, cut=cut)
    assert on_headers == ForwardHeaders(BodyMode.STREAMED)
    assert all(output.body == b"" for output in outputs[:-1])
    assert sent(data, outputs[-1:]) == data


@pytest.mark.parametrize("sized", [True, False])
@pytest.mark.parametrize("kind", ["text/plain", "application/json"])
def test_key_in_the_text_of_a_refusal_replaces_the_text_and_not_the_status(kind, sized):
    """The client still learns that it has to wait; the error names the guard."""
    data = f"upstream said {KEY}".encode()
    on_headers, [output] = reply(data, BLOCK, status=429, kind=kind, sized=sized)
    assert isinstance(on_headers, ForwardHeaders)
    assert KEY.encode() not in output.body
    assert json.loads(output.body)["error"]["code"] == "guard:keys"
    assert (output.rejection.status, output.rejection.code) == (429, "guard:keys")
    assert dict(output.set_headers) == (
        {"content-type": "application/json", "content-length": str(len(output.body))} if sized else {}
    )


def test_key_in_a_json_error_keeps_its_status():
    """Model servers quote requests in their errors."""
    data = json.dumps({"error": {"message": f"bad value {KEY}"}}).encode()
    _, [output] = reply(data, BLOCK, status=400, kind="application/json")
    assert output.rejection.status == 400
    assert KEY.encode() not in output.body


@pytest.mark.parametrize(
    "data", [rb"bad \u0073k-abcd1234", rb'["\u0073k-abcd1234"]', rb'{"a":1,"a":"\u0073k-abcd1234"}']
)
def test_escaped_key_in_a_refusal_is_found(data):
    """Clients undo escapes of what they read as JSON, whatever its content type."""
    _, [output] = reply(data, BLOCK)
    assert output.rejection.code == "guard:keys"


@pytest.mark.parametrize(
    ("status", "kind"), [(401, "authentication_error"), (404, "not_found_error"), (429, "rate_limit_error")]
)
def test_replaced_text_has_the_form_of_the_api(status, kind):
    """Anthropic's clients read the type."""
    _, [output] = reply(KEY.encode(), BLOCK, status=status, api=Api.MESSAGES)
    assert json.loads(output.body)["error"]["type"] == kind


def test_text_of_a_refusal_is_masked_with_the_right_length():
    """Only the finding changes."""
    data = b'asked Agent SMITH, "no" \xc3\xa9\n'
    _, [output] = reply(data, MASK)
    assert output.body == b'asked [NAME_1], "no" \xc3\xa9\n'
    assert output.set_headers == (("content-length", str(len(output.body))),)
    assert [match.guard for match in output.guards] == ["names"]


def test_text_of_a_refusal_is_flagged():
    """In a header, where the length is known before the headers are sent."""
    _, [output] = reply(b"bad weather", FLAG)
    assert output == BodyOutput(None, (("x-vsr-guards", "watch"),), output.guards)


def test_values_of_the_client_are_restored_in_the_text_of_a_refusal():
    """A provider quotes what it was sent."""
    _, [output] = reply(b"cannot mail [MAIL_1]", restore=RESTORE)
    assert output.body == b"cannot mail jane@example.org"


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        ("image/png", b"\x89PNG\r\n\xff"),
        ("text/plain; charset=utf-16", "no".encode("utf-16")),
        ("text/plain", KEY.encode("utf-16-le")),
        ("text/plain; charset=utf-7", b"+AHM-k-abcd1234"),
        ("text/plain; charset=iso-8859-1", b"\xe9"),
    ],
)
def test_body_that_is_not_text_is_replaced_and_the_status_stays(kind, data):
    """Fail closed for the body, never for the status. The message speaks of no images."""
    _, [output] = reply(data, BLOCK, status=404, kind=kind)
    error = json.loads(output.body)["error"]
    assert (output.rejection.status, error["code"]) == (404, "unreadable:keys")
    assert "image" not in error["message"]
    assert reply(data, LENIENT, kind=kind)[1] == [BodyOutput(None)]


def test_compressed_refusal_is_replaced_and_the_status_stays():
    """The headers say already that it cannot be read, so they are corrected before they are sent."""
    data = b"\x1f\x8b compressed"
    on_headers, outputs = reply(data, BLOCK, kind="text/event-stream", content_encoding="gzip", cut=3)
    assert on_headers.remove == ("content-length", "content-encoding")
    assert on_headers.set_headers == (("content-type", "application/json"),)
    assert [output.body for output in outputs[:-1]] == [b""] * (len(outputs) - 1)
    assert json.loads(outputs[-1].body)["error"]["code"] == "unreadable:keys"
    assert reply(data, LENIENT, content_encoding="gzip") == (ForwardHeaders(BodyMode.NONE), [])


@pytest.mark.parametrize("sized", [True, False])
def test_text_of_a_refusal_over_the_limit_is_replaced_and_the_status_stays(sized):
    """At most `maxBody` is held. Without guards it passes."""
    data = b"x" * 1001
    on_headers, outputs = reply(data, BLOCK, sized=sized, cut=100)
    assert isinstance(on_headers, ForwardHeaders)
    assert json.loads(b"".join(output.body for output in outputs))["error"]["code"] == "too_long:keys"
    assert outputs[-1].rejection.status == 503
    on_headers, outputs = reply(data, restore=RESTORE, sized=sized, cut=100)
    assert on_headers == ForwardHeaders(BodyMode.NONE) or sent(data[1000:], outputs) == data


def test_refusal_with_trailers_passes():
    """A body of a known length is complete before them; one of unknown length is lost, and the status is not."""
    state, _ = advance_response(
        AwaitsResponseHeaders(ResponsePlan(Api.CHAT, (BLOCK,))),
        ResponseHeaders(headers_of(429, "text/plain", 4), end_of_stream=False),
    )
    assert advance_response(state, ResponseBody(b"wait", end_of_stream=False)) == (ResponseDone(), BodyOutput(None))
    state, _ = advance_response(
        AwaitsResponseHeaders(ResponsePlan(Api.CHAT, (BLOCK,))),
        ResponseHeaders(headers_of(429, "text/plain"), end_of_stream=False),
    )
    state, _ = advance_response(state, ResponseBody(b"wait", end_of_stream=False))
    assert advance_response(state, ResponseTrailers()) == (ResponseDone(), BodyOutput(None))


def test_gateway_that_ignores_the_mode_gets_an_error():
    """Headers with the length were sent, so a changed body could no longer be."""
    state, _ = advance_response(
        AwaitsResponseHeaders(ResponsePlan(Api.CHAT, (BLOCK,))),
        ResponseHeaders(headers_of(429, "text/plain", 4), end_of_stream=False),
    )
    with pytest.raises(ResponseError, match="allow_mode_override"):
        advance_response(state, ResponseBody(b"wa", end_of_stream=False))


@pytest.mark.parametrize("status", ["200", "201", "", "abc"])
def test_success_that_is_not_json_is_refused_as_before(status):
    """A guard that cannot read what a model says is no guard."""
    plan = ResponsePlan(Api.CHAT, (BLOCK,))
    headers = ResponseHeaders(headers_of(status, "text/plain", 4), end_of_stream=False)
    assert advance_response(AwaitsResponseHeaders(plan), headers)[1].status == 502


def test_event_stream_without_success_is_read_as_events():
    """As with status 200."""
    plan = ResponsePlan(Api.CHAT, (BLOCK,))
    headers = ResponseHeaders(headers_of(503, "text/event-stream"), end_of_stream=False)
    state, _ = advance_response(AwaitsResponseHeaders(plan), headers)
    _, output = advance_response(state, ResponseBody(f"data: {{}}\n\n: {KEY}\n\n".encode(), end_of_stream=True))
    assert KEY.encode() not in output.body


@given(
    st.binary(max_size=300),
    st.sampled_from(["text/plain", "application/json", None]),
    st.booleans(),
    st.integers(1, 50),
)
def test_any_body_leaves_status_and_headers_and_never_a_key(data, kind, sized, cut):
    """Whatever the bytes, no other status, and no key."""
    on_headers, outputs = reply(data + KEY.encode(), BLOCK, kind=kind, sized=sized, cut=cut)
    assert isinstance(on_headers, ForwardHeaders)
    assert KEY.encode() not in b"".join(output.body or b"" for output in outputs)
    assert outputs[-1].rejection.status == 503
