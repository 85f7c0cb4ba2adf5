"""Multinomial logistic regression with an L2 penalty, in NumPy, with "none of these" as the class of logit zero.

Minimises ``sum_i w_i · loss_i + penalty / 2 · |W|²`` with Nesterov's accelerated steps under Böhning's fixed bound of
the Hessian (Böhning 1992): no line search, no randomness, and a few dozen products of small matrices.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

NONE = -1
"""The target for "none of these"."""

_BIAS_SHARE = 0.01  # of the penalty falls on the bias: enough to keep it finite where a class has no sample
_STEPS = 2000


def softmax(logits: Floats) -> Floats:
    """Return probabilities of shape ``[n, classes]``, with a further class of logit zero that has no column."""
    peak = np.maximum(logits.max(axis=1, keepdims=True), 0)
    odds = np.exp(logits - peak)
    shares: Floats = odds / (odds.sum(axis=1, keepdims=True) + np.exp(-peak))
    return shares


def one_hot(targets: Integers, classes: int) -> Floats:
    """Return rows of zeros with a one at the target; all zeros for ``NONE``."""
    hot: Floats = (targets[:, None] == np.arange(classes)[None, :]).astype(np.float64)
    return hot


def with_bias(embeddings: NDArray[np.float32] | Floats) -> Floats:
    """Return the design matrix ``[n, dimension + 1]``: a last column of ones carries the bias."""
    return np.hstack([embeddings, np.ones((len(embeddings), 1))]).astype(np.float64)


def curvature(design: Floats, weights: Floats, penalty: float) -> Floats:
    """Return the inverse of the Hessian's bound, shape ``[dimension + 1] * 2``. It is valid for smaller weights."""
    bound = 0.5 * (design.T * weights) @ design
    bound[np.diag_indices_from(bound)] += _ridge(design.shape[1], penalty)
    return np.linalg.inv(bound).astype(np.float64)


def fit(
    design: Floats,
    targets: Integers,
    weights: Floats,
    classes: int,
    penalty: float,
    *,
    inverse: Floats | None = None,
    start: Floats | None = None,
    tolerance: float = 1e-6,
) -> Floats:
    """Fit the coefficients.

    Args:
        design: Shape ``[n, dimension + 1]``, from ``with_bias``.
        targets: Shape ``[n]``: class numbers, or ``NONE``.
        weights: Shape ``[n]``, not negative.
        classes: The number of classes, without "none".
        penalty: Strength of the L2 penalty, in units of samples.
        inverse: From ``curvature``, if several fits share it.
        start: Initial coefficients.
        tolerance: Stop when no coefficient changes by more in a step.

    Returns:
        Shape ``[dimension + 1, classes]``.
    """
    if inverse is None:
        inverse = curvature(design, weights, penalty)
    ridge = _ridge(design.shape[1], penalty)[:, None]
    expected = one_hot(targets, classes)
    current = np.zeros((design.shape[1], classes)) if start is None else start
    ahead, momentum = current, 1.0
    for _ in range(_STEPS):
        residual = weights[:, None] * (softmax(design @ ahead) - expected)
        following = ahead - inverse @ (design.T @ residual + ridge * ahead)
        step = following - current
        if float(((ahead - following) * step).sum()) > 0:
            momentum = 1.0  # overshot: restart the acceleration
        grown = (1 + np.sqrt(1 + 4 * momentum**2)) / 2
        ahead = following + (momentum - 1) / grown * step
        current, momentum = following, grown
        if float(np.abs(step).max()) < tolerance:
            break
    return current


def _ridge(width: int, penalty: float) -> Floats:
    ridge = np.full(width, penalty)
    ridge[-1] *= _BIAS_SHARE
    return ridge
