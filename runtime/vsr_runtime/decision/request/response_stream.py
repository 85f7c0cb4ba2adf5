"""A streamed response on its way: each event with as much of its text as may go by now."""

from __future__ import annotations

import copy
import json
from collections.abc import Hashable
from dataclasses import dataclass, replace
from typing import Any

from vsr_runtime.decision.apis.endpoints import Api
from vsr_runtime.decision.deadline import DeadlineExceededError, Expired
from vsr_runtime.decision.guards.masking import PlaceholderMap, TooManyPlaceholdersError
from vsr_runtime.decision.request.detectors import DetectorCoroutine, DetectorError
from vsr_runtime.decision.request.events import Cause, GuardMatch, ImmediateResponse, ResponsePlan
from vsr_runtime.decision.request.immediate_responses import (
    blocked_response,
    error_response,
    guard_failed_response,
    too_long_response,
)
from vsr_runtime.decision.request.json_body import BodyError, read_body
from vsr_runtime.decision.request.response_document import (
    RESPONSE,
    clear_token_fields,
    inspect_document,
    json_escaped,
    restore_values,
)
from vsr_runtime.decision.request.sse import SseEvent, SseSplitter, StreamError
from vsr_runtime.decision.request.stream_pieces import Path, TextPiece, ended_scopes, put_text, text_pieces
from vsr_runtime.decision.request.text_channel import BlockedError, TextChannel
from vsr_runtime.decision.view import BYTES_PER_TOKEN

MAX_OPEN_TEXTS = 1024
"""Texts of a response."""
MAX_OPEN_BYTES = 16 << 20
"""Bytes of the events that are kept because the rest of their texts must be said in their form."""
_DONE = "[DONE]"


class RejectedError(Exception):
    """The rest of the response may not go."""

    def __init__(self, answer: ImmediateResponse) -> None:
        super().__init__(answer.code)
        self.answer = answer


@dataclass(slots=True)
class _OpenText:
    """A text that is under way, and the last event that had a piece of it, with none.

    ``ended`` is whether its end was told. A text that goes on nevertheless ends with the stream, so that whoever tells
    an end with every piece does not have each read by itself.
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
        plan: what is to be done.

    Attributes:
        matches: the guards that found something so far, each once.
        refusal: why it ended early; None as long as it goes on.
    """

    def __init__(self, plan: ResponsePlan) -> None:
        self._plan = plan
        self._splitter = SseSplitter()
        self._book = PlaceholderMap()
        for given in plan.restore:
            self._book.reserve(given)
        self._inner = json_escaped(plan.restore)
        self._open: dict[Hashable, _OpenText] = {}
        self._harmless: set[str] = set()
        self._size = 0
        self.matches: dict[str, GuardMatch] = {}
        self.rejection: ImmediateResponse | None = None

    def feed(self, piece: bytes, expired: Expired, *, end: bool) -> DetectorCoroutine[bytes]:
        """What the client gets after this piece. After a refusal that is nothing, whatever still comes."""
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
                yield from self._flushed(None, out, expired, last=True)
        except (RejectedError, StreamError) as error:
            self.rejection = error.answer if isinstance(error, RejectedError) else self._failed(Cause.BROKEN)
            out.append(_error_events(self._plan.api, self.rejection))
        return b"".join(out)

    @property
    def holds(self) -> bool:
        """Whether something is held that has not gone."""
        return self._splitter.holds or any(each.channel.holds for each in self._open.values())

    def _event(self, event: SseEvent, out: list[bytes], expired: Expired) -> DetectorCoroutine[None]:
        event = yield from self._beside(event, expired)
        if event.data is None or not event.data.strip():
            out.append(event.raw)
            return
        if event.data.strip() == _DONE:
            yield from self._flushed(None, out, expired)
            out.append(event.raw)
            return
        try:
            values = dict(read_body(event.data.encode()).values)
        except BodyError:
            if self._plan.guards:
                raise RejectedError(self._failed(Cause.BROKEN)) from None
            out.append(event.raw)
            return
        here = list(text_pieces(values))
        changed = bool(self._plan.guards) and clear_token_fields(values)
        for piece in here:
            put_text(values, piece.path, "")
        values, more = yield from self._rest(values, expired)
        closed = list(ended_scopes(values))
        written = yield from self._written(event, values, here, closed, expired)
        for scope in closed:
            yield from self._flushed(scope, out, expired)
        for piece, text in written:
            put_text(values, piece.path, text)
        if changed or more or any(piece.text != text for piece, text in written):
            out.append(event.render(json.dumps(values, ensure_ascii=False, separators=(",", ":"))))
        else:
            out.append(event.raw)

    def _beside(self, event: SseEvent, expired: Expired) -> DetectorCoroutine[SseEvent]:
        """The event with what may go of the lines beside its data, whoever reads them."""
        if not self._plan.guards or self._harmless.issuperset(event.others):
            return event
        if event.strange:
            raise RejectedError(self._failed(Cause.BROKEN))
        values, changed = yield from self._rest({"text": list(event.others)}, expired)
        return event.beside(tuple(values["text"])) if changed else event

    def _rest(self, values: Any, expired: Expired) -> DetectorCoroutine[tuple[Any, bool]]:  # noqa: ANN401 - any JSON document
        """What an event says beside its pieces, looked at like a whole response; and whether it has changed."""
        text = after = json.dumps(values, ensure_ascii=False)
        if self._plan.guards:
            found = yield from inspect_document(self._plan, text, values, self._book, expired, self._harmless)
            if isinstance(found, ImmediateResponse):
                raise RejectedError(found)
            after, matches = found
            self._note(matches)
        after = restore_values(after, self._plan.restore)
        return (values, False) if after == text else (json.loads(after), True)

    def _written(
        self,
        event: SseEvent,
        values: Any,  # noqa: ANN401 - any JSON document
        here: list[TextPiece],
        closed: list[Hashable],
        expired: Expired,
    ) -> DetectorCoroutine[list[tuple[TextPiece, str]]]:
        """What of each piece's text may go with this event; all of it where the text ends here."""
        written: list[tuple[TextPiece, str]] = []
        for piece in here:
            self._measure(piece.text)
            known = self._open.get(piece.channel)
            restore = self._inner if piece.inside else self._plan.restore
            channel = known.channel if known else TextChannel(self._plan.guards, self._book, restore)
            told = known is not None and known.ended
            ends = not told and (piece.scope in closed or None in closed)
            with _rejecting(self, channel):
                text = yield from channel.feed(piece.text, expired)
                if ends:
                    text += yield from channel.end(expired)
                self._keep(piece, channel, event, values, ended=told or ends)
            written.append((piece, text))
        return written

    def _keep(self, piece: TextPiece, channel: TextChannel, event: SseEvent, values: Any, *, ended: bool) -> None:  # noqa: ANN401 - as above
        """Note where a text stands, as long as something is held of it in the form of the event."""
        kept = channel.holds
        self._open[piece.channel] = _OpenText(
            channel,
            piece.scope,
            replace(event, raw=b""),
            values if kept else None,
            piece.path,
            len(event.raw) if kept else 0,
            ended,
        )
        if len(self._open) > MAX_OPEN_TEXTS or sum(each.size for each in self._open.values()) > MAX_OPEN_BYTES:
            raise StreamError("too many texts at a time")

    def _flushed(
        self, scope: Hashable, out: list[bytes], expired: Expired, *, last: bool = False
    ) -> DetectorCoroutine[None]:
        """Events of our own with what is left of the texts that end."""
        for each in [*self._open.values()]:
            if (scope is None or each.scope == scope) and (last or not each.ended):
                each.ended = True
                with _rejecting(self, each.channel):
                    text = yield from each.channel.end(expired)
                if text:
                    out.append(each.event.render(_text_event(each.values, each.path, text)))
                each.values, each.size = None, 0

    def _measure(self, text: str) -> None:
        """Count a text in: no guard reads more than it says."""
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
            return error_response(502, "response_unreadable", "The response is none that can be read.")
        return guard_failed_response(self._plan.api, (closed or list(self._plan.guards))[0], cause, RESPONSE)

    def noted(self, channel: TextChannel) -> None:
        """Take over what a text's guards have found."""
        for guard in self._plan.guards:
            if guard.name in channel.matched and guard.action != "block":
                self._note((GuardMatch(guard.name, guard.action),))
            elif guard.name in channel.failed:
                self._note((GuardMatch(guard.name, guard.action, channel.failed[guard.name]),))

    def rejection_for(self, error: Exception) -> RejectedError:
        """The refusal for what stopped a text."""
        if isinstance(error, BlockedError):
            return RejectedError(blocked_response(self._plan.api, error.guard, RESPONSE))
        if isinstance(error, DetectorError):
            return RejectedError(guard_failed_response(self._plan.api, error.guard, error.cause, RESPONSE))
        return RejectedError(self._failed(Cause.TIMEOUT if isinstance(error, DeadlineExceededError) else Cause.BROKEN))


class _rejecting:  # noqa: N801 - used as a context, like a function
    """Turns what stops a text into a refusal of the whole stream."""

    def __init__(self, stream: ResponseStream, channel: TextChannel) -> None:
        self._stream = stream
        self._channel = channel

    def __enter__(self) -> None:
        """Nothing to do before."""

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        self._stream.noted(self._channel)
        if isinstance(error, BlockedError | DetectorError | DeadlineExceededError | TooManyPlaceholdersError):
            raise self._stream.rejection_for(error) from None


def _text_event(values: Any, path: Path, text: str) -> str:  # noqa: ANN401 - any JSON document
    """The data of an event that says one text and nothing else that an earlier one said."""
    own = copy.deepcopy(values)
    for piece in text_pieces(own):
        put_text(own, piece.path, "")
    put_text(own, path, text)
    if isinstance(own, dict):
        own.pop("usage", None)
    return json.dumps(own, ensure_ascii=False, separators=(",", ":"))


def _error_events(api: Api, answer: ImmediateResponse) -> bytes:
    """The last events of a response that may not go on, as the API tells errors in a stream."""
    body = json.loads(answer.body)
    match api:
        case Api.MESSAGES:
            return f"event: error\ndata: {json.dumps(body)}\n\n".encode()
        case Api.RESPONSES:
            error = {"type": "error", "code": answer.code, "message": body["error"]["message"], "param": None}
            return f"event: error\ndata: {json.dumps(error)}\n\n".encode()
    return f"data: {json.dumps(body)}\n\ndata: {_DONE}\n\n".encode()
