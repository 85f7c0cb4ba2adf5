"""Calibrates probabilities on held-out logits, and finds the threshold below which there is no category."""

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
    """Find temperature and shift with the smallest weighted log loss on predictions that did not see their sample.

    A temperature alone is not sufficient: with few examples of a category, unseen prompts score far below seen ones, so
    the border between a label and none differs from the one found in training.

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
    """Find the best shift by bisection, since the loss is convex in it. Return (loss, steepness, shift)."""
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
    """Return the threshold with the most correct results on held-out samples, in hundredths.

    A result is correct if it is the right label at or above the threshold, or no label for a sample of no category.
    Every category has the same weight, and "none" counts as one. Of equally good thresholds, the middle of the longest
    run is used.
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
