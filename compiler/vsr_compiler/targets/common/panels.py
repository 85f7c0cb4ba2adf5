"""Panels of a Grafana dashboard, and their places."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from vsr_compiler.manifests.objects import Body

WIDTH, HEIGHT = 12, 8
COLUMNS = 24
"""The width of a dashboard, in Grafana's units."""
Query = tuple[str, str]
"""A legend and an expression."""


def panel(title: str, unit: str, *queries: Query) -> Body:
    """Return a time series panel."""
    source = {"type": "prometheus", "uid": "${source}"}
    return {
        "datasource": source,
        "fieldConfig": {"defaults": {"min": 0, "unit": unit}, "overrides": []},
        "targets": [
            {"datasource": source, "expr": expression, "legendFormat": legend, "refId": chr(ord("A") + number)}
            for number, (legend, expression) in enumerate(queries)
        ],
        "title": title,
        "type": "timeseries",
    }


def row(title: str) -> Body:
    """Return a heading. Users can fold what is below it."""
    return {"collapsed": False, "panels": [], "title": title, "type": "row"}


def placed(panels: Iterable[Body]) -> Iterator[Body]:
    """Yield the panels with their ids and places: two side by side, and each heading on a line of its own."""
    x = y = 0
    for number, item in enumerate(panels, start=1):
        heading = item["type"] == "row"
        width, height = (COLUMNS, 1) if heading else (WIDTH, HEIGHT)
        if x and x + width > COLUMNS:
            x, y = 0, y + HEIGHT
        yield item | {"gridPos": {"h": height, "w": width, "x": x, "y": y}, "id": number}
        x += width
        if x >= COLUMNS:
            x, y = 0, y + height
