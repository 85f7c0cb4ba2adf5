"""Measures the example sets that ship: what heads find of topics that they have not seen, and what patterns find.

Run: ``python benchmarks/example_sets.py [SET…]``. Needs the encoder of ``policies/quickstart.yaml``. The numbers are in
``docs/reference/example-sets.md``: of the head that a policy gets, and for attacks also of a plain linear head on the
last layer, whose threshold is chosen on the held-out scores that it is measured on.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import yaml

from vsr_compiler import examples
from vsr_compiler.diagnostics import Span
from vsr_compiler.heads.label_set import embed_label_set
from vsr_compiler.heads.logistic import NONE, Floats, Integers, fit, with_bias
from vsr_compiler.heads.middle_layer import TwoLayers
from vsr_compiler.heads.train_labels import measured_samples, threshold_for, train_chosen_layer
from vsr_compiler.ir.labels import OTHER, Example, LabelExamples
from vsr_runtime.decision.deadline import never
from vsr_runtime.decision.guards.finders import injection, spans
from vsr_runtime.inference.encoder import SentenceEncoder
from vsr_runtime.inference.encoder_files import find_encoder

ROOT = Path(__file__).resolve().parents[1]
UNLABELLED = {
    "complexity@1": "medium",
    "fact-check@1": "no_fact_check_needed",
    "feedback@2": "other",
    "injection@1": "benign",
    "injection@2": "benign",
    "modality@1": "AR",
    "reask@1": "new_question",
    "reask@2": "new_question",
}
"""The label of a set whose texts a policy lists under ``other``."""
LANGUAGES = ("German", "French", "Spanish", "Portuguese", "Chinese", "Japanese", "other languages")
"""Beginnings of the names of topics in other languages than English."""
FALSE_ALARMS = (0.01, 0.05, 0.1, 0.2)
_SPAN = Span("examples", 1, 1)


def encoder() -> SentenceEncoder:
    """The encoder that the quickstart serves."""
    settings = yaml.safe_load((ROOT / "out" / "quickstart" / "router" / "runtime.yaml").read_text(encoding="utf-8"))
    found = next(iter(settings["classifiers"].values()))["encoder"]
    return SentenceEncoder.load(find_encoder(found["repo"], found["sha256"]), found.get("precision", "int8"))


def held_out(vectors: Floats, targets: Integers, topics: list[str]) -> Floats:
    """Scores ``[n, labels]`` of each text by a head that saw no text of its topic."""
    scores = np.zeros((len(targets), int(targets.max()) + 1))
    design = with_bias(vectors)
    for topic in sorted(set(topics)):
        out = np.array([name == topic for name in topics])
        sizes = np.bincount(targets[~out])
        weights = (len(targets) / len(sizes) / sizes)[targets[~out]]
        head = fit(design[~out], targets[~out], weights, len(sizes), 1.0, tolerance=1e-3)
        scores[out] = design[out] @ head
    return scores


def label_examples(name: str) -> list[LabelExamples]:
    """Return the examples of a set as a policy would list them."""
    groups = []
    for label, topics in examples.read(name).labels.items():
        found = [Example(text, topic, _SPAN) for topic, texts in topics.items() for text in texts]
        groups.append(LabelExamples(OTHER if label == UNLABELLED.get(name) else label, tuple(found), _SPAN))
    return groups


def policy_head(name: str, model: SentenceEncoder) -> None:
    """Print what the head of a policy finds of held-out topics: at thresholds, by language, and what it confuses.

    In the tables a text has its most probable label; if the set has texts without a label, none may be more probable.
    """
    both, groups = TwoLayers(model), label_examples(name)
    samples = embed_label_set(groups, both)
    head, rows, seen = train_chosen_layer(samples, both, "")
    topic_of = {example.text: example.topic for group in groups for example in group.examples}
    own = np.array([text in topic_of for text in samples.texts]) & seen
    english = own & [not topic_of.get(text, "").startswith(LANGUAGES) for text in samples.texts]
    print(f"{name}: {head.layer} layer")
    if name in UNLABELLED:
        unlabelled = sum(len(group.examples) for group in groups if group.label == OTHER)
        harmless = measured_samples(samples, unlabelled) & seen & (samples.targets == NONE)
        for share in FALSE_ALARMS:
            threshold = threshold_for(rows.max(axis=1)[harmless], share)
            found = np.where(rows.max(axis=1) >= threshold, rows.argmax(axis=1), NONE)
            right = (found == samples.targets)[english & (samples.targets != NONE)].mean()
            print(f"  English, falseAlarms {share}: {right:.3f} of the texts with a label (threshold {threshold:.2f})")
        rows = np.hstack([rows, 1 - rows.sum(axis=1, keepdims=True)])
    names = [*samples.labels, OTHER]
    results = [
        (OTHER if target == NONE else names[target], names[best])
        for target, best in zip(samples.targets, rows.argmax(axis=1), strict=True)
    ]
    for language, chosen in (("English", english), ("other languages", own & ~english)):
        counts = Counter(result for result, keep in zip(results, chosen, strict=True) if keep)
        if counts:
            print(f"  {language}: {share_right(counts)}")
            print(table(counts, [group.label for group in groups]))


def share_right(counts: Counter[tuple[str, str]]) -> str:
    """Return the share of texts that got their label."""
    right = sum(count for (label, found), count in counts.items() if label == found)
    return f"{right / counts.total():.3f} of {counts.total()} right"


def table(counts: Counter[tuple[str, str]], labels: Iterable[str]) -> str:
    """Return a confusion table in Markdown: a row for each label, a column for each result."""
    names = list(labels)
    lines = [f"| | {' | '.join(f'`{name}`' for name in names)} |", f"|---{'|---' * len(names)}|"]
    for label in names:
        total = sum(counts[label, found] for found in names)
        cells = (f"{100 * counts[label, found] / total:.0f} %" if total else "" for found in names)
        lines.append(f"| `{label}` ({total}) | {' | '.join(cells)} |")
    return "\n".join(lines)


def area(positive: Floats, negative: Floats) -> float:
    """The share of pairs in which the positive one scores higher."""
    return float((positive[:, None] > negative[None, :]).mean())


def main() -> None:
    """Prints a block a set."""
    model = encoder()
    for name in sys.argv[1:] or [name for name in examples.names() if not name.startswith("mmlu")]:
        policy_head(name, model)
        if name.startswith("injection"):
            plain_head(name, model)


def plain_head(name: str, model: SentenceEncoder) -> None:
    """Print what a plain linear head finds of attacks."""
    labels = examples.read(name).labels
    rows = [
        (text, number, topic)
        for number, topics in enumerate(labels.values())
        for topic, texts in topics.items()
        for text in texts
    ]
    texts, targets, topics = [row[0] for row in rows], np.array([row[1] for row in rows]), [row[2] for row in rows]
    scores = held_out(model.embed(texts).astype(np.float64), targets, topics)
    right = scores.argmax(axis=1) == targets
    by_label = {label: round(float(right[targets == number].mean()), 2) for number, label in enumerate(labels)}
    print(f"{name}, plain head: {right.mean():.3f} right", by_label)
    attacks(texts, targets, topics, scores[:, 0] - scores[:, 1])


def attacks(texts: list[str], targets: Integers, topics: list[str], scores: Floats) -> None:
    """Prints the area, and recall by family of head, patterns and both."""
    harmless = scores[targets == 1]
    threshold = np.quantile(harmless, 0.99)
    by_head = scores > threshold
    by_pattern = np.array([bool(spans([injection()], text, never)) for text in texts])
    print(f"  area {area(scores[targets == 0], harmless):.3f}; recall or false alarms of head, patterns, both:")
    for label, number in (("attack", 0), ("benign", 1)):
        for topic in [*dict.fromkeys(topic for topic, at in zip(topics, targets, strict=True) if at == number), "all"]:
            rows = (targets == number) & np.array([topic in (name, "all") for name in topics])
            found = " ".join(f"{hit[rows].mean():6.3f}" for hit in (by_head, by_pattern, by_head | by_pattern))
            print(f"  {label} {topic:<40} {found} of {rows.sum()}; area {area(scores[rows], harmless):.2f}")


if __name__ == "__main__":
    main()
