"""Observes models: requests in flight, and how long their responses take. Nothing is observed unless decisions read it.

The numbers belong to one process, and stay when another policy is loaded.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import deque
from collections.abc import Callable, Mapping
from time import monotonic

from vsr_runtime.decision.limits.rules import Usage
from vsr_runtime.decision.request.events import SendToModel
from vsr_runtime.decision.request.usage import UsageMeter
from vsr_runtime.decision.selection.observations import (
    MIN_VALUES,
    SMOOTHING,
    Observations,
    Observed,
    Wanted,
    percentile,
)

MAX_VALUES = 1000
"""Values that are kept of a model."""
MAX_AGE = 600.0
"""Seconds for which a request counts as in flight, however long its response takes."""
_ERROR = 400


class Window:
    """The newest values of one number."""

    __slots__ = ("_average", "_ordered", "_values")

    def __init__(self) -> None:
        self._values: deque[float] = deque()
        self._ordered: list[float] = []
        self._average = 0.0

    def add(self, value: float) -> None:
        """Add a value, and drop the oldest one if there are too many."""
        self._average = SMOOTHING * value + (1 - SMOOTHING) * self._average if self._values else value
        self._values.append(value)
        insort(self._ordered, value)
        if len(self._values) > MAX_VALUES:
            del self._ordered[bisect_left(self._ordered, self._values.popleft())]

    def at(self, shares: frozenset[int]) -> Mapping[int, float]:
        """Return percentiles; none without a value."""
        if not self._values:
            return {}
        if len(self._values) < MIN_VALUES:
            return dict.fromkeys(shares, self._average)
        return {share: percentile(self._ordered, share) for share in shares}


class _Model:
    __slots__ = ("begun", "tpot", "ttft")

    def __init__(self) -> None:
        self.tpot, self.ttft = Window(), Window()
        self.begun: dict[int, float] = {}


class ModelObserver:
    """What was observed of all models.

    Args:
        clock: seconds that only grow.
    """

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._models: dict[str, _Model] = {}
        self._number = 0

    def snapshot(self, wanted: Wanted) -> Observations:
        """Return what decisions read now."""
        known = ((name, self._models.get(name)) for name in wanted.models)
        return {name: self._observed(model, wanted) for name, model in known if model is not None}

    def keep(self, names: frozenset[str]) -> None:
        """Forget all models but these."""
        for name in self._models.keys() - names:
            del self._models[name]

    def watch(self, sent: SendToModel, begun: float, arrived: float) -> Watch:
        """Watch the response to a request.

        Args:
            sent: its decision.
            begun: the time at which it began to arrive.
            arrived: the time at which its body was complete.
        """
        model = self._models.setdefault(sent.model, _Model())
        self._number += 1
        if sent.signals is not None or sent.cause is not None:  # the router chose the model
            model.begun[self._number] = self._clock()
        return Watch(model, self._number, sent, self._clock, begun, arrived)

    def _observed(self, model: _Model, wanted: Wanted) -> Observed:
        oldest = self._clock() - MAX_AGE
        while model.begun and (number := next(iter(model.begun))) and model.begun[number] < oldest:
            del model.begun[number]
        return Observed(len(model.begun), model.tpot.at(wanted.tpot), model.ttft.at(wanted.ttft))


class Watch:
    """One request, from its decision to the end of its response. Errors of a model say nothing of its speed."""

    __slots__ = ("_arrived", "_begun", "_clock", "_meter", "_model", "_number", "_streamed", "_ttft")

    def __init__(
        self,
        model: _Model,
        number: int,
        sent: SendToModel,
        clock: Callable[[], float],
        begun: float,
        arrived: float,
    ) -> None:
        self._model, self._number, self._clock = model, number, clock
        self._begun, self._arrived = begun, arrived
        plan = sent.response
        self._meter = UsageMeter(plan.api, Usage()) if plan is not None and plan.api.generates else None
        self._streamed = self._ttft = False

    def begin(self, headers: Mapping[str, str]) -> None:
        """Read the headers of the response, with which a response that is not streamed has begun."""
        status = headers.get(":status", "")
        if not (status.isascii() and status.isdecimal() and len(status) == len(str(_ERROR))) or int(status) >= _ERROR:
            self._meter = None
        if self._meter is not None:
            self._meter.begin(headers)
            self._streamed = headers.get("content-type", "").partition(";")[0].strip().lower() == "text/event-stream"
            if not self._streamed:
                self._first()

    def feed(self, data: bytes, *, last: bool) -> None:
        """Read a part of the body."""
        if self._meter is None:
            return
        if data and self._streamed:
            self._first()
        self._meter.feed(data)
        if last:
            self.end()

    def end(self) -> None:
        """Count the response, which is complete. Without the number of its tokens only its beginning counts."""
        meter, self._meter = self._meter, None
        usage = meter.stated() if meter is not None else None
        if usage is not None and usage.completion > 0:
            self._model.tpot.add((self._clock() - self._begun) / usage.completion)
        self.close()

    def close(self) -> None:
        """Count the request as in flight no longer."""
        self._model.begun.pop(self._number, None)

    def _first(self) -> None:
        seconds = self._clock() - self._arrived
        if not self._ttft and seconds > 0:
            self._ttft = True
            self._model.ttft.add(seconds)
