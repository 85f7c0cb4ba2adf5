"""Windows over long texts, and the combination of their results.

A text longer than a model's window is read in overlapping windows, so that nothing is skipped and what is cut by the
edge of one window is complete in the next. The last window ends where the text ends and is as long as the others.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from vsr_runtime.inference.errors import classify_extra

with classify_extra():
    import numpy as np
    from numpy.typing import NDArray

Aggregate = Literal["max", "mean"]
Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Windows:
    """How long texts are cut.

    Attributes:
        size: Tokens of text in a window, without special tokens.
        overlap: Tokens that two neighbours share at least; less than ``size``.
        whole: Whether the whole text is read; else only its first window.
    """

    size: int
    overlap: int
    whole: bool

    def __post_init__(self) -> None:
        if not 0 <= self.overlap < self.size:
            raise ValueError(f"windows of {self.size} tokens cannot overlap by {self.overlap}")

    def cut(self, tokens: int) -> list[tuple[int, int]]:
        """The windows over a number of tokens, as half-open ranges; an empty text is one empty window."""
        if tokens <= self.size or not self.whole:
            return [(0, min(tokens, self.size))]
        step = self.size - self.overlap
        begins = [*range(0, tokens - self.size, step), tokens - self.size]
        return [(begin, begin + self.size) for begin in begins]


@dataclass(frozen=True, slots=True)
class TokenLabels:
    """Token probabilities of a text.

    Attributes:
        labels: In the order of the columns.
        offsets: Start and end of each token in the text, in code points.
        probabilities: Shape ``[tokens, labels]``.
    """

    labels: tuple[str, ...]
    offsets: Sequence[tuple[int, int]]
    probabilities: Floats


def aggregate_windows(rows: Sequence[Floats], sizes: Sequence[int], aggregate: Aggregate) -> Floats:
    """Combine the results of the windows of one text.

    Args:
        rows: Each window's probabilities, shape ``[labels]``.
        sizes: Tokens of text in each window.
        aggregate: ``max`` takes each label's highest probability, so that one bad window makes the text bad; the sum
            may exceed one. ``mean`` weighs windows by their tokens, and keeps the sum.
    """
    if aggregate == "max":
        highest: Floats = np.stack(rows).max(axis=0)
        return highest
    weights = np.maximum(np.array(sizes, dtype=np.float32), 1)
    mean: Floats = (np.stack(rows) * weights[:, None]).sum(axis=0) / weights.sum()
    return mean


def stitch(rows: Sequence[Floats], cuts: Sequence[tuple[int, int]]) -> Floats:
    """Token probabilities of a whole text from those of its windows.

    A token in several windows gets the result of the window that shows most of its context: where it is farthest from
    an edge; of two equal ones, the first.

    Args:
        rows: Those of each window, shape ``[tokens of the window, labels]``, special tokens removed.
        cuts: The windows, from ``Windows.cut``.
    """
    return np.concatenate(
        [row[a - begin : b - begin] for row, (begin, _), (a, b) in zip(rows, cuts, _owned(cuts), strict=True)]
    )


def _owned(cuts: Sequence[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """The part of each window whose tokens it answers for: up to the middle of its overlap with the next one."""
    begin = cuts[0][0]
    for index, (_, end) in enumerate(cuts):
        last = index + 1 == len(cuts)
        # Of a shared range [s, end) a token t is t - s from the next window's edge and end - 1 - t from this one's.
        until = end if last else (cuts[index + 1][0] + end + 1) // 2
        yield begin, until
        begin = until
