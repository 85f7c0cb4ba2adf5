"""Pools the tokens of a text by learned attention, where their mean would dilute the few that decide.

An order to the assistant is often one sentence of a long mail. In the mean of all tokens little is left of it. A query
gives each token a weight instead: the softmax, over the text, of the product of token and query.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from hashlib import sha256

from vsr_runtime.inference.errors import ModelError, classify_extra

with classify_extra():
    import numpy as np
    from numpy.typing import NDArray

MOST_QUERIES = 64
"""Of a head: each costs a product with every token."""


@dataclass(frozen=True, eq=False)
class AttentionPooling:
    """A pooling of the tokens of the encoder's middle layer.

    Attributes:
        queries: Shape ``[queries, dimension]``, float32.
    """

    queries: NDArray[np.float32] = field(repr=False)

    def __post_init__(self) -> None:
        shape, size = self.queries.shape, self.queries.size
        if len(shape) != 2 or not size or shape[0] > MOST_QUERIES or not np.isfinite(self.queries).all():  # noqa: PLR2004 - a matrix
            raise ModelError("the queries of the classifier head are not a matrix; compile the policy again")

    @cached_property
    def key(self) -> str:
        """A name that equal poolings share, and no others."""
        return sha256(f"{self.queries.shape} ".encode() + np.ascontiguousarray(self.queries).tobytes()).hexdigest()

    @property
    def size(self) -> int:
        """The length of a pooled text."""
        return int(self.queries.size)

    def pooled(self, tokens: NDArray[np.float32]) -> NDArray[np.float32]:
        """Pool the tokens of one text.

        Args:
            tokens: Shape ``[tokens, dimension]``, at least one.

        Returns:
            Shape ``[queries * dimension]``: for each query the mean of the tokens, weighted by its attention.

        Raises:
            ModelError: The tokens are of another dimension: they come from another encoder.
        """
        if tokens.shape[1] != self.queries.shape[1]:
            raise ModelError(
                f"the classifier head takes tokens of {self.queries.shape[1]} numbers, the encoder gives "
                f"{tokens.shape[1]}; compile the policy again with --rebuild",
            )
        attention = tokens @ self.queries.T
        attention = np.exp(attention - attention.max(axis=0))
        attention /= attention.sum(axis=0)
        pooled: NDArray[np.float32] = (attention.T @ tokens).reshape(-1)
        return pooled
