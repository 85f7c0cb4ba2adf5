"""Links between pages of the documentation lead to a file, and to a heading that it has."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from support.common import ROOT

PAGES = ["README.md", "CONTRIBUTING.md", *sorted(str(path.relative_to(ROOT)) for path in (ROOT / "docs").rglob("*.md"))]
_LINK = re.compile(r"\]\((?![a-z]+:)([^)#\s]*)(?:#([^)\s]*))?\)")
_CODE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)


def anchors(path: Path) -> set[str]:
    """The anchors of a page as GitHub makes them of headings, and those that it sets by itself."""
    text = path.read_text(encoding="utf-8")
    headings = re.findall(r"^#+ (.*)$", _CODE.sub("", text), re.MULTILINE)
    plain = [re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).lower() for heading in headings]
    made = {re.sub(r"[^\w\- ]", "", heading).replace(" ", "-") for heading in plain}
    return made | set(re.findall(r'<a id="([^"]+)">', text))


@pytest.mark.parametrize("page", PAGES)
def test_every_link_of_a_page_leads_somewhere(page: str) -> None:
    """Relative links only: others need a network."""
    broken = []
    for target, anchor in _LINK.findall(_CODE.sub("", (ROOT / page).read_text(encoding="utf-8"))):
        path = ((ROOT / page).parent / target).resolve() if target else ROOT / page
        if not path.exists() or (anchor and anchor not in anchors(path)):
            broken.append(f"{target}#{anchor}")
    assert broken == []


def test_every_page_is_in_the_index() -> None:
    """A page that nothing lists is not found."""
    index = (ROOT / "docs" / "README.md").read_text(encoding="utf-8")
    listed = {link.partition("#")[0] for link in re.findall(r"\]\(([^)]+)\)", index)}
    pages = {str(path.relative_to(ROOT / "docs")) for path in (ROOT / "docs").rglob("*.md")} - {"README.md"}
    assert pages - listed == set()
