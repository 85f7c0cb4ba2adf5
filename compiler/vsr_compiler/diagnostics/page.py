"""The registry as a page for people: ``docs/codes.md`` is made here, and a test keeps it in step."""

from __future__ import annotations

from collections.abc import Mapping

from vsr_compiler.diagnostics.codes import CODES, Code

GROUPS = {"0": "Text", "1": "Schema", "2": "Meaning", "3": "Targets", "4": "Links", "5": "Output", "9": "Our own fault"}
PAGE = "docs/codes.md"
HEAD = """\
# Codes

Every message of `vsr-compile` bears one. An error stops the compile and nothing is written; a warning does not. A code
never changes its meaning and is never used again. This page is made from the registry: `vsr-compile codes --markdown`.
"""


def markdown(codes: Mapping[str, Code] = CODES) -> str:
    """The page."""
    parts = [HEAD]
    for digit, title in GROUPS.items():
        rows = [
            f'| <a id="{anchor(name)}"></a>{name} | {code.severity} | {code.title} | {code.advice} |'
            for name, code in sorted(codes.items())
            if name[3] == digit
        ]
        if rows:
            parts.append(f"\n## {title}\n\n| code | severity | what it is | what to do |\n|---|---|---|---|\n")
            parts.append("\n".join(rows) + "\n")
    return "".join(parts)


def anchor(name: str) -> str:
    """Where the page speaks of a code."""
    return name.lower()
