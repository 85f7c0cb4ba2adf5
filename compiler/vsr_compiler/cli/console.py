"""All printing of ``vsr-compile``: data to stdout, messages to stderr, colour only on a terminal."""

from __future__ import annotations

import contextlib
import importlib
import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import click

from vsr_compiler.diagnostics import Diagnostic, Severity, Span
from vsr_compiler.diagnostics.formats import text

MODULES = {"json": "json_report"}
"""Formats whose module has another name."""


class FindingsPrinter:
    """Prints the findings of a command in the requested format.

    Text goes to stderr as findings are added. Every other format is one document on stdout at the end.
    """

    def __init__(self, output_format: str = "text", *, strict: bool = False) -> None:
        self._format = output_format
        self._strict = strict
        self._files: list[str] = []
        self._findings: list[Diagnostic] = []

    def add(self, file: str, findings: Iterable[Diagnostic]) -> bool:
        """Add findings about a file. A file may be added several times. Return whether one of them is an error."""
        findings = [self._with_severity(item) for item in findings]
        if file not in self._files:
            self._files.append(file)
        if self._format == "text":
            sys.stderr.write(text.render(findings, sources(findings), colour=colour()))
        self._findings += findings
        return any(item.level is Severity.ERROR for item in findings)

    def close(self) -> int:
        """Print what is left to print. Return the exit code, which is 1 if there is an error."""
        if self._format != "text":
            module = importlib.import_module(
                f"vsr_compiler.diagnostics.formats.{MODULES.get(self._format, self._format)}"
            )
            if document := module.render(self._files, self._findings, sources(self._findings)):
                print_data(document)
        print_counts(self._findings)
        return int(any(item.level is Severity.ERROR for item in self._findings))

    def _with_severity(self, item: Diagnostic) -> Diagnostic:
        """Return a warning as an error if ``--strict`` is set."""
        raised = self._strict and item.level is Severity.WARNING
        return replace(item, severity=Severity.ERROR) if raised else item


def print_findings(findings: Iterable[Diagnostic], texts: Mapping[str, str] | None = None) -> None:
    """Print findings as text, and their number by severity. ``texts`` are the sources if the caller has them."""
    findings = list(findings)
    sys.stderr.write(text.render(findings, sources(findings) if texts is None else texts, colour=colour()))
    print_counts(findings)


def print_counts(findings: Sequence[Diagnostic]) -> None:
    """Print the number of findings by severity."""
    counts = [
        f"{number} {level.word}{'s' if number > 1 else ''}"
        for level in sorted(Severity, reverse=True)
        if (number := sum(item.level is level for item in findings))
    ]
    if counts:
        print_message(", ".join(counts))


def print_message(line: str) -> None:
    """Print a line for the user to stderr."""
    sys.stderr.write(line + "\n")


def print_data(document: str) -> None:
    """Print a result to stdout, as UTF-8 whatever the terminal's encoding, with a line break at its end."""
    try:
        sys.stdout.flush()
        sys.stdout.buffer.write(
            (document if document.endswith("\n") else f"{document}\n").encode(errors="backslashreplace")
        )
        sys.stdout.buffer.flush()
    except BrokenPipeError:  # the reader has closed the pipe; click ends the program
        raise
    except OSError as error:
        raise click.ClickException(f"Standard output cannot be written: {error.strerror}.") from error


def colour() -> bool:
    """Return whether stderr is a terminal and colours are not disabled."""
    return sys.stderr.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def sources(findings: Iterable[Diagnostic]) -> dict[str, str]:
    """Return the texts of the files that findings point into; a file that cannot be read is omitted."""
    texts = {}
    for name in {item.span.file for item in findings if item.span.line}:
        with contextlib.suppress(OSError):
            texts[name] = Path(name).read_text(encoding="utf-8", errors="replace")
    return texts


def internal_error(error: BaseException) -> Diagnostic:
    """Return an unexpected exception as a finding, with the line of our code that raised it."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    where = "" if trace is None else f" ({Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno})"
    hint = "Please report it with the policy that caused it."
    return Diagnostic("VSR900", f"{type(error).__name__}: {error}{where}", Span("vsr-compile"), hint)
