"""The dashboard and the alerts of the router ask for what the router tells."""

from __future__ import annotations

import itertools
import json
import re
from dataclasses import replace
from typing import Any

from support import limit_policies, rendering
from support.cases import policy_of
from support.common import linked
from vsr_compiler import ir
from vsr_compiler.manifests.objects import Object
from vsr_runtime.decision.program.program import Program
from vsr_runtime.server.metrics import Metrics

METRIC = re.compile(r"\b((?:llm|vsr|config)_[a-z_]+)\{([^}]*)\}")
OURS = linked()
STOCK = policy_of("stock-router", "current")
STOCK_METRICS = {
    "llm_model_requests_total",
    "llm_decision_match_total",
    "llm_model_routing_latency_seconds",
    "llm_request_errors_total",
    "llm_signal_match_total",
}
"""Of the 84 series of the stock router, those that ours has by the same names and labels."""


def objects(policy: ir.Policy) -> tuple[Object, ...]:
    """What is emitted to watch a policy."""
    return next(each for each in rendering.components(policy, "istio") if each.name == "monitoring").objects


def model(policy: ir.Policy = OURS) -> dict[str, Any]:
    """The dashboard as Grafana reads it."""
    (found,) = [item.body for item in objects(policy) if item.kind == "ConfigMap"]
    assert found["metadata"]["labels"]["grafana_dashboard"] == "1"
    (text,) = found["data"].values()
    dashboard: dict[str, Any] = json.loads(text)
    return dashboard


def alerts(policy: ir.Policy) -> list[dict[str, Any]]:
    """The alerts of a policy."""
    (rule,) = [item.body for item in objects(policy) if item.kind == "PrometheusRule"]
    return list(rule["spec"]["groups"][0]["rules"])


def expressions(policy: ir.Policy = OURS) -> list[str]:
    """Every query of the router's panels, which are above the first heading, and every alert's on its metrics."""
    panels = itertools.takewhile(lambda panel: panel["type"] != "row", model(policy)["panels"])
    queries = [target["expr"] for panel in panels for target in panel["targets"]]
    return queries + [each["expr"] for each in alerts(policy) if METRIC.search(each["expr"])]


def test_each_query_is_of_a_metric_that_the_router_has() -> None:
    """A panel on a name that nobody counts stays empty, and an alert on one never fires."""
    told = Metrics(Program({}, (), (), "none")).text().decode()
    known = set(re.findall(r"^# TYPE (\S+) ", told, re.MULTILINE))
    asked = {name.removesuffix("_bucket") for each in expressions() for name, _ in METRIC.findall(each)}
    assert len(asked) >= 8
    assert asked <= known


def test_limits_have_panels_and_an_alert() -> None:
    """Where the router counts; the gateway's limits are not among its metrics."""
    limited = linked(f"{limit_policies.HEAD}{limit_policies.REST}limits: [{{per: model, requests: 9, window: 1m}}]\n")
    told = Metrics(Program({}, (), (), "none")).text().decode()
    known = set(re.findall(r"^# TYPE (\S+) ", told, re.MULTILINE))
    assert {"vsr_limited_requests_total", "vsr_used_tokens_total"} <= known | {f"{name}_total" for name in known}
    assert "LimitsRefuseRequests" in {each.get("alert") for each in alerts(limited)}
    assert {"vsr_limited_requests_total", "vsr_used_tokens_total"} <= {
        name for each in expressions(limited) for name, _ in METRIC.findall(each)
    }
    assert "LimitsRefuseRequests" not in {each.get("alert") for each in alerts(OURS)}


def test_the_stock_router_is_asked_for_its_own_metrics_only() -> None:
    """Its pods count nothing by names of ours: such alerts would stay silent whatever happens."""
    asked = {name.removesuffix("_bucket") for each in expressions(STOCK) for name, _ in METRIC.findall(each)}
    assert asked == STOCK_METRICS


def test_an_alert_says_what_happens_without_a_router() -> None:
    """Where the policy lets undecided requests go to the default, nobody gets 503."""
    opened = replace(OURS, router=replace(OURS.router, on_failure="default-model"))
    told = [alerts(policy)[0]["annotations"]["summary"] for policy in (OURS, opened)]
    assert ["503" in each for each in told] == [True, False]
    assert "default model" in told[1]


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


def test_dashboards_of_policies_with_long_names_are_distinct() -> None:
    """Grafana keeps one of two with the same identity, which has 40 characters at most."""
    names = [f"{'a' * 50}-{letter}" for letter in "bc"] + ["short"]
    found = [model(replace(OURS, name=name))["uid"] for name in names]
    assert len(set(found)) == len(names)
    assert max(map(len, found)) <= 40
    assert found[-1] == "vsr-short"
