"""Long texts in pieces: which tokens a window holds, and what several windows say together.

A text that is longer than a model's window is read in windows that overlap, so that nothing is skipped and what lies
across the edge of one lies whole in the next. The last window ends where the text ends and is as long as the others.
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
    """How long texts are read.

    Attributes:
        size: Tokens of text in a window, without special tokens.
        overlap: Tokens that two neighbours share at least; less than ``size``.
        whole: Whether all of a text is read; else its first window alone.
    """

    size: int
    overlap: int
    whole: bool

    def __post_init__(self) -> None:
        if not 0 <= self.overlap < self.size:
            raise ValueError(f"windows of {self.size} tokens cannot overlap by {self.overlap}")

    def cut(self, tokens: int) -> list[tuple[int, int]]:
        """The windows over so many tokens, as half-open ranges; a text without tokens is one empty window."""
        if tokens <= self.size or not self.whole:
            return [(0, min(tokens, self.size))]
        step = self.size - self.overlap
        begins = [*range(0, tokens - self.size, step), tokens - self.size]
        return [(begin, begin + self.size) for begin in begins]


@dataclass(frozen=True, slots=True)
class TokenLabels:
    """What a token classifier says of a text.

    Attributes:
        labels: In the order of the columns.
        offsets: Of each token, where it begins and ends in the text, in code points.
        probabilities: Shape ``[tokens, labels]``.
    """

    labels: tuple[str, ...]
    offsets: Sequence[tuple[int, int]]
    probabilities: Floats


def aggregate_windows(rows: Sequence[Floats], sizes: Sequence[int], aggregate: Aggregate) -> Floats:
    """What the windows of one text say of it.

    Args:
        rows: Each window's probabilities, shape ``[labels]``.
        sizes: Tokens of text in each window.
        aggregate: ``max`` takes each label's highest probability, so that one bad window among many is a bad text;
            several labels can be likely then, and they may add up to more than one. ``mean`` weighs windows by their
            tokens, and keeps the sum.
    """
    if aggregate == "max":
        highest: Floats = np.stack(rows).max(axis=0)
        return highest
    weights = np.maximum(np.array(sizes, dtype=np.float32), 1)
    mean: Floats = (np.stack(rows) * weights[:, None]).sum(axis=0) / weights.sum()
    return mean


def stitch(rows: Sequence[Floats], cuts: Sequence[tuple[int, int]]) -> Floats:
    """Token probabilities of a whole text from those of its windows.

    A token that lies in several windows is answered by the one that shows it the most of its surroundings: where it is
    farthest from an edge; of two equal ones, the first.

    Args:
        rows: Each window's, shape ``[tokens of the window, labels]``, special tokens removed.
        cuts: The windows, as ``Windows.cut`` gave them.
    """
    return np.concatenate(
        [row[a - begin : b - begin] for row, (begin, _), (a, b) in zip(rows, cuts, _owned(cuts), strict=True)]
    )


def _owned(cuts: Sequence[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """The part of each window that answers for its tokens: up to the middle of what it shares with the next one."""
    begin = cuts[0][0]
    for index, (_, end) in enumerate(cuts):
        last = index + 1 == len(cuts)
        # Of a shared range [s, end) a token t is t - s from the next window's edge and end - 1 - t from this one's.
        until = end if last else (cuts[index + 1][0] + end + 1) // 2
        yield begin, until
        begin = until
