"""Responses in FULL_DUPLEX_STREAMED mode: the client gets exactly what is sent back.

The gateway sends headers and parts without waiting for answers. What a guard says of a whole document can change its
status and headers, so the answer to the headers waits for the document then. Streams pass part by part.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from vsr_runtime.decision.deadline import Expired
from vsr_runtime.decision.request.events import ImmediateResponse, ResponsePlan
from vsr_runtime.decision.request.response_events import (
    BodyMode,
    BodyOutput,
    ForwardHeaders,
    ResponseAction,
    ResponseBody,
    ResponseError,
    ResponseEvent,
    ResponseHeaders,
)
from vsr_runtime.server.duplex import PART
from vsr_runtime.server.messages import ProcessingResponse
from vsr_runtime.server.wire import encoded, set_headers

_LENGTH = "content-length"


@dataclass(slots=True)
class DuplexReply:
    """One response.

    Args:
        plan: what to do with it.
        most: bytes that a whole document may have.
    """

    plan: ResponsePlan
    most: int
    _headers: ForwardHeaders | None = None
    _whole: bytearray | None = None

    def gather(self, event: ResponseEvent) -> ResponseEvent | None:
        """Return the event to work on: the whole document after its last part; None while more of it is to come.

        Raises:
            ResponseError: the document is too long.
        """
        if self._whole is None or not isinstance(event, ResponseBody):
            return event
        self._whole += event.body
        if len(self._whole) > self.most:
            raise ResponseError("the response is longer than `maxBody`, so its guards cannot read it")
        return (
            ResponseBody(bytes(self._whole), end_of_stream=True, expired=event.expired) if event.end_of_stream else None
        )

    def document(self, expired: Expired) -> ResponseBody | None:
        """Return the whole document when trailers end it; None if none is gathered."""
        return None if self._whole is None else ResponseBody(bytes(self._whole), end_of_stream=True, expired=expired)

    def answers(self, event: ResponseEvent, action: ResponseAction, *, trailers: bool) -> tuple[list[bytes], bool]:
        """Return the messages for an action, and whether nothing follows.

        Args:
            event: what came: a whole document after `gather`.
            action: what to do.
            trailers: whether trailers end the response now.
        """
        if isinstance(action, ImmediateResponse):
            return [encoded(replace(action, headers=(*action.headers, *self.plan.cors)))], True
        if isinstance(action, ForwardHeaders):
            ended = isinstance(event, ResponseHeaders) and event.end_of_stream
            return self._on_headers(action, ended=ended), ended
        if not isinstance(event, ResponseBody):
            return [passed_trailers()], True
        messages = self._on_body(event, action, end=event.end_of_stream and not trailers)
        return [*messages, passed_trailers()] if trailers else messages, event.end_of_stream

    def _on_headers(self, action: ForwardHeaders, *, ended: bool) -> list[bytes]:
        """Return the answer to the headers, unless it has to wait for the document."""
        if action.mode is BodyMode.WHOLE and not ended:
            self._headers, self._whole = action, bytearray()
            return []
        return [_answer(action)]

    def _on_body(self, event: ResponseBody, action: BodyOutput, *, end: bool) -> list[bytes]:
        """Return what is sent back for a part, or for the document: its headers first."""
        first = [] if self._headers is None else [_answer(self._headers, action.set_headers)]
        self._headers, self._whole = None, None
        return [*first, *parts(event.body if action.body is None else action.body, end=end)]


def parts(body: bytes, *, end: bool) -> Iterator[bytes]:
    """Yield a body in parts that every gateway takes; nothing for an empty part that is not the last."""
    for start in range(0, max(len(body), 1 if end else 0), PART):
        response = ProcessingResponse()
        part = response.response_body.response.body_mutation.streamed_response
        part.body = body[start : start + PART]
        part.end_of_stream = end and start + PART >= len(body)
        data: bytes = response.SerializeToString()
        yield data


def passed_trailers() -> bytes:
    """Return the answer to trailers, which ends a response."""
    response = ProcessingResponse()
    response.response_trailers.SetInParent()
    data: bytes = response.SerializeToString()
    return data


def _answer(action: ForwardHeaders, more: tuple[tuple[str, str], ...] = ()) -> bytes:
    """Return the answer to the headers. No length: the body is sent in chunks. No mode: it cannot change."""
    response = ProcessingResponse()
    response.response_headers.response.SetInParent()
    mutation = response.response_headers.response.header_mutation
    mutation.remove_headers.extend(action.remove)
    set_headers(mutation, [(name, value) for name, value in (*action.set_headers, *more) if name != _LENGTH])
    data: bytes = response.SerializeToString()
    return data
