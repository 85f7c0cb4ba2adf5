"""Long texts in overlapping pieces, because servers cut or refuse what is longer than their model reads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

OVERLAP = 8
"""Part of a piece that the next one repeats: an eighth."""
MAX_PIECES = 2048
"""Pieces of one evaluation. More would take longer than any request may wait."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a text.

    Attributes:
        number: the text's number.
        start: where it begins there.
        text: the part.
    """

    number: int
    start: int
    text: str


class TooManyPiecesError(Exception):
    """The texts have more pieces than are read in one evaluation."""


def cut(texts: Sequence[str], window: int) -> list[Piece]:
    """Cut texts into pieces of at most ``window`` characters. Blank texts have none.

    Raises:
        TooManyPiecesError: there are too many.
    """
    pieces: list[Piece] = []
    step = window - window // OVERLAP
    for number, text in enumerate(texts):
        if not text.strip():
            continue
        starts = range(0, max(1, len(text) - window // OVERLAP), step)
        if len(pieces) + len(starts) > MAX_PIECES:
            raise TooManyPiecesError
        pieces += [Piece(number, start, text[start : start + window]) for start in starts]
    return pieces
