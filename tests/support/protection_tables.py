"""Writes the tables of protocols and known checkpoints in docs/reference/guards.md from their data.

python tests/support/protection_tables.py
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from vsr_compiler.releases.checkpoints import CHECKPOINTS, KnownCheckpoint
from vsr_schemas.inference_servers import PROTOCOLS

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "guards.md"
HEADS = ("| protocol | request |", "| task | repository |")


def tables() -> list[list[str]]:
    """The rows of both tables."""
    protocols = [
        f"| `{name}` | {facts.title}: `POST {facts.path}` | {', '.join(f'`{task}`' for task in sorted(facts.tasks))} "
        f"| {facts.window} |"
        for name, facts in PROTOCOLS.items()
    ]
    return [protocols, [_row(one) for one in CHECKPOINTS]]


def _row(one: KnownCheckpoint) -> str:
    mark = "" if one.confirmed else " ?"
    cells = [
        f"`{one.task}`",
        f"`{one.repo}`",
        f"`{one.revision}`" if one.revision else "?",
        one.size,
        one.licence or "?",
        one.languages,
        one.device,
        ", ".join(f"`{label}`" for label in one.labels) + mark,
        "router" if one.loadable else "server",
    ]
    return f"| {' | '.join(cells)} |"


def written(text: str, rows: Sequence[Sequence[str]]) -> str:
    """The page with these rows."""
    lines = text.split("\n")
    for head, own in zip(HEADS, rows, strict=True):
        start = next(number for number, line in enumerate(lines) if line.startswith(head)) + 2
        end = next(number for number in range(start, len(lines)) if not lines[number])
        lines[start:end] = own
    return "\n".join(lines)


if __name__ == "__main__":
    PAGE.write_text(written(PAGE.read_text(encoding="utf-8"), tables()), encoding="utf-8")
