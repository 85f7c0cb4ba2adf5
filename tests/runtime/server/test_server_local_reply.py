"""Replies of the gateway itself: those of filters before ours, and those that end an upload."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import grpc
import pytest

from support.played_gateway import request_body, request_headers, samples
from vsr_runtime.decision.guards.finders import patterns
from vsr_runtime.decision.guards.guard import Guard
from vsr_runtime.server.messages import FULL_DUPLEX_STREAMED, STREAMED, ProcessingRequest
from vsr_runtime.server.metrics import Metrics

KEYS = Guard("keys", "block", (patterns(["sk-[a-z]{8}"]),), on_response=True)
REFUSALS = [(401, "text/plain"), (403, "text/html"), (429, None), (503, "application/json")]


@pytest.fixture(params=["guarded", "unguarded"])
def policy(request, settings):
    """The sample policy, with and without a guard on responses."""
    guards = (KEYS,) if request.param == "guarded" else ()
    return replace(settings, program=replace(settings.program, guards=guards))


@pytest.fixture
def guarded(settings):
    """The sample policy with a guard on responses."""
    return replace(settings, program=replace(settings.program, guards=(KEYS,)))


def reply_headers(status, kind="text/plain", *, end=False, modes=None):
    """The headers of a reply, in a stream's first message with the announced modes."""
    message = ProcessingRequest()
    for key, value in ((":status", str(status)), ("content-type", kind), ("retry-after", "7")):
        if value is not None:
            message.response_headers.headers.headers.add(key=key, raw_value=value.encode())
    message.response_headers.end_of_stream = end
    if modes is not None:
        message.protocol_config.request_body_mode, message.protocol_config.response_body_mode = modes
    return message


def reply_body(data, *, end=True):
    """The body of a reply, or a part."""
    message = ProcessingRequest()
    message.response_body.body, message.response_body.end_of_stream = data, end
    return message


def reply_trailers():
    """The trailers of a reply."""
    message = ProcessingRequest()
    message.response_trailers.trailers.headers.add(key="grpc-status", raw_value=b"7")
    return message


def played(gateway, settings, *messages, metrics=None):
    """All answers to these messages, and the status that the stream ended with."""

    async def whole():
        async with gateway(settings, metrics=metrics) as envoy:
            return await envoy.send(*messages)

    return asyncio.run(whole())


@pytest.mark.parametrize(("status", "kind"), REFUSALS)
@pytest.mark.parametrize("modes", [None, (2, STREAMED), (4, 0)], ids=["unannounced", "buffered", "duplex"])
@pytest.mark.parametrize("end", [True, False])
def test_refusal_of_a_filter_before_ours_passes_unchanged(gateway, policy, status, kind, modes, end):
    """Its stream begins with the headers of the reply. It is answered, ends in OK, and counts as no request."""
    metrics = Metrics(policy.program)
    answers, code = played(gateway, policy, reply_headers(status, kind, end=end, modes=modes), metrics=metrics)
    assert code == grpc.StatusCode.OK
    [answer] = answers
    assert answer.WhichOneof("response") == "response_headers"
    assert not answer.response_headers.response.HasField("header_mutation")
    assert answer.mode_override.response_body_mode == 0
    assert answer.mode_override.response_trailer_mode == 0
    assert not [line for line in samples(metrics, "llm_") if not line.endswith((" 0", " 0.0"))]


def test_refusal_in_parts_is_sent_back_with_its_trailers(gateway, settings):
    """The client of a gateway in duplex mode gets only what the router sends back."""
    answers, code = played(
        gateway,
        settings,
        reply_headers(403, modes=(4, FULL_DUPLEX_STREAMED)),
        reply_body(b"RBAC: ", end=False),
        reply_body(b"denied", end=False),
        reply_trailers(),
    )
    assert code == grpc.StatusCode.OK
    assert [answer.WhichOneof("response") for answer in answers] == [
        "response_headers",
        "response_body",
        "response_body",
        "response_trailers",
    ]
    parts = [answer.response_body.response.body_mutation.streamed_response for answer in answers[1:3]]
    assert [(part.body, part.end_of_stream) for part in parts] == [(b"RBAC: ", False), (b"denied", False)]


def test_stream_that_begins_with_trailers_is_let_through(gateway, policy):
    """A reply of which nothing else is sent to the router."""
    [answer], code = played(gateway, policy, reply_trailers())
    assert answer.WhichOneof("response") == "response_trailers"
    assert code == grpc.StatusCode.OK


@pytest.mark.parametrize("mode", [2, 4])
def test_reply_that_ends_an_upload_passes(gateway, settings, mode):
    """Such as 413 of the gateway's buffer, or 408 of its timeout."""
    messages = (request_headers(mode), reply_headers(413))
    if mode == 4:  # the headers wait for the body, so nothing is answered in between

        async def whole():
            async with gateway(settings) as envoy:
                call = envoy.open()
                for message in messages:
                    await call.write(message)
                return [await call.read()], await call.code()

        answers, code = asyncio.run(whole())
    else:
        answers, code = played(gateway, settings, *messages)
    assert answers[-1].WhichOneof("response") == "response_headers"
    assert code == grpc.StatusCode.OK


def test_success_that_nobody_decided_on_is_read_by_guards(gateway, guarded):
    """A filter that skips requests must not let a model's text pass unread."""
    leak = b'{"choices":[{"message":{"content":"sk-abcdefgh"}}]}'
    answers, _ = played(gateway, guarded, reply_headers(200, "application/json"), reply_body(leak))
    assert answers[-1].immediate_response.status.code == 403


def test_refusal_behind_the_router_passes_guards(gateway, guarded, chat):
    """A rate limit or a picker refuses after the decision: the stream has a request, and the text is read."""
    opening = request_headers()
    opening.protocol_config.response_body_mode = STREAMED
    answers, code = played(
        gateway,
        guarded,
        opening,
        request_body(chat("llama3-8b")),
        reply_headers(429, "text/plain"),
        reply_body(b"local_rate_limited"),
    )
    assert code == grpc.StatusCode.OK
    assert answers[2].WhichOneof("response") == "response_headers"
    assert answers[3].WhichOneof("response") == "response_body"
