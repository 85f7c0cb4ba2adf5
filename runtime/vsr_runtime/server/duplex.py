"""Bodies in FULL_DUPLEX_STREAMED mode: gathered from parts, and sent back in parts after the decision.

Envoy buffers nothing in this mode: the headers wait for their answer, the body consists of what is sent back, and no
timeout of Envoy applies. A stream that ended in OK earlier would let the request pass with an empty body.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from vsr_runtime.decision.request.events import SendToModel
from vsr_runtime.server.exchange import HeldBytes
from vsr_runtime.server.local_reply import read_request_part
from vsr_runtime.server.messages import ProcessingResponse
from vsr_runtime.server.transport.stream import Stream
from vsr_runtime.server.wire import ModeError, direct

PART = 64 << 10
"""Largest body that Envoy takes in one message, in bytes."""


@dataclass(frozen=True, slots=True)
class Upload:
    """A complete body, or its beginning if it is too long; ``trailers`` says whether trailers follow."""

    body: bytes
    trailers: bool


async def read_upload(stream: Stream, held: HeldBytes, most: int, full: Callable[[], bool]) -> Upload | None:
    """Read the parts of a body.

    Args:
        stream: the stream that they come from.
        held: counts the bytes.
        most: bytes that a body may have; after more, no part is read.
        full: whether too many bytes are in work, so that no more are read.

    Returns:
        None if the stream ended before the body did.

    Raises:
        ModeError: another message than a part came.
        ReplyBegunError: the gateway replied before the body was complete.
    """
    body = bytearray()
    while message := await read_request_part(stream):
        kind = message.WhichOneof("request")
        if kind == "request_trailers":
            return Upload(bytes(body), trailers=True)
        if kind != "request_body":
            raise ModeError(f"a message of kind {kind} was not expected in a body")
        part = message.request_body
        body += part.body
        held.add(len(part.body))
        if part.end_of_stream or len(body) > most or full():
            return Upload(bytes(body), trailers=False)
    return None


def upload_messages(action: SendToModel, upload: Upload, metadata: bytes = b"") -> Iterator[bytes]:
    """Yield the messages that send a request on: its headers with dynamic ``metadata``, its body, and its end."""
    headers = ProcessingResponse()
    # No content-length: Envoy sends the rewritten body in chunks.
    kept = [(name, value) for name, value in action.set_headers if name != "content-length"]
    direct(headers.request_headers.response, kept, action.remove_headers)
    if metadata:
        headers.dynamic_metadata = metadata
    yield headers.SerializeToString()
    body = upload.body if action.body is None else action.body
    for start in range(0, max(len(body), 1), PART):
        response = ProcessingResponse()
        part = response.request_body.response.body_mutation.streamed_response
        part.body = body[start : start + PART]
        part.end_of_stream = start + PART >= len(body) and not upload.trailers
        yield response.SerializeToString()
    if upload.trailers:
        trailers = ProcessingResponse()
        trailers.request_trailers.SetInParent()
        yield trailers.SerializeToString()
