"""Comments that silence a warning: ``# vsr: ignore VSRnnn reason`` at the end of a line, or on a line above it.

Errors cannot be silenced.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from vsr_compiler.diagnostics import CODES, Diagnostic, Severity, Span
from vsr_compiler.syntax.comments import Comment, Places, comments

_MARK = re.compile(r"#\s*vsr:\s*ignore\b(?P<rest>.*)")
_REST = re.compile(r"\s+(?P<code>\S+?)[:,]?(?:\s+(?P<reason>\S.*))?")
FORM = "Write `# vsr: ignore VSRnnn reason`."


@dataclass(frozen=True, slots=True)
class Ignore:
    """A comment that silences ``code`` on ``line``. ``span`` is the position of the comment."""

    code: str
    line: int
    span: Span


def ignores(text: str, name: str) -> tuple[Ignore, ...]:
    """Return the ignore comments of a file, for findings of later stages. The file must be valid YAML."""
    return tuple(_read(text, name)[0]) if "vsr:" in text else ()


def unsilenced(diagnostics: Iterable[Diagnostic], marks: Iterable[Ignore]) -> list[Diagnostic]:
    """Return the findings of a later stage that no comment silences."""
    silent = {(mark.code, mark.span.file, mark.line) for mark in marks}
    places = ((item, (item.code, item.span.file, item.span.line)) for item in diagnostics)
    return [item for item, place in places if item.level is Severity.ERROR or place not in silent]


def silence(
    diagnostics: Iterable[Diagnostic], text: str, name: str, *, complete: bool, later: Collection[str] = ()
) -> list[Diagnostic]:
    """Return the findings that no comment silences, and findings about ignore comments, sorted by position.

    Args:
        diagnostics: The findings.
        text: The file; it must be valid YAML.
        name: The name of the file in messages.
        complete: Whether every rule has run. Otherwise an ignore comment may still have an effect.
        later: Codes that only a later stage reports, so that their comments may still have an effect.
    """
    diagnostics = list(diagnostics)
    if "vsr:" not in text:
        return sorted(diagnostics, key=lambda item: item.order)
    marks, problems = _read(text, name)
    at: dict[tuple[str, int], list[Diagnostic]] = {}
    for item in diagnostics:
        if item.span.file == name:
            at.setdefault((item.code, item.span.line), []).append(item)
    silent = {item for mark in marks for item in at.get((mark.code, mark.line), []) if item.level is not Severity.ERROR}
    for mark in marks:
        here = at.get((mark.code, mark.line), [])
        if any(item.level is Severity.ERROR for item in here):
            message = f"{mark.code} is an error here, and errors cannot be silenced"
            problems.append(Diagnostic("VSR009", message, mark.span, "Fix the error and remove the comment."))
        elif complete and not here and mark.code not in later:
            message = f"{mark.code} is not reported for line {mark.line}"
            problems.append(Diagnostic("VSR009", message, mark.span, "Remove the comment."))
    return sorted([*(item for item in diagnostics if item not in silent), *problems], key=lambda item: item.order)


def _read(text: str, name: str) -> tuple[list[Ignore], list[Diagnostic]]:
    """Return the ignore comments, and findings about incomplete ones."""
    marks, problems = [], []
    places = Places(text)
    everything = comments(text, places)
    targets = _targets(everything, places)
    for comment in everything:
        match = _MARK.fullmatch(comment.text)
        if match is None:
            continue
        span = Span(name, comment.line, comment.column, comment.line, comment.column + len(comment.text))
        rest = _REST.fullmatch(match["rest"].rstrip())
        if rest is None:
            problems.append(Diagnostic("VSR010", "ignore comment without a code", span, FORM))
        elif rest["code"] not in CODES:
            message = f"`{rest['code'][:40]}` is not a code"
            problems.append(Diagnostic("VSR010", message, span, "`vsr-compile codes` lists them."))
        elif not rest["reason"]:
            problems.append(Diagnostic("VSR010", f"ignore comment for {rest['code']} without a reason", span, FORM))
        else:
            marks.append(Ignore(rest["code"], targets[comment.line], span))
    return marks, problems


def _targets(everything: list[Comment], places: Places) -> dict[int, int]:
    """Return the line that the comment of each line refers to: its own, or the next one with a value."""
    targets: dict[int, int] = {}
    for comment in reversed(everything):
        line = comment.line
        if comment.alone:
            line += 1
            while line not in targets and line < len(places.starts) and not places.content(line).strip():
                line += 1
            # Several comments in a row refer to the same line.
            line = targets.get(line, line)
        targets[comment.line] = line
    return targets
