"""Responses without success: read as text, so that status, headers and body keep their meaning under guards.

Gateways, endpoint pickers and model servers refuse requests with any content type: plain text, HTML, JSON, none.
Clients act on the status and on headers such as ``retry-after``, so a guard changes only the body, and only because of
what it found there or because it cannot read it.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field, replace

from vsr_runtime.decision.apis.endpoints import Api
from vsr_runtime.decision.deadline import Expired
from vsr_runtime.decision.request.detectors import DetectorCoroutine
from vsr_runtime.decision.request.events import GuardMatch, ImmediateResponse, ResponsePlan
from vsr_runtime.decision.request.immediate_responses import error_body, withheld_response
from vsr_runtime.decision.request.json_body import BodyError, read_body
from vsr_runtime.decision.request.response_document import inspect_values
from vsr_runtime.decision.request.response_events import (
    BodyMode,
    BodyOutput,
    ForwardHeaders,
    ResponseAction,
    ResponseBody,
    ResponseDone,
    ResponseError,
    whole_output,
)

_ERROR_STATUS = re.compile(r"[3-9][0-9]{2}")
_LENGTH = re.compile(r"[0-9]{1,18}")
_CHARSET = re.compile(r';[ \t]*charset[ \t]*=[ \t]*"?([^";, \t]*)', re.IGNORECASE)
_ASCII_CHARSETS = frozenset({"ascii", "iso-8859-1", "latin1", "us-ascii", "utf-8", "utf8", "windows-1252"})
"""Charsets in which ASCII bytes are ASCII characters."""
_UTF8_CHARSETS = frozenset({"", "ascii", "us-ascii", "utf-8", "utf8"})


@dataclass(frozen=True, slots=True)
class ErrorReply:
    """What the headers say about a response without success.

    Attributes:
        status: the HTTP status.
        length: bytes of the body; None if the headers do not say it.
        compressed: whether the body is encoded.
        charsets: the charsets that the content type names.
    """

    status: int
    length: int | None = None
    compressed: bool = False
    charsets: frozenset[str] = frozenset()

    def decode(self, data: bytes) -> str | None:
        """Return the text of the body; None if it is not text, or if clients could read another text."""
        if not self.charsets <= _UTF8_CHARSETS and not (self.charsets <= _ASCII_CHARSETS and data.isascii()):
            return None
        try:
            text = data.decode()
        except UnicodeDecodeError:
            return None
        return None if "\0" in text else text  # UTF-16 has zero bytes


def read_error_reply(headers: tuple[tuple[str, str], ...]) -> ErrorReply | None:
    """Return what the headers of a response say; None if its status is a success or missing."""
    values: dict[str, list[str]] = {":status": [], "content-encoding": [], "content-length": [], "content-type": []}
    for name, value in headers:
        if name in values:
            values[name].append(value.strip())
    status, lengths = values[":status"], values["content-length"]
    if len(status) != 1 or not _ERROR_STATUS.fullmatch(status[0]):
        return None
    length = int(lengths[0]) if len(lengths) == 1 and _LENGTH.fullmatch(lengths[0]) else None
    encodings = {value.lower() for value in values["content-encoding"]}
    charsets = {found.lower() for value in values["content-type"] for found in _CHARSET.findall(value)}
    return ErrorReply(int(status[0]), length, not encodings <= {"", "identity"}, frozenset(charsets))


def unreadable_error(plan: ResponsePlan, reply: ErrorReply, reason: str) -> ImmediateResponse | None:
    """Return the replacement of a body that is no readable text; None if all guards let such content pass."""
    guard = next((guard for guard in plan.guards if not guard.passes_unreadable), None)
    return withheld_response(plan.api, guard, reply.status, "unreadable", reason) if guard else None


def too_long_error(plan: ResponsePlan, reply: ErrorReply, max_body: int) -> ImmediateResponse | None:
    """Return the replacement of a body that is larger than guards read; None without guards."""
    if not plan.guards:
        return None
    return withheld_response(plan.api, plan.guards[0], reply.status, "too_long", f"it has more than {max_body} bytes")


def inspect_error(
    plan: ResponsePlan, reply: ErrorReply, data: bytes, expired: Expired
) -> DetectorCoroutine[tuple[bytes, tuple[GuardMatch, ...]] | ImmediateResponse]:
    """Return the body to send and the guards that matched, or the replacement with the status of the reply.

    A JSON object is read like any response. Everything else is one text; JSON escapes in it are undone.
    """
    text = reply.decode(data)
    if text is None:
        withheld = unreadable_error(plan, reply, "it is not text in UTF-8")
        return (data, ()) if withheld is None else withheld
    try:
        body = read_body(data)
    except BodyError:
        document, values = json.dumps({"text": text}, ensure_ascii=False), {"text": text}
        inspected = yield from inspect_values(plan, document, values, expired)
        if isinstance(inspected, ImmediateResponse):
            return _with_status(plan.api, reply.status, inspected)
        return str(json.loads(inspected[0])["text"]).encode(), inspected[1]
    inspected = yield from inspect_values(plan, body.text, body.values, expired)
    if isinstance(inspected, ImmediateResponse):
        return _with_status(plan.api, reply.status, inspected)
    return inspected[0].encode(), inspected[1]


def _with_status(api: Api, status: int, rejection: ImmediateResponse) -> ImmediateResponse:
    """Return a guard's rejection with the status of the reply whose body it replaces."""
    message = str(json.loads(rejection.body)["error"]["message"])
    return replace(rejection, status=status, body=json.dumps(error_body(api, status, rejection.code, message)).encode())


@dataclass(frozen=True, slots=True)
class AwaitsErrorBody:
    """Waits for the rest of the body of a response without success.

    Attributes:
        plan: the plan for the response.
        reply: the result for the headers. With a length, the body comes as a whole.
        max_body: maximum bytes of the body.
        withheld: what replaces the body, once it is known that it cannot be read.
        held: the body so far.
    """

    plan: ResponsePlan
    reply: ErrorReply
    max_body: int
    withheld: ImmediateResponse | None = None
    held: bytearray = field(default_factory=bytearray, repr=False)


def await_error(
    plan: ResponsePlan, reply: ErrorReply, max_body: int
) -> tuple[AwaitsErrorBody | ResponseDone, ResponseAction]:
    """Choose how to receive the body of an error.

    Envoy answers 500 instead if it cannot buffer a body, so only a body of a known length is requested as a whole.
    """
    long = reply.length is not None and reply.length > max_body
    if not (long or reply.compressed):
        mode = BodyMode.STREAMED if reply.length is None else BodyMode.WHOLE
        return AwaitsErrorBody(plan, reply, max_body), ForwardHeaders(mode)
    withheld = (
        unreadable_error(plan, reply, "it is compressed") if reply.compressed else too_long_error(plan, reply, max_body)
    )
    if withheld is None:
        return ResponseDone(), ForwardHeaders(BodyMode.NONE)
    removed = ("content-length", *(("content-encoding",) if reply.compressed else ()))
    streamed = replace(reply, length=None)
    return AwaitsErrorBody(plan, streamed, max_body, withheld), ForwardHeaders(
        BodyMode.STREAMED, removed, (("content-type", "application/json"),)
    )


def read_error_piece(
    state: AwaitsErrorBody, event: ResponseBody
) -> DetectorCoroutine[tuple[AwaitsErrorBody | ResponseDone, ResponseAction]]:
    """Hold the body of an error until it is complete. Nothing of it is sent before."""
    plan, reply, held, withheld = state.plan, state.reply, state.held, state.withheld
    held += b"" if withheld else event.body
    if len(held) > state.max_body and reply.length is None:
        withheld = too_long_error(plan, reply, state.max_body)
        if withheld is None:
            return ResponseDone(), BodyOutput(bytes(held))
        held.clear()
    if not (event.end_of_stream or len(held) == reply.length):
        if reply.length is not None:
            raise ResponseError("the response came in chunks; allow_mode_override must be true")
        return replace(state, withheld=withheld), BodyOutput(b"")
    data = bytes(held)
    inspected = withheld or (yield from inspect_error(plan, reply, data, event.expired))
    whole = reply.length is not None
    if isinstance(inspected, ImmediateResponse):
        headers = (*inspected.headers, ("content-length", str(len(inspected.body)))) if whole else ()
        return ResponseDone(), BodyOutput(inspected.body, headers, rejection=inspected)
    body, matches = inspected
    if whole:
        return ResponseDone(), whole_output(None if body == data else body, matches)
    return ResponseDone(), BodyOutput(None if body == event.body else body, (), matches)
