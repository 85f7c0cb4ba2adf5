"""The state machine of one response, from its headers to its last byte, for requests whose plan requires one."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from enum import Enum
from urllib.parse import quote

from vsr_runtime.decision.deadline import BudgetExceededError, DeadlineExceededError, Expired, never
from vsr_runtime.decision.request.cache_recording import CachedResponse, ResponseRecorder, start_recording
from vsr_runtime.decision.request.detectors import DetectorCoroutine, DetectorResults, DetectorTexts
from vsr_runtime.decision.request.error_reply import (
    ErrorReply,
    inspect_error,
    read_error_reply,
    too_long_error,
    unreadable_error,
)
from vsr_runtime.decision.request.events import Cause, GuardMatch, ImmediateResponse, ResponsePlan
from vsr_runtime.decision.request.immediate_responses import (
    error_response,
    guard_failed_response,
    too_complex_response,
    unreadable_response,
)
from vsr_runtime.decision.request.json_body import TOO_COMPLEX, BodyError, read_body
from vsr_runtime.decision.request.response_document import (
    RESPONSE,
    inspect_values,
)
from vsr_runtime.decision.request.response_stream import ResponseStream
from vsr_schemas.headers import DEBUG_HEADERS, GUARDS

_JSON_TYPE = re.compile(r"application/(?:[a-z0-9.-]+\+)?json", re.IGNORECASE)
_EVENT_STREAM = "text/event-stream"


MAX_ERROR = 8 << 20
"""Maximum bytes of an error's body if the caller has no limit of its own."""


class BodyMode(Enum):
    """How the rest of a response is received: not at all, whole, or in chunks."""

    NONE = 0
    STREAMED = 1
    WHOLE = 2


@dataclass(frozen=True, slots=True)
class ResponseHeaders:
    """The status line and the headers. Names are in lower case."""

    headers: tuple[tuple[str, str], ...]
    end_of_stream: bool


@dataclass(frozen=True, slots=True)
class ResponseBody:
    """The whole body, or a chunk. ``expired`` is the deadline for it."""

    body: bytes
    end_of_stream: bool
    expired: Expired = field(default=never, compare=False)


@dataclass(frozen=True, slots=True)
class ResponseTrailers:
    """The response ended with trailers."""


@dataclass(frozen=True, slots=True)
class DetectionsReady:
    """The results that `NeedDetections` requested: detections by detector, or causes of failure."""

    detections: DetectorResults


@dataclass(frozen=True, slots=True)
class NeedDetections:
    """Let each detector read its texts, then continue with `DetectionsReady`. Nothing is sent before."""

    detector_texts: DetectorTexts


@dataclass(frozen=True, slots=True)
class ForwardHeaders:
    """Forward the headers, and receive the body in this mode."""

    mode: BodyMode
    remove: tuple[str, ...] = ()
    set_headers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class BodyOutput:
    """Replacement of the body or chunk.

    Attributes:
        body: the bytes; None to leave it unchanged.
        set_headers: headers to overwrite, if they were not sent yet.
        guards: guards that matched since the last output.
        rejection: why the rest must not be sent; None if it may.
        cacheable: the complete response, after its last byte, if it is worth caching.
    """

    body: bytes | None
    set_headers: tuple[tuple[str, str], ...] = ()
    guards: tuple[GuardMatch, ...] = ()
    rejection: ImmediateResponse | None = None
    cacheable: CachedResponse | None = None


@dataclass(frozen=True, slots=True)
class AwaitsResponseHeaders:
    """The request was sent; waits for the response headers. ``max_body`` is the maximum bytes of an error's body."""

    plan: ResponsePlan
    max_body: int = MAX_ERROR


@dataclass(frozen=True, slots=True)
class AwaitsWhole:
    """Waits for the whole body."""

    plan: ResponsePlan
    recorder: ResponseRecorder | None = None


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


@dataclass(frozen=True, slots=True)
class Streaming:
    """Waits for the next chunk. ``reported`` are the guards that were reported already."""

    stream: ResponseStream
    reported: frozenset[str] = frozenset()
    recorder: ResponseRecorder | None = None


@dataclass(frozen=True, slots=True)
class Recording:
    """Waits for the next chunk only to record it."""

    recorder: ResponseRecorder


@dataclass(frozen=True, slots=True)
class AwaitsDetections:
    """The output depends on detectors; waits for them."""

    work: DetectorCoroutine[tuple[ResponseState, ResponseAction]] = field(repr=False)


@dataclass(frozen=True, slots=True)
class ResponseDone:
    """Final: nothing more must be read."""


ResponseState = (
    AwaitsResponseHeaders | AwaitsWhole | AwaitsErrorBody | Streaming | Recording | AwaitsDetections | ResponseDone
)
ResponseEvent = ResponseHeaders | ResponseBody | ResponseTrailers | DetectionsReady
ResponseAction = ForwardHeaders | BodyOutput | ImmediateResponse


class ResponseError(Exception):
    """The state does not accept this event, or held text can no longer be sent."""


def advance_response(
    state: ResponseState, event: ResponseEvent
) -> tuple[ResponseState, ResponseAction | NeedDetections]:
    """Take one step.

    Raises:
        ResponseError: the response must end with an error.
    """
    match state, event:
        case AwaitsResponseHeaders(plan, max_body), ResponseHeaders():
            return _on_headers(plan, event, max_body)
        case AwaitsWhole(plan, recorder), ResponseBody(end_of_stream=True):
            return _run(_recorded_work(recorder, event, _on_whole(plan, event)))
        case AwaitsWhole(), ResponseBody():
            raise ResponseError("the response came in chunks; allow_mode_override must be true")
        case Streaming() | AwaitsErrorBody(), ResponseBody():
            return _run(_on_any_piece(state, event))
        case AwaitsDetections(work), DetectionsReady(results):
            return _run(work, results)
        case Recording(), ResponseBody() | ResponseTrailers():
            return _on_recording(state, event)
        case Streaming() | AwaitsErrorBody(), ResponseTrailers():
            # No body can be sent any more. An error's status and headers were sent.
            if isinstance(state, Streaming) and state.stream.holds:
                raise ResponseError("the response ended with trailers while text was held back")
            return ResponseDone(), BodyOutput(None)
    raise ResponseError(f"{type(event).__name__} in state {type(state).__name__}")


def _run(
    work: DetectorCoroutine[tuple[ResponseState, ResponseAction]], results: DetectorResults | None = None
) -> tuple[ResponseState, ResponseAction | NeedDetections]:
    """Continue the work until it is done or needs detectors."""
    try:
        texts = next(work) if results is None else work.send(results)
    except StopIteration as done:
        outcome: tuple[ResponseState, ResponseAction] = done.value
        return outcome
    return AwaitsDetections(work), NeedDetections(texts)


def _on_headers(plan: ResponsePlan, event: ResponseHeaders, max_body: int) -> tuple[ResponseState, ResponseAction]:
    """Choose how to receive the body, and set debug headers. A model's own debug headers are removed."""
    # A response that a guard lets pass unread must not be cached: another request might be read.
    lenient = any(guard.passes_errors or guard.passes_unreadable for guard in plan.guards)
    cacheable = plan.record is not None and not lenient and not event.end_of_stream
    recorder = start_recording(plan.api, dict(event.headers)) if cacheable else None
    reply = read_error_reply(event.headers)
    state: ResponseState
    action: ResponseAction
    if plan.reads and event.end_of_stream:
        state, action = ResponseDone(), ForwardHeaders(BodyMode.NONE)
    elif plan.reads and reply and (reply.compressed or _media_type(event).lower() != _EVENT_STREAM):
        state, action = _await_error(plan, reply, max_body)
    elif plan.reads:
        state, action = _await_body(plan, event, recorder)
    else:
        state, action = (
            (Recording(recorder), ForwardHeaders(BodyMode.STREAMED))
            if recorder
            else (ResponseDone(), ForwardHeaders(BodyMode.NONE))
        )
    if plan.debug_headers is None or not isinstance(action, ForwardHeaders):
        return state, action
    own = {name for name, _ in plan.debug_headers}
    forged = tuple(name for name, _ in event.headers if name in DEBUG_HEADERS and name not in own)
    set_headers = (*action.set_headers, *plan.debug_headers)
    return state, replace(action, remove=(*action.remove, *forged), set_headers=set_headers)


def _on_recording(state: Recording, event: ResponseBody | ResponseTrailers) -> tuple[ResponseState, ResponseAction]:
    """Record a chunk. A response with trailers is not cached, because its last chunk is not marked as such."""
    if isinstance(event, ResponseTrailers):
        return ResponseDone(), BodyOutput(None)
    return (ResponseDone() if event.end_of_stream else state), _record(state.recorder, event, BodyOutput(None))


def _recorded_work(
    recorder: ResponseRecorder | None,
    event: ResponseBody,
    work: DetectorCoroutine[tuple[ResponseState, ResponseAction]],
) -> DetectorCoroutine[tuple[ResponseState, ResponseAction]]:
    """Record the output of the work."""
    state, action = yield from work
    return state, _record(recorder, event, action)


def _record(recorder: ResponseRecorder | None, event: ResponseBody, action: ResponseAction) -> ResponseAction:
    """Record an output, and return it with the complete response at the end. Responses with matches are not cached."""
    if recorder is None or not isinstance(action, BodyOutput):
        return action
    if action.guards or action.rejection:
        recorder.spoil()
    recorder.add(event.body if action.body is None else action.body)
    return replace(action, cacheable=recorder.done()) if event.end_of_stream else action


def _media_type(event: ResponseHeaders) -> str:
    """Return the media type; empty if headers differ, because clients may read either."""
    kinds = {value.partition(";")[0].strip() for name, value in event.headers if name == "content-type"}
    return kinds.pop() if len(kinds) == 1 else ""


def _await_body(
    plan: ResponsePlan, event: ResponseHeaders, recorder: ResponseRecorder | None
) -> tuple[ResponseState, ResponseAction]:
    kind = _media_type(event)
    encodings = {value.strip().lower() for name, value in event.headers if name == "content-encoding"}
    if not encodings <= {"", "identity"}:
        return ResponseDone(), error_response(
            502, "response_encoded", "The response is compressed, so its guards cannot read it."
        )
    if _JSON_TYPE.fullmatch(kind):
        return AwaitsWhole(plan, recorder), ForwardHeaders(BodyMode.WHOLE)
    if kind.lower() == _EVENT_STREAM:
        return Streaming(ResponseStream(plan), recorder=recorder), ForwardHeaders(
            BodyMode.STREAMED, ("content-length",)
        )
    closed = [guard for guard in plan.guards if not guard.passes_unreadable]
    if closed:
        return ResponseDone(), unreadable_response(plan.api, closed[0], RESPONSE)
    return ResponseDone(), ForwardHeaders(BodyMode.NONE)


def _on_whole(plan: ResponsePlan, event: ResponseBody) -> DetectorCoroutine[tuple[ResponseState, ResponseAction]]:
    return ResponseDone(), (yield from _inspect_body(plan, event))


def _inspect_body(plan: ResponsePlan, event: ResponseBody) -> DetectorCoroutine[ResponseAction]:
    if not event.body:
        return BodyOutput(None)
    try:
        body = read_body(event.body, event.expired)
    except (BodyError, DeadlineExceededError) as error:
        return _unread(plan, error)
    inspected = yield from inspect_values(plan, body.text, body.values, event.expired)
    if isinstance(inspected, ImmediateResponse):
        return inspected
    text, matches = inspected
    return _whole_output(None if text == body.text else text.encode(), matches)


def _unread(plan: ResponsePlan, error: BodyError | DeadlineExceededError) -> ResponseAction:
    """Return the output for a body that could not be read."""
    too_complex = isinstance(error, BudgetExceededError) or (isinstance(error, BodyError) and error.code == TOO_COMPLEX)
    if too_complex and plan.guards:
        return too_complex_response(plan.api, plan.guards[0], RESPONSE)
    cause = Cause.BROKEN if isinstance(error, BodyError) else Cause.TIMEOUT
    closed = [guard for guard in plan.guards if not guard.passes_errors]
    return guard_failed_response(plan.api, closed[0], cause, RESPONSE) if closed else BodyOutput(None)


def _whole_output(body: bytes | None, matches: tuple[GuardMatch, ...]) -> BodyOutput:
    """Return the output for a whole body: flags are headers, and a changed body has its exact length."""
    flags = tuple(quote(match.guard, safe=" ") for match in matches if match.action == "flag" and not match.failed)
    headers = ((GUARDS, ", ".join(flags)),) if flags else ()
    length = () if body is None else (("content-length", str(len(body))),)
    return BodyOutput(body, (*headers, *length), matches)


def _await_error(plan: ResponsePlan, reply: ErrorReply, max_body: int) -> tuple[ResponseState, ResponseAction]:
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


def _on_error_piece(
    state: AwaitsErrorBody, event: ResponseBody
) -> DetectorCoroutine[tuple[ResponseState, ResponseAction]]:
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
        return ResponseDone(), _whole_output(None if body == data else body, matches)
    return ResponseDone(), BodyOutput(None if body == event.body else body, (), matches)


def _on_any_piece(
    state: Streaming | AwaitsErrorBody, event: ResponseBody
) -> DetectorCoroutine[tuple[ResponseState, ResponseAction]]:
    if isinstance(state, AwaitsErrorBody):
        return _on_error_piece(state, event)
    return _recorded_work(state.recorder, event, _on_piece(state, event))


def _on_piece(state: Streaming, event: ResponseBody) -> DetectorCoroutine[tuple[ResponseState, ResponseAction]]:
    stream, reported = state.stream, state.reported
    rejected_before = stream.rejection is not None
    data = yield from stream.feed(event.body, event.expired, end=event.end_of_stream)
    new = tuple(match for name, match in stream.matches.items() if name not in reported)
    rejection = None if rejected_before else stream.rejection
    action = BodyOutput(None if data == event.body else data, (), new, rejection)
    if event.end_of_stream:
        return ResponseDone(), action
    return Streaming(stream, reported | {match.guard for match in new}, state.recorder), action
