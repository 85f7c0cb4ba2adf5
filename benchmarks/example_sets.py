"""Measures the example sets that ship: what a plain linear head finds when a topic is held out, and what patterns find.

Run: ``python benchmarks/example_sets.py``. Needs the encoder of ``policies/quickstart.yaml``. The numbers are those of
``docs/reference/example-sets.md``. The threshold for attacks is chosen on the held-out scores that it is measured on.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import yaml

from vsr_compiler import examples
from vsr_compiler.heads.logistic import Floats, Integers, fit, with_bias
from vsr_runtime.decision.deadline import never
from vsr_runtime.decision.guards.finders import injection, spans
from vsr_runtime.inference.encoder import SentenceEncoder
from vsr_runtime.inference.encoder_files import find_encoder

ROOT = Path(__file__).resolve().parents[1]


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


def area(positive: Floats, negative: Floats) -> float:
    """The share of pairs in which the positive one scores higher."""
    return float((positive[:, None] > negative[None, :]).mean())


def main() -> None:
    """Prints a block a set."""
    model = encoder()
    for name in (name for name in examples.names() if not name.startswith("mmlu")):
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
        print(f"{name}: {right.mean():.3f} right", by_label)
        if name.startswith("injection"):
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
