"""Evaluates examples by leave-one-out: each is classified by a head trained without it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from vsr_compiler.heads.inputs import CategoryExamples
from vsr_compiler.heads.logistic import NONE, curvature, fit
from vsr_compiler.heads.train import PENALTY, prototypes, train_samples, train_with_held_out
from vsr_compiler.heads.training_set import TrainingSet, embed_training_set
from vsr_runtime.inference.encoder import SentenceEncoder
from vsr_runtime.inference.head import Head

CONFIDENT = 0.5  # more likely than everything else together
_TOLERANCE = 2e-3  # of a coefficient: far less than the difference between two categories


@dataclass(frozen=True, slots=True)
class WeakExample:
    """An example that a head trained without it assigns to another category.

    Attributes:
        category: Its category in the policy.
        text: The example.
        found: The category that the head assigns; None for "none of these".
        probability: The head's probability of ``category``.
    """

    category: str
    text: str
    found: str | None
    probability: float


@dataclass(frozen=True, slots=True)
class LeaveOneOutReport:
    """Leave-one-out results over the categories' own examples; ``other``, names and descriptions are not counted.

    Attributes:
        count: The number of examples.
        accuracy: The share of examples assigned to their category.
        confusions: ``(category, found, count)``, most frequent first.
        weak_examples: The examples assigned to another category, least likely first.
    """

    count: int
    accuracy: float
    confusions: tuple[tuple[str, str | None, int], ...]
    weak_examples: tuple[WeakExample, ...]


def train_and_check(
    categories: Sequence[CategoryExamples], encoder: SentenceEncoder, inputs: str
) -> tuple[Head, tuple[WeakExample, ...]]:
    """Train a head, and return the examples that it assigns to another category, with confidence, when held out.

    Those are the weak examples: either their category is wrong, or two categories are not separable. Assignments with a
    probability below one half are ignored, since a classifier learns most from examples at the edge of a subject.

    Raises:
        ValueError: There is no category to learn.
    """
    samples = embed_training_set(categories, encoder)
    head, held_out = train_with_held_out(samples, inputs)
    examples = {category.name: set(category.examples) for category in categories}
    weak_examples = []
    for text, target, row in zip(samples.texts, samples.targets, held_out, strict=True):
        best = int(row.argmax())
        if target not in (NONE, best) and row[best] >= CONFIDENT and text in examples[samples.labels[target]]:
            weak_examples.append(WeakExample(samples.labels[target], text, samples.labels[best], float(row[target])))
    return head, tuple(sorted(weak_examples, key=lambda weak: (weak.probability, weak.category, weak.text)))


def leave_one_out_report(categories: Sequence[CategoryExamples], encoder: SentenceEncoder) -> LeaveOneOutReport:
    """Classify each example by a head trained on all the others. Takes some seconds for hundreds of examples.

    Raises:
        ValueError: There is no category to learn.
    """
    samples = embed_training_set(categories, encoder)
    examples = {category.name: set(category.examples) for category in categories}
    judged = [
        index
        for index, (text, target) in enumerate(zip(samples.texts, samples.targets, strict=True))
        if target != NONE and text in examples[samples.labels[target]]
    ]
    shares = _leave_one_out(samples, judged)
    weak_examples = []
    for index, row in zip(judged, shares, strict=True):
        category = samples.labels[samples.targets[index]]
        best = int(row.argmax())
        found = samples.labels[best] if row[best] >= 1 - row.sum() else None
        if found != category:
            weak_examples.append(WeakExample(category, samples.texts[index], found, float(row[samples.targets[index]])))
    weak_examples.sort(key=lambda weak: (weak.probability, weak.category, weak.text))
    confusions = Counter((weak.category, weak.found) for weak in weak_examples)
    ranked = sorted(confusions.items(), key=lambda item: (-item[1], item[0][0], item[0][1] or ""))
    return LeaveOneOutReport(
        count=len(judged),
        accuracy=1 - len(weak_examples) / len(judged) if judged else 0.0,
        confusions=tuple((category, found, count) for (category, found), count in ranked),
        weak_examples=tuple(weak_examples),
    )


def _leave_one_out(samples: TrainingSet, judged: Sequence[int]) -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
    """Return the probabilities ``[judged, labels]`` of each sample under the head without it, calibrated as the whole.

    Leaving a sample out only reduces the Hessian, so every fit uses the bound of the whole set, and starts from its
    solution.
    """
    head = train_samples(samples, "")
    weights = samples.balanced()
    inverse = curvature(samples.design, weights, PENALTY)
    classes = len(samples.labels)
    whole = fit(samples.design, samples.targets, weights, classes, PENALTY, inverse=inverse)
    shift = head.bias - whole[-1]
    rows = np.empty((len(judged), classes), dtype=np.float32)
    for row, index in enumerate(judged):
        without = weights.copy()
        without[index] = 0
        part = fit(
            samples.design,
            samples.targets,
            without,
            classes,
            PENALTY,
            inverse=inverse,
            start=whole,
            tolerance=_TOLERANCE,
        )
        single = Head(
            labels=head.labels,
            weight=part[:-1].T.astype(np.float32),
            bias=(part[-1] + shift).astype(np.float32),
            temperature=head.temperature,
            inputs="",
            prototypes=prototypes(samples, np.arange(len(weights)) != index),
        )
        rows[row] = single.probabilities(samples.design[index : index + 1, :-1].astype(np.float32))[0]
    return rows
