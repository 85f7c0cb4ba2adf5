"""All printing of ``vsr-compile``: data to stdout, talk to stderr, colour only where a terminal reads it."""

from __future__ import annotations

import contextlib
import importlib
import os
import sys
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

import click

from vsr_compiler.diagnostics import Diagnostic, Severity, Span
from vsr_compiler.diagnostics.formats import text

MODULES = {"json": "json_report"}
"""Formats whose module has another name."""


class Findings:
    """What a verb found, printed in the format that was asked for.

    Text is talk and goes to stderr as it comes; every other format is data, one document on stdout at the end.
    """

    def __init__(self, form: str = "text", *, strict: bool = False) -> None:
        self._form = form
        self._strict = strict
        self._policies: list[str] = []
        self._found: list[Diagnostic] = []

    def add(self, policy: str, found: Iterable[Diagnostic]) -> bool:
        """Take the findings about a policy; a policy may come more than once. Returns whether one is an error."""
        found = [self._weigh(item) for item in found]
        if policy not in self._policies:
            self._policies.append(policy)
        if self._form == "text":
            sys.stderr.write(text.render(found, sources(found), colour=colour()))
        self._found += found
        return any(item.level is Severity.ERROR for item in found)

    def close(self) -> int:
        """Print what is left to print. Returns the exit code: 1 where there is an error."""
        if self._form != "text":
            module = importlib.import_module(f"vsr_compiler.diagnostics.formats.{MODULES.get(self._form, self._form)}")
            if document := module.render(self._policies, self._found, sources(self._found)):
                data(document)
        _count(self._found)
        return int(any(item.level is Severity.ERROR for item in self._found))

    def _weigh(self, item: Diagnostic) -> Diagnostic:
        """With ``--strict``, a warning is an error."""
        strict = self._strict and item.level is Severity.WARNING
        return replace(item, severity=Severity.ERROR) if strict else item


def findings(found: Iterable[Diagnostic], texts: Mapping[str, str] | None = None) -> None:
    """Print findings as text, and how many of each kind. ``texts`` are the sources, where the caller has them."""
    found = list(found)
    sys.stderr.write(text.render(found, sources(found) if texts is None else texts, colour=colour()))
    _count(found)


def _count(found: list[Diagnostic]) -> None:
    counts = [
        f"{number} {level.word}{'s' if number > 1 else ''}"
        for level in sorted(Severity, reverse=True)
        if (number := sum(item.level is level for item in found))
    ]
    if counts:
        say(", ".join(counts))


def say(line: str) -> None:
    """Tell the person something."""
    sys.stderr.write(line + "\n")


def data(document: str) -> None:
    """Print what was asked for, as UTF-8 whatever the terminal's encoding, with a line break at its end."""
    try:
        sys.stdout.flush()
        sys.stdout.buffer.write(
            (document if document.endswith("\n") else f"{document}\n").encode(errors="backslashreplace")
        )
        sys.stdout.buffer.flush()
    except BrokenPipeError:  # who reads has read enough, which click knows how to end
        raise
    except OSError as error:
        raise click.ClickException(f"Standard output cannot be written: {error.strerror}.") from error


def colour() -> bool:
    """Whether whoever reads stderr sees colours and has not asked for none."""
    return sys.stderr.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


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
