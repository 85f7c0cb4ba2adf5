from __future__ import annotations

import numpy as np
import pytest

from vsr_compiler.heads.calibrate import Calibration, best_threshold, calibrate
from vsr_compiler.heads.logistic import NONE, softmax


def drawn(scale: float, offset: float, size: int = 4000):
    """Targets drawn from known probabilities, and logits that are off by a scale and an offset."""
    random = np.random.default_rng(3)
    true = random.normal(0, 2, (size, 2))
    shares = softmax(true)
    ends = shares.cumsum(axis=1)
    place = (random.random((size, 1)) > ends).sum(axis=1)
    return true / scale - offset, np.where(place == 2, NONE, place)


@pytest.mark.parametrize(("scale", "offset"), [(1, 0), (5, 0), (1, 2), (4, 0.5), (0.6, -1)])
def test_recovers_scale_and_offset(scale, offset):
    """Logits that are too flat, too steep or shifted are brought back to the probabilities that drew the targets."""
    logits, targets = drawn(scale, offset)
    found = calibrate(logits, targets, np.ones(len(targets)))
    assert found.temperature == pytest.approx(1 / scale, rel=0.12)
    assert found.shift == pytest.approx(offset, abs=0.15)


def test_nothing_held_out():
    """Without a labelled sample that counts, nothing is changed."""
    logits, targets = drawn(3, 1, 20)
    assert calibrate(logits, targets, np.zeros(20)) == Calibration(1.0, 0.0)
    assert calibrate(logits, np.full(20, NONE), np.ones(20)) == Calibration(1.0, 0.0)


def test_perfect_separation_stays_finite():
    """A few examples that separate perfectly do not claim certainty."""
    found = calibrate(np.array([[3.0], [2.0], [-2.0]]), np.array([0, 0, NONE]), np.ones(3))
    assert found.temperature >= 1 / 31
    assert np.isfinite(found.shift)


def test_weights_of_zero_do_not_count():
    """A sample that could not be held out has no say."""
    logits, targets = drawn(2, 0.5, 400)
    weights = np.ones(400)
    weights[:50] = 0
    spoilt = targets.copy()
    spoilt[:50] = (targets[:50] + 1) % 2
    assert calibrate(logits, spoilt, weights) == calibrate(logits, targets, weights)


def test_threshold_between_right_and_wrong():
    """Where right answers are surer than wrong ones the threshold lies in the middle of the gap."""
    shares = np.array([[0.8, 0.1], [0.1, 0.7], [0.3, 0.2], [0.2, 0.25]])
    threshold = best_threshold(shares, np.array([0, 1, NONE, NONE]), np.ones(4))
    assert threshold == pytest.approx(0.5, abs=0.02)


def test_wrong_label_is_not_right():
    """A wrong label counts against a low threshold only where none would have been right."""
    shares = np.array([[0.9, 0.0], [0.6, 0.0], [0.4, 0.0]])
    targets = np.array([0, 1, NONE])
    threshold = best_threshold(shares, targets, np.ones(3))
    assert 0.4 < threshold < 0.9


def test_weights_decide():
    """Where a label and none cannot both be right, the heavier one is."""
    shares, targets = np.array([[0.3], [0.6]]), np.array([0, NONE])
    assert best_threshold(shares, targets, np.array([3.0, 1.0])) <= 0.3
    assert best_threshold(shares, targets, np.array([1.0, 3.0])) > 0.6


def test_threshold_in_hundredths():
    """The threshold is a number that a person would write."""
    logits, targets = drawn(1, 0, 500)
    threshold = best_threshold(softmax(logits), targets, np.ones(500))
    assert threshold == round(threshold, 2)
    assert 0.05 <= threshold <= 0.9
