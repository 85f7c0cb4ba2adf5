"""PromQL for metrics that releases name differently.

A pod has the names of its release; some releases have the old and the new name. So names are alternatives for each pod:
no pod counts twice, and none is missing while a rollout replaces pods of another release.
"""

from __future__ import annotations

from collections.abc import Callable

WINDOW = "5m"
Names = tuple[str, ...]
"""The names of a metric, those of later releases first."""


def gauge(names: Names, where: str, by: str, combined: str = "sum") -> str:
    """Return the query of a gauge.

    Args:
        names: Its names.
        where: The label matchers of its series.
        by: The labels of the result.
        combined: The aggregation of its series.
    """
    return _aggregated(combined, names, by, lambda name: f"{name}{{{where}}}")


def rate(names: Names, where: str, by: str) -> str:
    """Return the query of how much a counter rises in a second; arguments as for `gauge`."""
    return _aggregated("sum", names, by, lambda name: f"rate({name}{{{where}}}[{WINDOW}])")


def quantile(percent: int, names: Names, where: str, by: str) -> str:
    """Return the query of a quantile of a histogram; ``percent`` is from 1 to 99, the others as for `gauge`."""
    buckets = tuple(f"{name}_bucket" for name in names)
    return f"histogram_quantile({percent / 100:g}, {rate(buckets, where, f'{by}, le')})"


def _aggregated(combined: str, names: Names, by: str, series: Callable[[str], str]) -> str:
    if len(names) == 1:
        return f"{combined} by ({by}) ({series(names[0])})"
    each = " or ".join(f"{combined} by ({by}, pod) ({series(name)})" for name in names)
    return f"{combined} by ({by}) ({each})"
