"""Counters that are cheap per request, can be summed over processes, and are exported to Prometheus."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.openmetrics import exposition as openmetrics
from prometheus_client.registry import Collector
from prometheus_client.samples import Exemplar

from vsr_runtime.server.exemplars import Exemplars, latest, read

State = dict[str, dict[str, list[float]]]
"""Values by family and by joined labels. Child processes send it to their parent."""
_JOINT = "\x1f"
_EXEMPLARS = "\x1eexemplars"
"""What follows the labels of a histogram in the key of its exemplars."""


class Cell:
    """One value."""

    __slots__ = ("value",)

    def __init__(self) -> None:
        self.value = 0.0

    def inc(self, by: float = 1.0) -> None:
        """Add to the value."""
        self.value += by

    def set(self, value: float) -> None:
        """Replace the value."""
        self.value = value


class Family:
    """Values of one metric, by labels.

    Args:
        name: the metric's name, of a counter without ``_total``.
        text: the help text.
        labels: names of the labels.
        gauge: how values of several processes are combined (``sum`` or ``min``); None for a counter.
    """

    def __init__(self, name: str, text: str, labels: Sequence[str] = (), *, gauge: str | None = None) -> None:
        self.name, self.text, self.names, self.gauge = name, text, tuple(labels), gauge
        self._cells: dict[tuple[str, ...], Cell] = {}

    def labels(self, *values: str) -> Cell:
        """Get the value with these labels; create it if it is new."""
        found = self._cells.get(values)
        if found is None:
            found = self._cells[values] = Cell()
        return found

    def clear(self) -> None:
        """Remove all values."""
        self._cells.clear()

    def state(self) -> dict[str, list[float]]:
        """The values by joined labels."""
        return {_JOINT.join(values): [cell.value] for values, cell in self._cells.items()}

    def joined(self, _: str, values: Iterable[list[float]]) -> list[float]:
        """Combine the values of several processes."""
        numbers = [value for (value,) in values]
        return [min(numbers) if self.gauge == "min" else sum(numbers)]

    def metric(self, state: Mapping[str, list[float]], *, exemplars: bool = False) -> Metric:  # noqa: ARG002 - it has none
        """Export to Prometheus."""
        kind = GaugeMetricFamily if self.gauge else CounterMetricFamily
        metric: Metric = kind(self.name, self.text, labels=self.names)
        for labels, (value,) in state.items():
            metric.add_metric(labels.split(_JOINT) if self.names else [], value)  # type: ignore[attr-defined] # of both
        return metric


class Histogram:
    """The values of a distribution with the same labels."""

    __slots__ = ("_bounds", "_counts", "_exemplars", "_sum")

    def __init__(self, bounds: Sequence[float]) -> None:
        self._bounds = tuple(bounds)
        self._counts = [0.0] * (len(bounds) + 1)
        self._sum = 0.0
        self._exemplars: Exemplars | None = None

    def observe(self, value: float, trace: tuple[int, int] | None = None) -> None:
        """Count a value. ``trace`` are the ids of its trace and span if it is sampled."""
        bucket = bisect_left(self._bounds, value)
        self._counts[bucket] += 1
        self._sum += value
        if trace is not None:
            if self._exemplars is None:
                self._exemplars = Exemplars(len(self._counts))
            self._exemplars.keep(bucket, value, *trace)

    def state(self) -> list[float]:
        """The counts of all buckets, then the sum of the values."""
        return [*self._counts, self._sum]

    def exemplars(self) -> list[float] | None:
        """The exemplars of all buckets; None if there are none."""
        return None if self._exemplars is None else self._exemplars.state()


class Distribution:
    """Histograms of one metric, by labels.

    Args:
        name: the metric's name.
        text: the help text.
        bounds: the upper bounds of the buckets.
        labels: names of the labels.
    """

    gauge = None

    def __init__(self, name: str, text: str, bounds: Sequence[float], labels: Sequence[str] = ()) -> None:
        self.name, self.text, self.names, self._bounds = name, text, tuple(labels), tuple(bounds)
        self._cells: dict[tuple[str, ...], Histogram] = {}
        if not labels:
            self.observe = self.labels().observe

    def labels(self, *values: str) -> Histogram:
        """Get the histogram with these labels; create it if it is new."""
        found = self._cells.get(values)
        if found is None:
            found = self._cells[values] = Histogram(self._bounds)
        return found

    def state(self) -> dict[str, list[float]]:
        """The values by joined labels, and exemplars."""
        found = {_JOINT.join(values): cell.state() for values, cell in self._cells.items()}
        rows = {_JOINT.join(values) + _EXEMPLARS: cell.exemplars() for values, cell in self._cells.items()}
        return found | {label: row for label, row in rows.items() if row is not None}

    def joined(self, label: str, values: Iterable[list[float]]) -> list[float]:
        """Add up the histograms of several processes, and take their last exemplars."""
        if label.endswith(_EXEMPLARS):
            return latest(values)
        return [sum(column) for column in zip(*values, strict=True)]

    def metric(self, state: Mapping[str, list[float]], *, exemplars: bool = False) -> Metric:
        """Export to Prometheus: with ``exemplars`` for OpenMetrics, where bounds are floats."""
        metric: Metric = HistogramMetricFamily(self.name, self.text, labels=self.names)
        empty = {} if self.names else {"": [0.0] * (len(self._bounds) + 2)}
        bounds = [*(str(float(bound) if exemplars else bound) for bound in self._bounds), "+Inf"]
        for labels, (*counts, total) in (state or empty).items():
            if labels.endswith(_EXEMPLARS):
                continue
            rows = state.get(labels + _EXEMPLARS) if exemplars else None
            found = read(rows) if rows else [None] * len(counts)
            below = 0.0
            buckets: list[tuple[str, float] | tuple[str, float, Exemplar]] = []
            for bound, count, exemplar in zip(bounds, counts, found, strict=True):
                below += count
                buckets.append((bound, below, exemplar) if exemplar else (bound, below))
            metric.add_metric(labels.split(_JOINT) if self.names else [], buckets, total)  # type: ignore[attr-defined]
        return metric


def joined(families: Iterable[Family | Distribution], states: Sequence[State]) -> State:
    """Combine the states of several processes."""
    result: State = {}
    for family in families:
        parts = [state.get(family.name, {}) for state in states]
        labels = dict.fromkeys(label for part in parts for label in part)
        result[family.name] = {
            label: family.joined(label, [part[label] for part in parts if label in part]) for label in labels
        }
    return result


def page(families: Sequence[Family | Distribution], state: State, *, exemplars: bool = False) -> bytes:
    """Export to Prometheus' text format; with ``exemplars`` to OpenMetrics."""

    class _Once(Collector):
        def collect(self) -> Iterator[Metric]:
            for family in families:
                if family.name in state:
                    yield family.metric(state[family.name], exemplars=exemplars)

    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Once())
    generate: Any = openmetrics.generate_latest if exemplars else generate_latest
    text = generate(registry)
    return bytes(text)
