"""The training set of a head for a task of its own: its labels' examples, and texts without a label."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from vsr_compiler.heads.background import BACKGROUND
from vsr_compiler.heads.logistic import NONE, Floats, Integers, with_bias
from vsr_compiler.heads.middle_layer import TwoLayers
from vsr_compiler.heads.topics import Groups, topics
from vsr_compiler.heads.training_set import RESEMBLES, TrainingSet
from vsr_compiler.ir.labels import OTHER, Example, LabelExamples
from vsr_runtime.inference.encoder import SentenceEncoder

SAME = 0.6
"""Texts of a higher cosine say the same in other words."""
_TOPIC = 10
_FEWEST_TOPICS = 4
_NONE_WEIGHT = 2.0


def embed_label_set(groups: Sequence[LabelExamples], encoder: SentenceEncoder | TwoLayers) -> TrainingSet:
    """Embed examples by label, and background prompts without a label.

    Texts of a shipped set are held out by the topics that it states, other texts by topics that they form. If the
    policy has texts without a label, background prompts are used that share no subject with a label. Otherwise they
    represent all requests, and only those are left out that say the same as an example.
    """
    labelled = sorted((group for group in groups if group.label != OTHER), key=lambda group: group.label)
    rest = [example for group in groups if group.label == OTHER for example in group.examples]
    known = encoder.embed([example.text for group in labelled for example in group.examples])
    outside = encoder.embed(BACKGROUND)
    foreign = (outside @ known.T).max(axis=1) < (RESEMBLES if rest else SAME)
    others = {example.text for example in rest}
    kept = [keep and text not in others for text, keep in zip(BACKGROUND, foreign, strict=True)]
    embeddings = np.vstack([known, encoder.embed([example.text for example in rest]), outside[kept]])
    sizes = [len(group.examples) for group in labelled] + [len(rest) + sum(kept)]
    targets = np.repeat([*range(len(labelled)), NONE], sizes).astype(np.int64)
    examples = [example for group in labelled for example in group.examples] + rest
    vectors = embeddings.astype(np.float64)
    by_topic = _topics(vectors, targets, examples)
    return TrainingSet(
        labels=tuple(group.label for group in labelled),
        texts=(
            *(example.text for example in examples),
            *(text for text, keep in zip(BACKGROUND, kept, strict=True) if keep),
        ),
        design=with_bias(embeddings),
        targets=targets,
        topics=by_topic,
        clusters=None,
        emphasis=1 / np.sqrt(by_topic.sizes()[by_topic.of]),
        none_weight=1.0 if rest else _NONE_WEIGHT,
    )


def _topics(vectors: Floats, targets: Integers, examples: Sequence[Example]) -> Groups:
    """Return the topics: those that are stated, and those that the other texts form."""
    formed = topics(vectors, targets, _TOPIC, _FEWEST_TOPICS)
    of, owners = formed.of.copy(), formed.owners.tolist()
    names = [""] * len(owners)
    stated: dict[tuple[int, str], int] = {}
    for index, example in enumerate(examples):
        if example.topic:
            key = (int(targets[index]), example.topic)
            if key not in stated:
                stated[key] = len(owners)
                owners.append(key[0])
                names.append(example.topic)
            of[index] = stated[key]
    return Groups(of, np.array(owners, dtype=np.int64), tuple(names))
