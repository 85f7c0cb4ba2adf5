"""Replacement of the top-level sections that a conversion changed. Every other character stays."""

from __future__ import annotations

from dataclasses import replace

from vsr_compiler.syntax.fmt import show
from vsr_compiler.syntax.fmt.tree import Branch, Entry, Source


def patched(source: Source, root: Branch) -> str | None:
    """Return the text with the entries of another root; None if one of them has no place in the text."""
    text, old = source.places.text, source.root.entries
    begins = [_begin(source, entry) for entry in old]
    tail = [remark.offset for remark in source.root.tail]
    end = _line_start(source, min(tail)) if tail else len(text)
    ends = [*begins[1:], end]
    places = {entry.start: index for index, entry in enumerate(old)}
    newline = "\r\n" if "\r\n" in text else "\n"
    parts = [text[: begins[0]]] if begins else [text]
    for entry in root.entries:
        index = places.get(entry.start)
        if index is None:
            return None
        part = text[begins[index] : ends[index]]
        if entry is not old[index]:
            head = text[begins[index] : old[index].start]
            own = [remark for remark in entry.before if remark.offset >= entry.start or remark.offset < 0]
            lines = show.one(replace(entry, before=own, gap=False), " " * root.column)
            body = newline.join(lines)[root.column :]
            part = head + body + (part[len(part.rstrip()) :] or newline)
        parts.append(part)
    parts.append(text[end:])
    return "".join(parts)


def _begin(source: Source, entry: Entry) -> int:
    """Return the beginning of the line of an entry, or of the first comment above it."""
    above = [remark.offset for remark in entry.before if 0 <= remark.offset < entry.start]
    return _line_start(source, min([entry.start, *above]))


def _line_start(source: Source, offset: int) -> int:
    return source.places.starts[source.places.line(offset) - 1]
