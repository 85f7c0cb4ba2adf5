"""Fits queries of attention over the tokens of the encoder's middle layer, together with a softmax over what they find.

Adam on small batches, with every random number from one seed: the same inputs give the same queries on one machine.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vsr_compiler.heads.logistic import Floats, Integers, one_hot, softmax

Array = NDArray[np.float32]
QUERIES = 32
STEPS = 1000
_BATCH = 64
_RATE = 0.01
_DECAY = 1.0
_MOMENTUM, _SQUARES = 0.9, 0.99
_LENGTH = 16.0
"""Mean of the squared length of a token after scaling."""
_QUERY, _VALUE = 0.3, 0.05
_SMALLEST = 1e-8
_LEAST_SPREAD = 1e-3
"""Of a number of tokens, before scaling: what hardly varies would be scaled beyond half precision. MiniLM's is 0.2."""


@dataclass(frozen=True, eq=False)
class Tokens:
    """The tokens of texts, one text after another.

    Attributes:
        states: Shape ``[tokens, dimension]``, float16.
        edges: Shape ``[texts + 1]``: where each text begins, and where the last one ends.
    """

    states: NDArray[np.float16]
    edges: Integers

    @classmethod
    def of(cls, texts: Sequence[NDArray[np.float16]]) -> Tokens:
        """Join the tokens of texts, shape ``[tokens, dimension]`` each."""
        return cls(np.concatenate(texts), np.concatenate([[0], np.cumsum([len(text) for text in texts])]))

    def of_texts(self, chosen: Integers) -> tuple[NDArray[np.float16], Integers]:
        """Return the tokens of some texts, and the edges of these."""
        edges = np.concatenate([[0], np.cumsum(np.diff(self.edges)[chosen])])
        rows = np.repeat(self.edges[chosen] - edges[:-1], np.diff(edges)) + np.arange(edges[-1])
        return self.states[rows], edges


@dataclass(frozen=True, eq=False)
class Attention:
    """Fitted queries and what their findings are worth, for tokens as they are.

    Attributes:
        queries: Shape ``[queries, dimension]``.
        values: Shape ``[labels, queries, dimension]``.
        bias: Shape ``[labels]``.
    """

    queries: Array
    values: Array
    bias: Array

    def logits(self, tokens: Tokens, chosen: Integers) -> Floats:
        """Return the logits of some texts, shape ``[chosen, labels]``."""
        found = []
        for part in _batches(chosen):
            states, edges = tokens.of_texts(part)
            step = _Pass(states.astype(np.float32), edges, self.queries, self.values)
            found.append(step.findings().sum(axis=2) + self.bias)
        return np.concatenate(found).astype(np.float64) if found else np.zeros((0, len(self.bias)))


class _Pass:
    """One pass over a batch, forwards and backwards."""

    def __init__(self, states: Array, edges: Integers, queries: Array, values: Array) -> None:
        self.states, self._starts = states, edges[:-1]
        self._of = np.repeat(np.arange(len(edges) - 1), np.diff(edges))
        scores = states @ queries.T
        scores = np.exp(scores - np.maximum.reduceat(scores, self._starts)[self._of])
        self._attention = scores / np.add.reduceat(scores, self._starts)[self._of]
        self._worth = np.stack([states @ value.T for value in values], axis=1)

    def findings(self) -> Array:
        """Return what each query finds for each label, shape ``[texts, labels, queries]``."""
        found: Array = np.add.reduceat(self._attention[:, None, :] * self._worth, self._starts)
        return found

    def gradients(self, of_logits: Array) -> tuple[Array, Array]:
        """Return the gradients of queries and values from that of the logits, shape ``[texts, labels]``."""
        spread = of_logits[self._of]
        of_values = np.stack([(self._attention * one[:, None]).T @ self.states for one in spread.T])
        slope = self._attention * (self._worth * spread[:, :, None]).sum(axis=1)
        slope -= self._attention * np.add.reduceat(slope, self._starts)[self._of]
        return slope.T @ self.states, of_values


class _Adam:
    """Adam with decoupled decay (Loshchilov and Hutter 2019) for one array, which it changes in place."""

    def __init__(self, array: Array) -> None:
        self._array = array
        self._mean, self._square = np.zeros_like(array), np.zeros_like(array)
        self._steps = 0

    def step(self, gradient: Array, rate: float) -> None:
        self._steps += 1
        self._mean += (1 - _MOMENTUM) * (gradient - self._mean)
        self._square += (1 - _SQUARES) * (gradient**2 - self._square)
        mean = self._mean / (1 - _MOMENTUM**self._steps)
        square = self._square / (1 - _SQUARES**self._steps)
        self._array *= 1 - rate * _DECAY
        self._array -= rate * mean / (np.sqrt(square) + _SMALLEST)


def fit_attention(tokens: Tokens, targets: Integers, weights: Floats, labels: int) -> Attention:
    """Fit queries and values.

    Args:
        tokens: Of all texts.
        targets: Shape ``[texts]``: label numbers, or ``NONE``.
        weights: Shape ``[texts]``, not negative. Texts of weight 0 are not used.
        labels: The number of labels, without "none".
    """
    used = np.flatnonzero(weights > 0)
    centre, factor = _scale(tokens, used)
    random = np.random.default_rng(0)
    dimension = len(centre)
    queries = (random.standard_normal((QUERIES, dimension)) * _QUERY).astype(np.float32)
    queries[0] = 0  # begins as the mean
    values = (random.standard_normal((labels, QUERIES, dimension)) * _VALUE).astype(np.float32)
    bias = np.zeros(labels, np.float32)
    optimisers = [_Adam(array) for array in (queries, values, bias)]
    expected = one_hot(targets, labels)
    share = weights / weights[used].mean()
    for number, part in enumerate(_rounds(random, used)):
        states, edges = tokens.of_texts(part)
        step = _Pass((states.astype(np.float32) - centre) * factor, edges, queries, values)
        logits = step.findings().sum(axis=2) + bias
        slope = (softmax(logits.astype(np.float64)) - expected[part]) * (share[part] / len(part))[:, None]
        of_logits = slope.astype(np.float32)
        of_queries, of_values = step.gradients(of_logits)
        for optimiser, gradient in zip(optimisers, (of_queries, of_values, of_logits.sum(axis=0)), strict=True):
            optimiser.step(gradient, _RATE * (1 - number / STEPS))
    served = _stored(values * factor)
    return Attention(_stored(queries * factor), served, bias - (served @ centre).sum(axis=1))


def _stored(numbers: Array) -> Array:
    """Round numbers to half precision, in which the file of a head stores them."""
    return numbers.astype(np.float16).astype(np.float32)


def _rounds(random: np.random.Generator, used: Integers) -> Iterator[Integers]:
    """Yield a batch of texts for each step: all texts in a random order, and again."""
    done = 0
    while done < STEPS:
        for part in _batches(random.permutation(used)):
            if done < STEPS:
                yield part
            done += 1


def _scale(tokens: Tokens, used: Integers) -> tuple[Array, Array]:
    """Return what centres and scales the numbers of tokens, shape ``[dimension]`` each."""
    states, _ = tokens.of_texts(used)
    centre, spread = states.mean(axis=0, dtype=np.float64), states.std(axis=0, dtype=np.float64)
    factor = np.sqrt(_LENGTH / len(centre)) / np.maximum(spread, _LEAST_SPREAD)
    return centre.astype(np.float32), factor.astype(np.float32)


def _batches(texts: Integers) -> Iterator[Integers]:
    for begin in range(0, len(texts), _BATCH):
        yield texts[begin : begin + _BATCH]
