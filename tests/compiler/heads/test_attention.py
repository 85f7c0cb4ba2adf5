"""The fit of queries and values: its gradients, and what it finds that a mean cannot."""

from __future__ import annotations

import numpy as np
import pytest

from vsr_compiler.heads import attention
from vsr_compiler.heads.attention import Attention, Tokens, fit_attention
from vsr_compiler.heads.logistic import NONE, fit, one_hot, softmax, with_bias

DIMENSION = 8


@pytest.fixture(autouse=True)
def _quick(monkeypatch) -> None:
    """Few steps and queries: the sets are small."""
    monkeypatch.setattr(attention, "STEPS", 200)
    monkeypatch.setattr(attention, "QUERIES", 4)


def texts(*lengths: int, seed: int = 0) -> list[np.ndarray]:
    """Texts of random tokens."""
    random = np.random.default_rng(seed)
    return [random.standard_normal((length, DIMENSION)).astype(np.float16) for length in lengths]


def planted(count: int = 80, seed: int = 0) -> tuple[Tokens, np.ndarray]:
    """Long texts of random tokens: every other one has one token with a direction that no other token has.

    The mean of a text moves by less than the noise of the other tokens.
    """
    random = np.random.default_rng(seed)
    long = texts(*random.integers(60, 120, count), seed=seed)
    targets = np.where(np.arange(count) % 2, NONE, 0).astype(np.int64)
    for text, target in zip(long, targets, strict=True):
        if target == 0:
            text[random.integers(len(text))] = [4, -4, *[0] * (DIMENSION - 2)]
    return Tokens.of(long), targets


def area(scores: np.ndarray, targets: np.ndarray) -> float:
    """The share of pairs of a text with a label and one without that scores put in order."""
    return float((scores[targets != NONE][:, None] > scores[targets == NONE][None, :]).mean())


def everything(tokens: Tokens) -> np.ndarray:
    """The numbers of all texts."""
    return np.arange(len(tokens.edges) - 1)


def test_the_tokens_of_some_texts_are_those_of_each_in_turn() -> None:
    """In the order asked for, also twice."""
    three = texts(2, 5, 1)
    states, edges = Tokens.of(three).of_texts(np.array([2, 0, 2]))
    assert edges.tolist() == [0, 1, 3, 4]
    assert np.array_equal(states, np.concatenate([three[2], three[0], three[2]]))


def test_gradients_are_those_of_finite_differences() -> None:
    """Of the loss of two labels and none, for every query and value; computed in full precision."""
    random = np.random.default_rng(1)
    states = np.concatenate(texts(3, 1, 6, 4, seed=2)).astype(np.float64)
    edges, expected = np.array([0, 3, 4, 10, 14]), one_hot(np.array([0, 1, NONE, 1]), 2)
    arrays = {"queries": random.standard_normal((3, DIMENSION)), "values": random.standard_normal((2, 3, DIMENSION))}

    def logits(queries, values):
        return attention._Pass(states, edges, queries, values).findings().sum(axis=2)

    def loss():
        shares = softmax(logits(**arrays))
        return -np.log(np.where(expected.any(axis=1), (shares * expected).sum(axis=1), 1 - shares.sum(axis=1))).sum()

    step = attention._Pass(states, edges, **arrays)
    found = step.gradients(softmax(logits(**arrays)) - expected)
    for array, gradient in zip(arrays.values(), found, strict=True):
        assert gradient.shape == array.shape
        for place in np.ndindex(array.shape):
            kept, losses = array[place], []
            for moved in (1e-5, -1e-5):
                array[place] = kept + moved
                losses.append(loss())
            array[place] = kept
            assert gradient[place] == pytest.approx((losses[0] - losses[1]) / 2e-5, abs=1e-7)


def test_one_token_in_a_long_text_is_found_where_the_mean_of_tokens_does_not_show_it() -> None:
    """In texts that are not of the training set."""
    (tokens, targets), (unseen, wanted) = planted(), planted(seed=1)
    fitted = fit_attention(tokens, targets, np.ones(len(targets)), 1)
    assert area(fitted.logits(unseen, everything(unseen))[:, 0], wanted) > 0.99

    def means(of: Tokens) -> np.ndarray:
        parts = np.split(of.states.astype(np.float32), of.edges[1:-1])
        return with_bias(np.stack([part.mean(axis=0) for part in parts]))

    weight = fit(means(tokens), targets, np.ones(len(targets)), 1, 0.01)
    assert area((means(unseen) @ weight)[:, 0], wanted) < 0.8


def test_labels_are_told_apart() -> None:
    """Each by a token of its own; a text with neither has none."""
    tokens, _ = planted()
    targets = np.resize([0, 1, NONE], len(everything(tokens))).astype(np.int64)
    states = np.clip(tokens.states, -2, 2)
    marks = {0: [5, 0, *[0] * (DIMENSION - 2)], 1: [0, 5, *[0] * (DIMENSION - 2)]}
    for begin, target in zip(tokens.edges, targets.tolist(), strict=False):
        if target != NONE:
            states[begin + 3] = marks[target]
    marked = Tokens(states, tokens.edges)
    rows = softmax(fit_attention(marked, targets, np.ones(len(targets)), 2).logits(marked, everything(marked)))
    shares = np.column_stack([rows, 1 - rows.sum(axis=1)])
    assert (shares.argmax(axis=1) == np.where(targets == NONE, 2, targets)).mean() > 0.95


def test_the_same_inputs_give_the_same_bits() -> None:
    """Whatever was drawn from other random numbers in between."""
    tokens, targets = planted(20)
    weights = np.ones(len(targets))
    first = fit_attention(tokens, targets, weights, 1)
    np.random.default_rng().random(3)
    second = fit_attention(tokens, targets, weights, 1)
    assert [getattr(first, name).tobytes() for name in ("queries", "values", "bias")] == [
        getattr(second, name).tobytes() for name in ("queries", "values", "bias")
    ]


def test_texts_of_weight_0_do_not_matter() -> None:
    """Neither to the fit nor to how numbers are scaled: a head is measured on texts that it has not seen."""
    tokens, targets = planted(30)
    weights = np.where(np.arange(30) < 20, 1.0, 0.0)
    other = tokens.states.copy()
    other[tokens.edges[20] :] = 100
    turned = np.where(weights > 0, targets, 0)
    first = fit_attention(tokens, targets, weights, 1)
    second = fit_attention(Tokens(other, tokens.edges), turned, weights, 1)
    assert np.array_equal(first.queries, second.queries)
    assert np.array_equal(first.values, second.values)
    assert np.array_equal(first.bias, second.bias)


def test_a_text_counts_by_its_weight() -> None:
    """Of equal texts with and without the label, the heavier half has its way; only proportions matter."""
    tokens = Tokens.of(texts(5, 5) * 10)
    targets = np.repeat([0, NONE], 10).astype(np.int64)
    weights = np.where(targets == NONE, 1.0, 3.0)
    fitted = fit_attention(tokens, targets, weights, 1)
    assert softmax(fitted.logits(tokens, everything(tokens))) == pytest.approx(0.75, abs=0.1)
    scaled = fit_attention(tokens, targets, weights * 8, 1)
    assert np.array_equal(scaled.values, fitted.values)


def test_logits_do_not_depend_on_the_texts_beside() -> None:
    """Nor on how many are read at once."""
    tokens, targets = planted(90)
    random = np.random.default_rng(0)
    made = Attention(*(random.standard_normal(shape).astype(np.float32) for shape in ((3, 8), (2, 3, 8), (2,))))
    whole = made.logits(tokens, everything(tokens))
    assert whole.shape == (len(targets), 2)
    chosen = np.array([89, 3, 64, 63, 3])
    assert made.logits(tokens, chosen) == pytest.approx(whole[chosen], abs=1e-4)
    alone = np.concatenate([made.logits(tokens, np.array([number])) for number in range(90)])
    assert alone == pytest.approx(whole, abs=1e-4)
    assert made.logits(tokens, np.array([], dtype=np.int64)).shape == (0, 2)


def test_a_fit_does_not_depend_on_the_scale_of_tokens() -> None:
    """It is folded into queries, values and bias: tokens as they are give the logits of scaled ones."""
    tokens, targets = planted(40)
    factor, moved = np.array([8, 1, 1, 0.125, 4, 1, 2, 1]), np.array([3, -2, 0, 1, 8, 0, 0, -4])
    states = (tokens.states.astype(np.float64) * factor + moved).astype(np.float16)
    weights = np.ones(len(targets))
    plain = fit_attention(tokens, targets, weights, 1).logits(tokens, everything(tokens))
    other = Tokens(states, tokens.edges)
    found = fit_attention(other, targets, weights, 1).logits(other, everything(other))
    assert np.corrcoef(plain[:, 0], found[:, 0])[0, 1] > 0.99
    assert np.abs(found - plain).mean() < 0.1 * plain.std()


@pytest.mark.parametrize("spread", [0, 1e-4])
@pytest.mark.filterwarnings("error")
def test_a_number_that_hardly_varies_is_no_division_by_zero(spread) -> None:
    """What is stored is finite in half precision, and what decides is found all the same."""
    tokens, targets = planted(40)
    states = tokens.states.copy()
    states[:, -1] = np.random.default_rng(0).standard_normal(len(states)) * spread
    flat = Tokens(states, tokens.edges)
    fitted = fit_attention(flat, targets, np.ones(len(targets)), 1)
    for array in (fitted.queries, fitted.values):
        assert np.isfinite(array).all()
        assert np.array_equal(array.astype(np.float16).astype(np.float32), array)
    assert area(fitted.logits(flat, everything(flat))[:, 0], targets) > 0.95
