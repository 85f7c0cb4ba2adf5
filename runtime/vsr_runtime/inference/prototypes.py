"""The prototypes of a classifier head: directions of topics, and how near a text is to those of each label."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from vsr_runtime.inference.errors import classify_extra

with classify_extra():
    import numpy as np
    from numpy.typing import NDArray

NONE = -1
"""The owner of prototypes of "none of these"."""
SHARPNESS = 20.0
"""How fast nearness falls with the angle: a topic at a cosine of 0.6 counts as much as 55 at 0.4.

Between 15 and 30 accuracy on prompts of others does not move by more than its error.
"""
_STEPS = 127  # of an int8; the error of a cosine stays below 0.01
_UNKNOWN = 0.3  # the cosine to "none of these" where a head has no prototypes of it: beyond it, texts share a subject


@dataclass(frozen=True, eq=False)
class Prototypes:
    """Directions of topics.

    Attributes:
        directions: Shape ``[prototypes, dimension]``, int8, each row a direction over its scale.
        scales: Shape ``[prototypes]``, float32: what makes a row a direction again.
        counts: Shape ``[prototypes]``, float32: the number of examples of the topic.
        owners: Shape ``[prototypes]``: the label's row, or ``NONE``.
    """

    directions: NDArray[np.int8] = field(repr=False)
    scales: NDArray[np.float32] = field(repr=False)
    counts: NDArray[np.float32] = field(repr=False)
    owners: NDArray[np.int64] = field(repr=False)

    @classmethod
    def of(cls, directions: NDArray[np.float64], counts: NDArray[np.float64], owners: NDArray[np.int64]) -> Prototypes:
        """Round directions, rows of length one, to int8."""
        scales = np.abs(directions).max(axis=1) / _STEPS
        rounded = np.rint(directions / scales[:, None]).astype(np.int8)
        return cls(rounded, scales.astype(np.float32), counts.astype(np.float32), owners)

    def fit(self, labels: int, dimension: int) -> bool:
        """Return whether the parts fit together and into a head."""
        count = len(self.owners)
        return (
            self.directions.shape == (count, dimension)
            and self.scales.shape == self.counts.shape == (count,)
            and bool(np.isfinite(self.scales).all() and np.isfinite(self.counts).all() and (self.counts > 0).all())
            and set(range(labels)) <= set(self.owners.tolist()) <= set(range(NONE, labels))
        )

    def nearness(self, embeddings: NDArray[np.float32], labels: int) -> NDArray[np.float32]:
        """Return how near texts are to the labels, less how near to none of them.

        Args:
            embeddings: Shape ``[n, dimension]``, rows of length one.
            labels: The number of labels.

        Returns:
            Shape ``[n, labels]``, in the unit of logits.
        """
        cosines = (embeddings @ self.directions.T.astype(np.float32)) * self.scales
        odds = np.exp(SHARPNESS * cosines) * self.counts
        member = self.owners[:, None] == np.array([*range(labels), NONE])
        totals = self.counts @ member
        if not member[:, -1].any():
            odds, totals[-1] = np.hstack([odds, np.full((len(odds), 1), np.exp(SHARPNESS * _UNKNOWN), odds.dtype)]), 1
            member = np.vstack([member, np.arange(labels + 1) == labels])
        sums = odds @ member
        near = np.log(sums / totals)
        difference: NDArray[np.float32] = (near[:, :-1] - near[:, -1:]).astype(np.float32)
        return difference

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return the arrays for a file, by name."""
        return {
            "prototypes": self.directions,
            "prototypes.owners": self.owners.astype(np.float32),
            "prototypes.scales": self.scales,
            "prototypes.counts": self.counts,
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> Prototypes | None:
        """Return the prototypes of a file; None if it has none.

        Raises:
            KeyError: a part is missing.
            ValueError: a part has another type.
        """
        if "prototypes" not in arrays:
            return None
        directions = arrays["prototypes"]
        if directions.dtype != np.int8:
            raise ValueError("prototypes are not int8")
        return cls(
            directions,
            arrays["prototypes.scales"].astype(np.float32),
            arrays["prototypes.counts"].astype(np.float32),
            arrays["prototypes.owners"].astype(np.int64),
        )
