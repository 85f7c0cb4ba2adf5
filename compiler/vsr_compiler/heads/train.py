"""Trains a classifier head from a policy's categories.

Softmax regression on embeddings of each category's examples, name and description, with equal weight for each category,
plus nearness to the topics that the examples form.

- **Strength**: the penalty is 1, as if every coefficient had a standard normal prior. It is not searched for: between
  0.1 and 3 held-out accuracy moves by less than its error, and a search on few examples would follow noise.
- **Other** is no class: its examples, and background prompts that resemble no category, train the implicit class
  "none of these" of logit zero. A class of its own pulls requests of other categories towards it, since what it holds
  has nothing in common; and a policy with one category needs something to tell it from.
- **Prototypes**: prompts of one category are not one cloud, and a plane through all of them is wrong at the borders:
  with nearness, three in a hundred more prompts of others get the right label.
- **Calibration**: temperature, and a shift of all labels against none, from predictions of held-out topics. Held-out
  examples would promise too much: they look like their neighbours, and prompts of others do not look
  like any example.
- **Threshold**: under which most held-out examples are answered as they should be; see ``best_threshold``.

The same inputs in any order give the same bytes on one machine; another machine may differ in the last bits.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from vsr_compiler.heads.calibrate import best_threshold, calibrate
from vsr_compiler.heads.inputs import CategoryExamples
from vsr_compiler.heads.logistic import NONE, Floats, Integers, curvature, fit, softmax
from vsr_compiler.heads.topics import Groups, means
from vsr_compiler.heads.training_set import TrainingSet, embed_training_set
from vsr_runtime.inference.encoder import SentenceEncoder
from vsr_runtime.inference.head import Head
from vsr_runtime.inference.prototypes import Prototypes

Flags = np.ndarray[tuple[int], np.dtype[np.bool_]]
PENALTY = 1.0
FOLDS = 10


class Trained(NamedTuple):
    """A head, measured on held-out topics.

    Attributes:
        head: The head, trained from all samples.
        rows: Shape ``[n, labels]``: the probabilities of each sample by a head trained without its topic.
        seen: Shape ``[n]``: which samples could be held out.
    """

    head: Head
    rows: Floats
    seen: Flags


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
    by_topic, seen = held_out_logits(samples, whole, topic_folds(samples.topics)[samples.topics.of])
    calibration = calibrate(by_topic, samples.targets, weights * seen)
    by_sample, seen = held_out_logits(samples, whole, _sample_folds(samples))
    calibrated = softmax((by_sample + calibration.shift) / calibration.temperature)
    head = Head(
        labels=samples.labels,
        weight=np.ascontiguousarray(whole[:-1].T, dtype=np.float32),
        bias=(whole[-1] + calibration.shift).astype(np.float32),
        temperature=calibration.temperature,
        inputs=inputs,
        threshold=best_threshold(calibrated, samples.targets, weights * seen),
        prototypes=prototypes(samples),
    )
    return head, calibrated


def train_by_topic(samples: TrainingSet, inputs: str) -> Trained:
    """Train a head.

    All that is fitted on held-out samples, the calibration and the threshold, is fitted on held-out topics.
    """
    weights = samples.balanced()
    whole = fit(samples.design, samples.targets, weights, len(samples.labels), PENALTY)
    logits, seen = held_out_logits(samples, whole, topic_folds(samples.topics)[samples.topics.of])
    calibration = calibrate(logits, samples.targets, weights * seen)
    rows = softmax((logits + calibration.shift) / calibration.temperature)
    head = Head(
        labels=samples.labels,
        weight=np.ascontiguousarray(whole[:-1].T, dtype=np.float32),
        bias=(whole[-1] + calibration.shift).astype(np.float32),
        temperature=calibration.temperature,
        inputs=inputs,
        threshold=best_threshold(rows, samples.targets, weights * seen),
        prototypes=prototypes(samples),
    )
    return Trained(head, rows, seen)


def prototypes(samples: TrainingSet, kept: Flags | None = None) -> Prototypes | None:
    """Return the prototypes of the samples that are kept: the mean direction of each cluster."""
    if samples.clusters is None:
        return None
    used = np.ones(len(samples.targets), dtype=bool) if kept is None else kept
    groups = samples.clusters
    sizes = groups.sizes(used).astype(np.float64)
    directions = means(samples.design[used, :-1], groups.of[used], len(groups.owners))
    there = sizes > 0
    return Prototypes.of(directions[there], sizes[there], groups.owners[there])


def held_out_logits(samples: TrainingSet, whole: Floats, fold_of: Integers) -> tuple[Floats, Flags]:
    """Return the logits of each sample under a head trained without its fold, and which samples could be held out.

    A sample whose whole category is in one fold cannot be held out.
    """
    logits = np.zeros((len(samples.targets), len(samples.labels)))
    seen = testable(samples, fold_of)
    for fold in range(FOLDS):
        held = (fold_of == fold) & seen
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
                tolerance=1e-3,
            )
            near = prototypes(samples, ~held)
            texts = samples.design[held]
            logits[held] = texts @ part
            if near is not None:
                logits[held] += near.nearness(texts[:, :-1].astype(np.float32), len(samples.labels))
    return logits, seen


def testable(samples: TrainingSet, fold_of: Integers) -> Flags:
    """Return which samples can be held out: not those of a category that is in one fold as a whole."""
    seen: Flags = samples.targets == NONE
    for target in range(len(samples.labels)):
        own = samples.targets == target
        seen |= own & (len(np.unique(fold_of[own])) > 1)
    return seen


def _sample_folds(samples: TrainingSet) -> Integers:
    """Deal the samples of each target to the folds, in their order."""
    folds = np.zeros(len(samples.targets), dtype=np.int64)
    for target in np.unique(samples.targets):
        own = np.flatnonzero(samples.targets == target)
        folds[own] = np.arange(len(own)) % FOLDS
    return folds


def topic_folds(topics: Groups, count: int = FOLDS) -> Integers:
    """Return the fold of each topic: the largest topic of a category first, each into the emptiest fold.

    A topic that several categories have by the same name is in one fold.
    """
    sizes = topics.sizes()
    folds = np.full(len(topics.owners), -1, dtype=np.int64)
    for target in np.unique(topics.owners):
        filled = np.zeros(count)
        own = np.flatnonzero(topics.owners == target)
        for topic in own[np.argsort(-sizes[own], kind="stable")]:
            shared = folds[topics.shared(topic)].max()
            folds[topic] = filled.argmin() if shared < 0 else shared
            filled[folds[topic]] += sizes[topic]
    return folds
