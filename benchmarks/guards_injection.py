"""Measures the compiled head of attacks: what it finds of families that it has not seen, and its false alarms.

Run: ``python benchmarks/guards.py injection [prompts a kind]``. Prints the page ``docs/reference/guards-measured.md``.
Needs the encoder of ``policies/quickstart.yaml``. With ``VSR_REFERENCE``, the domain prompts are measured as well.
"""

from __future__ import annotations

import json
import os
import sys
import time
import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "benchmarks"), str(ROOT / "tests")]

from example_sets import area, encoder  # noqa: E402 - found by the line above

from support.benign_prompts import benign_prompts  # noqa: E402 - as above
from vsr_compiler import examples  # noqa: E402 - as above
from vsr_compiler.diagnostics import Span  # noqa: E402 - as above
from vsr_compiler.heads.held_out import measurement_of  # noqa: E402 - as above
from vsr_compiler.heads.logistic import NONE, Floats, fit, with_bias  # noqa: E402 - as above
from vsr_compiler.heads.train import PENALTY  # noqa: E402 - as above
from vsr_compiler.heads.train_labels import train_labels  # noqa: E402 - as above
from vsr_compiler.ir.labels import Example, LabelExamples  # noqa: E402 - as above
from vsr_runtime.decision.deadline import never  # noqa: E402 - as above
from vsr_runtime.decision.guards.finders import injection, spans  # noqa: E402 - as above
from vsr_runtime.inference.encoder import Layer, SentenceEncoder  # noqa: E402 - as above
from vsr_runtime.inference.head import Head  # noqa: E402 - as above

SET = "injection@1"
BLIND = ROOT / "benchmarks" / "blind_attacks.toml"
_LAYERS: tuple[Layer, ...] = ("last", "middle")
FALSE_ALARMS = 0.01
FOREIGN = "other languages"
_LENGTH = 10.0


def rows() -> list[tuple[str, bool, str]]:
    """The texts of the set: text, whether it is an attack, family."""
    labels = examples.read(SET).labels
    return [
        (text, label == "attack", family)
        for label, topics in labels.items()
        for family, texts in topics.items()
        for text in texts
    ]


def held_out(vectors: Floats, attack: np.ndarray, family: np.ndarray) -> Floats:
    """Scores of each text by a head that saw no text of its family. Centred and scaled by the other families."""
    scores = np.zeros(len(attack))
    for name in sorted(set(family.tolist())):
        out = family == name
        centre, spread = vectors[~out].mean(axis=0), vectors[~out].std(axis=0)
        design = with_bias((vectors - centre) / np.maximum(spread, 1e-6) * np.sqrt(_LENGTH / vectors.shape[1]))
        kept = attack[~out]
        weights = np.where(kept, len(kept) / 2 / kept.sum(), len(kept) / 2 / (~kept).sum())
        head = fit(design[~out], np.where(kept, 0, NONE), weights, 1, PENALTY, tolerance=1e-3)
        scores[out] = (design[out] @ head)[:, 0]
    return scores


def trained(texts: Sequence[tuple[str, bool, str]], model: SentenceEncoder) -> Head:
    """The head that a policy with this set gets."""
    place = Span("benchmark")
    own = {
        label: tuple(Example(text, family, place) for text, is_attack, family in texts if is_attack is attack)
        for label, attack in (("attack", True), ("other", False))
    }
    groups = [LabelExamples(label, group, place) for label, group in own.items()]
    return train_labels(groups, model, "0" * 64, FALSE_ALARMS)


def milliseconds(model: SentenceEncoder, head: Head, texts: Sequence[str]) -> tuple[float, float]:
    """The median time of a prompt: of the encoder alone, and with the head."""
    sequences = [model.token_ids(text) for text in texts]
    alone, both = [], []
    for ids in sequences:
        start = time.perf_counter()
        model.embed_ids([ids])
        half = time.perf_counter()
        head.probabilities(model.embed_ids([ids], head.layer))
        alone.append(half - start)
        both.append(time.perf_counter() - half)
    return float(np.median(alone)) * 1000, float(np.median(both)) * 1000


def page(each: int) -> Iterator[str]:
    """The lines of the page."""
    model, texts = encoder(), rows()
    attack = np.array([row[1] for row in texts])
    family = np.array([row[2] for row in texts])
    vectors = {layer: model.embed([row[0] for row in texts], layer).astype(np.float64) for layer in _LAYERS}
    scores = {layer: held_out(vectors[layer], attack, family) for layer in _LAYERS}
    head = trained(texts, model)
    yield "# Guards, measured\n"
    yield f"What the compiled head of attacks finds, trained from `{SET}` with all-MiniLM-L6-v2 (int8). Printed by"
    yield ("`python benchmarks/guards.py all`. All attacks have the same authors as the harmless texts, so expect less")
    yield "on texts of others.\n"
    yield (
        "**The head is an addition to `patterns: injection`, and no protection on its own.** It misses "
        "most attacks at a"
    )
    yield (
        "threshold with few false alarms. Use it with `action: flag`, and a checkpoint as "
        "[detector](guards.md) to block.\n"
    )
    yield "## Families that the head has not seen\n"
    yield "Recall is at the threshold that 1 % of held-out look-alikes exceed, chosen on the same scores.\n"
    yield "| family | attacks | area, last layer | area, middle layer | recall, middle layer |\n|---|---|---|---|---|"
    limit = np.quantile(scores["middle"][~attack], 1 - FALSE_ALARMS)
    english = family != FOREIGN
    names = list(dict.fromkeys(family[attack].tolist()))
    groups = [(name, attack & (family == name)) for name in names]
    groups += [("**English**", attack & english), ("**all**", attack)]
    for name, own in groups:
        harmless = ~attack & english if name == "**English**" else ~attack
        areas = " | ".join(f"{area(scores[layer][own], scores[layer][harmless]):.2f}" for layer in _LAYERS)
        yield f"| {name} | {own.sum()} | {areas} | {(scores['middle'][own] > limit).mean():.0%} |"
    measured = measurement_of(head.to_bytes()).at(head.threshold)
    yield (
        f"\n## The head as policies get it\n\nIt takes the {head.layer} layer. With `falseAlarms: "
        f"{FALSE_ALARMS}` its threshold"
    )
    yield f"is {head.threshold:g}: of held-out topics it finds {measured.recall:.1%} of attacks, with"
    yield f"{measured.false_alarms:.1%} false alarms among look-alikes.\n"
    yield "Families of `benchmarks/blind_attacks.toml`, written after all choices had been made, at this threshold:\n"
    yield from blind(head, model)
    yield "\nHarmless prompts of our own generators (`tests/support/benign_prompts.py`), at this threshold:\n"
    yield "| harmless prompts | number | head | `patterns: injection` |\n|---|---|---|---|"
    for kind, prompts in harmless_prompts(each).items():
        found = head.probabilities(model.embed(prompts, head.layer))[:, 0] >= head.threshold
        by_pattern = sum(bool(spans([injection()], text, never)) for text in prompts)
        by_pattern_share = f"{by_pattern} ({by_pattern / len(prompts):.2%})"
        yield f"| {kind} | {len(prompts)} | {found.sum()} ({found.mean():.2%}) | {by_pattern_share} |"
    alone, both = milliseconds(model, head, [row[0] for row in texts[:300]])
    more = both / alone - 1
    yield f"\nThe encoder takes {alone:.2f} ms a text (median of 300), with the head {both:.2f} ms ({more:+.0%})."


def blind(head: Head, model: SentenceEncoder) -> Iterator[str]:
    """The table of families that were written after all choices had been made."""
    texts = tomllib.loads(BLIND.read_text(encoding="utf-8"))
    found = {
        label: {name: head.probabilities(model.embed(own, head.layer))[:, 0] for name, own in families.items()}
        for label, families in texts.items()
    }
    harmless = np.concatenate([*found["benign"].values()])
    yield "| family | texts | area | recall |\n|---|---|---|---|"
    for name, own in {**found["attack"], "**all**": np.concatenate([*found["attack"].values()])}.items():
        yield f"| {name} | {len(own)} | {area(own, harmless):.2f} | {(own >= head.threshold).mean():.0%} |"
    yield f"\nOf {len(harmless)} look-alikes, {(harmless >= head.threshold).sum()} are false alarms."


def harmless_prompts(each: int) -> dict[str, list[str]]:
    """Our own by kind and together, and the domain prompts of the reference data where they are."""
    found = benign_prompts(each)
    found |= {"**together**": [text for prompts in found.values() for text in prompts]}
    if folder := os.environ.get("VSR_REFERENCE"):
        path = Path(folder) / "data" / "prompts" / "domain_classify_cases.json"
        cases = json.loads(path.read_text(encoding="utf-8"))
        found["domain prompts of the reference data"] = [case["question"] for case in cases]
    return found


def main(each: int = 1000) -> None:
    """Print the page."""
    for line in page(each):
        print(line, flush=True)
