"""Bodies in FULL_DUPLEX_STREAMED mode: nothing comes back before all is there, and then all of it."""

from __future__ import annotations

import asyncio
import json

import grpc
import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.played_gateway import ANY_TIME, request_headers
from vsr_runtime.decision.request.events import SendToModel
from vsr_runtime.server.duplex import PART, Upload, upload_messages
from vsr_runtime.server.messages import FULL_DUPLEX_STREAMED, ProcessingRequest, ProcessingResponse
from vsr_runtime.server.metrics import Metrics


def part(data: bytes, *, end: bool):
    """A part of a body."""
    message = ProcessingRequest()
    message.request_body.body = data
    message.request_body.end_of_stream = end
    return message


def trailers():
    """The message that ends a body with trailers."""
    message = ProcessingRequest()
    message.request_trailers.SetInParent()
    return message


def played(gateway, settings, *messages, finish=True, late=False, metrics=None):
    """All responses to these messages, sent without waiting, and the status at the end; nothing more comes if late."""

    async def whole():
        async with gateway(settings, metrics=metrics) as envoy:
            call = envoy.open()
            responses = []
            try:
                for message in (request_headers(FULL_DUPLEX_STREAMED), *messages):
                    await call.write(message)
                if finish:
                    await call.done_writing()
                if late:
                    async with asyncio.timeout(ANY_TIME):
                        while not envoy.processor._decision_runner.held:  # noqa: ASYNC110 - there is no event for it
                            await asyncio.sleep(0.01)
                    envoy.minute_is_over()
                while (response := await call.read()) is not grpc.aio.EOF:
                    responses.append(response)
            except (grpc.aio.AioRpcError, asyncio.InvalidStateError):
                pass
            code = await call.code()
            await envoy.let_go()
            return responses, code

    return asyncio.run(whole())


def streamed(responses) -> list:
    """The parts that came back."""
    return [each.request_body.response.body_mutation.streamed_response for each in responses]


def test_body_is_gathered_rewritten_and_sent_back(gateway, settings, chat):
    """First the headers with the model, but no length, then the new body with its end."""
    data = chat(content="2+2")
    (headers, *parts), code = played(
        gateway, settings, part(data[:9], end=False), part(data[9:], end=True), finish=False
    )
    common = headers.request_headers.response
    assert {each.header.key: each.header.raw_value for each in common.header_mutation.set_headers} == {
        "x-selected-model": b"phi4-mini"
    }
    assert common.clear_route_cache
    assert [each.end_of_stream for each in streamed(parts)] == [True]
    assert json.loads(streamed(parts)[0].body)["model"] == "phi4-mini"
    assert code == grpc.StatusCode.OK


def test_trailers_end_a_body(gateway, settings, chat):
    """The body comes back without an end, and the trailers are passed."""
    data = chat("llama3-8b")
    (_, body, last), code = played(gateway, settings, part(data, end=False), trailers(), finish=False)
    assert [(each.body, each.end_of_stream) for each in streamed([body])] == [(data, False)]
    assert last.WhichOneof("response") == "request_trailers"
    assert code == grpc.StatusCode.OK


def test_body_over_the_bound_is_refused_before_its_end(gateway, settings):
    """413 as soon as it is too long, whatever would follow."""
    chunk = part(b" " * (settings.limits.maxBody // 2 + 1), end=False)
    (answer,), code = played(gateway, settings, chunk, chunk, finish=False)
    assert answer.immediate_response.status.code == 413
    assert code == grpc.StatusCode.OK


def test_refusal_is_the_only_answer(gateway, settings, chat):
    """What is refused has nothing before it that would let it pass."""
    (answer,), _ = played(gateway, settings, part(chat("gpt"), end=True))
    assert answer.immediate_response.status.code == 404


@pytest.mark.parametrize("messages", [(), (part(b'{"model":', end=False),)])
def test_stream_that_ends_before_its_body_is_an_error(gateway, settings, messages):
    """OK would let the request pass with an empty body."""
    responses, code = played(gateway, settings, *messages)
    assert responses == []
    assert code == grpc.StatusCode.INTERNAL


def test_other_messages_in_a_body_are_errors(gateway, settings):
    """A message that does not belong there ends the stream in an error."""
    responses, code = played(
        gateway, settings, part(b"{", end=False), request_headers(FULL_DUPLEX_STREAMED), finish=False
    )
    assert responses == []
    assert code == grpc.StatusCode.FAILED_PRECONDITION


def test_body_that_does_not_come_is_answered(gateway, settings):
    """No timeout of the gateway's runs in this mode, so ours does."""
    metrics = Metrics(settings.program)
    (answer,), code = played(gateway, settings, part(b"{", end=False), finish=False, late=True, metrics=metrics)
    assert answer.immediate_response.status.code == 408
    assert code == grpc.StatusCode.OK
    assert 'reason="upload_timeout"' in metrics.text().decode()


@given(st.integers(0, 3 * PART + 1), st.booleans())
def test_parts_are_the_body(size, followed):
    """However long it is: in order, none larger than Envoy takes, and exactly one end."""
    body = bytes(index % 251 for index in range(size))
    action = SendToModel("m", None, (("x-selected-model", "m"), ("content-length", "1")))
    messages = [
        ProcessingResponse.FromString(each) for each in upload_messages(action, Upload(body, trailers=followed))
    ]
    parts = streamed(each for each in messages if each.WhichOneof("response") == "request_body")
    assert b"".join(each.body for each in parts) == body
    assert max(len(each.body) for each in parts) <= PART
    assert [each.end_of_stream for each in parts] == [False] * (len(parts) - 1) + [not followed]
    assert (messages[-1].WhichOneof("response") == "request_trailers") is followed
