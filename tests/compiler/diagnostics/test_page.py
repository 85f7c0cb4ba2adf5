"""The page of codes."""

from __future__ import annotations

from support.common import ROOT
from vsr_compiler.diagnostics import CODES
from vsr_compiler.diagnostics.page import markdown


def test_the_page_is_in_step_with_the_registry() -> None:
    """docs/codes.md is what the registry says; `python -c "…page import markdown…"` writes it anew."""
    assert (ROOT / "docs" / "codes.md").read_text(encoding="utf-8") == markdown()


def test_every_code_says_what_to_do() -> None:
    """A title is a phrase, advice ends as a sentence does."""
    for name, code in CODES.items():
        assert name[3:].isdigit()
        assert code.title
        assert code.title[-1] != "."
        assert code.advice.endswith(".")
