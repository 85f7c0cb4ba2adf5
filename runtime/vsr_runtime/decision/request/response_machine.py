"""The state machine of one response: from its headers to its last byte, for requests whose plan says so."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field, replace
from enum import Enum
from urllib.parse import quote

from vsr_runtime.decision.deadline import Expired, never
from vsr_runtime.decision.guards.masking import PlaceholderMap
from vsr_runtime.decision.request.cache_recording import CachedResponse, ResponseRecorder, start_recording
from vsr_runtime.decision.request.detectors import DetectorCoroutine, DetectorResults, DetectorTexts
from vsr_runtime.decision.request.events import Cause, GuardMatch, ImmediateResponse, ResponsePlan
from vsr_runtime.decision.request.immediate_responses import error_response, guard_failed_response, unreadable_response
from vsr_runtime.decision.request.json_body import BodyError, read_body
from vsr_runtime.decision.request.response_document import (
    RESPONSE,
    clear_token_fields,
    inspect_document,
    restore_values,
)
from vsr_runtime.decision.request.response_stream import ResponseStream
from vsr_schemas.headers import GUARDS, TOLD

_JSON_TYPE = re.compile(r"application/(?:[a-z0-9.-]+\+)?json", re.IGNORECASE)
_EVENT_STREAM = "text/event-stream"


class BodyMode(Enum):
    """How the rest of a response is to come: not at all, as a whole, or in pieces."""

    NONE = 0
    STREAMED = 1
    WHOLE = 2


@dataclass(frozen=True, slots=True)
class ResponseHeaders:
    """The status line and the headers, names in lower case."""

    headers: tuple[tuple[str, str], ...]
    end_of_stream: bool


@dataclass(frozen=True, slots=True)
class ResponseBody:
    """The whole body or a piece of it. ``expired`` says when the time for it is up."""

    body: bytes
    end_of_stream: bool
    expired: Expired = field(default=never, compare=False)


@dataclass(frozen=True, slots=True)
class ResponseTrailers:
    """The response has ended with trailers."""


@dataclass(frozen=True, slots=True)
class DetectionsReady:
    """What was asked for by `NeedLooks`: what each detector saw, or why it did not look."""

    detections: DetectorResults


@dataclass(frozen=True, slots=True)
class NeedDetections:
    """Let each detector look at its texts, then come back. Nothing may go before."""

    detector_texts: DetectorTexts


@dataclass(frozen=True, slots=True)
class ForwardHeaders:
    """Let the headers go, and send the body so."""

    mode: BodyMode
    remove: tuple[str, ...] = ()
    set_headers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class BodyOutput:
    """What goes in the place of the body or its piece; None leaves it as it is.

    Attributes:
        body: the bytes.
        set_headers: headers to overwrite, where they have not gone yet.
        guards: those that found something since the last time.
        refused: why the rest may not go; None where it may.
        kept: the whole answer, now that it has gone, where it is one to be kept.
    """

    body: bytes | None
    set_headers: tuple[tuple[str, str], ...] = ()
    guards: tuple[GuardMatch, ...] = ()
    rejection: ImmediateResponse | None = None
    cacheable: CachedResponse | None = None


@dataclass(frozen=True, slots=True)
class AwaitsResponseHeaders:
    """The request has gone; waits for the response's headers."""

    plan: ResponsePlan


@dataclass(frozen=True, slots=True)
class AwaitsWhole:
    """Waits for a body that must come in one piece."""

    plan: ResponsePlan
    recorder: ResponseRecorder | None = None


@dataclass(frozen=True, slots=True)
class Streaming:
    """Waits for the next piece. ``told`` are the guards that were named already."""

    stream: ResponseStream
    told: frozenset[str] = frozenset()
    recorder: ResponseRecorder | None = None


@dataclass(frozen=True, slots=True)
class Recording:
    """Waits for the next piece only to take it down."""

    recorder: ResponseRecorder


@dataclass(frozen=True, slots=True)
class AwaitsDetections:
    """What came depends on what detectors see; waits for that."""

    work: DetectorCoroutine[tuple[ResponseState, ResponseAction]] = field(repr=False)


@dataclass(frozen=True, slots=True)
class ResponseDone:
    """Nothing follows that has to be read."""


ResponseState = AwaitsResponseHeaders | AwaitsWhole | Streaming | Recording | AwaitsDetections | ResponseDone
ResponseEvent = ResponseHeaders | ResponseBody | ResponseTrailers | DetectionsReady
ResponseAction = ForwardHeaders | BodyOutput | ImmediateResponse


class ResponseError(Exception):
    """An event came that the state does not wait for, or something was held that cannot go any more."""


def advance_response(
    state: ResponseState, event: ResponseEvent
) -> tuple[ResponseState, ResponseAction | NeedDetections]:
    """Take one step.

    Raises:
        ResponseError: the response must end in an error.
    """
    match state, event:
        case AwaitsResponseHeaders(plan), ResponseHeaders():
            return _on_headers(plan, event)
        case AwaitsWhole(plan, recorder), ResponseBody(end_of_stream=True):
            return _run(_recorded_work(recorder, event, _on_whole(plan, event)))
        case AwaitsWhole(), ResponseBody():
            raise ResponseError("the response came in parts; allow_mode_override must be true")
        case Streaming(_, _, recorder), ResponseBody():
            return _run(_recorded_work(recorder, event, _on_piece(state, event)))
        case AwaitsDetections(work), DetectionsReady(looks):
            return _run(work, looks)
        case Recording(), ResponseBody() | ResponseTrailers():
            return _on_recording(state, event)
        case Streaming(stream), ResponseTrailers():
            if stream.holds:
                raise ResponseError("trailers ended a response of which something was held")
            return ResponseDone(), BodyOutput(None)
    raise ResponseError(f"{type(event).__name__} in state {type(state).__name__}")


def _run(
    work: DetectorCoroutine[tuple[ResponseState, ResponseAction]], looks: DetectorResults | None = None
) -> tuple[ResponseState, ResponseAction | NeedDetections]:
    """Go on with it until it is done, or must ask."""
    try:
        questions = next(work) if looks is None else work.send(looks)
    except StopIteration as done:
        found: tuple[ResponseState, ResponseAction] = done.value
        return found
    return AwaitsDetections(work), NeedDetections(questions)


def _on_headers(plan: ResponsePlan, event: ResponseHeaders) -> tuple[ResponseState, ResponseAction]:
    """How the body is to come, and what its headers tell. A model's own word for what we tell does not count."""
    # What a guard lets pass unread is not for those whom it might have read.
    lenient = any(guard.passes_errors or guard.passes_unreadable for guard in plan.guards)
    wanted = plan.record is not None and not lenient and not event.end_of_stream
    taken = start_recording(plan.api, dict(event.headers)) if wanted else None
    if plan.reads:
        state, action = _await_body(plan, event, taken)
    else:
        state, action = (
            (Recording(taken), ForwardHeaders(BodyMode.STREAMED))
            if taken
            else (ResponseDone(), ForwardHeaders(BodyMode.NONE))
        )
    if plan.debug_headers is None or not isinstance(action, ForwardHeaders):
        return state, action
    said = {name for name, _ in plan.debug_headers}
    forged = tuple(name for name, _ in event.headers if name in TOLD and name not in said)
    return state, replace(action, remove=(*action.remove, *forged), set_headers=plan.debug_headers)


def _on_recording(state: Recording, event: ResponseBody | ResponseTrailers) -> tuple[ResponseState, ResponseAction]:
    """What ends with trailers is not kept: its last piece does not say that it is the last."""
    if isinstance(event, ResponseTrailers):
        return ResponseDone(), BodyOutput(None)
    return (ResponseDone() if event.end_of_stream else state), _record(state.recorder, event, BodyOutput(None))


def _recorded_work(
    recorder: ResponseRecorder | None,
    event: ResponseBody,
    work: DetectorCoroutine[tuple[ResponseState, ResponseAction]],
) -> DetectorCoroutine[tuple[ResponseState, ResponseAction]]:
    """The work, whose outcome is taken down."""
    state, action = yield from work
    return state, _record(recorder, event, action)


def _record(recorder: ResponseRecorder | None, event: ResponseBody, action: ResponseAction) -> ResponseAction:
    """The action with the answer to be kept, at its end. One in which a guard found something is not."""
    if recorder is None or not isinstance(action, BodyOutput):
        return action
    if action.guards or action.rejection:
        recorder.spoil()
    recorder.add(event.body if action.body is None else action.body)
    return replace(action, cacheable=recorder.done()) if event.end_of_stream else action


def _await_body(
    plan: ResponsePlan, event: ResponseHeaders, taken: ResponseRecorder | None
) -> tuple[ResponseState, ResponseAction]:
    # Of a header that stands twice clients may read either.
    kinds = {value.partition(";")[0].strip() for name, value in event.headers if name == "content-type"}
    kind = kinds.pop() if len(kinds) == 1 else ""
    if event.end_of_stream:
        return ResponseDone(), ForwardHeaders(BodyMode.NONE)
    encodings = {value.strip().lower() for name, value in event.headers if name == "content-encoding"}
    if not encodings <= {"", "identity"}:
        return ResponseDone(), error_response(
            502, "response_encoded", "The response is compressed, and its guards cannot read it."
        )
    if _JSON_TYPE.fullmatch(kind):
        return AwaitsWhole(plan, taken), ForwardHeaders(BodyMode.WHOLE)
    if kind.lower() == _EVENT_STREAM:
        return Streaming(ResponseStream(plan), recorder=taken), ForwardHeaders(BodyMode.STREAMED, ("content-length",))
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
        body = read_body(event.body)
    except BodyError:
        closed = [guard for guard in plan.guards if not guard.passes_errors]
        return guard_failed_response(plan.api, closed[0], Cause.BROKEN, RESPONSE) if closed else BodyOutput(None)
    text, values = body.text, body.values
    if plan.guards and clear_token_fields(values):
        text = json.dumps(values, ensure_ascii=False)
    book = PlaceholderMap()
    for given in plan.restore:
        book.reserve(given)
    found = yield from inspect_document(plan, text, values, book, event.expired)
    if isinstance(found, ImmediateResponse):
        return found
    text, matches = found
    text = restore_values(text, plan.restore)
    flags = tuple(quote(match.guard, safe=" ") for match in matches if match.action == "flag" and not match.failed)
    headers = ((GUARDS, ", ".join(flags)),) if flags else ()
    if text == body.text:
        return BodyOutput(None, headers, matches)
    data = text.encode()
    return BodyOutput(data, (*headers, ("content-length", str(len(data)))), matches)


def _on_piece(state: Streaming, event: ResponseBody) -> DetectorCoroutine[tuple[ResponseState, ResponseAction]]:
    stream, told = state.stream, state.told
    refused_before = stream.rejection is not None
    data = yield from stream.feed(event.body, event.expired, end=event.end_of_stream)
    new = tuple(match for name, match in stream.matches.items() if name not in told)
    refused = None if refused_before else stream.rejection
    action = BodyOutput(None if data == event.body else data, (), new, refused)
    if event.end_of_stream:
        return ResponseDone(), action
    return Streaming(stream, told | {match.guard for match in new}, state.recorder), action
