"""Measures the shipped head of subjects on questions that no choice was made by: ``benchmarks/fresh_domains.toml``.

Run: ``python benchmarks/fresh_domains.py``. Needs the encoder of ``policies/quickstart.yaml``. Prints the share that is
right, the calibration error in ten bins, the share of right ones among the surest 70 %, and each subject's share.
"""

from __future__ import annotations

import tomllib
from pathlib import Path

import numpy as np
from example_sets import encoder

from vsr_runtime.inference.head import Head
from vsr_runtime.shipped_heads import FOLDER, shipped_heads

QUESTIONS = Path(__file__).with_suffix(".toml")
SET = "mmlu-pro@1"
BINS = 10
COVERED = 0.7


def main() -> None:
    """Print the figures and what is confused most."""
    subjects = tomllib.loads(QUESTIONS.read_text(encoding="utf-8"))
    texts = [text for own in subjects.values() for text in own]
    wanted = np.array([name for name, own in subjects.items() for _ in own])
    head = Head.from_bytes((FOLDER / shipped_heads()[SET].file).read_bytes())
    rows = head.probabilities(encoder().embed(texts, head.layer))
    sure, found = rows.max(axis=1), np.array(head.labels)[rows.argmax(axis=1)]
    right = found == wanted
    bins = np.minimum((sure * BINS).astype(int), BINS - 1)
    gaps = [
        abs(float(right[bins == one].mean() - sure[bins == one].mean())) * (bins == one).mean() for one in set(bins)
    ]
    surest = np.argsort(-sure)[: int(COVERED * len(texts))]
    print(f"{len(texts)} questions: {right.mean():.1%} right, calibration error {sum(gaps):.3f},")
    print(f"{right[surest].mean():.1%} right among the surest {COVERED:.0%}")
    for name in subjects:
        own = wanted == name
        print(f"  {name:<18} {right[own].mean():.0%}  taken for {', '.join(found[own & ~right]) or '-'}")


if __name__ == "__main__":
    main()
