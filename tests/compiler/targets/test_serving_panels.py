"""The dashboard's panels of pickers and model servers, as a real Prometheus evaluates their queries."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from support import rendering
from support.cases import POLICIES, output_of
from support.common import SMALL, linked, required
from vsr_compiler import ir
from vsr_compiler.manifests.objects import Body, Object
from vsr_compiler.releases.pickers import PICKERS
from vsr_compiler.targets.common.picker_metrics import ALL

OURS = linked()
PODS = linked(SMALL.replace("two: {service: {name: two, port: 8000}}", "two: {pods: {selector: {app: x}, port: 80}}"))
PICKERS_ROW, SERVERS_ROW = "Endpoint pickers", "Model servers"
MINUTES = 10
OLDEST = ("inference_model_", "inference_pool_", "inference_extension_")
LEGACY = ("inference_objective_", "inference_pool_", "inference_extension_")
PREFIXES = {
    ("inference-extension", "1.1.0"): LEGACY,
    ("inference-extension", "1.5.0"): LEGACY,
    ("llm-d-router", "0.3.2"): OLDEST,
    ("llm-d-router", "0.10.0"): (*LEGACY, "llm_d_epp_"),
    ("llm-d-router", "0.11.0"): ("llm_d_epp_",),
}
"""How the names of metrics of a release begin."""


def monitoring(policy: ir.Policy, target: str) -> tuple[Object, ...]:
    """What is emitted to watch a policy."""
    return next(item for item in rendering.components(policy, target) if item.name == "monitoring").objects


def panels(policy: ir.Policy, target: str) -> list[Body]:
    """The panels of the dashboard."""
    (body,) = [item.body for item in monitoring(policy, target) if item.kind == "ConfigMap"]
    (text,) = body["data"].values()
    return list(json.loads(text)["panels"])


def titles(policy: ir.Policy, target: str) -> list[str]:
    """The headings."""
    return [item["title"] for item in panels(policy, target) if item["type"] == "row"]


def query(policy: ir.Policy, target: str, title: str, number: int = 0) -> str:
    """A query of a panel."""
    (item,) = [item for item in panels(policy, target) if item["title"] == title]
    return str(item["targets"][number]["expr"])


def evaluated(folder: Path, expression: str, series: dict[str, str], samples: dict[str, float]) -> None:
    """Let Prometheus check the result of a query after ten minutes: values by labels."""
    required(shutil.which("promtool"), "promtool")
    check = {
        "expr": expression,
        "eval_time": f"{MINUTES}m",
        "exp_samples": [{"labels": labels, "value": value} for labels, value in samples.items()],
    }
    inputs = [{"series": name, "values": values} for name, values in series.items()]
    test = {"interval": "1m", "input_series": inputs, "promql_expr_test": [check]}
    text = json.dumps({"rule_files": [], "evaluation_interval": "1m", "tests": [test]})
    (folder / "test.yaml").write_text(text, encoding="utf-8")
    command = ["promtool", "test", "rules", "test.yaml"]
    result = subprocess.run(command, cwd=folder, check=False, capture_output=True, text=True, timeout=60)
    assert result.returncode == 0, result.stdout + result.stderr


def counter(per_second: float) -> str:
    """A counter that rises."""
    return f"0+{per_second * 60:g}x{MINUTES}"


def gauge(value: float) -> str:
    """A gauge that stays."""
    return f"{value:g}x{MINUTES}"


def test_a_policy_has_the_panels_of_what_it_runs() -> None:
    """Pickers on targets with pools, model servers wherever their pods are known."""
    assert titles(OURS, "istio") == [SERVERS_ROW]
    assert titles(OURS, "llm-d") == titles(OURS, "gie") == [PICKERS_ROW, SERVERS_ROW]
    services = linked(SMALL.replace("one: {vllm: {}}", "one: {service: {name: one, port: 8000}}"))
    assert titles(services, "istio") == titles(services, "llm-d") == []


@pytest.mark.subprocess
def test_prometheus_accepts_every_query(tmp_path: Path) -> None:
    """Those of every policy that people start from, and of servers of others."""
    required(shutil.which("promtool"), "promtool")
    boards = [path for case in POLICIES for path in output_of(case).rglob("configmap-*-dashboard.yaml")]
    assert len(boards) >= len(POLICIES)
    found = {item["expr"] for target in ("istio", "llm-d") for item in targets(panels(PODS, target))}
    found = found.union(*map(queries_in, boards))
    assert len(found) > 100
    rules = [{"record": f"query:{number}", "expr": text} for number, text in enumerate(sorted(found))]
    (tmp_path / "rules.yaml").write_text(json.dumps({"groups": [{"name": "all", "rules": rules}]}), encoding="utf-8")
    command = ["promtool", "check", "rules", "rules.yaml"]
    result = subprocess.run(command, cwd=tmp_path, check=False, capture_output=True, text=True, timeout=60)
    assert result.returncode == 0, result.stdout + result.stderr
    assert f"SUCCESS: {len(rules)} rules found" in result.stdout


def targets(found: list[Body]) -> list[dict[str, Any]]:
    """The queries of panels."""
    return [item for panel in found for item in panel.get("targets", [])]


def queries_in(path: Path) -> set[str]:
    """The queries of a dashboard in the output."""
    (text,) = yaml.safe_load(path.read_text(encoding="utf-8"))["data"].values()
    return {item["expr"] for item in targets(json.loads(text)["panels"])}


def test_every_release_of_a_picker_has_each_metric() -> None:
    """By one of the names that the queries ask for."""
    assert set(PREFIXES) == {(project, release) for project, table in PICKERS.items() for release in table}
    for prefixes in PREFIXES.values():
        for names in ALL:
            assert any(name.startswith(prefixes) for name in names), (prefixes, names)


@pytest.mark.subprocess
@pytest.mark.parametrize(("project", "release"), PREFIXES)
def test_requests_of_a_picker_count_once_whatever_its_release(project: str, release: str, tmp_path: Path) -> None:
    """The release that has old and new names as well."""
    pod = 'namespace="default",service="one-epp",pod="a",model_name="m"'
    known = ALL[0], ALL[1]
    series = {
        f'{name}{{{pod},error_code="x"}}': counter(3)
        for names in known
        for name in names
        if name.startswith(PREFIXES[project, release])
    }
    requests = query(OURS, "llm-d", "Requests by picker")
    evaluated(tmp_path, requests, series, {'{namespace="default", service="one-epp"}': 3})
    errors = query(OURS, "llm-d", "Errors by picker")
    labels = '{error_code="x", namespace="default", service="one-epp"}'
    evaluated(tmp_path, errors, series, {labels: 3})


@pytest.mark.subprocess
def test_pods_of_two_releases_count_side_by_side(tmp_path: Path) -> None:
    """A rollout replaces pods one by one. Pickers of other policies count nowhere."""
    series = {}
    for number, name in enumerate(ALL[0]):
        own = f'service="one-epp",pod="{number}"'
        series[f'{name}{{namespace="default",{own}}}'] = counter(2)
        series[f'{name}{{namespace="other",{own}}}'] = counter(50)
        series[f'{name}{{namespace="default",service="another-epp",pod="x{number}"}}'] = counter(50)
    requests = query(OURS, "llm-d", "Requests by picker")
    evaluated(tmp_path, requests, series, {'{namespace="default", service="one-epp"}': 6})


@pytest.mark.subprocess
def test_replicas_of_a_picker_show_its_pool_once(tmp_path: Path) -> None:
    """Ready pods are not added up: a standby has no pool and reports none."""
    pool = 'namespace="default",service="one-epp",name="one"'
    series = {
        f'inference_pool_ready_pods{{{pool},pod="a"}}': gauge(4),
        f'llm_d_epp_ready_endpoints{{{pool},pod="b"}}': gauge(4),
        f'inference_pool_ready_pods{{{pool},pod="c"}}': gauge(0),
    }
    ready = query(OURS, "llm-d", "Ready pods of a pool")
    evaluated(tmp_path, ready, series, {'{namespace="default", service="one-epp"}': 4})


@pytest.mark.subprocess
def test_the_time_to_choose_is_a_quantile_over_all_pods(tmp_path: Path) -> None:
    """All answers of one pod within 0.1 s, of the other within 1 s: the median is at the end of the first bucket."""
    series = {}
    for pod, name in (("a", "llm_d_epp"), ("b", "inference_extension")):
        for bound, share in (("0.1", float(pod == "a")), ("1", 1), ("+Inf", 1)):
            own = f'namespace="default",service="one-epp",pod="{pod}",le="{bound}"'
            series[f"{name}_scheduler_e2e_duration_seconds_bucket{{{own}}}"] = counter(share)
    median = query(OURS, "llm-d", "Time to choose a pod")
    evaluated(tmp_path, median, series, {'{namespace="default", service="one-epp"}': 0.1})


@pytest.mark.subprocess
def test_servers_of_others_may_be_of_any_engine(tmp_path: Path) -> None:
    """Pods of vLLM, SGLang and Text Generation Inference behind one Service."""
    job = 'job="default/two"'
    series = {
        f'vllm:num_requests_waiting{{{job},pod="a",engine="0"}}': gauge(1),
        f'vllm:num_requests_waiting{{{job},pod="a",engine="1"}}': gauge(2),
        f'sglang:num_queue_reqs{{{job},pod="b"}}': gauge(10),
        f'tgi_queue_size{{{job},pod="c"}}': gauge(100),
        'tgi_queue_size{job="default/twofold",pod="d"}': gauge(1000),
    }
    evaluated(tmp_path, query(PODS, "istio", "Waiting requests"), series, {'{job="default/two"}': 113})
    hits = query(PODS, "istio", "Prefix cache hits")
    shares = {
        f'vllm:prefix_cache_hits_total{{{job},pod="a"}}': counter(1),
        f'vllm:prefix_cache_queries_total{{{job},pod="a"}}': counter(4),
    }
    evaluated(tmp_path, hits, shares, {'{job="default/two"}': 0.25})
    evaluated(tmp_path, hits, {f'sglang:cache_hit_rate{{{job},pod="b"}}': gauge(0.5)}, {'{job="default/two"}': 0.5})


def test_own_servers_are_asked_for_metrics_of_vllm_only() -> None:
    """Queries for other engines would only be longer."""
    own = [item["expr"] for item in targets(panels(OURS, "llm-d")) if "job=" in item["expr"]]
    assert own
    assert not [text for text in own if "sglang:" in text or "tgi_" in text]


def test_whatever_panels_ask_for_is_scraped() -> None:
    """Jobs are PodMonitors, services those of ServiceMonitors, which select the picker's Service in the base."""
    for target in ("istio", "gie", "llm-d"):
        for policy in (OURS, PODS):
            found = {(item.kind, item.namespace, item.name): item.body for item in monitoring(policy, target)}
            text = "\n".join(item["expr"] for item in targets(panels(policy, target)))
            jobs = {name for names in re.findall(r'job=~"([^"]+)"', text) for name in names.split("|")}
            for name in jobs:
                assert ("PodMonitor", *name.split("/")) in found
            assert jobs
            services = {(item.kind, item.namespace, item.name): item.body for item in rendering.objects(policy, target)}
            pickers = re.findall(r'namespace="([^"]+)",service=~"([^"]+)"', text)
            assert bool(pickers) == (target != "istio")
            for namespace, names in pickers:
                for name in names.split("|"):
                    spec = found["ServiceMonitor", namespace, name]["spec"]
                    service = services["Service", namespace, name]
                    labels = spec["selector"]["matchLabels"].items()
                    assert labels <= service["metadata"]["labels"].items()
                    (pod_port,) = {item["targetPort"] for item in spec["endpoints"]}
                    assert pod_port in {item["port"] for item in service["spec"]["ports"]}
