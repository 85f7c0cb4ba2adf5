"""Plays agentgateway 1.4.1 to a served processor, as its source says (`crates/agentgateway/src/http/ext_proc.rs`).

Headers come first and pseudo-headers last, `host` is absent. In full duplex the body follows without waiting for an
answer. Changes of headers count in the answer to the headers only; removals are applied before what is set, and an
empty value changes nothing. Every failure before the request goes on is 500; later the body just ends.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import grpc
from google.protobuf import json_format, struct_pb2

from support.played_gateway import ANY_TIME, OVERTAKEN
from support.runtime_fakes import FakeClassifier
from vsr_runtime.server.address import Address
from vsr_runtime.server.classify import ClassifierPool
from vsr_runtime.server.extproc import Processor
from vsr_runtime.server.generation import Generation
from vsr_runtime.server.messages import (
    EXT_PROC_SERVICE,
    FULL_DUPLEX_STREAMED,
    ProcessingRequest,
    ProcessingResponse,
)
from vsr_runtime.server.transport.stream import MAX_STREAMS

NONE = 0
HEADERS = {"content-type": "application/json", ":method": "POST", ":path": "/v1/chat/completions", ":scheme": "http"}


@dataclass(frozen=True, slots=True)
class Reply:
    """A response of a model, in the frames in which it comes."""

    frames: Sequence[bytes]
    headers: Mapping[str, str] = field(default_factory=lambda: {"content-type": "application/json"})
    trailers: bool = False


@dataclass(slots=True)
class Outcome:
    """What became of a request.

    Attributes:
        status: of the answer that the client gets.
        headers: of the request as it goes on; the route is chosen by them.
        body: of the request as it goes on.
        metadata: the dynamic metadata of the answer to the headers.
        reply: the body that the client gets.
        reply_headers: the headers that the client gets.
        frames: the parts in which the body of the request came back.
        code: how the stream ended.
    """

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    metadata: dict[str, object] = field(default_factory=dict)
    reply: bytes = b""
    reply_headers: dict[str, str] = field(default_factory=dict)
    frames: list[bytes] = field(default_factory=list)
    code: grpc.StatusCode | None = None


@dataclass(frozen=True, slots=True)
class Gateway:
    """A gateway whose policy sends responses to the processor, or does not."""

    channel: grpc.aio.Channel
    processor: Processor
    responses: bool

    async def send(
        self,
        body: Sequence[bytes],
        headers: Mapping[str, str] | None = None,
        attributes: Mapping[str, object] | None = None,
        reply: Reply | None = None,
        *,
        trailers: bool = False,
        mode: int = FULL_DUPLEX_STREAMED,
    ) -> Outcome:
        """Send a request in these frames, and let a model answer; again if grpc.aio has lost how the stream ended."""
        outcome = None
        while outcome is None:
            first = self._first({**(headers or {}), **HEADERS}, attributes or {}, mode, end=not body)
            messages = [first, *_request_messages(body, trailers=trailers)]
            outcome = await self._sent(messages, Outcome(headers={**(headers or {}), **HEADERS}), reply)
        return outcome

    async def _sent(self, messages, outcome: Outcome, reply: Reply | None) -> Outcome | None:
        method = f"/{EXT_PROC_SERVICE}/Process"
        open_stream = self.channel.stream_stream(
            method, ProcessingRequest.SerializeToString, ProcessingResponse.FromString
        )
        call = open_stream()
        async with asyncio.timeout(ANY_TIME):
            writing = asyncio.ensure_future(_write(call, messages))
            await self._request_side(call, outcome, had_body=len(messages) > 1)
            if outcome.status != 200 or outcome.code is not None:
                writing.cancel()
            await asyncio.wait((writing,))
            if outcome.status == 200 and reply is not None and self.responses:
                await self._response_side(call, outcome, reply)
            elif outcome.status == 200 and reply is not None:
                outcome.reply, outcome.reply_headers = b"".join(reply.frames), dict(reply.headers)
            if outcome.code is None:
                call.cancel() if outcome.status != 200 else await call.done_writing()
                outcome.code = await call.code()
            lost = outcome.status == 500 and await call.details() == OVERTAKEN
        return None if lost else outcome

    def _first(self, headers: Mapping[str, str], attributes: Mapping[str, object], mode: int, *, end: bool):
        message = ProcessingRequest()
        for name, value in headers.items():
            if name.startswith(":"):
                message.request_headers.headers.headers.add(key=name, value=value)
            else:
                message.request_headers.headers.headers.add(key=name, raw_value=value.encode())
        message.request_headers.end_of_stream = end
        if attributes:
            fields = struct_pb2.Struct()
            fields.update(attributes)
            message.attributes.add(key="envoy.filters.http.ext_proc", value=fields.SerializeToString())
        message.protocol_config.request_body_mode = mode
        message.protocol_config.response_body_mode = FULL_DUPLEX_STREAMED if self.responses else NONE
        return message

    async def _request_side(self, call, outcome: Outcome, *, had_body: bool) -> None:
        answered = False
        while True:
            message = await _next(call)
            if message is None:
                if not answered:  # NoMoreResponses
                    outcome.status, outcome.code = 500, await call.code()
                return  # cut: the upstream gets what has come
            kind = message.WhichOneof("response")
            if kind == "immediate_response":
                immediate = message.immediate_response
                outcome.status, outcome.reply = immediate.status.code or 200, immediate.body
                outcome.reply_headers = _applied({}, immediate.headers)
                return
            if kind == "request_headers":
                answered = True
                struct = struct_pb2.Struct.FromString(message.dynamic_metadata)
                outcome.metadata = json_format.MessageToDict(struct)
                outcome.headers = _applied(outcome.headers, message.request_headers.response.header_mutation)
                if not had_body:
                    return
            elif kind == "request_body":
                part = message.request_body.response.body_mutation.streamed_response
                outcome.frames.append(part.body)
                outcome.body += part.body
                if part.end_of_stream or not message.request_body.response.HasField("body_mutation"):
                    return
            elif kind == "request_trailers":
                return

    async def _response_side(self, call, outcome: Outcome, reply: Reply) -> None:
        writing = asyncio.ensure_future(_write(call, [*_response_messages(reply)]))
        try:
            await self._read_response(call, outcome, reply)
        finally:
            writing.cancel()
            await asyncio.wait((writing,))

    async def _read_response(  # noqa: C901 - one branch for each kind of message
        self, call, outcome: Outcome, reply: Reply
    ) -> None:
        begun = False
        while True:
            message = await _next(call)
            if message is None:
                if not begun:
                    outcome.status = 500
                outcome.code = await call.code()
                return
            kind = message.WhichOneof("response")
            if kind == "immediate_response":
                if not begun:
                    immediate = message.immediate_response
                    outcome.status, outcome.reply = immediate.status.code or 200, immediate.body
                return
            if kind == "response_headers":
                begun = True
                outcome.reply_headers = _applied(reply.headers, message.response_headers.response.header_mutation)
                outcome.reply_headers.pop("content-length", None)
                if not reply.frames:
                    return
            elif kind == "response_body":
                part = message.response_body.response.body_mutation.streamed_response
                outcome.reply += part.body
                if part.end_of_stream or not message.response_body.response.HasField("body_mutation"):
                    return
            elif kind == "response_trailers":
                return


def _request_messages(body: Sequence[bytes], *, trailers: bool):
    """The messages behind the headers of a request."""
    for index, frame in enumerate(body):
        yield _part("request_body", frame, end=index == len(body) - 1 and not trailers)
    if trailers:
        message = ProcessingRequest()
        message.request_trailers.SetInParent()
        yield message


def _response_messages(reply: Reply):
    """The messages of a response, which nobody waits for."""
    message = ProcessingRequest()
    for name, value in reply.headers.items():
        message.response_headers.headers.headers.add(key=name, raw_value=value.encode())
    message.response_headers.headers.headers.add(key=":status", value="200")
    message.response_headers.end_of_stream = not reply.frames
    yield message
    for index, frame in enumerate(reply.frames):
        yield _part("response_body", frame, end=index == len(reply.frames) - 1 and not reply.trailers)
    if reply.trailers:
        message = ProcessingRequest()
        message.response_trailers.SetInParent()
        yield message


def _part(side: str, body: bytes, *, end: bool):
    message = ProcessingRequest()
    part = getattr(message, side)
    part.body, part.end_of_stream = body, end
    return message


async def _write(call, messages) -> None:
    """Send messages without waiting for answers, until the processor ends the stream."""
    try:
        for message in messages:
            await call.write(message)
    except (grpc.aio.AioRpcError, asyncio.InvalidStateError):
        pass


async def _next(call):
    """The next message; None after the last, however the stream ended."""
    try:
        message = await call.read()
    except (grpc.aio.AioRpcError, asyncio.InvalidStateError, asyncio.CancelledError):
        return None
    return None if message is grpc.aio.EOF else message


def _applied(headers: Mapping[str, str], mutation) -> dict[str, str]:
    """Removals first, then what is set; an empty value is a no-op (`envoy_proto_common.rs`)."""
    result = {name: value for name, value in headers.items() if name not in mutation.remove_headers}
    for option in mutation.set_headers:
        value = (option.header.raw_value or option.header.value.encode()).decode()
        if value:
            result[option.header.key] = value
    return result


@asynccontextmanager
async def connected(listen, settings, *, responses: bool = False):
    """A processor that is served for agentgateway, and the gateway."""
    processor = Processor(Generation(settings, ClassifierPool(FakeClassifier())), agentgateway=True)
    server = await listen(
        Address("127.0.0.1", 0),
        None,
        processor.methods(),
        max_message=settings.limits.maxMessage,
        streams=MAX_STREAMS,
    )
    async with grpc.aio.insecure_channel(f"127.0.0.1:{server.port}") as channel:
        yield Gateway(channel, processor, responses)
    await server.stop(0)
    processor.close()
