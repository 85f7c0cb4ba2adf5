"""Masks findings in a document: their own characters are replaced, and every other byte stays as it was."""

from __future__ import annotations

import json
from collections.abc import Iterable

from vsr_runtime.decision.guards.guard_input import Hit, Matter
from vsr_runtime.decision.guards.leaves import Placed
from vsr_runtime.decision.guards.mask import Book
from vsr_runtime.decision.guards.text import Span


def masked(text: str, matter: Matter, hits: Iterable[Hit], book: Book) -> str:
    """The document with each finding replaced by a placeholder.

    A number becomes a text, since no number can say that it was one. Findings that overlap become one.

    Args:
        text: the document.
        matter: its texts.
        hits: what was found in them.
        book: of the request. It learns of the texts first, so that it gives no placeholder that stands there already.

    Raises:
        BookFullError: there are too many values.
    """
    for value in matter.texts:
        book.reserve(value)
    parts: list[str] = []
    last = 0
    for start, end, hit in _apart(matter, hits):
        leaf = matter.leaves[hit.leaf]
        value = leaf.value[hit.span.start : hit.span.end] if leaf.quoted else leaf.value
        given = book.give(hit.span.type, value)
        for _ in range(Placed(leaf).depth if leaf.quoted else 1):
            given = json.dumps(given)[1:-1]
        parts += [text[last:start], given if leaf.quoted else f'"{given}"']
        last = end
    return "".join([*parts, text[last:]])


def _apart(matter: Matter, hits: Iterable[Hit]) -> list[tuple[int, int, Hit]]:
    """The places of findings in the document, those that overlap joined, each with the longest finding in it."""
    placed = sorted(((*_place(matter, hit), hit) for hit in hits), key=lambda item: (item[0], -item[1]))
    found: list[tuple[int, int, Hit]] = []
    for start, end, hit in placed:
        if found and start < found[-1][1]:
            before, until, first = found[-1]
            # Two findings in one text become the whole of both; of a text inside the text the outer one is kept.
            if first.leaf == hit.leaf and end > until:
                span = first.span
                first = Hit(hit.leaf, Span(span.start, hit.span.end, span.type, span.score, span.rule))
            found[-1] = (before, max(until, end), first)
        else:
            found.append((start, end, hit))
    return found


def _place(matter: Matter, hit: Hit) -> tuple[int, int]:
    leaf = matter.leaves[hit.leaf]
    return matter.place(hit) if leaf.quoted else (leaf.start, leaf.start + len(leaf.raw))
