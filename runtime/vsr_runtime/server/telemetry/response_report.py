"""Reads what a response says of itself: its model, id, tokens and ends. Names and numbers, never text."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping

from vsr_runtime.decision.request.response_events import ResponseBody, ResponseEvent, ResponseHeaders
from vsr_runtime.decision.request.sse import SseSplitter, StreamError
from vsr_runtime.decision.request.usage import MAX_DOCUMENT, read_usage

MAX_REASONS = 128
"""Ends of choices that are kept."""
FAILED = 400
OTHER = "_OTHER"
"""The conventions' type of an error that has no name."""
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/@+-]{0,127}")
_WORD = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,63}")
_TELLS = re.compile(r'"(?:finish_reason|stop_reason)"\s*:\s*"|"(?:usage|error|incomplete_details)"\s*:\s*[{"]')
"""What an event has that must be read; besides, the first event is."""
Attributes = dict[str, str | int | float | list[str]]


class ResponseReport:
    """One response, read as it comes. A document above `MAX_DOCUMENT` bytes is not read.

    Attributes:
        begun: whether its headers have come.
        error: the type of its error; None if there is none.
    """

    def __init__(self) -> None:
        self.begun = False
        self.error: str | None = None
        self._status: int | None = None
        self._splitter: SseSplitter | None = None
        self._pieces: list[bytes] | None = []
        self._size = 0
        self._model = self._id = ""
        self._tokens: dict[str, int] = {}
        self._reasons: dict[int, str] = {}

    def observe(self, event: ResponseEvent) -> None:
        """Read headers, or a part of the body."""
        if isinstance(event, ResponseHeaders):
            self._begin(dict(event.headers))
        elif isinstance(event, ResponseBody):
            self._feed(event.body)

    def refused(self, code: str) -> None:
        """Note that the client gets an error of ours instead."""
        self.error = code

    def attributes(self) -> Attributes:
        """Return what was read, by the names of OpenTelemetry's conventions for generative AI."""
        self._end()
        found: Attributes = {**self._tokens}
        if self._status is not None:
            found["http.response.status_code"] = self._status
        if self._model:
            found["gen_ai.response.model"] = self._model
        if self._id:
            found["gen_ai.response.id"] = self._id
        if self._reasons:
            found["gen_ai.response.finish_reasons"] = [self._reasons[index] for index in sorted(self._reasons)]
        if self.error is not None:
            found["error.type"] = self.error
        return found

    def _begin(self, headers: Mapping[str, str]) -> None:
        self.begun = True
        status = headers.get(":status", "")
        self._status = int(status) if re.fullmatch(r"[1-5][0-9][0-9]", status) else None
        if self._status is not None and self._status >= FAILED:
            self.error = status
        if headers.get("content-type", "").partition(";")[0].strip().lower() == "text/event-stream":
            self._splitter, self._pieces = SseSplitter(), None

    def _feed(self, data: bytes) -> None:
        if self._splitter is not None:
            self._feed_events(data)
        elif self._pieces is not None:
            self._size += len(data)
            self._pieces.append(data)
            if self._size > MAX_DOCUMENT:
                self._pieces = None

    def _feed_events(self, data: bytes) -> None:
        if self._splitter is None:
            return
        try:
            for event in self._splitter.feed(data):
                if event.data is not None and len(event.data) <= MAX_DOCUMENT:
                    self._on_event(event.data)
        except StreamError:
            self._splitter = None

    def _on_event(self, data: str) -> None:
        if not (self._model and self._id) or _TELLS.search(data):
            self._read(data)

    def _end(self) -> None:
        """Read what waits for its end."""
        pieces, self._pieces = self._pieces, None
        if self._splitter is not None:
            self._feed_events(b"\n\n")
            self._splitter = None
        elif pieces:
            self._read(b"".join(pieces))

    def _read(self, data: str | bytes) -> None:
        try:
            values = json.loads(data)
        except (ValueError, RecursionError):
            return
        for holder in _holders(values):
            self._model = _matching(_NAME, holder.get("model")) or self._model
            self._id = self._id or _matching(_NAME, holder.get("id"))
            self._read_usage(holder.get("usage"))
            self._read_reasons(holder)
            self._read_error(holder.get("error"))

    def _read_usage(self, usage: object) -> None:
        read = read_usage(usage)
        if read is None:
            return
        numbers = {
            "gen_ai.usage.input_tokens": read.prompt,
            "gen_ai.usage.output_tokens": read.completion,
            **({"gen_ai.usage.cache_read.input_tokens": read.cached} if read.cached else {}),
        }
        for name, number in numbers.items():  # a stream's last statement may have the output alone
            self._tokens[name] = max(self._tokens.get(name, 0), number)

    def _read_reasons(self, holder: Mapping[str, object]) -> None:
        """Read why each choice ended: in the forms of chats and completions, of Messages, and of Responses."""
        choices = holder.get("choices")
        for number, choice in enumerate(choices[:MAX_REASONS] if isinstance(choices, list) else ()):
            if isinstance(choice, dict) and (reason := _matching(_WORD, choice.get("finish_reason"))):
                index = choice.get("index")
                place = index if isinstance(index, int) and 0 <= index < MAX_REASONS else number
                self._reasons[place] = reason
        if reason := _matching(_WORD, holder.get("stop_reason")):
            self._reasons[0] = reason
        if holder.get("object") == "response" and (reason := _ended(holder)):
            self._reasons[0] = reason

    def _read_error(self, error: object) -> None:
        """Read an error in a body: an event of a stream with a success, or a document."""
        if not error or self.error is not None:
            return
        kinds = (error.get("type"), error.get("code")) if isinstance(error, dict) else ()
        self.error = next((word for kind in kinds if (word := _matching(_WORD, kind))), OTHER)


def _holders(values: object) -> Iterator[Mapping[str, object]]:
    """Yield the objects of a document or an event that have the fields."""
    if isinstance(values, dict):
        yield values
        for name in ("response", "message", "delta"):
            inner = values.get(name)
            if isinstance(inner, dict):
                yield inner


def _ended(response: Mapping[str, object]) -> str:
    """Return why a response of the Responses API ended; empty while it goes on."""
    details = response.get("incomplete_details")
    reason = _matching(_WORD, details.get("reason")) if isinstance(details, dict) else ""
    status = _matching(_WORD, response.get("status"))
    return reason or (status if status in {"completed", "failed", "incomplete", "cancelled"} else "")


def _matching(pattern: re.Pattern[str], value: object) -> str:
    return value if isinstance(value, str) and pattern.fullmatch(value) else ""
