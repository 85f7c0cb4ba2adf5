"""GitHub annotations."""

from __future__ import annotations

from vsr_compiler.diagnostics import Diagnostic, Severity, Span
from vsr_compiler.diagnostics.formats.github import render


def test_a_finding_becomes_an_annotation_on_its_line() -> None:
    """The form that the runner reads: command, properties, message."""
    finding = Diagnostic("VSR201", "there is no model", Span("p.yaml", 3, 5, 3, 9), "Define it.")
    expected = "::error file=p.yaml,line=3,col=5,endLine=3,endColumn=9,title=VSR201::there is no model%0ADefine it.\n"
    assert render(["p.yaml"], [finding], {}) == expected


def test_severities_have_githubs_names() -> None:
    """A note is a notice there."""
    found = [Diagnostic("VSR235", "x", Span("p", line, 1), severity=level) for line, level in enumerate(Severity, 1)]
    heads = [line.split()[0] for line in render([], found, {}).splitlines()]
    assert heads == ["::notice", "::warning", "::error"]


def test_hostile_text_stays_inside_its_property_and_its_line() -> None:
    """Percent signs, breaks, colons and commas are escaped as the runner expects; nothing starts a second command."""
    finding = Diagnostic("VSR201", "50%\r\n::error::x", Span("a,b:c%\n.yaml", 1, 1), "")
    output = render([], [finding], {})
    assert output == "::error file=a%2Cb%3Ac%25%0A.yaml,line=1,col=1,title=VSR201::50%25%0D%0A::error::x\n"
    assert output.count("\n") == 1


def test_a_place_over_several_lines_has_no_end_column_and_one_without_lines_has_none() -> None:
    """GitHub refuses columns across lines."""
    output = render([], [Diagnostic("VSR201", "x", Span("p", 1, 2, 3, 4)), Diagnostic("VSR001", "y", Span("q"))], {})
    assert output == "::error file=p,line=1,col=2,endLine=3,title=VSR201::x\n::error file=q,title=VSR001::y\n"
    assert render(["p"], [], {}) == ""
