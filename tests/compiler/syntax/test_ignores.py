"""Comments that silence warnings."""

from __future__ import annotations

import pytest

from vsr_compiler.diagnostics import Diagnostic, Severity, Span
from vsr_compiler.syntax.ignores import silence

WARNING = Diagnostic("VSR235", "no route", Span("p", 2, 1))
ERROR = Diagnostic("VSR201", "no model", Span("p", 2, 1))


def left(text: str, *found: Diagnostic, complete: bool = True) -> list[tuple[str, int, int]]:
    """Codes and places of what is left."""
    return [(item.code, item.span.line, item.span.column) for item in silence(found, text, "p", complete=complete)]


@pytest.mark.parametrize(
    "text",
    [
        "a: 1\nb: 2 # vsr: ignore VSR235 it is planned\n",
        "# vsr: ignore VSR235 it is planned\nb: 2\n",
        "# vsr: ignore VSR235: it is planned\nb: 2\n",
        "#vsr:ignore VSR235 it is planned\nb: 2\n",
    ],
)
def test_a_warning_is_silenced_on_its_line_or_from_the_line_above(text: str) -> None:
    """With its code and a reason."""
    assert left(text, WARNING) == []


def test_several_comments_above_a_line_all_speak_of_it() -> None:
    """Two codes need two comments; other comments and blank lines may stand between."""
    text = "# vsr: ignore VSR235 one\n# vsr: ignore VSR236 two\n\n# why\nb: 2\n"
    found = [Diagnostic(code, "x", Span("p", 5, 1)) for code in ("VSR235", "VSR236", "VSR230")]
    assert left(text, *found) == [("VSR230", 5, 1)]


def test_another_code_another_line_and_another_file_are_not_silenced() -> None:
    """The ineffective comment is reported, too."""
    text = "a: 1 # vsr: ignore VSR235 x\nb: 2 # vsr: ignore VSR236 x\n"
    assert left(text, WARNING) == [("VSR009", 1, 6), ("VSR235", 2, 1), ("VSR009", 2, 6)]
    elsewhere = Diagnostic("VSR235", "no route", Span("q", 1, 1))
    assert ("VSR235", 1, 1) in left("a: 1 # vsr: ignore VSR235 x\n", elsewhere)


def test_an_error_cannot_be_silenced() -> None:
    """It stays, and the comment is reported, even if not every rule has run."""
    text = "a: 1\nb: 2 # vsr: ignore VSR201 please\n"
    for complete in (True, False):
        found = silence([ERROR], text, "p", complete=complete)
        assert [item.code for item in found] == ["VSR201", "VSR009"]
        assert "errors cannot be silenced" in found[1].message
        assert found[1].level is Severity.WARNING


def test_an_ineffective_comment_is_only_reported_after_every_rule_has_run() -> None:
    """A policy that does not link has no warnings yet."""
    assert left("a: 1 # vsr: ignore VSR235 x\n", complete=False) == []


MALFORMED = {
    "# vsr: ignore": "ignore comment without a code",
    "# vsr: ignore VSR235": "without a reason",
    "# vsr: ignore VSR999 because": "is not a code",
    "# vsr: ignore everything here": "is not a code",
}


@pytest.mark.parametrize("comment", MALFORMED)
def test_a_comment_without_a_code_or_a_reason_is_reported_and_silences_nothing(comment: str) -> None:
    """VSR010, at the comment's own place."""
    found = silence([WARNING], f"a: 1\nb: 2 {comment}\n", "p", complete=True)
    assert [item.code for item in found] == ["VSR235", "VSR010"]
    assert MALFORMED[comment] in found[1].message
    assert found[1].span == Span("p", 2, 6, 2, 6 + len(comment))


@pytest.mark.parametrize("line", ["b: '# vsr: ignore VSR235 x'", 'b: "# vsr: ignore VSR235 x"', "b: x#vsr:ignore"])
def test_a_hash_inside_a_value_is_no_comment(line: str) -> None:
    """Only the scanner knows."""
    assert left(f"a: 1\n{line}\n", WARNING) == [("VSR235", 2, 1)]
