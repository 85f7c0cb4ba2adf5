"""Trains a classifier head from a policy's categories.

Softmax regression on embeddings of each category's examples, name and description, with equal weight for each category.

- **Strength**: the penalty is 1, as if every coefficient had a standard normal prior. It is not searched for: between
  0.1 and 3 held-out accuracy moves by less than its error, and a search on few examples would follow noise.
- **Other** is no class: its examples, and background prompts that resemble no category, train the implicit class
  "none of these" of logit zero. A class of its own pulls requests of other categories towards it, since what it holds
  has nothing in common; and a policy with one category needs something to tell it from.
- **Calibration**: temperature, and a shift of all labels against none, from predictions of held-out examples.
- **Threshold**: under which most held-out examples are answered as they should be; see ``best_threshold``.

The same inputs in any order give the same bytes on one machine; another machine may differ in the last bits.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from vsr_compiler.heads.calibrate import best_threshold, calibrate
from vsr_compiler.heads.inputs import CategoryExamples
from vsr_compiler.heads.logistic import NONE, Floats, curvature, fit, softmax
from vsr_compiler.heads.training_set import TrainingSet, embed_training_set
from vsr_runtime.inference.encoder import SentenceEncoder
from vsr_runtime.inference.head import Head

PENALTY = 1.0
FOLDS = 10


def train(categories: Sequence[CategoryExamples], encoder: SentenceEncoder, inputs: str) -> Head:
    """Train a head.

    Args:
        categories: At least one besides ``other``, with at least one example each.
        encoder: The encoder, in the precision used for serving.
        inputs: From ``inputs_hash``; stored in the head.

    Raises:
        ValueError: There is no category to learn.
    """
    return train_samples(embed_training_set(categories, encoder), inputs)


def train_samples(samples: TrainingSet, inputs: str) -> Head:
    """Train a head from a training set."""
    return train_with_held_out(samples, inputs)[0]


def train_with_held_out(samples: TrainingSet, inputs: str) -> tuple[Head, Floats]:
    """Return a head, and the probabilities ``[n, labels]`` of each sample under a head trained without its fold."""
    weights = samples.balanced()
    whole = fit(samples.design, samples.targets, weights, len(samples.labels), PENALTY)
    logits, seen = held_out_logits(samples, whole)
    counted = weights * seen
    calibration = calibrate(logits, samples.targets, counted)
    calibrated = softmax((logits + calibration.shift) / calibration.temperature)
    head = Head(
        labels=samples.labels,
        weight=np.ascontiguousarray(whole[:-1].T, dtype=np.float32),
        bias=(whole[-1] + calibration.shift).astype(np.float32),
        temperature=calibration.temperature,
        inputs=inputs,
        threshold=best_threshold(calibrated, samples.targets, counted),
    )
    return head, calibrated


def held_out_logits(samples: TrainingSet, whole: Floats) -> tuple[Floats, np.ndarray[tuple[int], np.dtype[np.bool_]]]:
    """Return the logits of each sample under a head trained without its fold, and which samples could be held out.

    A sample's fold follows from its rank within its category, and ranks follow the texts' digests: folds are balanced
    and the same at every compile. The only text of a category cannot be held out.
    """
    logits = np.zeros((len(samples.targets), len(samples.labels)))
    fold_of = samples.ranks % FOLDS
    sizes = np.array([np.count_nonzero(samples.targets == target) for target in samples.targets])
    testable = (samples.targets == NONE) | (sizes > 1)
    for fold in range(FOLDS):
        held = (fold_of == fold) & testable
        if held.any():
            weights = samples.balanced(~held)
            inverse = curvature(samples.design, weights, PENALTY)
            part = fit(
                samples.design,
                samples.targets,
                weights,
                len(samples.labels),
                PENALTY,
                inverse=inverse,
                start=whole,
                tolerance=1e-4,
            )
            logits[held] = samples.design[held] @ part
    return logits, testable
