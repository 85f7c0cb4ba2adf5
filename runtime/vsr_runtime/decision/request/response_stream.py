"""Inspection of a streamed response: each event is sent with as much of its text as guards have released."""

from __future__ import annotations

import copy
import json
from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any

from vsr_runtime.decision.apis.endpoints import Api
from vsr_runtime.decision.deadline import BudgetExceededError, DeadlineExceededError, Expired
from vsr_runtime.decision.guards.masking import PlaceholderMap, TooManyPlaceholdersError
from vsr_runtime.decision.request.detectors import DetectorCoroutine, DetectorError
from vsr_runtime.decision.request.events import Cause, GuardMatch, ImmediateResponse, ResponsePlan
from vsr_runtime.decision.request.immediate_responses import (
    ambiguous_response,
    blocked_response,
    error_response,
    guard_failed_response,
    too_complex_response,
    too_long_response,
)
from vsr_runtime.decision.request.json_body import BodyError, read_body
from vsr_runtime.decision.request.response_document import (
    RESPONSE,
    clear_token_fields,
    inspect_document,
    is_unambiguous,
    json_escaped,
    restore_values,
)
from vsr_runtime.decision.request.sequence_numbers import SequenceNumbers
from vsr_runtime.decision.request.sse import SseEvent, SseSplitter, StreamError
from vsr_runtime.decision.request.stream_pieces import Path, TextPiece, ended_scopes, message_of, put_text, text_pieces
from vsr_runtime.decision.request.streamed_message import StreamedMessage
from vsr_runtime.decision.request.text_channel import BlockedError, TextChannel
from vsr_runtime.decision.view import BYTES_PER_TOKEN

MAX_OPEN_TEXTS = 1024
"""Maximum number of texts of a response."""
MAX_OPEN_BYTES = 16 << 20
"""Maximum bytes of events that are kept as templates for held text."""
_DONE = "[DONE]"


class RejectedError(Exception):
    """The rest of the response must not be sent."""

    def __init__(self, response: ImmediateResponse) -> None:
        super().__init__(response.code)
        self.response = response


@dataclass(slots=True)
class _OpenText:
    """A text that has not ended, and the last event with a piece of it, as a template.

    ``ended`` is whether an event reported its end. A text that continues nevertheless ends with the stream, so that a
    server which reports an end with every piece does not have each piece read by itself.
    """

    channel: TextChannel
    scope: Hashable
    event: SseEvent
    values: Any
    path: Path
    size: int
    ended: bool = False


class ResponseStream:
    """One streamed response.

    Args:
        plan: the plan for the response.

    Attributes:
        matches: the guards that matched so far, each once.
        rejection: why the stream ended early; None while it continues.
    """

    def __init__(self, plan: ResponsePlan) -> None:
        self._plan = plan
        self._splitter = SseSplitter()
        self._placeholders = PlaceholderMap()
        for placeholder in plan.restore:
            self._placeholders.reserve(placeholder)
        self._escaped_restore = json_escaped(plan.restore)
        self._open: dict[Hashable, _OpenText] = {}
        self._clean_texts: set[str] = set()
        self._size = 0
        self._numbers = SequenceNumbers()
        self._messages: dict[Hashable, StreamedMessage] = {}
        self.matches: dict[str, GuardMatch] = {}
        self.rejection: ImmediateResponse | None = None

    def feed(self, piece: bytes, expired: Expired, *, end: bool) -> DetectorCoroutine[bytes]:
        """Return the data to send after this chunk. After a rejection this is always empty."""
        out: list[bytes] = []
        if self.rejection is not None:
            return b""
        try:
            for event in self._splitter.feed(piece):
                yield from self._event(event, out, expired)
            if end:
                rest = self._splitter.end()
                if rest:
                    yield from self._event(rest, out, expired)
                self._check_messages(None, expired)
                yield from self._flush(None, out, expired, last=True)
        except (RejectedError, StreamError) as error:
            self.rejection = error.response if isinstance(error, RejectedError) else self._failed(Cause.BROKEN)
            out.append(_error_events(self._plan.api, self.rejection, self._numbers))
        return b"".join(out)

    @property
    def holds(self) -> bool:
        """Whether text is held back."""
        return self._splitter.holds or any(text.channel.holds for text in self._open.values())

    def _event(self, event: SseEvent, out: list[bytes], expired: Expired) -> DetectorCoroutine[None]:
        event = yield from self._inspect_lines(event, expired)
        if event.data is None or not event.data.strip():
            out.append(event.raw)
            return
        if event.data.strip() == _DONE:
            self._check_messages(None, expired)
            yield from self._flush(None, out, expired)
            out.append(event.raw)
            return
        try:
            values = dict(read_body(event.data.encode()).values)
        except BodyError:
            if self._plan.guards:
                raise RejectedError(self._failed(Cause.BROKEN)) from None
            out.append(event.raw)
            return
        event_pieces = list(text_pieces(values))
        changed = bool(self._plan.guards) and clear_token_fields(values)
        for piece in event_pieces:
            put_text(values, piece.path, "")
        values, more = yield from self._inspect_rest(values, expired)
        closed = list(ended_scopes(values))
        written = yield from self._release(event, values, event_pieces, closed, expired)
        for scope in closed:
            self._check_messages(scope, expired)
            yield from self._flush(scope, out, expired)
        for piece, text in written:
            put_text(values, piece.path, text)
        changed = self._numbers.assign(values) or changed
        if changed or more or any(piece.text != text for piece, text in written):
            out.append(event.render(json.dumps(values, ensure_ascii=False, separators=(",", ":"))))
        else:
            out.append(event.raw)

    def _inspect_lines(self, event: SseEvent, expired: Expired) -> DetectorCoroutine[SseEvent]:
        """Return the event with its lines other than data inspected."""
        if not self._plan.guards or self._clean_texts.issuperset(event.others):
            return event
        if event.strange:
            raise RejectedError(self._failed(Cause.BROKEN))
        values, changed = yield from self._inspect_rest({"text": list(event.others)}, expired)
        return event.with_lines(tuple(values["text"])) if changed else event

    def _inspect_rest(self, values: Any, expired: Expired) -> DetectorCoroutine[tuple[Any, bool]]:  # noqa: ANN401 - any JSON document
        """Inspect everything in an event besides its pieces like a whole response. Return whether it changed."""
        text = after = json.dumps(values, ensure_ascii=False)
        if self._plan.guards:
            inspected = yield from inspect_document(
                self._plan, text, values, self._placeholders, expired, self._clean_texts
            )
            if isinstance(inspected, ImmediateResponse):
                raise RejectedError(inspected)
            after, matches = inspected
            self._note(matches)
        after = restore_values(after, self._plan.restore)
        if after == text:
            return values, False
        if not is_unambiguous(after):
            raise RejectedError(ambiguous_response(self._plan.api))
        return json.loads(after), True

    def _release(
        self,
        event: SseEvent,
        values: Any,  # noqa: ANN401 - any JSON document
        event_pieces: list[TextPiece],
        closed: list[Hashable],
        expired: Expired,
    ) -> DetectorCoroutine[list[tuple[TextPiece, str]]]:
        """Return the text of each piece that can be sent with this event; all of it if the text ends here."""
        written: list[tuple[TextPiece, str]] = []
        for piece in event_pieces:
            self._measure(piece.text)
            known = self._open.get(piece.channel)
            restore = self._escaped_restore if piece.inside else self._plan.restore
            message = self._messages.setdefault(message_of(piece.scope), StreamedMessage())
            channel = (
                known.channel
                if known
                else TextChannel(self._plan.guards, self._placeholders, restore, message.before(piece.channel))
            )
            if self._plan.guards:
                message.add(piece.channel, piece.field, piece.text)
            ended = known is not None and known.ended
            ends = not ended and (piece.scope in closed or None in closed)
            with _rejecting(self, channel):
                text = yield from channel.feed(piece.text, expired)
                if ends:
                    text += yield from channel.end(expired)
                self._keep(piece, channel, event, values, ended=ended or ends)
            message.continued |= channel.continued
            written.append((piece, text))
        return written

    def _keep(self, piece: TextPiece, channel: TextChannel, event: SseEvent, values: Any, *, ended: bool) -> None:  # noqa: ANN401 - see above
        """Keep the event as a template while text is held back."""
        holds = channel.holds
        self._open[piece.channel] = _OpenText(
            channel,
            piece.scope,
            event.repeatable(),
            values if holds else None,
            piece.path,
            len(event.raw) if holds else 0,
            ended,
        )
        if len(self._open) > MAX_OPEN_TEXTS or sum(text.size for text in self._open.values()) > MAX_OPEN_BYTES:
            raise StreamError("too many open texts")

    def _flush(
        self, scope: Hashable, out: list[bytes], expired: Expired, *, last: bool = False
    ) -> DetectorCoroutine[None]:
        """Append events with the remaining text of the texts that end."""
        for open_text in [*self._open.values()]:
            if (scope is None or open_text.scope == scope) and (last or not open_text.ended):
                open_text.ended = True
                with _rejecting(self, open_text.channel):
                    text = yield from open_text.channel.end(expired)
                if text:
                    own = _text_event(open_text.values, open_text.path, text)
                    self._numbers.assign(own, added=True)
                    out.append(open_text.event.render(json.dumps(own, ensure_ascii=False, separators=(",", ":"))))
                open_text.values, open_text.size = None, 0

    def _check_messages(self, scope: Hashable, expired: Expired) -> None:
        """Read the texts of messages that may be complete together. ``scope`` is what ended; None for all."""
        for message_scope, message in self._messages.items():
            if self._plan.guards and (scope is None or message_of(scope) == message_scope):
                try:
                    matching, cut = message.matching(self._plan.guards, expired)
                except DeadlineExceededError as error:
                    raise self.rejection_for(error) from None
                for guard in matching:
                    if guard.action == "block" or guard in cut:
                        raise RejectedError(blocked_response(self._plan.api, guard, RESPONSE))
                    self._note((GuardMatch(guard.name, guard.action),))

    def _measure(self, text: str) -> None:
        """Count a text towards the limits of guards."""
        self._size += len(text.encode())
        for guard in self._plan.guards:
            if self._size > guard.max_tokens * BYTES_PER_TOKEN:
                raise RejectedError(too_long_response(self._plan.api, guard, RESPONSE))

    def _note(self, matches: tuple[GuardMatch, ...]) -> None:
        for match in matches:
            self.matches.setdefault(match.guard, match)

    def _failed(self, cause: Cause) -> ImmediateResponse:
        closed = [guard for guard in self._plan.guards if not guard.passes_errors]
        if not self._plan.guards:
            return error_response(502, "response_unreadable", "The response cannot be read.")
        return guard_failed_response(self._plan.api, (closed or list(self._plan.guards))[0], cause, RESPONSE)

    def note_matches(self, channel: TextChannel) -> None:
        """Record the matches and failures of guards in a text."""
        for guard in self._plan.guards:
            if guard.name in channel.matched and guard.action != "block":
                self._note((GuardMatch(guard.name, guard.action),))
            elif guard.name in channel.failed:
                self._note((GuardMatch(guard.name, guard.action, channel.failed[guard.name]),))

    def rejection_for(self, error: Exception) -> RejectedError:
        """Return the rejection for an error in a text."""
        if isinstance(error, BlockedError):
            return RejectedError(blocked_response(self._plan.api, error.guard, RESPONSE))
        if isinstance(error, DetectorError):
            return RejectedError(guard_failed_response(self._plan.api, error.guard, error.cause, RESPONSE))
        if isinstance(error, BudgetExceededError) and self._plan.guards:
            return RejectedError(too_complex_response(self._plan.api, self._plan.guards[0], RESPONSE))
        return RejectedError(self._failed(Cause.TIMEOUT if isinstance(error, DeadlineExceededError) else Cause.BROKEN))


class _rejecting:  # noqa: N801 - used like a function
    """Context manager that turns an error in a text into a rejection of the whole stream."""

    def __init__(self, stream: ResponseStream, channel: TextChannel) -> None:
        self._stream = stream
        self._channel = channel

    def __enter__(self) -> None:
        """Do nothing."""

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        self._stream.note_matches(self._channel)
        if isinstance(error, BlockedError | DetectorError | DeadlineExceededError | TooManyPlaceholdersError):
            raise self._stream.rejection_for(error) from None


def _text_event(values: Any, path: Path, text: str) -> Any:  # noqa: ANN401 - any JSON document
    """Return the values of an event with one text, and nothing else of the template."""
    own = copy.deepcopy(values)
    for piece in text_pieces(own):
        put_text(own, piece.path, "")
    put_text(own, path, text)
    if isinstance(own, dict):
        own.pop("usage", None)
    return own


def _error_events(api: Api, response: ImmediateResponse, numbers: SequenceNumbers) -> bytes:
    """Return the last events of a rejected response, in the API's form of errors in a stream."""
    body = json.loads(response.body)
    match api:
        case Api.MESSAGES:
            return f"event: error\ndata: {json.dumps(body)}\n\n".encode()
        case Api.RESPONSES | Api.STORED_RESPONSE:
            error = {"type": "error", "code": response.code, "message": body["error"]["message"], "param": None}
            numbers.assign(error, added=True)
            return f"event: error\ndata: {json.dumps(error)}\n\n".encode()
    return f"data: {json.dumps(body)}\n\ndata: {_DONE}\n\n".encode()
