"""Findings as Markdown, for a pull request or a ticket."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from vsr_compiler.diagnostics.codes import CODES
from vsr_compiler.diagnostics.formats.text import MAX_MESSAGE, clip, place
from vsr_compiler.diagnostics.model import Diagnostic, Severity


def render(policies: Sequence[str], found: Iterable[Diagnostic], sources: Mapping[str, str]) -> str:
    """Return a section for each severity, with a list of findings in each; errors come first.

    Args:
        policies: The files that were read.
        found: The findings.
        sources: Not needed here: places are enough for readers who have the files.
    """
    del sources
    items = sorted(found, key=lambda item: item.order)
    lines = [f"Read: {', '.join(_code(name) for name in policies) or 'nothing'}."]
    for level in sorted(Severity, reverse=True):
        same = [item for item in items if item.level is level]
        if not same:
            continue
        lines += ["", f"## {len(same)} {level.word}{'s' * (len(same) > 1)}", ""]
        lines += [_line(item) for item in same]
    if not items:
        lines += ["", "Everything was carried over."]
    return "\n".join(lines) + "\n"


def _line(item: Diagnostic) -> str:
    text = clip(f"{item.message[:1].upper()}{item.message[1:]}. {item.hint}".strip(), 2 * MAX_MESSAGE)
    return f"- {_code(place(item))} **{item.label}** ({CODES[item.code].title}): {_escaped(text)}"


def _code(text: str) -> str:
    return f"`{clip(text, MAX_MESSAGE).replace('`', ' ')}`"


def _escaped(text: str) -> str:
    """Return a text without HTML and links of its own. Code in backticks stays."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace("[", "\\[").replace("|", "\\|")
