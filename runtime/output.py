"""The one place where the runtime prints: results to stdout, logs and errors to stderr, a line each."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Mapping
from datetime import UTC, datetime

Field = str | int | float | bool | None


def say(text: str) -> None:
    """Print a result at once, so that a reader at the other end of a pipe does not wait for it."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def complain(message: str) -> None:
    """Print an error as one line, whatever line breaks the message holds."""
    sys.stderr.write(f"vsr-runtime: error: {' '.join(message.split())}\n")
    sys.stderr.flush()


def log(event: str, **fields: Field) -> None:
    """Write one JSON object as one line: ``time`` (UTC), ``event``, then the fields.

    Callers pass names, numbers and codes only. The text of a prompt never gets here.
    """
    _LINES.append(_line(event, fields))
    flush()


def note(event: str, **fields: Field) -> None:
    """Like `log`, but written together with others once somebody calls `flush`: for what every request is worth."""
    _LINES.append(_line(event, fields))
    if len(_LINES) >= _MOST:
        flush()


def flush() -> None:
    """Write what waits. Lines stay in their order, whichever way they came."""
    lines, _LINES[:] = "".join(_LINES), []
    if lines:
        sys.stderr.write(lines)
        sys.stderr.flush()


def _line(event: str, fields: Mapping[str, Field]) -> str:
    global _SECOND  # noqa: PLW0603 - the text of a second is made once, not for each line in it
    now = time.time()
    if _SECOND[0] != int(now):
        _SECOND = int(now), datetime.fromtimestamp(int(now), UTC).strftime("%Y-%m-%dT%H:%M:%S")
    moment = f"{_SECOND[1]}.{int(now % 1 * 1000):03d}+00:00"
    return _ENCODE({"time": moment, "event": event, **fields}) + "\n"


_MOST = 256
"""Lines that wait at most: some 60 KiB."""
_LINES: list[str] = []
_SECOND = (-1, "")
_ENCODE = json.JSONEncoder().encode
