from __future__ import annotations

import numpy as np
import pytest

from vsr_compiler.heads.logistic import NONE, curvature, fit, one_hot, softmax, with_bias


@pytest.fixture
def blobs():
    """Three clouds of 20 points: two classes and what belongs to none."""
    random = np.random.default_rng(7)
    centres = np.array([[2, 0, 0], [0, 2, 0], [0, 0, 2]])
    points = np.vstack([random.normal(centre, 0.4, (20, 3)) for centre in centres])
    return with_bias(points), np.repeat(np.array([0, 1, NONE]), 20)


def gradient(design, targets, weights, penalty, found):
    """The gradient of the objective, written out anew."""
    residual = softmax(design @ found) - one_hot(targets, found.shape[1])
    ridge = np.full((design.shape[1], 1), penalty)
    ridge[-1] *= 0.01
    return design.T @ (weights[:, None] * residual) + ridge * found


@pytest.mark.parametrize("penalty", [0.01, 1.0, 30.0])
def test_finds_the_minimum(blobs, penalty):
    """At the solution the gradient of the objective is zero."""
    design, targets = blobs
    weights = np.linspace(0.2, 2, 60)
    found = fit(design, targets, weights, 2, penalty, tolerance=1e-10)
    assert np.abs(gradient(design, targets, weights, penalty, found)).max() < 1e-5


def test_separates(blobs):
    """Classes that lie apart are told apart, and none from both."""
    design, targets = blobs
    shares = softmax(design @ fit(design, targets, np.ones(60), 2, 0.1))
    none = 1 - shares.sum(axis=1)
    answers = np.where(none > shares.max(axis=1), NONE, shares.argmax(axis=1))
    assert (answers == targets).mean() > 0.95


def test_start_does_not_matter(blobs):
    """The objective has one minimum: every start leads there."""
    design, targets = blobs
    far = np.full((4, 2), 5.0)
    one = fit(design, targets, np.ones(60), 2, 1.0, tolerance=1e-9)
    two = fit(design, targets, np.ones(60), 2, 1.0, start=far, tolerance=1e-9)
    assert np.allclose(one, two, atol=1e-6)
    assert np.array_equal(far, np.full((4, 2), 5.0))


def test_shared_curvature_serves_smaller_weights(blobs):
    """The bound of all samples finds the same minimum when one is left out."""
    design, targets = blobs
    shared = curvature(design, np.ones(60), 1.0)
    without = np.ones(60)
    without[3] = 0
    ours = fit(design, targets, without, 2, 1.0, inverse=shared, tolerance=1e-9)
    anew = fit(np.delete(design, 3, 0), np.delete(targets, 3), np.ones(59), 2, 1.0, tolerance=1e-9)
    assert np.allclose(ours, anew, atol=1e-6)


def test_weight_is_repetition(blobs):
    """A sample of weight two counts as the sample given twice."""
    design, targets = blobs
    weights = np.ones(60)
    weights[5] = 2
    twice = np.vstack([design, design[5:6]]), np.append(targets, targets[5])
    assert np.allclose(
        fit(design, targets, weights, 2, 1.0, tolerance=1e-9),
        fit(*twice, np.ones(61), 2, 1.0, tolerance=1e-9),
        atol=1e-6,
    )


def test_nothing_to_learn_stays_finite(blobs):
    """Without a sample of none, or of a class, the coefficients stay finite."""
    design, targets = blobs
    only = targets == 0
    found = fit(design[only], targets[only], np.ones(20), 2, 1.0)
    assert np.isfinite(found).all()
    assert softmax(design[only] @ found)[:, 0].min() > 0.5


def test_softmax_has_a_rest():
    """Logit zero is the rest's: a label of logit zero shares evenly with it, and large logits do not overflow."""
    shares = softmax(np.array([[0.0], [1000.0], [-1000.0]]))
    assert np.allclose(shares[:, 0], [0.5, 1, 0])


def test_one_hot():
    """None has no column."""
    assert one_hot(np.array([1, NONE, 0]), 2).tolist() == [[0, 1], [0, 0], [1, 0]]
