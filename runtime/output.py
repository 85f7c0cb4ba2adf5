"""The one place where the runtime prints: results to stdout, logs and errors to stderr, a line each."""

from __future__ import annotations

import json
import sys
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
    moment = datetime.now(UTC).isoformat(timespec="milliseconds")
    sys.stderr.write(json.dumps({"time": moment, "event": event, **fields}) + "\n")
    sys.stderr.flush()
