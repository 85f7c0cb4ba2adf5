"""How well a policy's examples hold together: each is put to the head as it would be without that example."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from vsr_compiler.heads.inputs import CategoryExamples
from vsr_compiler.heads.logistic import NONE, curvature, fit
from vsr_compiler.heads.train import PENALTY, train_samples, train_with_held_out
from vsr_compiler.heads.training_set import TrainingSet, embed_training_set
from vsr_runtime.inference.encoder import SentenceEncoder
from vsr_runtime.inference.head import Head

CONFIDENT = 0.5  # more likely than everything else together
_TOLERANCE = 2e-3  # of a coefficient: far less than what tells two categories apart


@dataclass(frozen=True, slots=True)
class WeakExample:
    """An example that the head, trained without it, puts elsewhere.

    Attributes:
        category: Where the policy has it.
        text: The example.
        found: Where the head puts it; None is "none of these".
        probability: Of ``category``, as that head sees it.
    """

    category: str
    text: str
    found: str | None
    probability: float


@dataclass(frozen=True, slots=True)
class LeaveOneOutReport:
    """Leave-one-out results over the categories' own examples; ``other``, names and descriptions are not counted.

    Attributes:
        count: Examples judged.
        accuracy: Share of them that land in their category.
        confusions: ``(category, found, how often)``, most frequent first.
        strays: The examples that land elsewhere, least likely first.
    """

    count: int
    accuracy: float
    confusions: tuple[tuple[str, str | None, int], ...]
    strays: tuple[WeakExample, ...]


def train_and_check(
    categories: Sequence[CategoryExamples], encoder: SentenceEncoder, inputs: str
) -> tuple[Head, tuple[WeakExample, ...]]:
    """Trains a head, and names the examples that it puts into another category, with confidence, when held out.

    Those are the weak examples: either they stand in the wrong category, or two categories are not told apart. What
    falls below half is left alone; examples at the edge of a subject are what a classifier learns most from.

    Raises:
        ValueError: There is no category to learn.
    """
    samples = embed_training_set(categories, encoder)
    head, held_out = train_with_held_out(samples, inputs)
    examples = {category.name: set(category.examples) for category in categories}
    strays = []
    for text, target, row in zip(samples.texts, samples.targets, held_out, strict=True):
        best = int(row.argmax())
        if target not in (NONE, best) and row[best] >= CONFIDENT and text in examples[samples.labels[target]]:
            strays.append(WeakExample(samples.labels[target], text, samples.labels[best], float(row[target])))
    return head, tuple(sorted(strays, key=lambda stray: (stray.probability, stray.category, stray.text)))


def leave_one_out_report(categories: Sequence[CategoryExamples], encoder: SentenceEncoder) -> LeaveOneOutReport:
    """Judges each example by a head trained on all the others; takes some seconds for hundreds of examples.

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
    strays = []
    for index, row in zip(judged, shares, strict=True):
        category = samples.labels[samples.targets[index]]
        best = int(row.argmax())
        found = samples.labels[best] if row[best] >= 1 - row.sum() else None
        if found != category:
            strays.append(WeakExample(category, samples.texts[index], found, float(row[samples.targets[index]])))
    strays.sort(key=lambda stray: (stray.probability, stray.category, stray.text))
    confusions = Counter((stray.category, stray.found) for stray in strays)
    ranked = sorted(confusions.items(), key=lambda item: (-item[1], item[0][0], item[0][1] or ""))
    return LeaveOneOutReport(
        count=len(judged),
        accuracy=1 - len(strays) / len(judged) if judged else 0.0,
        confusions=tuple((given, found, count) for (given, found), count in ranked),
        strays=tuple(strays),
    )


def _leave_one_out(samples: TrainingSet, judged: Sequence[int]) -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
    """Probabilities ``[judged, labels]`` of each sample under the head without it, in the whole head's calibration.

    Leaving a sample out only lessens the Hessian, so the whole set's bound serves every fit, and its solution is where
    each begins.
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
        )
        rows[row] = single.probabilities(samples.design[index : index + 1, :-1].astype(np.float32))[0]
    return rows
