"""All printing of ``vsr-compile``: data to stdout, talk to stderr, colour only where a terminal reads it."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

from compiler.diagnostics import Diagnostic, Severity, Span
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


def sources(found: Iterable[Diagnostic]) -> dict[str, str]:
    """The text of the files that findings point into, for their excerpts; a file that is gone has none."""
    texts = {}
    for name in {item.span.file for item in found if item.span.line}:
        with contextlib.suppress(OSError):
            texts[name] = Path(name).read_text(encoding="utf-8", errors="replace")
    return texts


def internal(error: BaseException) -> Diagnostic:
    """A fault of ours as a finding, with the place in our code where it happened."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    where = "" if trace is None else f" ({Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno})"
    hint = "Please report it with the policy that caused it."
    return Diagnostic("VSR900", f"{type(error).__name__}: {error}{where}", Span("vsr-compile"), hint)
