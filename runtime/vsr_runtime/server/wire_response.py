"""Translates between ext_proc's messages and a response's events and actions."""

from __future__ import annotations

from typing import Any

from vsr_runtime.decision.deadline import Expired
from vsr_runtime.decision.request.events import ImmediateResponse
from vsr_runtime.decision.request.response_events import (
    BodyMode,
    ForwardHeaders,
    ResponseAction,
    ResponseBody,
    ResponseEvent,
    ResponseHeaders,
    ResponseTrailers,
)
from vsr_runtime.server.messages import BUFFERED, SEND, STREAMED, ProcessingResponse
from vsr_runtime.server.wire import ModeError, from_action, header, set_headers

_MODES = {BodyMode.NONE: 0, BodyMode.STREAMED: STREAMED, BodyMode.WHOLE: BUFFERED}


def to_response_event(message: Any, expired: Expired) -> ResponseEvent:  # noqa: ANN401 - built at run time
    """The event that a message carries.

    Raises:
        ModeError: the message does not belong to a response.
    """
    kind = message.WhichOneof("request")
    if kind == "response_headers":
        headers = message.response_headers
        return ResponseHeaders(tuple(header(each) for each in headers.headers.headers), headers.end_of_stream)
    if kind == "response_body":
        return ResponseBody(message.response_body.body, message.response_body.end_of_stream, expired)
    if kind == "response_trailers":
        return ResponseTrailers()
    raise ModeError(f"a message of kind {kind} was not expected after the request")


def from_response(event: ResponseEvent, action: ResponseAction) -> Any:  # noqa: ANN401 - as above
    """The ProcessingResponse that answers an event."""
    if isinstance(action, ImmediateResponse):
        return from_action(action)
    response = ProcessingResponse()
    if isinstance(action, ForwardHeaders):
        mutation = response.response_headers.response.header_mutation
        mutation.remove_headers.extend(action.remove)
        set_headers(mutation, action.set_headers)
        response.mode_override.response_header_mode = SEND
        response.mode_override.response_body_mode = _MODES[action.mode]
        response.mode_override.response_trailer_mode = SEND
        return response
    if isinstance(event, ResponseTrailers):
        response.response_trailers.SetInParent()
        return response
    common = response.response_body.response
    common.SetInParent()
    set_headers(common.header_mutation, action.set_headers)
    if action.body is not None and action.body:
        common.body_mutation.body = action.body
    elif action.body is not None:
        common.body_mutation.clear_body = True
    return response
