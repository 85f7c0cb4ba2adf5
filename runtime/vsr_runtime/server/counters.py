"""Counters cheap enough for every request, that several processes can add up, in the form that Prometheus reads."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

State = dict[str, dict[str, list[float]]]
"""Numbers by the name of their family and by their labels, joined. What one process tells another."""
_JOINT = "\x1f"


class Cell:
    """One number."""

    __slots__ = ("value",)

    def __init__(self) -> None:
        self.value = 0.0

    def inc(self, by: float = 1.0) -> None:
        """Add to it."""
        self.value += by

    def set(self, value: float) -> None:
        """Replace it."""
        self.value = value


class Family:
    """Numbers of one name, told apart by labels.

    Args:
        name: as Prometheus has it, of a counter without ``_total``.
        text: what it says.
        labels: names of the labels.
        gauge: how several processes make one number of it (``sum`` or ``min``); None for a counter.
    """

    def __init__(self, name: str, text: str, labels: Sequence[str] = (), *, gauge: str | None = None) -> None:
        self.name, self.text, self.names, self.gauge = name, text, tuple(labels), gauge
        self._cells: dict[tuple[str, ...], Cell] = {}

    def labels(self, *values: str) -> Cell:
        """The number with these labels, which is there from now on."""
        found = self._cells.get(values)
        if found is None:
            found = self._cells[values] = Cell()
        return found

    def clear(self) -> None:
        """Forget all numbers."""
        self._cells.clear()

    def state(self) -> dict[str, list[float]]:
        """The numbers by their labels."""
        return {_JOINT.join(values): [cell.value] for values, cell in self._cells.items()}

    def joined(self, values: Iterable[list[float]]) -> list[float]:
        """One number of those of several processes."""
        numbers = [value for (value,) in values]
        return [min(numbers) if self.gauge == "min" else sum(numbers)]

    def metric(self, state: Mapping[str, list[float]]) -> Metric:
        """What Prometheus is shown."""
        kind = GaugeMetricFamily if self.gauge else CounterMetricFamily
        metric: Metric = kind(self.name, self.text, labels=self.names)
        for labels, (value,) in state.items():
            metric.add_metric(labels.split(_JOINT) if self.names else [], value)  # type: ignore[attr-defined] # of both
        return metric


class Distribution:
    """How many of what was observed were at most so large."""

    gauge = None

    def __init__(self, name: str, text: str, bounds: Sequence[float]) -> None:
        self.name, self.text, self._bounds = name, text, tuple(bounds)
        self._counts = [0.0] * (len(bounds) + 1)
        self._sum = 0.0

    def observe(self, value: float) -> None:
        """Count one."""
        self._counts[bisect_left(self._bounds, value)] += 1
        self._sum += value

    def state(self) -> dict[str, list[float]]:
        """The counts of all buckets, then the sum of what was observed."""
        return {"": [*self._counts, self._sum]}

    def joined(self, values: Iterable[list[float]]) -> list[float]:
        """One distribution of those of several processes."""
        return [sum(column) for column in zip(*values, strict=True)]

    def metric(self, state: Mapping[str, list[float]]) -> Metric:
        """What Prometheus is shown."""
        *counts, total = state.get("") or [0.0] * (len(self._counts) + 1)
        below, buckets = 0.0, []
        for bound, count in zip([*map(str, self._bounds), "+Inf"], counts, strict=True):
            below += count
            buckets.append((bound, below))
        metric: Metric = HistogramMetricFamily(self.name, self.text, buckets=buckets, sum_value=total)
        return metric


def joined(families: Iterable[Family | Distribution], states: Sequence[State]) -> State:
    """What several processes counted, as if it were one."""
    result: State = {}
    for family in families:
        parts = [state.get(family.name, {}) for state in states]
        labels = dict.fromkeys(label for part in parts for label in part)
        result[family.name] = {
            label: family.joined([part[label] for part in parts if label in part]) for label in labels
        }
    return result


def page(families: Sequence[Family | Distribution], state: State) -> bytes:
    """Prometheus' text format."""

    class _Once(Collector):
        def collect(self) -> Iterator[Metric]:
            for family in families:
                if family.name in state:
                    yield family.metric(state[family.name])

    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Once())
    text: Any = generate_latest(registry)
    return bytes(text)
