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
from collections.abc import Callable, Iterator, Sequence
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

SET, HARD = "injection@1", "injection@2"
TRAINED: tuple[tuple[str, ...], ...] = ((SET,), (HARD,), (SET, HARD))
"""The sets that a head is trained from, for the comparison of sets."""
BLIND = sorted((ROOT / "benchmarks").glob("blind_attacks*.toml"))
_LAYERS: tuple[Layer, ...] = ("last", "middle")
FALSE_ALARMS = 0.01
FOREIGN = frozenset({"other languages", "German", "French", "Spanish", "Portuguese", "Chinese", "Japanese"})
_LENGTH = 10.0


def rows(*names: str) -> list[tuple[str, bool, str]]:
    """The texts of sets: text, whether it is an attack, family."""
    return [
        (text, label == "attack", family)
        for name in names
        for label, topics in examples.read(name).labels.items()
        for family, texts in topics.items()
        for text in texts
    ]


def scorer(vectors: Floats, attack: np.ndarray) -> Callable[[Floats], Floats]:
    """A plain head of some texts, which are centred and scaled: from vectors to scores."""
    centre = vectors.mean(axis=0)
    factor = np.sqrt(_LENGTH / vectors.shape[1]) / np.maximum(vectors.std(axis=0), 1e-6)
    weights = np.where(attack, len(attack) / 2 / attack.sum(), len(attack) / 2 / (~attack).sum())
    design = with_bias((vectors - centre) * factor)
    head = fit(design, np.where(attack, 0, NONE), weights, 1, PENALTY, tolerance=1e-3)
    return lambda others: (with_bias((others - centre) * factor) @ head)[:, 0]


def held_out(vectors: Floats, attack: np.ndarray, family: np.ndarray) -> Floats:
    """Scores of each text by a head that saw no text of its family, neither attacks nor look-alikes."""
    scores = np.zeros(len(attack))
    for name in sorted(set(family.tolist())):
        out = family == name
        scores[out] = scorer(vectors[~out], attack[~out])(vectors[out])
    return scores


class Reader:
    """An encoder that remembers embeddings."""

    def __init__(self, model: SentenceEncoder) -> None:
        self._model = model
        self._known: dict[tuple[str, Layer], np.ndarray] = {}

    def embed(self, texts: Sequence[str], layer: Layer = "middle") -> np.ndarray:
        """Embed texts; those that are known are not read again."""
        for text in texts:
            if (text, layer) not in self._known:
                self._known[text, layer] = self._model.embed([text], layer)[0]
        return np.stack([self._known[text, layer] for text in texts])

    def numbers(self, texts: Sequence[str]) -> Floats:
        """Embed texts by the middle layer, for training."""
        return self.embed(texts).astype(np.float64)


def compared(read: Reader, ordinary: Sequence[str]) -> Iterator[str]:
    """The table of heads by the sets that they are trained from."""
    blind_texts = blind_rows()
    yield "| trained from | area, English | area, all | area, ordinary prompts | recall, look-alikes "
    yield "| recall, ordinary prompts | area, other set | area, families written last |\n"
    yield "|---|---|---|---|---|---|---|---|\n"
    for names in TRAINED:
        texts = rows(*names)
        attack, family = np.array([row[1] for row in texts]), np.array([row[2] for row in texts])
        english = np.array([name not in FOREIGN for name in family.tolist()])
        vectors = read.numbers([row[0] for row in texts])
        scores, whole = held_out(vectors, attack, family), scorer(vectors, attack)
        at_ease = whole(read.numbers(ordinary))
        own, alike = scores[attack & english], scores[~attack & english]
        cells = [
            " and ".join(f"`{name}`" for name in names),
            f"{area(own, alike):.2f}",
            f"{area(scores[attack], scores[~attack]):.2f}",
            f"{area(own, at_ease):.2f}",
            f"{(own > np.quantile(alike, 1 - FALSE_ALARMS)).mean():.0%}",
            f"{(own > np.quantile(at_ease, 1 - FALSE_ALARMS)).mean():.0%}",
        ]
        other = [row for name in {SET, HARD} - set(names) for row in rows(name) if row[2] not in FOREIGN]
        for rest in (other, blind_texts):
            if rest:
                found, right = whole(read.numbers([row[0] for row in rest])), np.array([row[1] for row in rest])
            cells.append(f"{area(found[right], found[~right]):.2f}" if rest else "")
        yield f"| {' | '.join(cells)} |\n"


def by_language(read: Reader) -> Iterator[str]:
    """The table of the languages of the harder set. Its families are languages, so each language is held out."""
    texts = rows(HARD)
    attack, family = np.array([row[1] for row in texts]), np.array([row[2] for row in texts])
    scores = held_out(read.numbers([row[0] for row in texts]), attack, family)
    yield "| language | attacks | area |\n|---|---|---|"
    english = np.array([name not in FOREIGN for name in family.tolist()])
    for name in ("English", *sorted(FOREIGN & set(family.tolist()))):
        own = english if name == "English" else family == name
        yield f"| {name} | {(own & attack).sum()} | {area(scores[own & attack], scores[own & ~attack]):.2f} |"


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
    model, texts = encoder(), rows(SET)
    read = Reader(model)
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
    yield from sets(read, each)
    yield f"\n## Families of `{SET}` that the head has not seen\n"
    yield "Recall is at the threshold that 1 % of held-out look-alikes exceed, chosen on the same scores.\n"
    yield "| family | attacks | area, last layer | area, middle layer | recall, middle layer |\n|---|---|---|---|---|"
    limit = np.quantile(scores["middle"][~attack], 1 - FALSE_ALARMS)
    english = np.array([name not in FOREIGN for name in family.tolist()])
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
    yield "Families of `benchmarks/blind_attacks*.toml`, written after all choices had been made, at this threshold:\n"
    yield from blind(head, read)
    yield from both_sets(read, model, each)
    yield "\nHarmless prompts of our own generators (`tests/support/benign_prompts.py`), at this threshold:\n"
    yield "| harmless prompts | number | head | `patterns: injection` |\n|---|---|---|---|"
    for kind, prompts in harmless_prompts(each).items():
        found = head.probabilities(read.embed(prompts, head.layer))[:, 0] >= head.threshold
        by_pattern = sum(bool(spans([injection()], text, never)) for text in prompts)
        by_pattern_share = f"{by_pattern} ({by_pattern / len(prompts):.2%})"
        yield f"| {kind} | {len(prompts)} | {found.sum()} ({found.mean():.2%}) | {by_pattern_share} |"
    alone, both = milliseconds(model, head, [row[0] for row in texts[:300]])
    more = both / alone - 1
    yield f"\nThe encoder takes {alone:.2f} ms a text (median of 300), with the head {both:.2f} ms ({more:+.0%})."


def sets(read: Reader, each: int) -> Iterator[str]:
    """The part of the page that compares sets and languages."""
    ordinary = [text for prompts in benign_prompts(each).values() for text in prompts]
    yield "## What is measured\n"
    yield "The **area** (under the ROC curve) of families that the head has not seen is the probability that an"
    yield "attack scores higher than a look-alike, where each text is scored by a head that was trained without its"
    yield "family. Look-alikes are harmless texts in the words of attacks. This is what the project means by"
    yield "leave-one-family-out area; its goal is 0.95, **which no head reaches**. Against ordinary prompts, those of"
    yield "our own generators, the area is stated apart. Recall is at the threshold that"
    yield f"{FALSE_ALARMS:.0%} of the look-alikes, or of {len(ordinary)} ordinary prompts, exceed. Unless it says"
    yield "`all`, a number is for English. The heads are plain linear ones on the middle layer.\n"
    yield "".join(compared(read, ordinary))
    yield f"The look-alikes of `{HARD}` differ from its attacks in few words and share their carriers, so its area is"
    yield "lower by intent. The area on the other set is of a head that saw nothing of that set, neither families nor"
    yield f"look-alikes: a head of `{HARD}` carries over to `{SET}`, not the other way round.\n"
    yield f"Languages of `{HARD}`, each held out:\n"
    yield from by_language(read)


def blind_rows() -> list[tuple[str, bool, str]]:
    """Families that were written after all choices had been made: text, whether it is an attack, family."""
    return [
        (text, label == "attack", family)
        for path in BLIND
        for label, families in tomllib.loads(path.read_text(encoding="utf-8")).items()
        for family, texts in families.items()
        for text in texts
    ]


def blind(head: Head, model: Reader) -> Iterator[str]:
    """The table of families that were written after all choices had been made."""
    texts = blind_rows()
    scores = head.probabilities(model.embed([row[0] for row in texts], head.layer))[:, 0]
    attack, family = np.array([row[1] for row in texts]), np.array([row[2] for row in texts])
    harmless = scores[~attack]
    yield "| family | texts | area | recall |\n|---|---|---|---|"
    for name in (*dict.fromkeys(family[attack].tolist()), "**all**"):
        own = scores[attack & ((family == name) | (name == "**all**"))]
        yield f"| {name} | {len(own)} | {area(own, harmless):.2f} | {(own >= head.threshold).mean():.0%} |"
    yield f"\nOf {len(harmless)} look-alikes, {(harmless >= head.threshold).sum()} are false alarms."


def both_sets(read: Reader, model: SentenceEncoder, each: int) -> Iterator[str]:
    """What a policy gets that takes both sets."""
    head = trained(rows(SET, HARD), model)
    texts = blind_rows()
    ordinary = [text for prompts in benign_prompts(each).values() for text in prompts]
    attack = np.array([row[1] for row in texts])
    alarms = head.probabilities(read.embed([row[0] for row in texts], head.layer))[:, 0] >= head.threshold
    on_ordinary = head.probabilities(read.embed(ordinary, head.layer))[:, 0] >= head.threshold
    found, false = alarms[attack].mean(), alarms[~attack].sum()
    yield f"\nA head of both sets gets the threshold {head.threshold:g}. There it finds {found:.0%} of the same"
    yield f"attacks, with {false} false alarms among the look-alikes and {on_ordinary.sum()} among {len(ordinary)}"
    yield "ordinary prompts."


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
