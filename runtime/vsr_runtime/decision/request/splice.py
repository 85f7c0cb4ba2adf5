"""Changes places of a text and leaves every other character as it was."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from itertools import pairwise

from vsr_runtime.decision.fast_dataclass import light
from vsr_runtime.decision.request.body import Span


@light(frozen=True, slots=True)
class Splice:
    """What stands from ``start`` to ``end`` becomes ``text``."""

    start: int
    end: int
    text: str = ""


def spliced(text: str, splices: Iterable[Splice]) -> str:
    """The text with all splices done.

    Raises:
        ValueError: two of them overlap, so that neither order would be right.
    """
    ordered = sorted(splices, key=lambda splice: (splice.start, splice.end))
    if any(after.start < before.end for before, after in pairwise(ordered)):
        raise ValueError("splices overlap")
    parts: list[str] = []
    at = 0
    for splice in ordered:
        parts += [text[at : splice.start], splice.text]
        at = splice.end
    return "".join([*parts, text[at:]])


def removed(spans: Sequence[Span], which: Collection[int]) -> list[Splice]:
    """Take items out of a list or an object, each with the one comma that then is too many.

    A comma goes with the item behind it; those at the front, which have none before them, take the one that follows.
    """
    splices: list[Splice] = []
    first_kept = next((i for i in range(len(spans)) if i not in which), len(spans))
    for i in sorted(which):
        span = spans[i]
        if i > first_kept:
            splices.append(Splice(spans[i - 1].end, span.end))
        else:
            splices.append(Splice(span.start, spans[i + 1].start if i + 1 < len(spans) else span.end))
    return splices


def inserted(opened: int, items: Sequence[str], *, alone: bool) -> list[Splice]:
    """Put items first into a list or an object that opens before ``opened``; ``alone`` where nothing else stays."""
    text = ",".join(items)
    return [Splice(opened, opened, text if alone else text + ",")] if items else []
