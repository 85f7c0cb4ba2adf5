"""Attention over the tokens of a text, in the form that a head is served in."""

from __future__ import annotations

import math

import numpy as np
import pytest

from vsr_runtime.inference.attention_pooling import MOST_QUERIES, AttentionPooling
from vsr_runtime.inference.errors import ModelError


def numbers(*shape: int, seed: int = 0) -> np.ndarray:
    """Random numbers."""
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def test_a_pooled_text_is_the_mean_of_its_tokens_by_the_softmax_of_products():
    """As a loop over queries and tokens computes it; one query after the other."""
    queries, tokens = numbers(3, 5), numbers(7, 5, seed=1)
    expected: list[float] = []
    for query in queries.tolist():
        weights = [math.exp(sum(a * b for a, b in zip(token, query, strict=True))) for token in tokens.tolist()]
        for place in range(5):
            terms = (weight * token[place] for weight, token in zip(weights, tokens.tolist(), strict=True))
            expected.append(sum(terms) / sum(weights))
    pooling = AttentionPooling(queries)
    pooled = pooling.pooled(tokens)
    assert pooled.shape == (15,) == (pooling.size,)
    assert pooled.dtype == np.float32
    assert pooled == pytest.approx(expected, abs=1e-5)


def test_a_query_of_zeros_is_the_mean():
    """All tokens have the same weight."""
    tokens = numbers(7, 5)
    assert AttentionPooling(np.zeros((1, 5), np.float32)).pooled(tokens) == pytest.approx(tokens.mean(axis=0), abs=1e-6)


def test_one_token_is_all_of_a_text():
    """Whatever the queries ask."""
    token = numbers(1, 5)
    assert AttentionPooling(numbers(2, 5, seed=1)).pooled(token) == pytest.approx(np.tile(token[0], 2))


def test_the_order_of_tokens_does_not_matter():
    """A token counts by what it is, not by where it is."""
    pooling, tokens = AttentionPooling(numbers(2, 5)), numbers(9, 5, seed=1)
    assert pooling.pooled(tokens[::-1]) == pytest.approx(pooling.pooled(tokens), abs=1e-5)


@pytest.mark.parametrize("sign", [1, -1])
def test_large_scores_do_not_overflow(sign):
    """Products far beyond what an exponential can hold choose one token, or all of equal ones."""
    tokens = np.array([[1, 0], [2, 0], [2, 1]], np.float32)
    pooling = AttentionPooling(np.array([[sign * 1e6, 0]], np.float32))
    expected = [2, 0.5] if sign > 0 else [1, 0]
    assert pooling.pooled(tokens).tolist() == expected


def test_tokens_of_another_encoder_are_refused():
    """With both dimensions."""
    with pytest.raises(ModelError, match="takes tokens of 5 numbers, the encoder gives 4"):
        AttentionPooling(numbers(2, 5)).pooled(numbers(3, 4))


@pytest.mark.parametrize(
    "queries",
    [
        np.zeros(5),
        np.zeros((1, 2, 5)),
        np.zeros((0, 5)),
        np.zeros((2, 0)),
        np.zeros((MOST_QUERIES + 1, 5)),
        np.array([[0, np.nan]]),
        np.array([[np.inf, 0]]),
    ],
    ids=["a row", "three axes", "none", "no dimension", "too many", "no number", "infinite"],
)
def test_what_is_no_matrix_of_queries_is_an_error(queries):
    """The file of a head can hold anything."""
    with pytest.raises(ModelError, match="not a matrix; compile the policy again"):
        AttentionPooling(queries.astype(np.float32))


def test_as_many_queries_as_allowed():
    """The limit itself is no error."""
    assert AttentionPooling(np.zeros((MOST_QUERIES, 2), np.float32)).size == MOST_QUERIES * 2


def test_equal_queries_have_equal_keys():
    """Whatever their layout in memory; another number or shape is another key."""
    queries = numbers(2, 6)
    key = AttentionPooling(queries).key
    assert AttentionPooling(np.asfortranarray(queries)).key == key
    other = queries.copy()
    other[0, 0] += 1
    assert len({key, AttentionPooling(other).key, AttentionPooling(queries.reshape(3, 4)).key}) == 3
    assert key not in {"last", "middle"}
