from __future__ import annotations

import asyncio
import itertools
import json
import random
from pathlib import Path

from support.common import call, linked
from support.played_gateway import connected, request_body, request_headers, samples
from vsr_compiler.pipeline import compile_policy
from vsr_runtime.server.generation import Generation
from vsr_runtime.server.metrics import Metrics
from vsr_runtime.server.shadow.budget import CpuBudget
from vsr_runtime.server.shadow.shadow import Shadow
from vsr_runtime.server.transport.choose import choose_transport
from vsr_runtime.settings import load
from vsr_schemas.reports_impact import ImpactReport

POLICY = """\
apiVersion: vsr.dev/v1alpha1
kind: RoutingPolicy
metadata: {name: demo}
router: {image: "registry.example/vsr-runtime:0.1.0"}
endpoints: {small: {service: "small:8000"}, large: {service: "large:8000"}}
models: {small: {endpoints: small}, large: {endpoints: large}}
signals:
  urgent: {keywords: [urgent, refund]}
  code: {keywords: [python, rust, sql]}
guards:
  secrets: {patterns: builtin, action: block}
routes:
  - {name: urgent, when: {signal: urgent}, model: large}
  - {name: code, when: {signal: code}, split: {small: 50, large: 50}}
default: small
"""
CANDIDATE = (
    POLICY.replace("[python, rust, sql]", "[python]")
    .replace("{small: 50, large: 50}", "{small: 20, large: 80}")
    .replace("guards:\n", "guards:\n  mail: {types: [EMAIL_ADDRESS], action: block}\n")
)
WORDS = ["urgent", "refund", "python", "rust", "sql", "please", "thanks", "ada@example.org", "poem", "weather"]
UNLIMITED = CpuBudget(lambda: 0.0, itertools.count().__next__)


def test_impact_and_a_served_candidate_count_the_same_changes(tmp_path: Path) -> None:
    """Impact and a served candidate count the same changes."""
    draw = random.Random(3)  # noqa: S311 - the same traffic in every run
    requests = {
        f"r{number}": {
            "model": draw.choice(["auto", "auto", "small", "unknown"]),
            "messages": [{"role": "user", "content": " ".join(draw.choices(WORDS, k=4))}],
        }
        for number in range(120)
    }
    report = _impact(tmp_path, requests)
    metrics = asyncio.run(_shadow(tmp_path, requests))
    assert report.requests == len(requests)
    assert not report.undecided
    assert _values(metrics, "changed") == {
        ("model",): report.model.count,
        ("route",): report.route.count,
        ("guard",): report.guard.count,
        ("newly-blocked",): report.newly_blocked.count,
        ("unblocked",): report.unblocked.count,
    }
    for name, flows in (("models", report.flows), ("routes", report.routes)):
        assert _values(metrics, name) == {(flow.old, flow.new): flow.count for flow in flows if flow.old != flow.new}
    newly = {(guard.name, "candidate"): guard.newly for guard in report.guards if guard.newly}
    assert _values(metrics, "guards") == newly
    assert report.model.count
    assert report.route.count
    assert report.newly_blocked.count


def _values(metrics: Metrics, name: str) -> dict[tuple[str, ...], float]:
    """The values of a metric, by its labels."""
    lines = [line.split('"') for line in samples(metrics, f"vsr_shadow_{name}_total{{")]
    return {tuple(parts[1:-1:2]): float(parts[-1].split()[1]) for parts in lines}


def _impact(folder: Path, requests: dict[str, dict]) -> ImpactReport:
    """Replay the requests."""
    records = [json.dumps({"id": number, "body": body}) for number, body in requests.items()]
    for name, text in (("old.yaml", POLICY), ("new.yaml", CANDIDATE), ("traffic.jsonl", "\n".join(records))):
        (folder / name).write_text(text, encoding="utf-8")
    paths = (str(folder / "old.yaml"), str(folder / "new.yaml"), "--traffic", str(folder / "traffic.jsonl"))
    result = call("impact", *paths, "--format", "json", "--jobs", "1")
    assert result.exit_code == 0, result.stderr
    return ImpactReport.model_validate_json(result.stdout)


def _generation(folder: Path, text: str) -> Generation:
    """A compiled policy, ready to serve."""
    folder.mkdir()
    for name, data in compile_policy(linked(text), lambda _: None).policy.router.files.items():
        (folder / name).write_bytes(data)
    return Generation(load(folder / "config.yaml"), None)


async def _shadow(folder: Path, requests: dict[str, dict]) -> Metrics:
    """Serve the requests by one policy, and compare with the other."""
    active = _generation(folder / "active", POLICY)
    metrics = Metrics(active.rules.program)
    shadow = Shadow(metrics.shadow, UNLIMITED)
    shadow.swap(_generation(folder / "candidate", CANDIDATE))
    settings = load(folder / "active" / "config.yaml")
    listen = choose_transport(None)
    async with connected(listen, settings, metrics=metrics, generation=active, shadow=shadow) as envoy:
        for number, body in requests.items():
            await envoy.send(request_headers(x_request_id=number), request_body(json.dumps(body).encode()))
            await shadow.settled()
    return metrics
