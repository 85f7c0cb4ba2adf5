"""Turns held-out logits into honest probabilities, and finds the threshold below which to answer none."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vsr_compiler.heads.logistic import NONE, Floats, Integers, one_hot, softmax

# Steepness, the inverse of the temperature. Beyond 30 the few examples that separate perfectly would claim certainty.
_STEEPNESS = np.geomspace(0.5, 30, 60)
_SHIFTS = 40  # halvings of the interval that holds the best shift: far below what a float32 shows
_REACH = 20.0


@dataclass(frozen=True, slots=True)
class Calibration:
    """Calibrated logits are ``(logits + shift) / temperature``. The shift moves all labels against none."""

    temperature: float = 1.0
    shift: float = 0.0


def calibrate(logits: Floats, targets: Integers, weights: Floats) -> Calibration:
    """Finds temperature and shift with the smallest weighted log loss on predictions that did not see their sample.

    A temperature alone cannot do: where a category has few examples, prompts not seen score far below those seen, so
    the border between a label and none lies elsewhere than training puts it.

    Args:
        logits: Shape ``[n, classes]``.
        targets: Shape ``[n]``.
        weights: Shape ``[n]``. Samples of weight 0 do not count; if none counts, nothing is changed.
    """
    if not (weights[targets != NONE] > 0).any():
        return Calibration()
    tried = (_with_shift(logits * steep, targets, weights, steep) for steep in map(float, _STEEPNESS))
    _, steep, moved = min(tried)
    return Calibration(temperature=1 / steep, shift=moved / steep)


def _with_shift(scaled: Floats, targets: Integers, weights: Floats, steep: float) -> tuple[float, float, float]:
    """The best shift for given logits, by bisection: the loss is convex in it. Gives (loss, steepness, shift)."""
    labelled = targets != NONE
    low, high = -_REACH * steep, _REACH * steep
    for _ in range(_SHIFTS):
        middle = (low + high) / 2
        slope = float(weights @ (softmax(scaled + middle).sum(axis=1) - labelled))
        low, high = (middle, high) if slope < 0 else (low, middle)
    moved = (low + high) / 2
    return _log_loss(softmax(scaled + moved), targets, weights), steep, moved


def _log_loss(probabilities: Floats, targets: Integers, weights: Floats) -> float:
    none = np.maximum(1 - probabilities.sum(axis=1), 0)
    chosen = (probabilities * one_hot(targets, probabilities.shape[1])).sum(axis=1)
    return float(-weights @ np.log(np.where(targets == NONE, none, chosen) + 1e-12))


def best_threshold(probabilities: Floats, targets: Integers, weights: Floats) -> float:
    """The threshold under which most held-out samples are answered as they should be, in hundredths.

    Right is the right label at or above the threshold, and for what belongs to none, no label. Each category counts
    alike and none as one of them. Of thresholds that do equally well the middle of the longest run is taken.
    """
    top = probabilities.max(axis=1)
    right_label = probabilities.argmax(axis=1) == targets
    grid = np.arange(5, 91) / 100
    answered = top[:, None] >= grid[None, :]
    right = np.where((targets == NONE)[:, None], ~answered, answered & right_label[:, None])
    score = np.round(weights @ right, 9)
    return float(grid[_middle_of_longest_run(score == score.max())])


def _middle_of_longest_run(flags: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> int:
    edges = np.flatnonzero(np.diff(np.concatenate([[0], flags.astype(np.int8), [0]])))
    starts, ends = edges[::2], edges[1::2]
    longest = int(np.argmax(ends - starts))
    return int((starts[longest] + ends[longest] - 1) // 2)
