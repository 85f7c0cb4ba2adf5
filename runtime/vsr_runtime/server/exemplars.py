"""Exemplars of a histogram: for each bucket the last sampled trace of an observation in it.

Child processes send their values as lists of numbers, so an exemplar is a row of numbers: the words of its ids, its
value and its time.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence

from prometheus_client.samples import Exemplar

_WORD = 32
_TRACE, _SPAN = 4, 2
"""Words of 32 bits of an id; each is exact as a float."""
_ROW = _TRACE + _SPAN + 2
_EMPTY = (0.0,) * _ROW


class Exemplars:
    """The exemplars of a histogram's buckets.

    Args:
        buckets: the number of buckets.
    """

    def __init__(self, buckets: int) -> None:
        self._rows: list[Sequence[float]] = [_EMPTY] * buckets

    def keep(self, bucket: int, value: float, trace: int, span: int) -> None:
        """Keep an observation as the bucket's exemplar."""
        self._rows[bucket] = (*_words(trace, _TRACE), *_words(span, _SPAN), value, time.time())

    def state(self) -> list[float]:
        """The numbers of all buckets."""
        return [number for row in self._rows for number in row]


def latest(states: Iterable[Sequence[float]]) -> list[float]:
    """Combine the states of several processes: each bucket has its last exemplar."""
    rows = (max(each, key=lambda row: row[-1]) for each in zip(*map(_rows, states), strict=True))
    return [number for row in rows for number in row]


def read(state: Sequence[float]) -> list[Exemplar | None]:
    """Return the exemplar of each bucket; None for a bucket without one."""
    return [
        Exemplar(
            {"trace_id": _hex(row[:_TRACE]), "span_id": _hex(row[_TRACE : _TRACE + _SPAN])}, row[-2], round(row[-1], 3)
        )
        if row[-1]
        else None
        for row in _rows(state)
    ]


def _rows(state: Sequence[float]) -> list[Sequence[float]]:
    return [state[start : start + _ROW] for start in range(0, len(state), _ROW)]


def _words(number: int, count: int) -> list[float]:
    return [float(number >> _WORD * index & (1 << _WORD) - 1) for index in reversed(range(count))]


def _hex(words: Sequence[float]) -> str:
    return "".join(f"{int(word):08x}" for word in words)
