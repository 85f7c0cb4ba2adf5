"""Plays Envoy to a served processor, for tests of the rim."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import replace

import grpc

from support.runtime_fakes import FakeClassifier
from vsr_runtime.server.address import Address
from vsr_runtime.server.classify import ClassifierPool
from vsr_runtime.server.extproc import Processor
from vsr_runtime.server.generation import Generation
from vsr_runtime.server.health import Health
from vsr_runtime.server.messages import (
    EXT_PROC_SERVICE,
    HealthCheckRequest,
    HealthCheckResponse,
    ProcessingRequest,
    ProcessingResponse,
)
from vsr_runtime.server.metrics import Metrics
from vsr_runtime.server.transport.choose import Listen
from vsr_runtime.server.transport.stream import MAX_STREAMS

ANY_TIME = 30.0
AS_ENVOY = [("grpc.default_authority", "outbound|50051||router.example")]
"""Envoy says the name of its cluster where others say the name of a host."""
OVERTAKEN = "Internal error from Core"
"""What grpc.aio says by itself of a stream whose end overtakes the word that its headers are sent."""


def request_headers(mode: int | None = 2, *, end: bool = False, **more: str):
    """The first message of a stream as Envoy sends it."""
    given = {":method": "POST", ":path": "/v1/chat/completions", "content-type": "application/json"} | {
        key.replace("_", "-"): value for key, value in more.items()
    }
    message = ProcessingRequest()
    for key, value in given.items():
        message.request_headers.headers.headers.add(key=key, raw_value=value.encode())
    message.request_headers.end_of_stream = end
    if mode is not None:
        message.protocol_config.request_body_mode = mode
    return message


def request_body(data: bytes):
    """The message with the whole body."""
    message = ProcessingRequest()
    message.request_body.body = data
    message.request_body.end_of_stream = True
    return message


class Gateway:
    """Plays Envoy: opens streams on a served processor."""

    def __init__(self, processor: Processor, health: Health, channel) -> None:
        self.processor = processor
        self.health = health
        self._process = channel.stream_stream(
            f"/{EXT_PROC_SERVICE}/Process", ProcessingRequest.SerializeToString, ProcessingResponse.FromString
        )
        self.check = channel.unary_unary(
            "/grpc.health.v1.Health/Check", HealthCheckRequest.SerializeToString, HealthCheckResponse.FromString
        )

    def open(self):
        """A new stream."""
        return self._process()

    async def send(self, *messages):
        """Send messages one by one, close, and return all responses and the status that the stream ended with.

        Again where the client has lost that status, which it does before the first message only.
        """
        call = self.open()
        responses = []
        try:
            for message in messages:
                await call.write(message)
                response = await call.read()
                if response is grpc.aio.EOF:
                    break
                responses.append(response)
            await call.done_writing()
            while (response := await call.read()) is not grpc.aio.EOF:
                responses.append(response)
        except grpc.aio.AioRpcError:
            pass
        if await call.details() == OVERTAKEN:
            return await self.send(*messages)
        return responses, await call.code()

    def minute_is_over(self) -> None:
        """Let the server look for requests that have not come, as if their streams had begun long ago."""
        timeouts = self.processor._conversations.upload_timeouts
        timeouts._waiting = dict.fromkeys(timeouts._waiting, float("-inf"))
        timeouts._look()

    async def let_go(self) -> None:
        """Wait until no bytes are in work: a client may hear of a stream's end before the server has let go of it."""
        async with asyncio.timeout(ANY_TIME):
            while self.processor._decision_runner.held:  # noqa: ASYNC110 - there is no event for it
                await asyncio.sleep(0.01)


@asynccontextmanager
async def connected(
    listen: Listen,
    settings,
    classifier=None,
    budget=ANY_TIME,
    metrics=None,
    max_held=None,
    generation=None,
    **more,
):
    """A served processor and a gateway that is connected to it. ``more`` is for the processor."""
    if generation is None:
        generation = Generation(
            replace(settings, decision_timeout=budget), ClassifierPool(classifier or FakeClassifier())
        )
    processor = Processor(generation, metrics, max_held, **more)
    health = Health()
    methods = {**processor.methods(), **health.methods()}
    where, longest = Address("127.0.0.1", 0), settings.limits.maxMessage
    server = await listen(where, None, methods, max_message=longest, streams=MAX_STREAMS)
    async with grpc.aio.insecure_channel(f"127.0.0.1:{server.port}", AS_ENVOY) as channel:
        yield Gateway(processor, health, channel)
    await server.stop(0)
    processor.close()


def samples(metrics: Metrics, name: str) -> list[str]:
    """The lines of a metric."""
    return [line for line in metrics.text().decode().splitlines() if line.startswith(name)]
