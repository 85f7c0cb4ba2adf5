"""The only module that prints: results to stdout, logs and errors to stderr, one line each."""

from __future__ import annotations

import json
import sys
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
    sys.stderr.write(f"vsr-runtime: error: {' '.join(message.split())}\n")
    sys.stderr.flush()


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
    """Write buffered lines, from any thread, in the order in which they were logged."""
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


def _write(lines: Sequence[str]) -> None:
    if lines:
        sys.stderr.write("".join(lines))
        sys.stderr.flush()


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
_WAITING: deque[tuple[float, str, Mapping[str, Field]]] = deque()
_ENCODE = json.JSONEncoder().encode
