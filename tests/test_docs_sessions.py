"""Console sessions of the documentation print what the page says."""

from __future__ import annotations

import difflib
from pathlib import Path

import pytest

from support.common import ROOT
from support.doc_sessions import PAGES, agrees, played, steps


@pytest.mark.subprocess
@pytest.mark.parametrize("page", PAGES)
def test_every_command_of_a_page_prints_what_the_page_says(page: str, tmp_path: Path) -> None:
    """`python tests/support/doc_sessions.py` writes today's output into the page."""
    text = (ROOT / page).read_text(encoding="utf-8")
    changes = difflib.unified_diff(text.splitlines(), played(text, tmp_path).splitlines(), page, "today", lineterm="")
    assert "\n".join(changes) == ""


@pytest.mark.parametrize(
    ("expected", "actual", "result"),
    [
        (["a … c"], ["a b c"], True),
        (["a … c"], ["a b"], False),
        (["a", "…", "d"], ["a", "b", "c", "d"], True),
        (["a", "…"], ["b"], False),
        ([], [], True),
        ([], ["a"], False),
    ],
)
def test_an_ellipsis_stands_for_text_that_varies(expected: list[str], actual: list[str], *, result: bool) -> None:
    """Within a line for any text, alone for any lines."""
    assert agrees(expected, actual) is result


def test_a_command_may_continue_on_the_next_line() -> None:
    """A backslash at the end of a line continues the command."""
    assert list(steps("$ a \\\n    b\nout\n$ c\n")) == [(["$ a \\", "    b"], ["out"]), (["$ c"], [])]
