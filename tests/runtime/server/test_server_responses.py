"""The response side at the rim: modes, errors, and that nothing ends in OK before it was read."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace

import grpc
import pytest

from support.played_gateway import ANY_TIME, request_body, request_headers, samples
from vsr_runtime.decision.guards.detection import TextSpan, TextVerdict
from vsr_runtime.decision.guards.finders import patterns
from vsr_runtime.decision.guards.guard import Guard
from vsr_runtime.decision.request.events import Cause
from vsr_runtime.server.decision_runner import weight
from vsr_runtime.server.generation import Generation
from vsr_runtime.server.messages import BUFFERED, STREAMED, ProcessingRequest
from vsr_runtime.server.metrics import Metrics
from vsr_runtime.server.thread_pool import ThreadPool

KEYS = Guard("keys", "block", (patterns(["sk-[a-z]{8}"]),), on_response=True, exempt=frozenset({"phi4-mini"}))
NAMES = Guard("names", "mask", (patterns(["Agent [A-Z]+"]),), on_response=True, exempt=frozenset({"phi4-mini"}))

EVIL = Guard("evil", "block", (), detector="judge", on_request=False, on_response=True)


@pytest.fixture
def guarded(settings):
    """The sample policy with guards of responses at one model."""
    return replace(settings, program=replace(settings.program, guards=(KEYS, NAMES)))


def opening(mode: int = STREAMED):
    """Request headers of a gateway that sends responses so."""
    message = request_headers()
    message.protocol_config.response_body_mode = mode
    return message


def response_headers(end: bool = False, **headers: str):  # noqa: FBT001, FBT002 - reads well
    """The response's headers."""
    message = ProcessingRequest()
    for key, value in ({"content-type": "application/json"} | headers).items():
        message.response_headers.headers.headers.add(key=key.replace("_", "-"), raw_value=value.encode())
    message.response_headers.end_of_stream = end
    return message


def response_body(data: bytes, *, end: bool = True):
    """A response's body or a piece of it."""
    message = ProcessingRequest()
    message.response_body.body = data
    message.response_body.end_of_stream = end
    return message


def played(gateway, settings, *messages, metrics=None, pool=None):
    """All responses to these messages, and the status that the stream ended with."""

    async def whole():
        generation = Generation(settings, pool) if pool else None
        async with gateway(settings, metrics=metrics, generation=generation) as envoy:
            return await envoy.send(*messages)

    return asyncio.run(whole())


def drained(gateway, settings, chat, following):
    """Of a server that stops: how a response under way ended, with what, and how a request without a body did."""

    async def whole():
        async with gateway(settings) as envoy:
            call, undecided = envoy.open(), envoy.open()
            for message in (opening(), request_body(chat("llama3-8b"))):
                await call.write(message)
                await call.read()
            await undecided.write(opening())
            await undecided.read()
            draining = asyncio.ensure_future(envoy.processor.drain(0, following))
            answers = [await undecided.code()]
            if following:
                for message in (response_headers(), response_body(document("Agent SMITH"))):
                    await call.write(message)
                    answers.append(await call.read())
            await draining
            return await call.code(), *answers

    return asyncio.run(whole())


def document(text):
    """A chat completion."""
    return json.dumps({"choices": [{"index": 0, "message": {"role": "assistant", "content": text}}]}).encode()


def test_document_is_asked_for_as_a_whole_and_masked(gateway, guarded, chat):
    """The mode is overridden on the headers; the new length is set; then the stream ends."""
    answers, code = played(
        gateway,
        guarded,
        opening(),
        request_body(chat("llama3-8b")),
        response_headers(),
        response_body(document("Agent SMITH")),
    )
    assert answers[2].mode_override.response_body_mode == BUFFERED
    common = answers[3].response_body.response
    assert b"[PATTERN_1]" in common.body_mutation.body
    lengths = [each.header.raw_value for each in common.header_mutation.set_headers]
    assert lengths == [str(len(common.body_mutation.body)).encode()]
    assert code == grpc.StatusCode.OK


def test_blocked_document_is_an_immediate_answer_and_counted(gateway, guarded, chat):
    """Also in the metrics, by guard and side."""
    metrics = Metrics(guarded.program)
    answers, code = played(
        gateway,
        guarded,
        opening(),
        request_body(chat("llama3-8b")),
        response_headers(),
        response_body(document("sk-abcdefgh")),
        metrics=metrics,
    )
    assert answers[3].immediate_response.status.code == 403
    assert code == grpc.StatusCode.OK
    assert 'vsr_guard_matches_total{action="block",guard="keys",on="response"} 1.0' in samples(metrics, "vsr_guard_m")
    assert 'llm_request_errors_total{model="llama3-8b",reason="guard:keys"} 1.0' in samples(metrics, "llm_request_e")


class Judge:
    """A pool with a detector that finds evil where a text says so; it fails on request."""

    waiting, healthy = 0, True

    def __init__(self, fails: Cause | None = None) -> None:
        self.fails = fails
        self.asked: list[str] = []

    async def warm(self):
        """Nothing to do."""

    async def signals(self, text, until):
        """Not asked."""
        raise NotImplementedError

    async def looks(self, asked, until):
        """What the detector sees, in the time that is left."""
        assert asyncio.get_running_loop().time() < until
        self.asked += asked["judge"]
        if self.fails:
            return {"judge": self.fails}
        return {
            "judge": [TextVerdict(TextSpan(0, len(t), "attack", 0.9 * ("evil" in t), "judge")) for t in asked["judge"]]
        }

    def close(self) -> None:
        """Nothing is held."""


def judged(settings):
    """The sample policy with a guard of responses that asks the detector."""
    return replace(settings, program=replace(settings.program, guards=(EVIL,)), decision_timeout=30.0)


@pytest.mark.parametrize(("fails", "code"), [(None, "guard:evil"), (Cause.TIMEOUT, "guard_failed:evil")])
def test_detector_of_responses_is_asked_before_anything_goes(gateway, settings, chat, fails, code):
    """A document, and a stream up to the end of its last sentence."""
    pool = Judge(fails)
    body = request_body(chat("llama3-8b"))
    answers, status = played(
        gateway, judged(settings), opening(), body, response_headers(), response_body(document("evil")), pool=pool
    )
    assert json.loads(answers[3].immediate_response.body)["error"]["code"] == code
    assert (pool.asked, status) == (["evil"], grpc.StatusCode.OK)
    event = b'data: {"choices":[{"index":0,"delta":{"content":"%s"},"finish_reason":null}]}\n\n'
    answers, status = played(
        gateway,
        judged(settings),
        opening(),
        body,
        response_headers(**{"content-type": "text/event-stream"}),
        response_body(event % b"Good news. ", end=False),
        response_body(event % b"Now evil ones", end=False),
        response_body(b"data: [DONE]\n\n", end=True),
        pool=(pool := Judge(fails)),
    )
    data = b"".join(each.response_body.response.body_mutation.body for each in answers[3:])
    assert code.encode() in data
    assert b"evil ones" not in data
    assert (pool.asked, status) == (["Good news. Now evil ones"], grpc.StatusCode.OK)


def test_without_an_engine_a_detector_of_responses_has_failed(gateway, settings, chat):
    """What nobody can judge does not go."""
    body = request_body(chat("llama3-8b"))
    answers, _ = played(gateway, judged(settings), opening(), body, response_headers(), response_body(document("x")))
    assert json.loads(answers[3].immediate_response.body)["error"]["code"] == "guard_failed:evil"


def test_stream_goes_on_in_pieces_and_is_cut_off(gateway, guarded, chat):
    """Held text clears a piece; after the refusal nothing more goes, and the stream ends with the response."""
    event = b'data: {"choices":[{"index":0,"delta":{"content":"%s"},"finish_reason":null}]}\n\n'
    answers, code = played(
        gateway,
        guarded,
        opening(),
        request_body(chat("llama3-8b")),
        response_headers(**{"content-type": "text/event-stream"}),
        response_body(event % b"sk-abcd", end=False),
        response_body(event % (b"efgh " + b"x" * 400 + b" y"), end=False),
        response_body(b"data: [DONE]\n\n", end=True),
    )
    assert answers[2].mode_override.response_body_mode == STREAMED
    pieces = [answer.response_body.response.body_mutation for answer in answers[3:]]
    assert b"sk-" not in b"".join(piece.body for piece in pieces)
    assert b"guard:keys" in b"".join(piece.body for piece in pieces)
    assert pieces[-1].clear_body or pieces[-1].body
    assert code == grpc.StatusCode.OK


def test_exempt_model_s_response_is_not_waited_for(gateway, guarded, chat):
    """The stream ends with the decision, as without guards."""
    answers, code = played(gateway, guarded, opening(), request_body(chat("phi4-mini")))
    assert len(answers) == 2
    assert code == grpc.StatusCode.OK


@pytest.mark.parametrize("mode", [0, 2, 3, 4])
def test_gateway_that_would_not_send_responses_is_refused(gateway, guarded, mode):
    """Guards that are not asked must not seem to hold."""
    answers, code = played(gateway, guarded, opening(mode))
    assert answers == []
    assert code == grpc.StatusCode.FAILED_PRECONDITION


@pytest.mark.parametrize(
    "messages",
    [
        [response_headers(), response_body(b"{", end=False)],
        [response_body(b"{}")],
        [response_headers(), response_headers()],
        [request_body(b"{}")],
    ],
)
def test_messages_out_of_order_end_in_an_error(gateway, guarded, chat, messages):
    """Never in OK: Envoy takes that for a pass."""
    _, code = played(gateway, guarded, opening(), request_body(chat("llama3-8b")), *messages)
    assert code == grpc.StatusCode.FAILED_PRECONDITION


def test_large_responses_are_read_in_a_thread(gateway, settings, chat, monkeypatch):
    """The event loop serves others meanwhile."""
    used = []
    run = ThreadPool.run

    async def noted(self, until, units, work):
        used.append(units)
        return await run(self, until, units, work)

    monkeypatch.setattr(ThreadPool, "run", noted)
    large = replace(settings, program=replace(settings.program, guards=(replace(NAMES, max_tokens=100_000),)))
    data = document("word " * 20_000 + "Agent SMITH")
    answers, code = played(
        gateway, large, opening(), request_body(chat("llama3-8b")), response_headers(), response_body(data)
    )
    assert answers[3].response_body.response.body_mutation.body == data.replace(b"Agent SMITH", b"[PATTERN_1]")
    assert used == [weight(data)]
    assert code == grpc.StatusCode.OK


def test_response_under_way_is_read_to_its_end_while_the_server_stops(gateway, guarded, chat):
    """Its client has waited for it, and no other process can go on with it; who has not decided is sent elsewhere."""
    code, undecided, _, last = drained(gateway, guarded, chat, ANY_TIME)
    assert undecided == grpc.StatusCode.UNAVAILABLE
    assert b"[PATTERN_1]" in last.response_body.response.body_mutation.body
    assert code == grpc.StatusCode.OK


def test_response_that_does_not_end_is_given_up(gateway, guarded, chat):
    """In an error, so that nothing of it passes unread."""
    assert drained(gateway, guarded, chat, 0) == (grpc.StatusCode.UNAVAILABLE,) * 2
