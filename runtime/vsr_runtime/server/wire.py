"""Translates between ext_proc's messages and a request's events and actions."""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum
from functools import lru_cache
from typing import Any

from vsr_runtime.decision.request.events import (
    Continue,
    ImmediateResponse,
    LetPass,
    RequestBody,
    RequestHeaders,
    SendToModel,
)
from vsr_runtime.server.messages import (
    BODY_MODES,
    BUFFERED,
    FULL_DUPLEX_STREAMED,
    OVERWRITE_IF_EXISTS_OR_ADD,
    SEND,
    STREAMED,
    ProcessingResponse,
)


class ModeError(Exception):
    """The gateway's filter is configured so that no decision could be enforced. The message names the setting."""


class BodyMode(Enum):
    """How a gateway sends bodies of requests."""

    UNSAID = "unsaid"
    """Not announced, so only a body that is marked as complete is accepted."""
    WHOLE = "whole"
    STREAMED = "streamed"
    """In parts; the headers wait for their answer until all parts are there."""


def check_mode(message: Any, *, responses: bool = False, debug_headers: bool = False) -> BodyMode:  # noqa: ANN401 - protobuf classes built at run time have no static type
    """Reject a stream whose announced modes would let the request pass unread or undecided.

    Gateways that announce nothing are classification_of by what they send: see `to_event`.

    Args:
        message: the first of the stream.
        responses: whether responses must be read, for guards or the cache.
        debug_headers: whether responses get debug headers.

    Raises:
        ModeError: the body mode is not supported, answers would be ignored, or responses would not be sent.
    """
    if message.observability_mode:
        raise ModeError("observability_mode ignores every answer; turn it off")
    if not message.HasField("protocol_config"):
        return BodyMode.UNSAID
    mode = message.protocol_config.request_body_mode
    if mode not in (BUFFERED, FULL_DUPLEX_STREAMED):
        name = BODY_MODES[mode] if 0 <= mode < len(BODY_MODES) else str(mode)
        raise ModeError(f"request_body_mode {name} is not supported; set BUFFERED")
    replies = message.protocol_config.response_body_mode
    in_parts = mode == FULL_DUPLEX_STREAMED == replies
    if responses and replies != STREAMED and not in_parts:
        raise ModeError("responses must be read; set response_body_mode STREAMED and response_header_mode SEND")
    if (responses or debug_headers) and mode == FULL_DUPLEX_STREAMED and not in_parts:  # Envoy overrides no mode then
        raise ModeError("responses must be read or get headers; set request_body_mode BUFFERED")
    return BodyMode.STREAMED if mode == FULL_DUPLEX_STREAMED else BodyMode.WHOLE


def to_event(message: Any, *, announced: bool) -> RequestHeaders | RequestBody:  # noqa: ANN401 - as above
    """The event that a message carries.

    Args:
        message: a ProcessingRequest.
        announced: whether the gateway announced BUFFERED bodies. If not, only a body that is marked as complete is
            accepted.

    Raises:
        ModeError: the message is of an unexpected kind, or the body may be a part.
    """
    kind = message.WhichOneof("request")
    if kind == "request_headers":
        headers = message.request_headers
        # `header`, inlined: it runs a dozen times per request.
        found = [
            (each.key.lower(), raw.decode("utf-8", "replace") if (raw := each.raw_value) else each.value)
            for each in headers.headers.headers
        ]
        return RequestHeaders(tuple(found), headers.end_of_stream)
    if kind == "request_body":
        if not (announced or message.request_body.end_of_stream):
            raise ModeError("the body came in parts; set request_body_mode BUFFERED")
        return RequestBody(message.request_body.body)
    raise ModeError(f"a message of kind {kind} was not expected; send request headers and body only")


def encoded(
    action: Continue | LetPass | SendToModel | ImmediateResponse, *, bodiless: bool = False, metadata: bytes = b""
) -> bytes:
    """The serialised message of an action.

    Args:
        action: what to do.
        bodiless: it answers the headers of a request without a body.
        metadata: dynamic metadata of the message, serialised.
    """
    if isinstance(action, Continue):
        return _passed(action)
    response = from_action(action, bodiless=bodiless)
    if metadata:
        response.dynamic_metadata = metadata
    data: bytes = response.SerializeToString()
    return data


@lru_cache(8)
def _passed(action: Continue) -> bytes:
    """The same for every request, so it is built once."""
    data: bytes = from_action(action).SerializeToString()
    return data


def from_action(action: Continue | LetPass | SendToModel | ImmediateResponse, *, bodiless: bool = False) -> Any:  # noqa: ANN401 - as above
    """The ProcessingResponse of an action."""
    response = ProcessingResponse()
    match action:
        case Continue(remove, asks):
            response.request_headers.response.header_mutation.remove_headers.extend(remove)
            if asks:  # an override replaces the whole mode
                response.mode_override.request_header_mode = SEND
                response.mode_override.request_body_mode = BUFFERED
                response.mode_override.response_header_mode = SEND
        case LetPass(remove):
            response.request_headers.response.header_mutation.remove_headers.extend(remove)
        case SendToModel(_, body, headers, removed):
            common = response.request_headers.response if bodiless else response.request_body.response
            direct(common, headers, removed)
            if body is not None:
                common.body_mutation.body = body
        case ImmediateResponse(status, body, code, headers):
            immediate = response.immediate_response
            immediate.status.code = status
            immediate.body = body
            immediate.details = f"vsr_{code}"
            set_headers(immediate.headers, headers)
    return response


def direct(common: Any, headers: Iterable[tuple[str, str]], removed: Iterable[str]) -> None:  # noqa: ANN401 - as above
    """Edit headers, and make the gateway choose its route again."""
    common.clear_route_cache = True
    set_headers(common.header_mutation, headers)
    common.header_mutation.remove_headers.extend(removed)


def header(given: Any) -> tuple[str, str]:  # noqa: ANN401 - as above
    """Name and value. Envoy fills ``raw_value``, older releases ``value``.

    Bytes that are not UTF-8 can match nothing that is accepted.
    """
    value = given.raw_value.decode("utf-8", "replace") if given.raw_value else given.value
    return given.key.lower(), value


def set_headers(mutation: Any, headers: Iterable[tuple[str, str]]) -> None:  # noqa: ANN401 - as above
    """Overwrite headers."""
    for key, value in headers:
        option = mutation.set_headers.add()
        option.header.key = key
        option.header.raw_value = value.encode()
        option.append_action = OVERWRITE_IF_EXISTS_OR_ADD
