"""Comments that silence a warning: ``# vsr: ignore VSRnnn reason`` behind a line, or on a line above it.

Only what is not an error can be silenced: a policy that cannot be compiled stays so whatever a comment says.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from vsr_compiler.diagnostics import CODES, Diagnostic, Severity, Span
from vsr_compiler.syntax.comments import Comment, Places, comments

_MARK = re.compile(r"#\s*vsr:\s*ignore\b(?P<rest>.*)")
_REST = re.compile(r"\s+(?P<code>\S+?)[:,]?(?:\s+(?P<reason>\S.*))?")
FORM = "Write `# vsr: ignore VSRnnn` and the reason behind it."


@dataclass(frozen=True, slots=True)
class Ignore:
    """A comment that silences ``code`` on ``line``. ``span`` is the comment's own place."""

    code: str
    line: int
    span: Span


def ignores(text: str, name: str) -> tuple[Ignore, ...]:
    """The comments of a file that silence something, for findings of later stages. The file must be valid YAML."""
    return tuple(_read(text, name)[0]) if "vsr:" in text else ()


def unsilenced(found: Iterable[Diagnostic], marks: Iterable[Ignore]) -> list[Diagnostic]:
    """What is left of the findings of a later stage."""
    silent = {(mark.code, mark.span.file, mark.line) for mark in marks}
    places = ((item, (item.code, item.span.file, item.span.line)) for item in found)
    return [item for item, place in places if item.level is Severity.ERROR or place not in silent]


def silence(
    found: Iterable[Diagnostic], text: str, name: str, *, complete: bool, later: Collection[str] = ()
) -> list[Diagnostic]:
    """What is left of the findings about a file, and what is wrong with its comments that silence, sorted by place.

    Args:
        found: The findings.
        text: The file; it must be valid YAML.
        name: How messages call it.
        complete: Whether every rule has run. Where not, nobody can tell whether a comment silences nothing.
        later: Codes of findings that only a later stage makes, so that it is not known yet either.
    """
    found = list(found)
    if "vsr:" not in text:
        return sorted(found, key=lambda item: item.order)
    marks, problems = _read(text, name)
    at: dict[tuple[str, int], list[Diagnostic]] = {}
    for item in found:
        if item.span.file == name:
            at.setdefault((item.code, item.span.line), []).append(item)
    silent = {item for mark in marks for item in at.get((mark.code, mark.line), []) if item.level is not Severity.ERROR}
    for mark in marks:
        here = at.get((mark.code, mark.line), [])
        if any(item.level is Severity.ERROR for item in here):
            message = f"{mark.code} is an error here, and an error cannot be silenced"
            problems.append(Diagnostic("VSR009", message, mark.span, "Mend the error and remove the comment."))
        elif complete and not here and mark.code not in later:
            message = f"there is no {mark.code} in line {mark.line} to silence"
            problems.append(Diagnostic("VSR009", message, mark.span, "Remove the comment."))
    return sorted([*(item for item in found if item not in silent), *problems], key=lambda item: item.order)


def _read(text: str, name: str) -> tuple[list[Ignore], list[Diagnostic]]:
    """The comments that silence, and those that try to and lack something."""
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
            problems.append(Diagnostic("VSR010", "this comment does not say which code it silences", span, FORM))
        elif rest["code"] not in CODES:
            message = f"`{rest['code'][:40]}` is no code"
            problems.append(Diagnostic("VSR010", message, span, "`vsr-compile codes` lists them."))
        elif not rest["reason"]:
            problems.append(Diagnostic("VSR010", f"silencing {rest['code']} needs a reason", span, FORM))
        else:
            marks.append(Ignore(rest["code"], targets[comment.line], span))
    return marks, problems


def _targets(everything: list[Comment], places: Places) -> dict[int, int]:
    """The line that each line's comment speaks of: its own, or the next one that holds a value."""
    targets: dict[int, int] = {}
    for comment in reversed(everything):
        line = comment.line
        if comment.alone:
            line += 1
            while line not in targets and line < len(places.starts) and not places.content(line).strip():
                line += 1
            # Below may be another comment on a line of its own: then both speak of the same line.
            line = targets.get(line, line)
        targets[comment.line] = line
    return targets
