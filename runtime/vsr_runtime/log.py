"""The only module that prints: results to stdout, logs and errors to stderr, one line each.

Whoever reads stderr can be slow or stop. A thread writes it, from a queue that is bounded, so that a stalled reader
costs lines and never a request.
"""

from __future__ import annotations

import atexit
import json
import os
import select
import sys
import threading
import time
from collections import deque
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from functools import lru_cache

Field = str | int | float | bool | None


def print_result(text: str) -> None:
    """Print a result and flush, so that a reader at the other end of a pipe gets it at once."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def print_error(message: str) -> None:
    """Print an error as one line, without the line breaks of the message."""
    _write([f"vsr-runtime: error: {' '.join(message.split())}\n"])


def log(event: str, **fields: Field) -> None:
    """Write one JSON object as one line: ``time`` (UTC), ``event``, then the fields.

    Callers pass only names, numbers and codes, never the text of a prompt.
    """
    _WAITING.append((time.time(), event, fields))
    flush()


def log_buffered(event: str, **fields: Field) -> None:
    """Like `log`, but written with other lines at the next `flush`: for events of every request."""
    _WAITING.append((time.time(), event, fields))
    if len(_WAITING) >= _MOST:
        flush()


def flush() -> None:
    """Hand buffered lines over to be written, from any thread, in the order in which they were logged."""
    some: list[str] = []
    size = 0
    with suppress(IndexError):
        while True:
            line = _line(*_WAITING.popleft())
            if size + len(line) > _WHOLE:
                _write(some)
                some, size = [], 0
            some.append(line)
            size += len(line)
    _write(some)


def dropped_lines() -> int:
    """Lines that were never written, because their reader was too slow or writing failed."""
    return _WRITER.dropped


class Writer:
    """Writes to a file descriptor in a thread, from a bounded queue.

    Args:
        descriptor: where to write.
        most: bytes that may wait; further lines are dropped and counted.

    Attributes:
        dropped: lines that were never written.
    """

    def __init__(self, descriptor: int, most: int) -> None:
        self.dropped = 0
        self._descriptor = descriptor
        self._most = most
        self._changed = threading.Condition()
        self._parts: deque[tuple[bytes, int]] = deque()
        self._size = 0
        self._reported = 0
        self._written = 0
        self._busy = False
        self._thread: threading.Thread | None = None

    def put(self, text: str, lines: int) -> None:
        """Queue lines that are written in one piece, or drop them. Never waits for the reader."""
        data = text.encode(errors="backslashreplace")
        with self._changed:
            if self._size + len(data) > self._most:
                self.dropped += lines
                return
            self._parts.append((data, lines))
            self._size += len(data)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="log", daemon=True)
                self._thread.start()
            self._changed.notify_all()

    def drain(self, seconds: float) -> None:
        """Wait until all is written, but no longer than this without progress."""
        with self._changed:
            while self._parts or self._busy:
                before = self._written
                self._changed.wait(seconds)
                if self._written == before:
                    return

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._parts)
                data, lines = self._parts.popleft()
                self._busy = True
            try:
                _write_all(self._descriptor, data)
            except OSError:  # a full disk, or the reader has gone
                self.dropped += lines
            with self._changed:
                self._size -= len(data)
                self._written += 1
                self._busy = False
                self._report()
                self._changed.notify_all()

    def _report(self) -> None:
        """Say how many lines are missing, once the reader has caught up."""
        if self.dropped != self._reported and not self._parts:
            line = _line(time.time(), "log_lines_dropped", {"lines": self.dropped - self._reported}).encode()
            self._reported = self.dropped
            self._parts.append((line, 0))
            self._size += len(line)


def _write_all(descriptor: int, data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        try:
            rest = rest[os.write(descriptor, rest) :]
        except BlockingIOError:  # another process has made the pipe non-blocking
            poll = select.poll()
            poll.register(descriptor, select.POLLOUT)
            poll.poll()


def _write(lines: Sequence[str]) -> None:
    if not lines:
        return
    if sys.stderr is not sys.__stderr__:  # replaced by something in memory
        sys.stderr.write("".join(lines))
        sys.stderr.flush()
    else:
        _WRITER.put("".join(lines), len(lines))


def _line(now: float, event: str, fields: Mapping[str, Field]) -> str:
    moment = f"{_second(int(now))}.{int(now % 1 * 1000):03d}+00:00"
    return _ENCODE({"time": moment, "event": event, **fields}) + "\n"


@lru_cache(2)
def _second(now: int) -> str:
    """Format a second once, not for each line in it."""
    return datetime.fromtimestamp(now, UTC).strftime("%Y-%m-%dT%H:%M:%S")


_MOST = 256
"""Buffered lines at most: some 60 KiB."""
_WHOLE = 4096
"""Bytes that a pipe takes atomically. Child processes share a pipe, and a slow reader must not see torn lines."""
_QUEUE = 1 << 20
"""Bytes that wait for a slow reader: some 4,000 decisions."""
_LAST = 2.0
"""Seconds without progress after which the end of the process no longer waits for the reader."""
_STDERR = 2
_WAITING: deque[tuple[float, str, Mapping[str, Field]]] = deque()
_ENCODE = json.JSONEncoder().encode
_WRITER = Writer(_STDERR, _QUEUE)


def _renew() -> None:
    """A forked process has no thread of its parent's, and must not write its parent's lines again."""
    global _WRITER  # noqa: PLW0603 - one for each process
    _WRITER = Writer(_STDERR, _QUEUE)
    _WAITING.clear()


os.register_at_fork(after_in_child=_renew)
atexit.register(lambda: _WRITER.drain(_LAST))
