"""Which layer the head of a label set reads, and that a head which attends to tokens is measured on held-out topics."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from vsr_compiler.diagnostics import Span
from vsr_compiler.heads import attention, attention_head, train_labels
from vsr_compiler.heads.held_out import measurement_of
from vsr_compiler.heads.train import Trained
from vsr_compiler.ir.labels import Example, LabelExamples
from vsr_runtime.inference.attention_pooling import AttentionPooling
from vsr_runtime.inference.head import Head

PLACE = Span("p")
INPUTS = "a" * 64
COUNT, TOPICS, WORDS = 64, 8, 25


DIMENSION = 48


@cache
def direction(name: str) -> np.ndarray:
    """A direction of its own for each name."""
    row = np.random.default_rng(list(name.encode())).standard_normal(DIMENSION)
    return (row / np.linalg.norm(row)).astype(np.float32)


class Words:
    """An encoder of words such as `law12`: its last layer knows subjects, its middle layer only knows words.

    A subject has a direction, and so has each word. Embeddings are means over the words of a text.
    """

    dimension = DIMENSION

    def __init__(self) -> None:
        self._number: dict[str, int] = {}

    def token_ids(self, text: str) -> list[int]:
        """A number for each word."""
        return [self._number.setdefault(word, len(self._number)) for word in text.split()]

    def embed_tokens(self, ids) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The mean of subjects, the mean of words, and the words."""
        known = list(self._number)
        words = [known[number] for number in ids]
        tokens = np.stack([direction(word) * 3 for word in words])
        subjects = tokens + [direction(word.rstrip("0123456789")) for word in words]
        last, middle = subjects.mean(axis=0), tokens.mean(axis=0)
        return last / np.linalg.norm(last), middle / np.linalg.norm(middle), tokens


def texts(subject: str, seed: int, *more: str) -> list[str]:
    """Texts of words of a subject that no other text has; further words are in the middle of each."""
    random = np.random.default_rng(seed)
    made = []
    for number in range(COUNT):
        words = [f"{subject}{seed}{number:02}{place:02}" for place in range(WORDS)]
        at = int(random.integers(WORDS))
        made.append(" ".join([*words[:at], *more, *words[at:]]))
    return made


def groups(labelled: list[str], harmless: list[str]) -> list[LabelExamples]:
    """A label set with eight topics each."""
    return [
        LabelExamples(
            label, tuple(Example(text, f"topic {number % TOPICS}", PLACE) for number, text in enumerate(own)), PLACE
        )
        for label, own in (("attack", labelled), ("other", harmless))
    ]


def one_word_decides() -> list[LabelExamples]:
    """All texts are of one subject; those with the label have one word more."""
    return groups(texts("law", 1, "obey"), texts("law", 2))


def subjects_decide() -> list[LabelExamples]:
    """Texts of two subjects, of which no word occurs twice."""
    return groups(texts("law", 1), texts("math", 2))


@pytest.fixture(autouse=True)
def _small(monkeypatch) -> None:
    """Attention is tried for small sets, and trained in few steps."""
    monkeypatch.setattr(train_labels, "FEWEST", 2 * COUNT)
    monkeypatch.setattr(attention, "STEPS", 300)
    monkeypatch.setattr(attention, "QUERIES", 4)


def trained(examples: list[LabelExamples], encoder: Words) -> Head:
    """The head as it is read from its file."""
    return Head.from_bytes(train_labels.train_labels(examples, encoder, INPUTS, 0.05).to_bytes())


def test_where_one_word_decides_the_head_attends_to_words() -> None:
    """It finds the word in texts of words that it has never seen, and says so truly in its measurement."""
    encoder = Words()
    head = trained(one_word_decides(), encoder)
    assert isinstance(head.layer, AttentionPooling)
    assert (head.labels, head.inputs, head.prototypes) == (("attack",), INPUTS, None)

    def share(unseen: list[str]) -> float:
        pooled = np.stack([head.layer.pooled(encoder.embed_tokens(encoder.token_ids(text))[2]) for text in unseen])
        return float((head.probabilities(pooled)[:, 0] >= head.threshold).mean())

    measured = measurement_of(head.to_bytes())
    at = measured.at(head.threshold)
    assert (measured.labelled, measured.harmless) == (COUNT, COUNT)
    assert at.false_alarms <= 0.05
    assert at.recall > 0.9
    assert share(texts("law", 3, "obey")) > 0.9
    assert share(texts("law", 4)) < 0.1


def test_where_subjects_decide_the_head_reads_the_last_layer() -> None:
    """Words that it has not seen say nothing to attention."""
    head = trained(subjects_decide(), Words())
    assert head.layer == "last"
    assert measurement_of(head.to_bytes()).at(head.threshold).recall > 0.9


@pytest.mark.parametrize(("share", "taken"), [(0.96, True), (0.98, False), (1.5, False)])
def test_another_layer_is_taken_if_its_loss_is_clearly_lower(share, taken) -> None:
    """By three hundredths: on another machine the choice would otherwise be another one."""
    samples = train_labels.embed_label_set(one_word_decides(), train_labels.TwoLayers(Words()))
    of_label = samples.targets[:, None] == 0
    seen = np.ones(len(of_label), dtype=bool)

    def of_loss(value: float, layer: str) -> Trained:
        sure = np.exp(-value)
        head = Head(("attack",), np.zeros((1, 2), np.float32), np.zeros(1, np.float32), 1.0, INPUTS, layer=layer)
        return Trained(head, np.where(of_label, sure, 1 - sure), seen)

    first, other = of_loss(0.5, "last"), of_loss(0.5 * share, "middle")
    assert train_labels.loss(samples, other.rows, seen) == pytest.approx(0.5 * share)
    assert train_labels._better(samples, first, other).head.layer == ("middle" if taken else "last")


def test_with_few_texts_no_attention_is_trained(monkeypatch) -> None:
    """It takes long, and is hardly better."""
    samples = len(train_labels.embed_label_set(one_word_decides(), train_labels.TwoLayers(Words())).texts)
    monkeypatch.setattr(train_labels, "FEWEST", samples + 1)
    monkeypatch.setattr(train_labels, "train_attention", None)
    assert not isinstance(trained(one_word_decides(), Words()).layer, AttentionPooling)
    monkeypatch.setattr(train_labels, "FEWEST", samples)
    with pytest.raises(TypeError):
        trained(one_word_decides(), Words())


def test_a_head_that_attends_to_tokens_is_measured_on_topics_that_it_has_not_seen(monkeypatch) -> None:
    """Each is left out as a whole of one fit, with the texts of both labels; the head is of all texts."""
    fits = []

    def noted(tokens, targets, weights, labels):
        fits.append(weights)
        return fit(tokens, targets, weights, labels)

    fit = attention_head.fit_attention
    monkeypatch.setattr(attention_head, "fit_attention", noted)
    encoder = train_labels.TwoLayers(Words())
    samples = train_labels.embed_label_set(one_word_decides(), encoder)
    found = attention_head.train_attention(samples, encoder, INPUTS)
    *folds, whole = [weights > 0 for weights in fits]
    assert len(folds) == attention_head.FOLDS
    assert whole.all()
    assert found.seen.all()
    topics = samples.topics.of.copy()
    topics[: 2 * COUNT] = -1 - np.arange(2 * COUNT) % TOPICS
    for topic in np.unique(topics):
        kept = [fold[topics == topic] for fold in folds]
        assert sorted(not fold.any() for fold in kept) == [False] * (len(folds) - 1) + [True]
        assert all(fold.all() or not fold.any() for fold in kept)


def test_training_twice_gives_the_same_bytes() -> None:
    """The order of the examples is that of the policy."""
    first, second = (trained(one_word_decides(), Words()).to_bytes() for _ in range(2))
    assert first == second
