"""All printing of ``vsr-compile``: data to stdout, talk to stderr, colour only where a terminal reads it."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Mapping

from compiler.diagnostics import Diagnostic, Severity
from compiler.diagnostics.render import text


def findings(found: Iterable[Diagnostic], sources: Mapping[str, str]) -> None:
    """Print findings, and how many of each kind."""
    found = list(found)
    sys.stderr.write(text(found, sources, colour=_colour(sys.stderr.isatty())))
    counts = [
        f"{number} {level.word}{'s' if number > 1 else ''}"
        for level in sorted(Severity, reverse=True)
        if (number := sum(item.level is level for item in found))
    ]
    if counts:
        sys.stderr.write(", ".join(counts) + "\n")


def say(line: str) -> None:
    """Tell the person something."""
    sys.stderr.write(line + "\n")


def data(line: str) -> None:
    """Print what was asked for."""
    sys.stdout.write(line + "\n")


def _colour(terminal: bool) -> bool:  # noqa: FBT001 - one private flag
    return terminal and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
