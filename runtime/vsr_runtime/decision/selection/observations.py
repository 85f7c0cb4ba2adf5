"""What a server has observed of models: an input of decisions, which measure nothing themselves."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

MIN_VALUES = 3
"""Values from which a percentile is computed. Fewer count as their moving average."""
SMOOTHING = 0.3
"""Weight of the newest value in that average."""


@dataclass(frozen=True, slots=True)
class Observed:
    """What was observed of one model.

    Attributes:
        in_flight: requests whose response has not ended.
        tpot: seconds per token, by percentile; empty without a measured response.
        ttft: seconds to the first token, by percentile; empty likewise.
    """

    in_flight: int = 0
    tpot: Mapping[int, float] = field(default_factory=dict)
    ttft: Mapping[int, float] = field(default_factory=dict)


UNKNOWN = Observed()
"""A model of which nothing was observed."""
Observations = Mapping[str, Observed]
"""By the name of a model or of an adapter."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What decisions read.

    Attributes:
        models: the models that may be selected.
        tpot: the percentiles of seconds per token.
        ttft: the percentiles of seconds to the first token.
    """

    models: frozenset[str]
    tpot: frozenset[int] = frozenset()
    ttft: frozenset[int] = frozenset()

    @classmethod
    def union(cls, parts: Iterable[Wanted | None]) -> Wanted | None:
        """Return all that is read; None if nothing is."""
        known = [part for part in parts if part is not None]
        if not known:
            return None
        return cls(
            frozenset().union(*(part.models for part in known)),
            frozenset().union(*(part.tpot for part in known)),
            frozenset().union(*(part.ttft for part in known)),
        )


def percentile(ordered: Sequence[float], share: int) -> float:
    """Return a percentile, 1 to 100, of at least one value in ascending order, interpolated between its neighbours."""
    index = share / 100.0 * (len(ordered) - 1)
    lower = int(index)
    if lower + 1 >= len(ordered):
        return ordered[-1]
    weight = index - lower
    return ordered[lower] * (1 - weight) + ordered[lower + 1] * weight
