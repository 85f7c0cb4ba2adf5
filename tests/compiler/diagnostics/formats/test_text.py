"""Findings as people read them."""

from __future__ import annotations

from vsr_compiler.diagnostics import Diagnostic, Severity, Span
from vsr_compiler.diagnostics.formats.text import MAX_LINE, MAX_MESSAGE, render

SOURCE = {"p.yaml": "a: 1\nb: {c: wrong}\n"}


def test_a_finding_shows_its_place_the_line_and_the_way_out() -> None:
    """The form that every message has."""
    finding = Diagnostic("VSR103", "expected an integer", Span("p.yaml", 2, 8, 2, 13), "Write a number.")
    assert render([finding], SOURCE) == (
        "p.yaml:2:8: error VSR103: expected an integer\n"
        "   |\n"
        " 2 | b: {c: wrong}\n"
        "   |        ^^^^^\n"
        "  = help: Write a number.\n"
    )


def test_a_finding_without_a_place_has_no_excerpt() -> None:
    """A file that cannot be read has no line to show."""
    assert render([Diagnostic("VSR001", "no", Span("p.yaml"))], {}) == "p.yaml: error VSR001: no\n"


def test_findings_are_sorted_by_place() -> None:
    """Top to bottom, whatever the order in which they were found."""
    found = [Diagnostic("VSR101", str(line), Span("p.yaml", line, 1)) for line in (3, 1, 2)]
    assert [line.split(":")[1] for line in render(found, {}).splitlines()] == ["1", "2", "3"]


def test_colour_marks_the_severity() -> None:
    """Only where a terminal reads it."""
    finding = Diagnostic("VSR101", "x", Span("p.yaml", 1, 1), severity=Severity.WARNING)
    assert "\x1b[33mwarning VSR101\x1b[0m" in render([finding], {}, colour=True)


def test_hostile_text_cannot_reach_the_terminal_or_flood_it() -> None:
    """Control characters are replaced, long messages and lines are cut around the place."""
    line = "x" * 1000 + "HERE" + "y" * 1000 + "\x1b[31m"
    finding = Diagnostic("VSR101", "\x1b[2J" + "m" * 1000, Span("p.yaml", 1, 1001, 1, 1005))
    lines = render([finding], {"p.yaml": line}).splitlines()
    assert "\x1b" not in "".join(lines)
    assert len(lines[0]) < MAX_MESSAGE + 60
    assert len(lines[2]) <= MAX_LINE + 6
    start = lines[3].index("^")
    assert lines[2][start : start + 4] == "HERE"
    assert lines[3].strip("| ") == "^^^^"


def test_what_must_not_be_shown_is_stars_in_every_excerpt() -> None:
    """A log is kept and read by many; another finding on the same lines shows no more, and carets stay in place."""
    source = {"p.yaml": "a: [key-1, x]\nb: |\n  key-2\n  key-3\n"}
    found = [
        Diagnostic("VSR227", "a key", Span("p.yaml", 1, 5, 1, 10), hides=True),
        Diagnostic("VSR227", "keys", Span("p.yaml", 2, 4, 4, 8), hides=True),
        Diagnostic("VSR101", "x", Span("p.yaml", 1, 12, 1, 13)),
    ]
    shown = render(found, source)
    assert "key-" not in shown
    assert shown.count(" 1 | a: [*****, x]\n") == 2
    assert "   |            ^\n" in shown
