"""The processor of requests behind the transport: nothing of a request is held once its stream has gone."""

from __future__ import annotations

import asyncio
import random

import pytest

from support.bare_client import (
    ANY_TIME,
    DATA,
    END_STREAM,
    INITIAL_WINDOW,
    begin,
    connected,
    fields,
    frame,
    message,
    reset,
)
from support.played_gateway import request_body, request_headers
from support.played_service import run, service
from support.runtime_fakes import FakeClassifier
from vsr_runtime.server.classify import ClassifierPool
from vsr_runtime.server.extproc import Processor
from vsr_runtime.server.generation import Generation
from vsr_runtime.server.messages import EXT_PROC_SERVICE, ProcessingResponse

PATH = f"/{EXT_PROC_SERVICE}/Process"


@pytest.fixture
def processor(settings):
    """A processor with a classifier that is none."""
    return lambda: Processor(Generation(settings, ClassifierPool(FakeClassifier())))


def opened(stream: int, first: bytes) -> bytes:
    """A stream with its first message."""
    return begin(stream, fields(PATH)) + frame(DATA, 0, stream, message(first))


async def forgotten(processor: Processor) -> None:
    """Wait until nothing is held."""
    async with asyncio.timeout(ANY_TIME):
        timeouts = processor._conversations.upload_timeouts
        while processor.open_streams or processor._decision_runner.held or timeouts._waiting:  # noqa: ASYNC110
            await asyncio.sleep(0.01)


def test_request_is_decided(processor, chat):
    """Headers, body, decision, OK."""
    headers, body = request_headers().SerializeToString(), request_body(chat("auto", "1+1")).SerializeToString()

    async def main():
        served = processor()
        async with service(served.methods()) as server, connected(server.port) as client:
            client.send(opened(1, headers))
            await client.until(lambda: 1 in client.answers and client.answers[1].data)
            begun = len(client.answers[1].data)
            client.send(frame(DATA, 0, 1, message(body)))
            answer = await client.answer(1)
            mutation = ProcessingResponse.FromString(answer.data[begun + 5 :]).request_body.response.header_mutation
            assert answer.status == 0
            assert b"phi4-mini" in {each.header.raw_value for each in mutation.set_headers}
            await forgotten(served)
        served.close()

    run(main())


@pytest.mark.parametrize("window", [0, 65_535])
@pytest.mark.parametrize("end", [b"", frame(DATA, END_STREAM, 1), frame(DATA, 1, 1, b"\0\0"), reset(1)])
def test_stream_without_a_decision_never_ends_in_ok(processor, end, window):
    """Whatever its client does instead of sending the body."""
    headers = request_headers().SerializeToString()

    async def main():
        served = processor()
        async with service(served.methods()) as server:
            async with connected(server.port, {INITIAL_WINDOW: window}) as client:
                client.send(opened(1, headers), end)
                await asyncio.sleep(0.05)
                assert all(each.status != 0 for each in client.answers.values())
            await forgotten(served)
        served.close()

    run(main())


def test_streams_given_up_at_any_moment(processor, chat):
    """Reset, cut off in the middle of a body, with a window that lets no answer through."""
    chance = random.Random(3)  # noqa: S311 - not for secrets
    headers = request_headers().SerializeToString()
    body = message(request_body(chat("auto", "1+1 " * 9000)).SerializeToString())

    async def main():
        served = processor()
        async with service(served.methods()) as server:
            for _ in range(60):
                async with connected(server.port, {INITIAL_WINDOW: chance.choice((0, 65_535))}) as client:
                    for stream in range(1, 20, 2):
                        part = body[: chance.randrange(len(body) + 9000)]
                        cut = [part[at : at + 16_000] for at in range(0, len(part), 16_000)]
                        client.send(opened(stream, headers), *(frame(DATA, 0, stream, each) for each in cut))
                        client.send(*([reset(stream)] if chance.random() < 0.3 else []))
                        await asyncio.sleep(0)
            await forgotten(served)
        served.close()

    run(main())
