"""`vsr-compile codes`."""

from __future__ import annotations

import pytest

from support.common import ROOT, call
from vsr_compiler.diagnostics import CODES
from vsr_compiler.diagnostics.page import PAGE


def test_the_list_has_every_code_with_its_severity_and_title() -> None:
    """One line each, sorted."""
    lines = call("codes").stdout.splitlines()
    assert [line[:6] for line in lines] == sorted(CODES)
    assert "VSR201  error    undefined name" in lines


@pytest.mark.parametrize("word", ["VSR201", "vsr201", "201"])
def test_a_code_is_explained_with_its_place_on_the_page(word: str) -> None:
    """Title, severity, meaning, fix, example and the section of the page, which exists."""
    code = CODES["VSR201"]
    text = call("codes", word).stdout
    lines = text.splitlines()
    assert lines[0] == "VSR201 (error): undefined name"
    assert f"\n{code.meaning}\n{code.reason}\n\nFix: {code.fix}\n" in text
    assert "    error VSR201: " in text
    page, anchor = lines[-1].split("#")
    assert f"\n### {anchor.upper()}\n" in (ROOT / page).read_text(encoding="utf-8")


@pytest.mark.parametrize(("word", "advice"), [("VSR20", "Did you mean `VSR2"), ("hello", "lists them")])
def test_an_unknown_code_is_usage_with_a_suggestion(word: str, advice: str) -> None:
    """Exit 2."""
    result = call("codes", word)
    assert (result.exit_code, result.stdout) == (2, "")
    assert advice in result.stderr


def test_the_page_is_printed_whole() -> None:
    """As it is committed; a code beside it is usage."""
    assert call("codes", "--markdown").stdout == (ROOT / PAGE).read_text(encoding="utf-8")
    assert call("codes", "VSR201", "--markdown").exit_code == 2
