"""The dashboard and the alerts of the router ask for what the router tells."""

from __future__ import annotations

import json
import re
from typing import Any

from support import linked

from compiler import targets
from runtime.program.program import Program
from runtime.serve.metrics import Metrics

METRIC = re.compile(r"\b((?:llm|vsr|config)_[a-z_]+)\{([^}]*)\}")
OBJECTS = next(each for each in targets.components(linked(), "istio") if each.name == "monitoring").objects


def model() -> dict[str, Any]:
    """The dashboard as Grafana reads it."""
    (found,) = [item.body for item in OBJECTS if item.kind == "ConfigMap"]
    assert found["metadata"]["labels"]["grafana_dashboard"] == "1"
    (text,) = found["data"].values()
    dashboard: dict[str, Any] = json.loads(text)
    return dashboard


def expressions() -> list[str]:
    """Every query of the dashboard, and every alert's on the router's own metrics."""
    (rule,) = [item.body for item in OBJECTS if item.kind == "PrometheusRule"]
    alerts = [alert["expr"] for alert in rule["spec"]["groups"][0]["rules"]]
    queries = [target["expr"] for panel in model()["panels"] for target in panel["targets"]]
    return queries + [each for each in alerts if METRIC.search(each)]


def test_each_query_is_of_a_metric_that_the_router_has() -> None:
    """A panel on a name that nobody counts stays empty, and an alert on one never fires."""
    told = Metrics(Program({}, (), (), "none")).text().decode()
    known = set(re.findall(r"^# TYPE (\S+) ", told, re.MULTILINE))
    asked = {name.removesuffix("_bucket") for each in expressions() for name, _ in METRIC.findall(each)}
    assert len(asked) >= 8
    assert asked <= known


def test_queries_look_at_this_routers_pods_only() -> None:
    """Two policies in one cluster have two dashboards; the operator's labels keep their series apart."""
    for each in expressions():
        found = METRIC.findall(each)
        assert found, each
        assert {labels for _, labels in found} == {
            'namespace="vllm-semantic-router-system",service="semantic-router-http"'
        }


def test_panels_lie_side_by_side_and_none_over_another() -> None:
    """Grafana draws what overlaps on top of each other."""
    cells = [
        (panel["gridPos"]["x"] + x, panel["gridPos"]["y"] + y)
        for panel in model()["panels"]
        for x in range(panel["gridPos"]["w"])
        for y in range(panel["gridPos"]["h"])
    ]
    assert len(cells) == len(set(cells))
    assert len({panel["id"] for panel in model()["panels"]}) == len(model()["panels"])
