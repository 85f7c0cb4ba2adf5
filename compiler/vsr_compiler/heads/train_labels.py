"""Trains the head of a task of its own, and measures it on held-out topics.

Training is that of categories. What differs is what the threshold is for: a guard or a condition must not fire on texts
without a label. So with ``false_alarms`` it is the lowest one at which no more than that share of them got a label from
heads that had not seen their topic.

What differs from categories was measured on held-out topics of the shipped sets:

- **No prototypes.** A label is no subject: with nearness, a new topic of harmless texts that is near one attack is
  taken for an attack with certainty. For `injection@1` the area under the curve falls from 0.75 to 0.68.
- **Topics count by the root of their size**, so that a large topic does not outweigh several small ones: 0.75 to 0.77.
- **Texts without a label count twice** if they are background prompts only: of `feedback@1`, a quarter instead of an
  eighth of the texts get their label at 5 % false alarms.
- **The layer of the encoder is chosen** by the likelihood of held-out topics: the last one, or the middle one, which is
  better where a label is a way of speaking; see ``middle_layer``. With many examples, a head may attend to the tokens
  of the middle layer; see ``attention_head``.
- **What helps one set only is left out.** With the mean and the maximum of three layers, and more weight for families
  of a high loss, the area of held-out families of `injection@1` grows from 0.91 to 0.93. But on texts that were not
  part of any choice it falls: on `injection@2` from 0.79 to 0.74, on families written last from 0.91 to 0.89, where
  half as many attacks are found. Removing the directions that separate families changes nothing. Counts of words that
  name the assistant, its rules or its secrets are worth more, from 0.83 to 0.87 on `injection@2` and from 0.79 to 0.82
  from `injection@1` to it, but nothing on families written last.
- What changed less than the error of the measurement is left out: texts without punctuation or in parts, more weight
  for texts near the border, and other penalties. An average of several linear heads is a linear head.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from vsr_compiler.heads.attention_head import FEWEST, train_attention
from vsr_compiler.heads.held_out import AtThreshold, Measurement
from vsr_compiler.heads.label_set import embed_label_set
from vsr_compiler.heads.logistic import NONE, Floats
from vsr_compiler.heads.middle_layer import TwoLayers, middle_layer
from vsr_compiler.heads.train import Trained, train_by_topic
from vsr_compiler.heads.training_set import TrainingSet
from vsr_compiler.ir.labels import OTHER, LabelExamples
from vsr_runtime.inference.encoder import SentenceEncoder
from vsr_runtime.inference.head import Head

Flags = np.ndarray[tuple[int], np.dtype[np.bool_]]
_GRID = tuple(step / 20 for step in range(1, 20))
_RATES = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1)
"""Shares of false alarms whose thresholds a head knows, besides the one that it is trained for."""
_DIGITS = 4
_STEPS = 10_000
_BETTER = 0.97
"""Of the loss of the layer before: a smaller difference may be due to the machine."""
_SMALLEST = 1e-9


def train_labels(
    groups: Sequence[LabelExamples], encoder: SentenceEncoder, inputs: str, false_alarms: float | None
) -> Head:
    """Train a head.

    Args:
        groups: The examples by label; at least one label besides ``other``.
        encoder: The encoder, in the precision used for serving.
        inputs: From ``label_inputs``; stored in the head.
        false_alarms: The share of texts without a label that may get one; None for the threshold with most right
            results.
    """
    both = TwoLayers(encoder)
    samples = embed_label_set(groups, both)
    head, rows, seen = train_chosen_layer(samples, both, inputs)
    harmless = sum(len(group.examples) for group in groups if group.label == OTHER)
    judged = measured_samples(samples, harmless) & seen
    harmless_scores = rows.max(axis=1)[judged & (samples.targets == NONE)]
    threshold = head.threshold if false_alarms is None else threshold_for(harmless_scores, false_alarms)
    others = [threshold_for(harmless_scores, rate) for rate in _RATES]
    measured = measure(samples, rows, judged, [threshold, *others])
    return replace(head, threshold=threshold, measured=measured.to_text())


def train_chosen_layer(samples: TrainingSet, encoder: TwoLayers, inputs: str) -> Trained:
    """Return the head of the best layer: the last one unless another is clearly better on held-out topics."""
    chosen = train_by_topic(samples, inputs)
    scaled, scale = middle_layer(samples, encoder)
    middle = train_by_topic(scaled, inputs)
    chosen = _better(samples, chosen, middle._replace(head=scale.folded(middle.head)))
    if len(samples.texts) >= FEWEST:
        chosen = _better(samples, chosen, train_attention(samples, encoder, inputs))
    return chosen


def _better(samples: TrainingSet, first: Trained, other: Trained) -> Trained:
    losses = [loss(samples, one.rows, one.seen) for one in (first, other)]
    return other if losses[1] < _BETTER * losses[0] else first


def loss(samples: TrainingSet, rows: Floats, seen: Flags) -> float:
    """Return the mean of the negative log likelihood of held-out samples, weighted as in training."""
    rest = 1 - rows.sum(axis=1)
    index = np.arange(len(rows))
    own = np.where(samples.targets == NONE, rest, rows[index, np.maximum(samples.targets, 0)])
    weights = samples.balanced() * seen
    return float(-(weights @ np.log(np.maximum(own, _SMALLEST))) / max(weights.sum(), _SMALLEST))


def measured_samples(samples: TrainingSet, harmless: int) -> Flags:
    """Return which samples count: background prompts only if the policy has no texts without a label of its own."""
    judged = np.ones(len(samples.targets), dtype=bool)
    if harmless:
        judged[np.count_nonzero(samples.targets != NONE) + harmless :] = False
    return judged


def threshold_for(scores: Floats, false_alarms: float) -> float:
    """Return the lowest threshold, in ten-thousandths, that no more than a share of some scores reach.

    Args:
        scores: The probabilities of texts without a label.
        false_alarms: The share.
    """
    if not len(scores):
        return 1.0
    allowed = int(false_alarms * len(scores) + 1e-9)
    highest = float(np.sort(scores)[::-1][allowed]) if allowed < len(scores) else 0.0
    return min(1.0, (int(highest * _STEPS) + 1) / _STEPS)


def measure(samples: TrainingSet, rows: Floats, judged: Flags, thresholds: Sequence[float]) -> Measurement:
    """Return what held-out probabilities ``[n, labels]`` are worth, at some thresholds and at those of a grid."""
    top, best = rows.max(axis=1), rows.argmax(axis=1)
    labelled, none = judged & (samples.targets != NONE), judged & (samples.targets == NONE)
    right = labelled & (best == samples.targets)
    points = [
        AtThreshold(
            value,
            _share(right & (top >= value), labelled),
            _share(none & (top >= value), none),
        )
        for value in sorted({*_GRID, *(round(threshold, _DIGITS) for threshold in thresholds)})
    ]
    return Measurement(
        int(np.count_nonzero(labelled)),
        int(np.count_nonzero(none)),
        _share(right, labelled),
        tuple(points),
    )


def _share(part: Flags, whole: Flags) -> float:
    count = int(np.count_nonzero(whole))
    return round(int(np.count_nonzero(part)) / count, _DIGITS) if count else 0.0
