"""Printing of the tree."""

from __future__ import annotations

from vsr_compiler.syntax.comments import BREAK
from vsr_compiler.syntax.fmt import scalars
from vsr_compiler.syntax.fmt.tree import Branch, Entry, Leaf, Remark

WIDTH = 120
"""A longer `[list]` or `{mapping}` is written with one entry per line."""
STEP = "  "


def block(branch: Branch, indent: str) -> list[str]:
    """Return a mapping or a list with one entry per line."""
    lines: list[str] = []
    for entry in branch.entries:
        shown = one(entry, indent)
        lines += shown if lines else shown[1:] if shown[0] == "" else shown
    return lines + remarks(branch.tail, indent)


def one(entry: Entry, indent: str) -> list[str]:
    """Return an entry with its comments. The first line is blank if the source has a blank line above it."""
    lines = remarks(entry.before, indent)
    if entry.gap:
        lines.append("")
    value, after = entry.value, f" {entry.after}" if entry.after else ""
    head = indent + ("-" if entry.key is None else f"{scalars.key(entry.key)}:")
    if isinstance(value, Leaf):
        return lines + _leaf(value, head, indent + STEP, after)
    text = flow(value)
    if text is not None and (not value.entries or len(head) + 1 + len(text) <= WIDTH):
        return [*lines, f"{head} {text}{after}"]
    anchor = f" &{value.anchor}" if value.anchor else ""
    below = block(value, indent + STEP)
    if entry.key is not None or anchor:
        return [*lines, f"{head}{anchor}{after}", *below]
    # There is no line for comments after a dash: they go above it.
    above = [indent + after[1:]] if after else []
    while below[0].lstrip(" ").startswith("#"):
        above.append(indent + below.pop(0).lstrip(" "))
    return [*lines, *above, f"{head} {below[0].lstrip(' ')}", *below[1:]]


def remarks(found: list[Remark], indent: str) -> list[str]:
    """Return comments on lines of their own, each with at most one blank line above."""
    lines: list[str] = []
    for remark in found:
        lines += ["", indent + remark.text] if remark.gap else [indent + remark.text]
    return lines


def flow(node: Leaf | Branch) -> str | None:
    """Return a node on one line; None if comments, line breaks or block style prevent it."""
    if isinstance(node, Leaf):
        text = scalars.one_line(node)
        return text if text is None or not node.anchor else f"&{node.anchor} {text}".rstrip()
    if not node.flow or node.tail or any(entry.before or entry.after for entry in node.entries):
        return None
    parts = []
    for entry in node.entries:
        value = flow(entry.value)
        if value is None:
            return None
        name = "" if entry.key is None else scalars.key(entry.key)
        parts.append(f"{name}: {value}" if name and value else name.rstrip() or value)
    anchor = f"&{node.anchor} " if node.anchor else ""
    return anchor + ("{%s}" if node.mapping else "[%s]") % ", ".join(parts)


def _leaf(leaf: Leaf, head: str, inner: str, after: str) -> list[str]:
    """Return a head and its scalar, on as many lines as it needs."""
    anchor = f" &{leaf.anchor}" if leaf.anchor else ""
    if leaf.style in {"|", ">"}:
        header, lines = scalars.block(leaf)
        return [f"{head}{anchor} {header}{after}", *(inner + line if line else "" for line in lines)]
    text = scalars.one_line(leaf) if not _folded(leaf) else None
    if text is not None:
        return [f"{head}{anchor} {text}".rstrip(" ") + after]
    first, *rest = scalars.several_lines(leaf)
    lines = [f"{head}{anchor} {first}", *(inner + line if line else "" for line in rest)]
    lines[-1] += after
    return lines


def _folded(leaf: Leaf) -> bool:
    """Return whether the value spans lines in the source."""
    return bool(BREAK.search(leaf.raw))
