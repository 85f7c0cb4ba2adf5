"""Counts what is used of each limit, in windows that begin at multiples of their length since 1970.

A request is admitted while less than the limit is used. From then on it counts as what it may use; when its response
ends, as what it did use. So requests at the same time cannot exceed a limit together: only the last one that is
admitted may, by what it uses itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil

from vsr_runtime.decision.limits.rules import Claim, Rate, Rates, Usage

MAX_KEYS = 50_000
"""Counts of one limit. Clients beyond them share one count, which they exhaust sooner and not later."""
_SHARED = b""


@dataclass(slots=True)
class _Count:
    window: int
    used: float = 0.0


@dataclass(frozen=True, slots=True)
class Admitted:
    """A request that counts: pairs of a limit with the model, its count, its window and what it counts as."""

    parts: tuple[tuple[Rate, _Count, int, float], ...]
    models: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Exceeded:
    """A request above a limit: refused, or sent to a model, if ``model`` is not None.

    ``reset`` are the seconds until the limit's window ends.
    """

    rate: Rate
    reset: int
    model: str | None = None


class Ledger:
    """The counts of one process. Counts of limits that a reloaded policy keeps stay."""

    def __init__(self, max_keys: int = MAX_KEYS) -> None:
        self._max_keys = max_keys
        self._counts: dict[tuple[str, int], dict[bytes, _Count]] = {}
        self._swept: dict[tuple[str, int], int] = {}

    def keep(self, rates: Rates | None) -> None:
        """Forget the counts of limits that a policy does not have."""
        names = {_table(rate) for rate in rates.limits} if rates else set()
        self._counts = {name: table for name, table in self._counts.items() if name in names}

    def admit(self, rates: Rates, claim: Claim, address: bytes, now: float) -> Admitted | Exceeded:
        """Count a request, or return the limit that it is above.

        A limit that refuses requests goes before those that move them. A request with fallbacks that are above a limit
        is moved to its first model, which leaves its fallbacks.
        """
        found: list[tuple[Rate, _Count, int, float]] = []
        moved: Exceeded | None = None
        for number, model in enumerate(claim.models):
            for rate in rates.limits:
                if not rate.counts(claim, model):
                    continue
                window = int(now // rate.window)
                count = self._count(rate, rate.key(claim, model, address), window)
                if any(count is other for _, other, _, _ in found):
                    continue
                full = count.used + 1 > rate.share if rate.unit == "requests" else count.used >= rate.share
                if full:
                    reset = max(1, ceil((window + 1) * rate.window - now))
                    if number:
                        return Exceeded(rate, reset, claim.models[0])
                    if rate.over is None or not claim.movable:
                        return Exceeded(rate, reset)
                    moved = moved or Exceeded(rate, reset, rate.over)
                found.append((rate, count, window, rates.cost(rate, claim.models, claim.estimate)))
            if moved is not None:
                return moved
        for _, count, _, cost in found:
            count.used += cost
        return Admitted(tuple(found), claim.models)

    def settle(self, rates: Rates, admitted: Admitted, usage: Usage) -> float:
        """Replace what a request may use by what it did use, unless the window is over. Return the tokens' sum."""
        for rate, count, window, cost in admitted.parts:
            if rate.unit != "requests" and count.window == window:
                count.used = max(0.0, count.used + rates.cost(rate, admitted.models, usage) - cost)
        return usage.prompt + usage.completion

    def _count(self, rate: Rate, key: bytes, window: int) -> _Count:
        name = _table(rate)
        table = self._counts.setdefault(name, {})
        count = table.get(key)
        if count is None:
            if len(table) >= self._max_keys:
                self._sweep(name, table, window)
            if len(table) >= self._max_keys:
                key = _SHARED
                count = table.get(key)
            if count is None:
                count = table[key] = _Count(window)
        if count.window < window:  # never back: a clock that is set back opens no window again
            count.window, count.used = window, 0.0
        return count

    def _sweep(self, name: tuple[str, int], table: dict[bytes, _Count], window: int) -> None:
        """Drop the counts of earlier windows, at most once in a window."""
        if self._swept.get(name) == window:
            return
        self._swept[name] = window
        for key in [key for key, count in table.items() if count.window < window]:
            del table[key]


def _table(rate: Rate) -> tuple[str, int]:
    return rate.name, rate.window
