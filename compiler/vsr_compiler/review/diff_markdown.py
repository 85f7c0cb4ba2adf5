"""Renders the diff as a pull-request comment: a hidden marker, a summary, folded details, limited in size.

The content of an earlier output is untrusted: none of it becomes markup, a mention or the end of a block.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from vsr_compiler.diagnostics.formats.text import clip
from vsr_compiler.review.diff_text import MARKS, STEP_WIDTH, WIDTH, field_lines, summary, title
from vsr_compiler.review.markdown_text import escaped as _text
from vsr_schemas.reports_diff import DiffReport, FileChange

LIMIT = 60_000
"""Maximum bytes. GitHub accepts 65,536 characters per comment."""
FEW, MOST = 5, 50
"""Up to how many files without field changes are listed unfolded, and how many form one folded list."""
CUT = 400  # bytes reserved for the notice about the cut


def marker(policy: str) -> str:
    """Return the hidden first line by which a workflow finds its earlier comment."""
    return f"<!-- vsr-compile diff: {re.sub(r'[^a-z0-9-]', '-', policy)} -->"


def markdown(report: DiffReport) -> str:
    """Return the comment, below ``LIMIT`` bytes."""
    parts: list[str] = [marker(report.policy), f"\n### Routing policy {_text(report.policy)}\n\n"]
    if not report.different:
        return "".join([*parts, f"Nothing changes against {_text(report.against)}.\n"])
    parts.append(f"Against {_text(report.against)}: {_text(summary(report))}.\n\n")
    size = sum(len(part.encode()) for part in parts)
    blocks = [*_traffic(report), *_rollout(report), *_files(report)]
    for number, block in enumerate(blocks):
        size += len(block.encode())
        if size > LIMIT - CUT:
            parts.append(f"\n**Cut here:** {len(blocks) - number} more. `vsr-compile diff` shows all of it.\n")
            break
        parts.append(block)
    return "".join(parts)


def _traffic(report: DiffReport) -> Iterator[str]:
    for change in report.traffic:
        mark = f"🔴 **{_text(change.breaking)}:** " if change.breaking else ""
        yield f"- {mark}{_text(change.text)}\n"
    if not report.traffic:
        yield "Nothing changes for traffic.\n"


def _rollout(report: DiffReport) -> Iterator[str]:
    """Yield the effects on what runs, each with its steps as one block."""
    if report.rollout:
        yield "\n**Rollout**\n\n"
    for effect in report.rollout:
        mark = f"🔴 **{_text(effect.breaking)}:** " if effect.breaking else ""
        steps = (f"   {number}. {_text(step, STEP_WIDTH)}\n" for number, step in enumerate(effect.steps, 1))
        yield "".join((f"- {mark}{_text(effect.text)}\n", *steps))


def _files(report: DiffReport) -> Iterator[str]:
    """Yield a folded block per file, then lists of files without field changes, folded if long.

    Each block is complete, so a cut between two blocks leaves valid Markdown.
    """
    bare = []
    for change in report.files:
        head = f"<code>{MARKS[change.change]} {_text(title(change))}</code>"
        if change.fields:
            yield f"\n<details><summary>{head}</summary>\n\n{_block(change)}\n</details>\n"
        else:
            bare.append(f"- {head}\n")
    for start in range(0, len(bare), MOST):
        lines = bare[start : start + MOST]
        text = f"\n{''.join(lines)}"
        yield text if len(bare) <= FEW else f"\n<details><summary>{len(lines)} files</summary>\n{text}\n</details>\n"


def _block(change: FileChange) -> str:
    lines = "\n".join(clip(line, WIDTH) for line in field_lines(change))
    runs = re.findall(r"`+", lines)
    fence = "`" * max(3, 1 + max(map(len, runs), default=0))
    return f"{fence}diff\n{lines}\n{fence}\n"
