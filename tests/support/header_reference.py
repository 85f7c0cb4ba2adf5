"""The tables of ``docs/reference/headers.md`` about headers that other components act on.

Run ``python tests/support/header_reference.py`` to rewrite the tables in the page; a test compares both.
"""

from __future__ import annotations

import re
import sys

from support.common import ROOT
from vsr_schemas.obeyed_headers import COMPONENTS, Component, ObeyedHeader, Treatment

PAGE = ROOT / "docs" / "reference" / "headers.md"
_TABLE = re.compile(r"(<!-- component: (?P<name>\S*) -->\n\n).*?(<!-- end -->)", re.DOTALL)


def releases(header: ObeyedHeader) -> str:
    """The releases that read a header."""
    if header.since and header.until:
        return f"{header.since} to {header.until}"
    if header.since:
        return f"from {header.since}"
    return f"to {header.until}" if header.until else "all"


def treatment(header: ObeyedHeader) -> str:
    """What happens to a client's header, with the reason to keep it."""
    return "removed" if header.treatment is Treatment.STRIP else f"kept: {header.reason}"


def table(component: Component) -> str:
    """The source and the table of one component."""
    rows = [
        (
            f"`{header.name}{'*' if header.prefix else ''}`",
            releases(header),
            header.effect,
            treatment(header),
            f"`{header.source}`",
        )
        for header in component.headers
    ]
    head = [("header", "releases", "the component …", "a client's", "source"), ("---",) * 5]
    lines = "".join(f"| {' | '.join(row)} |\n" for row in [*head, *rows])
    title = component.title[0].upper() + component.title[1:]
    return f"{title}: {component.project}, `{component.tag}`.\n\n{lines}"


def page(current: str) -> str:
    """The page with the tables of today."""
    tables = {component.name: table(component) for component in COMPONENTS}
    return _TABLE.sub(lambda match: f"{match[1]}{tables[match['name']]}\n{match[3]}", current)


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
    sys.stdout.write(f"{PAGE.relative_to(ROOT)}\n")
