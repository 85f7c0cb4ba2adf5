"""The state machine of one response: from its headers to its last byte, for requests whose plan says so."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field, replace
from enum import Enum
from urllib.parse import quote

from vsr_runtime.decision.guards.mask import Book
from vsr_runtime.decision.request.answers import refusal
from vsr_runtime.decision.request.body import BodyError, read_body
from vsr_runtime.decision.request.detector_coroutine import Asking, Looks, Questions
from vsr_runtime.decision.request.document import RESPONSE, inspect, restored, without_pieces
from vsr_runtime.decision.request.events import Answer, Cause, GuardMatch
from vsr_runtime.decision.request.guard_answers import failed, unreadable
from vsr_runtime.decision.request.recording import Kept, Recorder, recorder
from vsr_runtime.decision.request.response_plan import ResponsePlan
from vsr_runtime.decision.request.stream import Stream
from vsr_runtime.decision.view import Expired, never
from vsr_schemas.headers import GUARDS, TOLD

_JSON = re.compile(r"application/(?:[a-z0-9.-]+\+)?json", re.IGNORECASE)
_EVENTS = "text/event-stream"


class Mode(Enum):
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
class LooksReady:
    """What was asked for by `NeedLooks`: what each detector saw, or why it did not look."""

    looks: Looks


@dataclass(frozen=True, slots=True)
class NeedLooks:
    """Let each detector look at its texts, then come back. Nothing may go before."""

    looks: Questions


@dataclass(frozen=True, slots=True)
class Proceed:
    """Let the headers go, and send the body so."""

    mode: Mode
    remove: tuple[str, ...] = ()
    set_headers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Written:
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
    refused: Answer | None = None
    kept: Kept | None = None


@dataclass(frozen=True, slots=True)
class AwaitsResponse:
    """The request has gone; waits for the response's headers."""

    plan: ResponsePlan


@dataclass(frozen=True, slots=True)
class AwaitsWhole:
    """Waits for a body that must come in one piece."""

    plan: ResponsePlan
    recorder: Recorder | None = None


@dataclass(frozen=True, slots=True)
class Streaming:
    """Waits for the next piece. ``told`` are the guards that were named already."""

    stream: Stream
    told: frozenset[str] = frozenset()
    recorder: Recorder | None = None


@dataclass(frozen=True, slots=True)
class Passing:
    """Waits for the next piece only to take it down."""

    recorder: Recorder


@dataclass(frozen=True, slots=True)
class AwaitsLooks:
    """What came depends on what detectors see; waits for that."""

    work: Asking[tuple[ResponseState, ResponseAction]] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Over:
    """Nothing follows that has to be read."""


ResponseState = AwaitsResponse | AwaitsWhole | Streaming | Passing | AwaitsLooks | Over
ResponseEvent = ResponseHeaders | ResponseBody | ResponseTrailers | LooksReady
ResponseAction = Proceed | Written | Answer


class ResponseError(Exception):
    """An event came that the state does not wait for, or something was held that cannot go any more."""


def respond(state: ResponseState, event: ResponseEvent) -> tuple[ResponseState, ResponseAction | NeedLooks]:
    """Take one step.

    Raises:
        ResponseError: the response must end in an error.
    """
    match state, event:
        case AwaitsResponse(plan), ResponseHeaders():
            return _on_headers(plan, event)
        case AwaitsWhole(plan, recorder), ResponseBody(end_of_stream=True):
            return _worked(_recording(recorder, event, _on_whole(plan, event)))
        case AwaitsWhole(), ResponseBody():
            raise ResponseError("the response came in parts; allow_mode_override must be true")
        case Streaming(_, _, recorder), ResponseBody():
            return _worked(_recording(recorder, event, _on_piece(state, event)))
        case AwaitsLooks(work), LooksReady(looks):
            return _worked(work, looks)
        case Passing(), ResponseBody() | ResponseTrailers():
            return _on_passing(state, event)
        case Streaming(stream), ResponseTrailers():
            if stream.holds:
                raise ResponseError("trailers ended a response of which something was held")
            return Over(), Written(None)
    raise ResponseError(f"{type(event).__name__} in state {type(state).__name__}")


def _worked(
    work: Asking[tuple[ResponseState, ResponseAction]], looks: Looks | None = None
) -> tuple[ResponseState, ResponseAction | NeedLooks]:
    """Go on with it until it is done, or must ask."""
    try:
        questions = next(work) if looks is None else work.send(looks)
    except StopIteration as done:
        found: tuple[ResponseState, ResponseAction] = done.value
        return found
    return AwaitsLooks(work), NeedLooks(questions)


def _on_headers(plan: ResponsePlan, event: ResponseHeaders) -> tuple[ResponseState, ResponseAction]:
    """How the body is to come, and what its headers tell. A model's own word for what we tell does not count."""
    # What a guard lets pass unread is not for those whom it might have read.
    lenient = any(guard.passes_errors or guard.passes_unreadable for guard in plan.guards)
    wanted = plan.record is not None and not lenient and not event.end_of_stream
    taken = recorder(plan.api, dict(event.headers)) if wanted else None
    if plan.reads:
        state, action = _awaited(plan, event, taken)
    else:
        state, action = (Passing(taken), Proceed(Mode.STREAMED)) if taken else (Over(), Proceed(Mode.NONE))
    if plan.tell is None or not isinstance(action, Proceed):
        return state, action
    said = {name for name, _ in plan.tell}
    forged = tuple(name for name, _ in event.headers if name in TOLD and name not in said)
    return state, replace(action, remove=(*action.remove, *forged), set_headers=plan.tell)


def _on_passing(state: Passing, event: ResponseBody | ResponseTrailers) -> tuple[ResponseState, ResponseAction]:
    """What ends with trailers is not kept: its last piece does not say that it is the last."""
    if isinstance(event, ResponseTrailers):
        return Over(), Written(None)
    return (Over() if event.end_of_stream else state), _recorded(state.recorder, event, Written(None))


def _recording(
    recorder: Recorder | None, event: ResponseBody, work: Asking[tuple[ResponseState, ResponseAction]]
) -> Asking[tuple[ResponseState, ResponseAction]]:
    """The work, whose outcome is taken down."""
    state, action = yield from work
    return state, _recorded(recorder, event, action)


def _recorded(recorder: Recorder | None, event: ResponseBody, action: ResponseAction) -> ResponseAction:
    """The action with the answer to be kept, at its end. One in which a guard found something is not."""
    if recorder is None or not isinstance(action, Written):
        return action
    if action.guards or action.refused:
        recorder.spoil()
    recorder.add(event.body if action.body is None else action.body)
    return replace(action, kept=recorder.done()) if event.end_of_stream else action


def _awaited(
    plan: ResponsePlan, event: ResponseHeaders, taken: Recorder | None
) -> tuple[ResponseState, ResponseAction]:
    # Of a header that stands twice clients may read either.
    kinds = {value.partition(";")[0].strip() for name, value in event.headers if name == "content-type"}
    kind = kinds.pop() if len(kinds) == 1 else ""
    if event.end_of_stream:
        return Over(), Proceed(Mode.NONE)
    encodings = {value.strip().lower() for name, value in event.headers if name == "content-encoding"}
    if not encodings <= {"", "identity"}:
        return Over(), refusal(502, "response_encoded", "The response is compressed, and its guards cannot read it.")
    if _JSON.fullmatch(kind):
        return AwaitsWhole(plan, taken), Proceed(Mode.WHOLE)
    if kind.lower() == _EVENTS:
        return Streaming(Stream(plan), recorder=taken), Proceed(Mode.STREAMED, ("content-length",))
    closed = [guard for guard in plan.guards if not guard.passes_unreadable]
    if closed:
        return Over(), unreadable(plan.api, closed[0], RESPONSE)
    return Over(), Proceed(Mode.NONE)


def _on_whole(plan: ResponsePlan, event: ResponseBody) -> Asking[tuple[ResponseState, ResponseAction]]:
    return Over(), (yield from _inspected(plan, event))


def _inspected(plan: ResponsePlan, event: ResponseBody) -> Asking[ResponseAction]:
    if not event.body:
        return Written(None)
    try:
        body = read_body(event.body)
    except BodyError:
        closed = [guard for guard in plan.guards if not guard.passes_errors]
        return failed(plan.api, closed[0], Cause.BROKEN, RESPONSE) if closed else Written(None)
    text, values = body.text, body.values
    if plan.guards and without_pieces(values):
        text = json.dumps(values, ensure_ascii=False)
    book = Book()
    for given in plan.restore:
        book.reserve(given)
    found = yield from inspect(plan, text, values, book, event.expired)
    if isinstance(found, Answer):
        return found
    text, matches = found
    text = restored(text, plan.restore)
    flags = tuple(quote(match.guard, safe=" ") for match in matches if match.action == "flag" and not match.failed)
    headers = ((GUARDS, ", ".join(flags)),) if flags else ()
    if text == body.text:
        return Written(None, headers, matches)
    data = text.encode()
    return Written(data, (*headers, ("content-length", str(len(data)))), matches)


def _on_piece(state: Streaming, event: ResponseBody) -> Asking[tuple[ResponseState, ResponseAction]]:
    stream, told = state.stream, state.told
    refused_before = stream.refusal is not None
    data = yield from stream.feed(event.body, event.expired, end=event.end_of_stream)
    new = tuple(match for name, match in stream.matches.items() if name not in told)
    refused = None if refused_before else stream.refusal
    action = Written(None if data == event.body else data, (), new, refused)
    if event.end_of_stream:
        return Over(), action
    return Streaming(stream, told | {match.guard for match in new}, state.recorder), action


__all__ = ["AwaitsResponse", "Mode", "Over", "ResponseBody", "ResponseHeaders", "ResponseTrailers", "respond"]
