"""Estimates how long batches take: a regression line through the latest ones, with a fixed part and a slope."""

from __future__ import annotations

_WEIGHT = 0.1
"""Weight of the latest batch."""
_OUTLIER = 4.0
"""A batch counts for at most this many times its estimate, so that one slow spell does not shed what follows."""
_SPREAD = 0.01
"""Batch sizes must vary by this share (of the square of their mean) for a slope to be computed."""


class LatencyEstimator:
    """Learns from batches, and estimates the seconds for a number of tokens."""

    def __init__(self) -> None:
        self._seen = 0
        self._size = self._time = self._spread = self._together = 0.0
        self._slope = 0.0

    def learn(self, tokens: int, seconds: float) -> None:
        """Add a measurement."""
        if self._seen:
            seconds = min(seconds, _OUTLIER * max(self._of_batch(tokens), self._time))
        self._seen += 1
        weight = max(_WEIGHT, 1 / self._seen)
        apart, late = tokens - self._size, seconds - self._time
        self._size += weight * apart
        self._time += weight * late
        self._spread = (1 - weight) * (self._spread + weight * apart * apart)
        self._together = (1 - weight) * (self._together + weight * apart * late)
        if self._spread > _SPREAD * self._size**2:
            self._slope = max(self._together / self._spread, 0.0)

    def seconds(self, tokens: int, budget: int) -> float:
        """Seconds for this number of tokens in batches of ``budget``; 0 before the first measurement."""
        if not self._seen:
            return 0.0
        full, rest = divmod(tokens, budget)
        return full * self._of_batch(budget) + (self._of_batch(rest) if rest else 0.0)

    def _of_batch(self, tokens: int) -> float:
        fixed = max(self._time - self._slope * self._size, 0.0)
        return fixed + self._slope * tokens
