"""Look at a cluster again and again until everything is live, or time is up."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from vsr_compiler.diagnostics import Diagnostic, Severity
from vsr_compiler.live.status import Look
from vsr_compiler.verify.api_server.client import UnreachableError

INTERVAL = 3.0
"""Seconds between two looks."""
_HOPELESS = "VSR579"


@dataclass(frozen=True, slots=True)
class Waited:
    """The last look, its findings, and whether time ran out."""

    seen: Look
    found: list[Diagnostic]
    timed_out: bool


def wait(
    look: Callable[[], Look],
    judge: Callable[[Look], list[Diagnostic]],
    progress: Callable[[str], None],
    seconds: float,
) -> Waited:
    """Return the first look without an error, or the last one before the deadline.

    A missing permission ends the wait, because time does not grant it.

    Args:
        look: Looks at the cluster.
        judge: Returns what is wrong.
        progress: Receives a line whenever it differs from the one before.
        seconds: The deadline.

    Raises:
        UnreachableError: The server does not answer, from the first look to the deadline.
    """
    end = time.monotonic() + seconds
    last = ""
    while True:
        try:
            seen = look()
        except UnreachableError as error:
            line, left = str(error), end - time.monotonic()
            if left <= 0:
                raise
        else:
            found = judge(seen)
            errors = [item for item in found if item.level is Severity.ERROR]
            left = end - time.monotonic()
            if not errors or left <= 0 or any(item.code == _HOPELESS for item in errors):
                return Waited(seen, found, timed_out=bool(errors) and left <= 0)
            line = _line(seen, errors)
        if line != last:
            progress(line)
            last = line
        time.sleep(min(INTERVAL, max(left, 0.0)))


def _line(seen: Look, errors: list[Diagnostic]) -> str:
    live = sum(item.is_live for item in seen.objects)
    more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
    return f"{live} of {len(seen.objects)} objects live; waiting: {errors[0].message}{more}"
