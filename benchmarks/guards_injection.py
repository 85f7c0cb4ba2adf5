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
from vsr_compiler.heads.attention import Tokens, fit_attention  # noqa: E402 - as above
from vsr_compiler.heads.held_out import measurement_of  # noqa: E402 - as above
from vsr_compiler.heads.label_set import embed_label_set  # noqa: E402 - as above
from vsr_compiler.heads.logistic import NONE, Floats, fit, with_bias  # noqa: E402 - as above
from vsr_compiler.heads.middle_layer import TwoLayers  # noqa: E402 - as above
from vsr_compiler.heads.shipped import file_of  # noqa: E402 - as above
from vsr_compiler.heads.train import PENALTY  # noqa: E402 - as above
from vsr_compiler.ir.labels import Example, LabelExamples  # noqa: E402 - as above
from vsr_runtime.decision.deadline import never  # noqa: E402 - as above
from vsr_runtime.decision.guards.finders import injection, spans  # noqa: E402 - as above
from vsr_runtime.inference.encoder import Layer, SentenceEncoder, layer_key  # noqa: E402 - as above
from vsr_runtime.inference.head import Head  # noqa: E402 - as above
from vsr_runtime.shipped_heads import FOLDER  # noqa: E402 - as above

FIRST, HARD, SET = "injection@1", "injection@2", "injection@3"
TRAINED: tuple[tuple[str, ...], ...] = ((FIRST,), (HARD,), (FIRST, HARD))
"""The earlier sets that a plain head is trained from, for the comparison of sets."""
BLIND = sorted((ROOT / "benchmarks").glob("blind_attacks*.toml"))
FEW_ALARMS = 0.005
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
        self._known: dict[tuple[str, str], np.ndarray] = {}

    def embed(self, texts: Sequence[str], layer: Layer = "middle") -> np.ndarray:
        """Embed texts; those that are known are not read again."""
        key = layer_key(layer)
        for text in texts:
            if (text, key) not in self._known:
                self._known[text, key] = self._model.embed([text], layer)[0]
        return np.stack([self._known[text, key] for text in texts])

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
        other = [row for name in {FIRST, HARD} - set(names) for row in rows(name) if row[2] not in FOREIGN]
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


def as_examples(texts: Sequence[tuple[str, bool, str]]) -> list[LabelExamples]:
    """The texts as the examples of a policy."""
    place = Span("benchmark")
    own = {
        label: tuple(Example(text, family, place) for text, is_attack, family in texts if is_attack is attack)
        for label, attack in (("attack", True), ("other", False))
    }
    return [LabelExamples(label, group, place) for label, group in own.items()]


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


def by_attention(
    texts: Sequence[tuple[str, bool, str]], ordinary: Sequence[str], model: SentenceEncoder
) -> tuple[Floats, dict[str, Floats]]:
    """Scores by heads as policies get them, but for a family: neither its attacks nor its look-alikes.

    Returns:
        The score of each text by the head without its family, 0 for a text of no family of attacks; and by family the
        scores of ordinary prompts by the same head.
    """
    encoded = TwoLayers(model)
    samples = embed_label_set(as_examples(texts), encoded)
    encoded.embed(ordinary)
    tokens, harmless = Tokens.of(encoded.tokens(samples.texts)), Tokens.of(encoded.tokens(ordinary))
    attack, family = np.array([row[1] for row in texts]), np.array([row[2] for row in texts])
    place = {text: number for number, text in enumerate(samples.texts)}
    own = np.array([place[row[0]] for row in texts])
    scores, at_ease = np.zeros(len(texts)), {}
    for name in sorted(set(family[attack].tolist())):
        kept = np.ones(len(samples.texts), dtype=bool)
        kept[own[family == name]] = False
        fitted = fit_attention(tokens, samples.targets, samples.balanced(kept), 1)
        scores[family == name] = fitted.logits(tokens, own[family == name])[:, 0]
        at_ease[name] = fitted.logits(harmless, np.arange(len(ordinary)))[:, 0]
    return scores, at_ease


def page(each: int) -> Iterator[str]:
    """The lines of the page."""
    model, texts = encoder(), rows(SET)
    read = Reader(model)
    head = Head.from_bytes((FOLDER / file_of(SET)).read_bytes())
    yield "# Guards, measured\n"
    yield f"What the compiled head of attacks finds, trained from `{SET}` with all-MiniLM-L6-v2 (int8). Printed by"
    yield "`python benchmarks/guards.py all`. All texts are of this project: expect less on those of others.\n"
    yield "**The head is an addition to `patterns: injection`, and no protection on its own.** It misses attacks at any"
    yield "threshold with few false alarms. Use it with `action: flag` or `route`, and a checkpoint as"
    yield "[detector](guards.md) to block.\n"
    yield from families(texts, read, model, each)
    yield from as_served(head, read, each)
    alone, both = milliseconds(model, head, [row[0] for row in texts[:300]])
    more = both / alone - 1
    yield f"\nThe encoder takes {alone:.2f} ms a text (median of 300), with the head {both:.2f} ms ({more:+.0%}).\n"
    yield from sets(read, each)


def families(texts: Sequence[tuple[str, bool, str]], read: Reader, model: SentenceEncoder, each: int) -> Iterator[str]:
    """The table of families that the head has not seen."""
    attack, family = np.array([row[1] for row in texts]), np.array([row[2] for row in texts])
    names = list(dict.fromkeys(family[attack].tolist()))
    judged = np.isin(family, names)
    ordinary = [text for prompts in benign_prompts(each).values() for text in prompts]
    scores, at_ease = by_attention(texts, ordinary, model)
    vectors = read.numbers([row[0] for row in texts])
    plain = np.zeros(len(texts))
    for name in names:
        out = family == name
        plain[out] = scorer(vectors[~out], attack[~out])(vectors[out])
    foreign = np.isin(family, sorted(FOREIGN))
    easy = {name: area(scores[attack & (family == name)], at_ease[name]) for name in names}
    yield f"## Families of `{SET}` that the head has not seen\n"
    yield "The **area** (under the ROC curve) of families that the head has not seen is the probability that an"
    yield "attack scores higher than a look-alike, where each text is scored by a head that was trained without its"
    yield "family: neither its attacks nor its look-alikes, which are harmless texts in the words of attacks. This is"
    yield "what the project means by leave-one-family-out area; its goal is 0.95, **which is not reached over all**."
    yield "Recall is at the threshold that"
    yield f"{FALSE_ALARMS:.0%} of the look-alikes exceed. Beside it, the area against {len(ordinary)} ordinary prompts"
    yield "of our own generators, and that of a plain head, a linear one on the mean of the middle layer.\n"
    yield "| family | attacks | area | recall | area, ordinary prompts | area, plain head |\n|---|---|---|---|---|---|"
    groups = [(name, family == name) for name in names]
    groups += [("**English**", ~foreign), ("**all**", judged)]
    for name, own in groups:
        apart = name in FOREIGN or name.startswith("**")
        harmless = judged & ~attack & (own if apart else ~foreign)
        limit = np.quantile(scores[harmless], 1 - FALSE_ALARMS)
        mean = np.mean([easy[one] for one in family[own & attack].tolist()])
        yield (
            f"| {name} | {(own & attack).sum()} | {area(scores[own & attack], scores[harmless]):.3f} | "
            f"{(scores[own & attack] > limit).mean():.0%} | {mean:.3f} | "
            f"{area(plain[own & attack], plain[harmless]):.3f} |"
        )


def as_served(head: Head, read: Reader, each: int) -> Iterator[str]:
    """The part of the page about the head that ships."""
    measured = measurement_of(head.to_bytes())
    low = measured.at(measured.threshold_for(FEW_ALARMS))
    usual = measured.at(head.threshold)
    yield "\n## The head that ships\n"
    yield f"A policy that takes `{SET}` as it is gets this head. Of topics that were held out, a quarter at a time:\n"
    yield "| `falseAlarms` | threshold | attacks found | false alarms |\n|---|---|---|---|"
    for rate, at in ((FALSE_ALARMS, usual), (FEW_ALARMS, low)):
        yield f"| {rate} | {at.threshold:g} | {at.recall:.1%} | {at.false_alarms:.1%} |"
    yield "\nFamilies of `benchmarks/blind_attacks*.toml`, which are part of no set. Those of `_3` are by an author of"
    yield "their own; the number of queries of the head was chosen with their results in sight. Recall by"
    yield "`falseAlarms`:\n"
    yield from blind(head, read, low.threshold)
    yield "\nHarmless prompts of our own generators (`tests/support/benign_prompts.py`):\n"
    yield f"| harmless prompts | number | head at {FALSE_ALARMS} | head at {FEW_ALARMS} | `patterns: injection` |"
    yield "|---|---|---|---|---|"
    for kind, prompts in harmless_prompts(each).items():
        scores = head.probabilities(read.embed(prompts, head.layer))[:, 0]
        found = [(scores >= threshold).sum() for threshold in (head.threshold, low.threshold)]
        found.append(sum(bool(spans([injection()], text, never)) for text in prompts))
        cells = " | ".join(f"{count} ({count / len(prompts):.2%})" for count in found)
        yield f"| {kind} | {len(prompts)} | {cells} |"


def sets(read: Reader, each: int) -> Iterator[str]:
    """The part of the page that compares sets and languages."""
    ordinary = [text for prompts in benign_prompts(each).values() for text in prompts]
    yield "## Earlier sets\n"
    yield "Plain linear heads on the middle layer, by the sets that they are trained from. Against ordinary prompts,"
    yield "those of our own generators, the area is stated apart. Recall is at the threshold that"
    yield f"{FALSE_ALARMS:.0%} of the look-alikes, or of {len(ordinary)} ordinary prompts, exceed. Unless it says"
    yield "`all`, a number is for English.\n"
    yield "".join(compared(read, ordinary))
    yield f"The look-alikes of `{HARD}` differ from its attacks in few words and share their carriers, so its area is"
    yield "lower by intent. The area on the other set is of a head that saw nothing of that set, neither families nor"
    yield f"look-alikes: a head of `{HARD}` carries over to `{FIRST}`, not the other way round.\n"
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


def blind(head: Head, model: Reader, low: float) -> Iterator[str]:
    """The table of families that are part of no set, at the head's threshold and at another one."""
    texts = blind_rows()
    scores = head.probabilities(model.embed([row[0] for row in texts], head.layer))[:, 0]
    attack, family = np.array([row[1] for row in texts]), np.array([row[2] for row in texts])
    harmless = scores[~attack]
    yield f"| family | texts | area | recall at {FALSE_ALARMS} | recall at {FEW_ALARMS} |\n|---|---|---|---|---|"
    for name in (*dict.fromkeys(family[attack].tolist()), "**all**"):
        own = scores[attack & ((family == name) | (name == "**all**"))]
        found = " | ".join(f"{(own >= threshold).mean():.0%}" for threshold in (head.threshold, low))
        yield f"| {name} | {len(own)} | {area(own, harmless):.2f} | {found} |"
    alarms = [(harmless >= threshold).sum() for threshold in (head.threshold, low)]
    yield f"\nOf {len(harmless)} look-alikes, {alarms[0]} and {alarms[1]} are false alarms."


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
