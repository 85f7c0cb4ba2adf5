"""The registry of codes and its reference page."""

from __future__ import annotations

import pytest

from support.common import ROOT
from vsr_compiler.diagnostics import CODES
from vsr_compiler.diagnostics.codes import Kind, Stage
from vsr_compiler.diagnostics.page import PAGE, markdown


def test_page_is_what_the_registry_generates(*, update_golden: bool) -> None:
    """`vsr-compile codes --markdown > docs/reference/codes.md` writes it."""
    if update_golden:
        (ROOT / PAGE).write_text(markdown(), encoding="utf-8")
    assert (ROOT / PAGE).read_text(encoding="utf-8") == markdown()


@pytest.mark.parametrize("name", CODES)
def test_every_entry_is_complete(name: str) -> None:
    """A title is a short phrase; everything else consists of sentences."""
    code = CODES[name]
    assert name[3:].isdigit()
    assert code.title
    assert not code.title.endswith(".")
    assert len(code.title) <= 60
    for text in (code.meaning, code.reason, code.fix):
        assert text.endswith(".")
        assert len(text) <= 240
    assert (code.example.kind is Kind.COMMAND) == bool(code.example.output)
    if code.example.output:
        assert f"{code.severity} {name}: " in code.example.output


def test_every_section_of_the_page_has_the_code_as_its_anchor() -> None:
    """Links to a code keep working when its title changes."""
    lines = markdown().splitlines()
    assert [line for line in lines if line.startswith("### ")] == [f"### {name}" for name in sorted(CODES, key=_order)]


def test_comments_may_silence_what_only_later_stages_report() -> None:
    """`check` cannot know whether such a comment is effective."""
    later = {name for name, code in CODES.items() if code.reported_after_check}
    assert {"VSR237", "VSR251", "VSR311", "VSR402"} <= later
    assert not {"VSR235", "VSR250", "VSR309", "VSR312", "VSR502"} & later
    assert all(CODES[name].stage not in {Stage.SCHEMA, Stage.LINK, Stage.ANALYSIS, Stage.OUTPUT} for name in later)


def _order(name: str) -> tuple[int, str]:
    groups = ("0", "1", "2", "3", "467", "5", "9")
    return next(index for index, digits in enumerate(groups) if name[3] in digits), name
