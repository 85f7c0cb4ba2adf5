"""The training set of a head: embedded texts, weighted so that every category counts the same."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vsr_compiler.heads.background import BACKGROUND
from vsr_compiler.heads.inputs import OTHER, CategoryExamples, labels
from vsr_compiler.heads.logistic import NONE, Floats, Integers, with_bias
from vsr_compiler.heads.topics import Groups, clusters, topics
from vsr_runtime.inference.encoder import SentenceEncoder

# Prompts of different subjects have a cosine of 0.05 ± 0.08 in MiniLM; beyond 0.3 they share one.
RESEMBLES = 0.3
_TOPIC = 10
_FEWEST_TOPICS = 4
PROTOTYPES = 256
"""Of a head at most: 120 kB, 160 kB in a ConfigMap, which `kubectl apply` copies into an annotation of 256 KiB."""
_FEWEST_CLUSTERS = 2
FEWEST_TEXTS = 20
"""Of each category, before prototypes are used: with fewer, one word in common would decide."""


@dataclass(frozen=True, eq=False)
class TrainingSet:
    """Labelled embeddings, category by category, then those of no category.

    Attributes:
        labels: The categories; targets are indices of it, or ``NONE``.
        texts: The embedded texts.
        design: Shape ``[n, dimension + 1]``, see ``with_bias``.
        targets: Shape ``[n]``.
        topics: Texts about the same part of a subject, which are held out together.
        clusters: Texts whose mean direction is one prototype; None if a category has too few texts for prototypes.
        emphasis: Shape ``[n]``: how much a text counts within its category; None if all count the same.
        none_weight: How much texts of no category count together, where there is an emphasis.
    """

    labels: tuple[str, ...]
    texts: tuple[str, ...]
    design: Floats
    targets: Integers
    topics: Groups
    clusters: Groups | None
    emphasis: Floats | None = None
    none_weight: float = 1.0

    def balanced(self, kept: NDArray[np.bool_] | None = None) -> Floats:
        """Return weights that give each category, and none, the weight of one of mean size; 0 for samples not kept."""
        used = np.ones(len(self.targets), dtype=bool) if kept is None else kept
        size = np.count_nonzero(used & (self.targets != NONE)) / len(self.labels)
        weights = np.zeros(len(self.targets))
        for target in np.unique(self.targets[used]):
            group = used & (self.targets == target)
            weights[group] = size / np.count_nonzero(group)
            if self.emphasis is not None:
                shares = self.emphasis[group] / self.emphasis[group].mean()
                weights[group] *= shares * (self.none_weight if target == NONE else 1)
        return weights


def embed_training_set(categories: Sequence[CategoryExamples], encoder: SentenceEncoder) -> TrainingSet:
    """Embed the categories' texts, and the background prompts that resemble none of them.

    Raises:
        ValueError: No category but ``other`` is given, or two have the same name.
    """
    names = labels(categories)
    by_name = {category.name: category for category in categories}
    if not names or len(by_name) != len(categories):
        raise ValueError("a head needs at least one category other than 'other', each with a name of its own")
    groups = [by_name[name].texts for name in names]
    rest = by_name[OTHER].texts if OTHER in by_name else ()
    known = encoder.embed([text for group in groups for text in group])
    outside = encoder.embed(BACKGROUND)
    foreign = (outside @ known.T).max(axis=1) < RESEMBLES
    groups.append(rest + tuple(text for text, keep in zip(BACKGROUND, foreign, strict=True) if keep))
    targets = np.repeat([*range(len(names)), NONE], [len(group) for group in groups]).astype(np.int64)
    embeddings = np.vstack([known, encoder.embed(rest), outside[foreign]])
    vectors = embeddings.astype(np.float64)
    most = PROTOTYPES // (len(names) + 1)
    return TrainingSet(
        labels=names,
        texts=tuple(text for group in groups for text in group),
        design=with_bias(embeddings),
        targets=targets,
        topics=topics(vectors, targets, _TOPIC, _FEWEST_TOPICS),
        clusters=clusters(vectors, targets, most)
        if most >= _FEWEST_CLUSTERS and min(map(len, groups[:-1])) >= FEWEST_TEXTS
        else None,
    )
