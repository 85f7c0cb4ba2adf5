"""The alerts on the router's objectives, as a real Prometheus evaluates them."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from support import rendering
from support.cases import policy_of
from support.common import ROOT, linked, required
from vsr_compiler import ir
from vsr_compiler.targets.common.objectives import BOUNDS, bound_of
from vsr_runtime.decision.program.program import Program
from vsr_runtime.server.metrics import Metrics

OURS = linked()
PODS = 'namespace="vllm-semantic-router-system",service="semantic-router-http",pod="a"'
REQUESTS = "llm_model_routing_latency_seconds_count"
BUCKET = "llm_model_routing_latency_seconds_bucket"
UNDECIDED = "vsr_unclassified_requests_total"
ERRORS = "llm_request_errors_total"
MINUTES = 60
EACH = 600
"""Requests of a minute."""


def rule(policy: ir.Policy = OURS) -> dict[str, Any]:
    """The rules of a policy."""
    (component,) = [each for each in rendering.components(policy, "istio") if each.name == "monitoring"]
    (found,) = [item.body for item in component.objects if item.kind == "PrometheusRule"]
    return dict(found)


def rising(metric: str, per_minute: float, labels: str = "") -> dict[str, str]:
    """A counter over an hour and a half."""
    return {"series": f"{metric}{{{PODS}{labels}}}", "values": f"0+{per_minute:g}x{MINUTES + 30}"}


def fired(folder: Path, policy: ir.Policy, series: list[dict[str, str]], *names: str) -> None:
    """Let Prometheus check that of the alerts on objectives exactly these fire after an hour."""
    required(shutil.which("promtool"), "promtool")
    spec = rule(policy)["spec"]
    (folder / "rules.yaml").write_text(yaml.safe_dump(spec), encoding="utf-8")
    alerts = {
        item["alert"]: item
        for group in spec["groups"]
        for item in group["rules"]
        if "alert" in item and group["name"].endswith("-objectives")
    }
    assert set(names) <= set(alerts)
    own = {"namespace": "vllm-semantic-router-system", "service": "semantic-router-http"}
    checks = [
        {
            "alertname": name,
            "eval_time": f"{MINUTES}m",
            "exp_alerts": [{"exp_labels": own | item["labels"], "exp_annotations": item["annotations"]}]
            if name in names
            else [],
        }
        for name, item in alerts.items()
    ]
    test = {"interval": "1m", "input_series": series, "alert_rule_test": checks}
    text = json.dumps({"rule_files": ["rules.yaml"], "evaluation_interval": "1m", "tests": [test]})
    (folder / "test.yaml").write_text(text, encoding="utf-8")
    command = ["promtool", "test", "rules", "test.yaml"]
    result = subprocess.run(command, cwd=folder, check=False, capture_output=True, text=True, timeout=60)
    assert result.returncode == 0, result.stdout + result.stderr


def traffic(undecided: float = 0, late: float = 0, le: str = "1") -> list[dict[str, str]]:
    """Ten requests per second, with shares of them that are undecided or late."""
    return [
        rising(REQUESTS, EACH),
        rising(BUCKET, EACH * (1 - late), f',le="{le}"'),
        rising(UNDECIDED, EACH * undecided, ',reason="classifier_timeout"'),
        rising(UNDECIDED, 0, ',reason="overloaded"'),
    ]


BOTH_LATE = ("DecisionsLateFast", "DecisionsLateSlow")
BOTH_UNDECIDED = ("RequestsUndecidedFast", "RequestsUndecidedSlow")


@pytest.mark.subprocess
@pytest.mark.parametrize(
    ("series", "names"),
    [
        pytest.param(traffic(), (), id="a quiet hour"),
        pytest.param(traffic(undecided=0.0005, late=0.005), (), id="within both budgets"),
        pytest.param(traffic(undecided=0.02), BOTH_UNDECIDED, id="undecided"),
        pytest.param(traffic(undecided=0.002), BOTH_UNDECIDED[1:], id="slightly too many undecided"),
        pytest.param(traffic(late=0.2), BOTH_LATE, id="late"),
        pytest.param(traffic(late=0.2, le="1.0"), BOTH_LATE, id="late, in OpenMetrics"),
        pytest.param(traffic(le="1.0"), (), id="quiet, in OpenMetrics"),
        pytest.param(
            [*traffic(), rising(UNDECIDED, 300, ',reason="too_complex"'), rising(ERRORS, 300, ',reason="aborted"')],
            (),
            id="clients that leave, and texts that take too long",
        ),
        pytest.param(
            [*traffic(), rising(ERRORS, 300, ',reason="uploads_full"')], BOTH_UNDECIDED, id="no room for uploads"
        ),
        pytest.param(
            [rising(REQUESTS, 0), rising(BUCKET, 0, ',le="1"'), rising(UNDECIDED, 600, ',reason="overloaded"')],
            BOTH_UNDECIDED,
            id="all refused before their body was read",
        ),
        pytest.param(
            [
                rising(REQUESTS, 0.1),
                rising(BUCKET, 0.1, ',le="1"'),
                {"series": f'{UNDECIDED}{{{PODS},reason="overloaded"}}', "values": "0x57 1x33"},
            ],
            (),
            id="one failure of few requests",
        ),
    ],
)
def test_alerts_fire_for_what_uses_up_the_budget_and_for_nothing_else(
    series: list[dict[str, str]], names: tuple[str, ...], tmp_path: Path
) -> None:
    """A breach is reported, also by both formats of metrics; a quiet hour and clients' own doing are not."""
    fired(tmp_path, OURS, series, *names)


@pytest.mark.subprocess
def test_prometheus_accepts_the_rules(tmp_path: Path) -> None:
    """All of them, those on other metrics as well."""
    required(shutil.which("promtool"), "promtool")
    (tmp_path / "rules.yaml").write_text(yaml.safe_dump(rule()["spec"]), encoding="utf-8")
    command = ["promtool", "check", "rules", "rules.yaml"]
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True, timeout=60)


def test_late_is_what_exceeds_the_deadline_of_the_policy() -> None:
    """By the greatest bound of the histogram within it."""
    text = Metrics(Program({}, (), (), "none")).text().decode()
    found = re.findall(rf'^{BUCKET}{{le="([0-9.]+)"}}', text, re.MULTILINE)
    assert tuple(map(float, found)) == tuple(map(float, BOUNDS))
    assert [bound_of(each) for each in (1, 150, 1000, 1999, 600_000)] == [0.001, 0.1, 1, 1, 5]
    shorter = replace(OURS, router=replace(OURS.router, deadline=150))
    expressions = [item["expr"] for item in rule(shorter)["spec"]["groups"][1]["rules"]]
    assert any('le="0.1"' in each for each in expressions)
    assert not any("1(" in each for each in expressions)


def test_each_alert_names_the_page_that_says_what_to_do() -> None:
    """A page of this repository, which has the alert's name."""
    alerts = [item for item in rule()["spec"]["groups"][1]["rules"] if "alert" in item]
    assert len(alerts) == 4
    for item in alerts:
        (page,) = re.findall(r"docs/\S+\.md", item["annotations"]["summary"])
        assert item["alert"] in (ROOT / page).read_text(encoding="utf-8")


def test_the_stock_router_has_no_objectives() -> None:
    """It counts nothing by these names."""
    assert len(rule(policy_of("stock-router", "current"))["spec"]["groups"]) == 1
