"""Long texts in pieces that a model can read, and what the pieces say of the whole.

Windows overlap, so that what is cut by the end of one lies whole within the next. Nothing is left out, and nothing is
averaged: an attack within a thousand harmless words is an attack.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from runtime.guards.text import Span


def windows(length: int, size: int, overlap: int) -> list[tuple[int, int]]:
    """Ranges that cover so many tokens: each of ``size`` at most, ``overlap`` shared with the one before.

    The last one is moved back to be as long as the others: a model tells more from more.

    Raises:
        ValueError: the overlap leaves no step forward.
    """
    if not 0 <= overlap < size:
        raise ValueError(f"windows of {size} tokens cannot overlap by {overlap}")
    if length <= size:
        return [(0, length)] if length else []
    starts = [*range(0, length - size, size - overlap), length - size]
    return [(start, start + size) for start in starts]


def strongest(scores: Iterable[float]) -> float:
    """What the windows say of the whole text: the highest score; 0 where there is no window."""
    return max(scores, default=0.0)


def joined(found: Sequence[Sequence[Span]]) -> list[Span]:
    """The spans of all windows, already in the whole text's offsets, each once.

    Of spans of one type that overlap, two windows saw the same thing: the union stays, with the higher score.
    """
    kept: dict[str, Span] = {}
    done: list[Span] = []
    for span in sorted((span for window in found for span in window), key=lambda span: (span.start, span.end)):
        before = kept.get(span.type)
        if before is not None and span.start < before.end:
            score = max(before.score, span.score)
            span = Span(before.start, max(before.end, span.end), span.type, score, span.rule)  # noqa: PLW2901 - one of two
        elif before is not None:
            done.append(before)
        kept[span.type] = span
    return sorted([*done, *kept.values()], key=lambda span: (span.start, span.end, span.type))
