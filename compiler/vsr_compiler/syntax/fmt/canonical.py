"""Formatting of a policy.

Two spaces, top-level sections in a fixed order, one blank line between blocks, double quotes, no trailing spaces. The
order inside mappings and lists is kept. Plain scalars stay plain, so that no value changes its type.
"""

from __future__ import annotations

from collections import Counter

from vsr_compiler.diagnostics import CompileError, Diagnostic, Span
from vsr_compiler.syntax.comments import Comment, comments
from vsr_compiler.syntax.document import load
from vsr_compiler.syntax.fmt import show
from vsr_compiler.syntax.fmt.attach import attach
from vsr_compiler.syntax.fmt.tree import Entry, Remark, Source, grow
from vsr_compiler.syntax.nodes import Mapping, Node, Scalar, Sequence

ORDER = (
    *("apiVersion", "kind", "metadata", "imports", "router", "gateway", "gitops", "endpoints", "models", "classifiers"),
    *("categories", "signals", "guards", "routes", "default", "assertions", "tests", "residency"),
    "environments",
)
TOGETHER = ORDER[:3]
"""Sections at the head of every object, without blank lines between them."""
MODELINES = ("# yaml-language-server:", "# -*-", "# vim:", "#!")


def canonical(text: str, name: str) -> str:
    """Format a policy.

    Args:
        text: The text of the policy.
        name: The name of its file in messages.

    Raises:
        CompileError: VSR0xx or VSR103, as every other command reports them. VSR012 if the result would not have the
            meaning and the comments of the text, so that the text must not be replaced.
    """
    document = load(text, name)
    source = grow(text, name)
    attach(source)
    result = "\n".join(_whole(source)) + "\n"
    if not _equivalent(document.root, source.comments, result):
        hint = "Simplify anchors, comments and line breaks near each other. The file was not changed."
        message = "the layout cannot be formatted without a change of meaning or a lost comment"
        raise CompileError([Diagnostic("VSR012", message, Span(name), hint)])
    return result


def _equivalent(root: Node, remarks: list[Comment], result: str) -> bool:
    """Return whether a formatted text has the same data and the same comments as its source."""
    try:
        formatted = load(result, "formatted")
    except CompileError:
        return False
    return _same(root, formatted.root) and _texts(remarks) == _texts(comments(result))


def _whole(source: Source) -> list[str]:
    root = source.root
    if not root.entries:
        return [*show.remarks(root.tail, ""), "{}"]
    head = _head(root.entries[0])
    entries = root.entries if source.order_matters else sorted(root.entries, key=_rank)
    if entries[0] is not root.entries[0] and (more := _head(entries[0])):
        more[0].gap |= bool(head) and not _modeline(head[-1])
        head += more
    lines = show.remarks(head, "")
    lines = lines[1:] if lines and not lines[0] else lines
    previous: tuple[str, int] | None = None
    for entry in entries:
        gap = entry.before[0].gap if entry.before else entry.gap
        shown = show.one(entry, "")
        shown = shown[1:] if shown[0] == "" else shown
        key = entry.key.text if entry.key else ""
        if previous is None:
            blank = bool(lines) and (gap or not _modeline(head[-1]))
        else:
            above, height = previous
            blank = max(height, len(shown)) > 1 and not (key in TOGETHER and above in TOGETHER and not entry.before)
        lines += ["", *shown] if blank else shown
        previous = key, len(shown)
    return lines + show.remarks(root.tail, "")


def _head(first: Entry) -> list[Remark]:
    """Remove and return the comments about the whole file: all above a blank line, and instructions to tools."""
    gaps = [index for index, remark in enumerate(first.before) if index and remark.gap]
    count = len(first.before) if first.gap else gaps[-1] if gaps else 0
    while count < len(first.before) and _modeline(first.before[count]):
        count += 1
    head, first.before = first.before[:count], first.before[count:]
    return head


def _modeline(remark: Remark) -> bool:
    return remark.text.startswith(MODELINES)


def _rank(entry: Entry) -> int:
    name = entry.key.text if entry.key else ""
    return ORDER.index(name) if name in ORDER else len(ORDER)


def _same(one: Node, other: Node) -> bool:
    """Return whether two documents are equal, including quotes, except for the order of mappings."""
    if isinstance(one, Scalar) and isinstance(other, Scalar):
        return (one.text, one.plain) == (other.text, other.plain)
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return one.entries.keys() == other.entries.keys() and all(
            _same(value, other.entries[key][1]) for key, (_, value) in one.entries.items()
        )
    if isinstance(one, Sequence) and isinstance(other, Sequence):
        return len(one.items) == len(other.items) and all(map(_same, one.items, other.items))
    return False


def _texts(comments: list[Comment]) -> Counter[str]:
    return Counter(comment.text for comment in comments)
