"""Assignment of comments to nodes: the entry below, the entry before it on its line, or the end of a block."""

from __future__ import annotations

from vsr_compiler.syntax.comments import Comment
from vsr_compiler.syntax.fmt.tree import Branch, Entry, Leaf, Remark, Source

BLOCK_SCALARS = frozenset("|>")


def attach(source: Source) -> None:
    """Assign every comment of the source to a node of its tree."""
    walker = _Walker(source)
    walker.branch(source.root, 0, len(source.places.text), None)
    source.root.tail += walker.before(len(source.places.text) + 1)


class _Walker:
    """Walks the tree in file order and assigns comments on the way."""

    def __init__(self, source: Source) -> None:
        self._places = source.places
        self._left = list(reversed(source.comments))

    def before(self, offset: int) -> list[Remark]:
        """Return the comments up to an offset."""
        remarks = []
        while self._left and self._left[-1].offset < offset:
            remarks.append(self._remark(self._left.pop()))
        return remarks

    def branch(self, node: Branch, least: int, until: int, limit: int | None) -> None:
        """Assign comments to a mapping or a list.

        Args:
            node: The branch.
            least: The smallest column (from 0) of a comment that can belong to the end of this block.
            until: The beginning of the next entry outside.
            limit: The end of the flow collection around it, if there is one.
        """
        if node.flow:
            limit = node.end
        for index, entry in enumerate(node.entries):
            follows = node.entries[index + 1].start if index + 1 < len(node.entries) else until
            self._entry(entry, node, follows, limit)
        if node.flow:
            node.tail += self.before(node.end)
            return
        least = max(least, node.column)
        while (comment := self._next(until)) and comment.alone and comment.column > least:
            node.tail.append(self._remark(self._left.pop()))

    def _entry(self, entry: Entry, parent: Branch, until: int, limit: int | None) -> None:
        entry.before = self.before(entry.start)
        entry.gap = self._blank_above(self._places.line(entry.start))
        value = entry.value
        if isinstance(value, Branch) and not value.flow:
            if entry.key is not None and (comment := self._next(value.entries[0].start)):
                self._behind(entry, comment, self._places.line(entry.key.end))
            self.branch(value, parent.column + 1, until, limit)
            _lift(entry)
            return
        inside = value.end if isinstance(value, Leaf) or not value.entries else value.start
        while self._next(inside):
            self._take(entry)
        if isinstance(value, Branch):
            self.branch(value, 0, until, limit)
            _lift(entry)
        elif value.style in BLOCK_SCALARS:
            return
        comment = self._next(until if limit is None else min(until, limit))
        if comment and not self._places.text[value.end : comment.offset].strip(" \t,]}"):
            self._behind(entry, comment, self._places.line(value.end))

    def _behind(self, entry: Entry, comment: Comment, line: int) -> None:
        """Assign a comment at the end of this line."""
        if comment.line == line:
            self._take(entry)

    def _take(self, entry: Entry) -> None:
        """Put the next comment after the entry, or above it if there is already one after it."""
        comment = self._left.pop()
        if entry.after:
            entry.before.append(Remark(comment.text, offset=comment.offset))
        else:
            entry.after = comment.text

    def _next(self, offset: int) -> Comment | None:
        return self._left[-1] if self._left and self._left[-1].offset < offset else None

    def _remark(self, comment: Comment) -> Remark:
        return Remark(comment.text, comment.alone and self._blank_above(comment.line), comment.offset)

    def _blank_above(self, line: int) -> bool:
        return line > 1 and not self._places.content(line - 1).strip()


def _lift(entry: Entry) -> None:
    """Move comments above the first entry of a list item, as in `- [ # comment`, above the item."""
    value = entry.value
    if entry.key is None and isinstance(value, Branch) and value.entries and (first := value.entries[0]).before:
        entry.before += first.before
        entry.gap = first.gap
        first.before = []
