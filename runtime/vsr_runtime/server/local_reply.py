"""Replies of the gateway to requests that the router has not decided: 401 of a filter before it, 413 of a buffer.

Envoy sends every such reply through all filters. One from before our filter arrives on a stream of its own, which
begins with response headers or trailers.
"""

from __future__ import annotations

from typing import Any

from vsr_runtime.server.messages import FULL_DUPLEX_STREAMED, SEND, ProcessingResponse
from vsr_runtime.server.transport.stream import Outcome, Status, Stream
from vsr_runtime.server.wire import ModeError

_BEGINNINGS = frozenset({"response_headers", "response_trailers"})


class ReplyBegunError(Exception):
    """The gateway replied instead of sending the rest of a request. ``message`` is the first of the reply."""

    def __init__(self, message: Any) -> None:  # noqa: ANN401 - protobuf classes built at run time have no static type
        super().__init__("the gateway replied")
        self.message = message


async def read_request_part(stream: Stream) -> Any:  # noqa: ANN401 - as above
    """Return the next message of a request; a false value after the last.

    Raises:
        ReplyBegunError: it is the first of a reply.
    """
    message = await stream.read()
    if message and begins_reply(message):
        raise ReplyBegunError(message)
    return message


def begins_reply(message: Any) -> bool:  # noqa: ANN401 - protobuf classes built at run time have no static type
    """Return whether a reply begins with this message."""
    return message.WhichOneof("request") in _BEGINNINGS


def sends_reply_in_parts(message: Any) -> bool:  # noqa: ANN401 - as above
    """Return whether the first message of a stream announces that the client gets only what is sent back."""
    return bool(message.protocol_config.response_body_mode == FULL_DUPLEX_STREAMED)


def may_be_generated(message: Any) -> bool:  # noqa: ANN401 - as above
    """Return whether a reply may be a model's: a success with a body. A gateway refuses with another status."""
    headers = message.response_headers
    statuses = [
        each.raw_value.decode("latin-1") or each.value for each in headers.headers.headers if each.key == ":status"
    ]
    return any(status.startswith("2") for status in statuses) and not headers.end_of_stream


async def pass_reply(stream: Stream, message: Any, *, in_parts: bool) -> Outcome:  # noqa: ANN401 - as above
    """Let a reply pass unchanged.

    Args:
        stream: the stream that it comes from.
        message: its first message.
        in_parts: whether its body must be sent back.

    Raises:
        ModeError: another message than a part of a reply came.
    """
    while True:
        answer, last = _passed(message, in_parts=in_parts)
        if last:
            return answer
        await stream.write(answer)
        message = await stream.read()
        if not message:
            return Status.CANCELLED, "the client no longer waits for the reply"


def _passed(message: Any, *, in_parts: bool) -> tuple[bytes, bool]:  # noqa: ANN401 - as above
    """Return the message that lets a part of a reply pass, and whether the stream ends with it."""
    kind = message.WhichOneof("request")
    answer = ProcessingResponse()
    if kind == "response_headers":
        answer.response_headers.response.SetInParent()
        if not in_parts:  # the rest is not sent here
            answer.mode_override.response_header_mode = SEND
        last = not in_parts or message.response_headers.end_of_stream
    elif kind == "response_body":
        part = answer.response_body.response.body_mutation.streamed_response
        part.body, part.end_of_stream = message.response_body.body, message.response_body.end_of_stream
        last = part.end_of_stream
    elif kind == "response_trailers":
        answer.response_trailers.SetInParent()
        last = True
    else:
        raise ModeError(f"a message of kind {kind} was not expected in a reply")
    data: bytes = answer.SerializeToString()
    return data, last
