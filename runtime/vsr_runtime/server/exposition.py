"""The formats of ``/metrics``, and which of them a scraper asks for."""

from __future__ import annotations

METRICS = "text/plain; version=0.0.4; charset=utf-8"
"""Prometheus' text format."""
OPEN_METRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"
"""The only format with exemplars."""
_OPEN_METRICS_TYPE = "application/openmetrics-text"
_NEVER = frozenset({"q=0", "q=0.0", "q=0.00", "q=0.000"})


def accepts_open_metrics(accept: str) -> bool:
    """Return whether a scraper asks for OpenMetrics."""
    for item in accept.split(","):
        kind, *parameters = (part.strip().lower() for part in item.split(";"))
        if kind == _OPEN_METRICS_TYPE:
            return not any(name.replace(" ", "") in _NEVER for name in parameters)
    return False
