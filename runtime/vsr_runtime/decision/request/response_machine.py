"""The state machine of one response, from its headers to its last byte, for requests whose plan requires one."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace

from vsr_runtime.decision.deadline import BudgetExceededError, DeadlineExceededError
from vsr_runtime.decision.request.cache_recording import ResponseRecorder, joined_headers, start_recording
from vsr_runtime.decision.request.detectors import DetectorCoroutine, DetectorResults
from vsr_runtime.decision.request.error_reply import AwaitsErrorBody, await_error, read_error_piece, read_error_reply
from vsr_runtime.decision.request.events import Cause, ImmediateResponse, ResponsePlan
from vsr_runtime.decision.request.immediate_responses import (
    error_response,
    guard_failed_response,
    too_complex_response,
    unreadable_response,
)
from vsr_runtime.decision.request.json_body import TOO_COMPLEX, BodyError, read_body
from vsr_runtime.decision.request.response_document import RESPONSE, inspect_values
from vsr_runtime.decision.request.response_events import (
    BodyMode,
    BodyOutput,
    DetectionsReady,
    ForwardHeaders,
    NeedDetections,
    ResponseAction,
    ResponseBody,
    ResponseDone,
    ResponseError,
    ResponseEvent,
    ResponseHeaders,
    ResponseTrailers,
    whole_output,
)
from vsr_runtime.decision.request.response_headers import inspect_headers
from vsr_runtime.decision.request.response_stream import ResponseStream
from vsr_schemas.headers import ANSWERED_BY, CORS, DEBUG_HEADERS, VARY

_JSON_TYPE = re.compile(r"application/(?:[a-z0-9.-]+\+)?json", re.IGNORECASE)
_EVENT_STREAM = "text/event-stream"
MAX_ERROR = 8 << 20
"""Maximum bytes of an error's body if the caller has no limit of its own."""


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
class Streaming:
    """Waits for the next chunk. ``reported`` are the guards that were reported already."""

    stream: ResponseStream
    reported: frozenset[str] = frozenset()
    recorder: ResponseRecorder | None = None


@dataclass(frozen=True, slots=True)
class Recording:
    """Waits for the next chunk only to record it, or for others to read it."""

    recorder: ResponseRecorder | None


@dataclass(frozen=True, slots=True)
class AwaitsDetections:
    """The output depends on detectors; waits for them."""

    work: DetectorCoroutine[tuple[ResponseState, ResponseAction]] = field(repr=False)


ResponseState = (
    AwaitsResponseHeaders | AwaitsWhole | AwaitsErrorBody | Streaming | Recording | AwaitsDetections | ResponseDone
)


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
    cacheable = plan.record is not None and not lenient and not event.end_of_stream and _by_its_model(plan, event)
    recorder = start_recording(plan.api, joined_headers(event.headers)) if cacheable else None
    reply = read_error_reply(event.headers)
    state: ResponseState
    action: ResponseAction
    if plan.reads and event.end_of_stream:
        state, action = ResponseDone(), ForwardHeaders(BodyMode.NONE)
    elif plan.reads and reply and (reply.compressed or _media_type(event).lower() != _EVENT_STREAM):
        state, action = await_error(plan, reply, max_body)
    elif plan.reads:
        state, action = _await_body(plan, event, recorder)
    else:
        state, action = (
            (Recording(recorder), ForwardHeaders(BodyMode.STREAMED))
            if recorder
            else (ResponseDone(), ForwardHeaders(BodyMode.NONE))
        )
    if plan.guards and isinstance(action, ForwardHeaders):
        dropped, matches = inspect_headers(plan, event.headers)
        if dropped or matches:
            replaced = {name for name, _ in action.set_headers}
            removed = (*action.remove, *(name for name in dropped if name not in {*action.remove, *replaced}))
            action = replace(action, remove=removed, guards=matches)
            if recorder:
                recorder.spoil()
    if plan.cors and isinstance(action, ForwardHeaders):
        theirs = {name for name, _ in event.headers if name in CORS} - {name for name, _ in plan.cors} - {VARY}
        removed = (*action.remove, *sorted(theirs))
        action = replace(action, remove=removed, set_headers=(*action.set_headers, *plan.cors))
    if plan.debug_headers is None or not isinstance(action, ForwardHeaders):
        return state, action
    own = {name for name, _ in plan.debug_headers}
    forged = tuple(name for name, _ in event.headers if name in DEBUG_HEADERS and name not in own)
    set_headers = (*action.set_headers, *plan.debug_headers)
    return state, replace(action, remove=(*action.remove, *forged), set_headers=set_headers)


def _by_its_model(plan: ResponsePlan, event: ResponseHeaders) -> bool:
    """Return whether the response is of the model for which it would be cached, and not of one that stood in for it."""
    return plan.model is None or [value for name, value in event.headers if name == ANSWERED_BY] == [plan.model]


def _on_recording(state: Recording, event: ResponseBody | ResponseTrailers) -> tuple[ResponseState, ResponseAction]:
    """Record a chunk. A response with trailers is not cached, because its last chunk is not marked as such."""
    if isinstance(event, ResponseTrailers):
        return ResponseDone(), BodyOutput(None)
    return (ResponseDone() if event.end_of_stream else state), record_output(state.recorder, event, BodyOutput(None))


def _recorded_work(
    recorder: ResponseRecorder | None,
    event: ResponseBody,
    work: DetectorCoroutine[tuple[ResponseState, ResponseAction]],
) -> DetectorCoroutine[tuple[ResponseState, ResponseAction]]:
    """Record the output of the work."""
    state, action = yield from work
    return state, record_output(recorder, event, action)


def record_output(recorder: ResponseRecorder | None, event: ResponseBody, action: ResponseAction) -> ResponseAction:
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
        reason = "its content type is neither JSON nor server-sent events"
        return ResponseDone(), unreadable_response(plan.api, closed[0], RESPONSE, reason)
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
    return whole_output(None if text == body.text else text.encode(), matches)


def _unread(plan: ResponsePlan, error: BodyError | DeadlineExceededError) -> ResponseAction:
    """Return the output for a body that could not be read."""
    too_complex = isinstance(error, BudgetExceededError) or (isinstance(error, BodyError) and error.code == TOO_COMPLEX)
    if too_complex and plan.guards:
        return too_complex_response(plan.api, plan.guards[0], RESPONSE)
    cause = Cause.BROKEN if isinstance(error, BodyError) else Cause.TIMEOUT
    closed = [guard for guard in plan.guards if not guard.passes_errors]
    return guard_failed_response(plan.api, closed[0], cause, RESPONSE) if closed else BodyOutput(None)


def _on_any_piece(
    state: Streaming | AwaitsErrorBody, event: ResponseBody
) -> DetectorCoroutine[tuple[ResponseState, ResponseAction]]:
    if isinstance(state, AwaitsErrorBody):
        return read_error_piece(state, event)
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
