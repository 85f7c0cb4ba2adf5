"""The examples in the registry of codes."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

import support.verify_support as m
from support.common import ROOT, call
from vsr_compiler.diagnostics import CODES
from vsr_compiler.diagnostics.codes import BASE, Kind, Stage
from vsr_compiler.diagnostics.page import recorded

RECORDED = ROOT / "compiler" / "vsr_compiler" / "diagnostics" / "codes" / "example_findings.json"
RUNNABLE = sorted(name for name, code in CODES.items() if code.example.kind is not Kind.COMMAND)
COMMANDS = {
    Stage.HEADS: ["compile"],
    Stage.TARGETS: ["compile"],
    Stage.DEPLOY: ["compile"],
    Stage.TEST: ["test"],
    Stage.VERIFY: ["verify", "--no-envoy"],
}
"""The command that reports a stage; ``check`` for all others."""
EXCERPTS = {
    "VSR404": (m.ISTIO, "served-model-name, big"),
    "VSR406": (m.POOLED, "--pool-name=big"),
    "VSR407": (m.POOLED, "mode: SIMPLE"),
    "VSR408": (m.ISTIO, "{name: grpc, port: 50051}"),
    "VSR409": (m.ISTIO, "operation: INSERT_FIRST"),
    "VSR410": (m.ISTIO, "remove: x-selected-model"),
    "VSR411": (m.ISTIO, "request_body_mode: BUFFERED,"),
    "VSR412": (m.ENVOY, "http2: {initialStreamWindowSize: 8Mi}"),
    "VSR413": (m.ISTIO, "timeouts: {request: 300s}"),
    "VSR414": (m.POOLED, "--grpc-port=9002"),
    "VSR416": (m.POOLED, "{group: inference.networking.k8s.io, kind: InferencePool, name: big, weight: 1}"),
    "VSR418": (m.ISTIO, "args: [--model=example/big, --served-model-name, big]"),
    "VSR419": (m.ISTIO, "cluster_name: outbound|50051||router.prod.svc.cluster.local"),
    "VSR420": (m.ISTIO, "{name: x-selected-model, type: Exact, value: big}"),
    "VSR421": (
        m.POOLED,
        "args: [--pool-name=big, --pool-namespace=prod, --grpc-port=9002, --metrics-endpoint-auth=false]",
    ),
    "VSR422": (m.ISTIO, "  targetRefs: [{group: gateway.networking.k8s.io, kind: Gateway, name: edge}]\n  config"),
    "VSR624": (m.ENVOY, "  listeners: [{name: http, port: 80, protocol: HTTP}]"),
    "VSR625": (m.ENVOY, "spec: {selector: {app: big}, ports: [{name: http, port: 80, targetPort: 8000}]}"),
    "VSR630": (m.ISTIO, "args: [--model=example/big, --served-model-name, big]"),
    "VSR626": (m.POOLED, "command: [/epp, --grpc-max-recv-msg-size=8454144]"),
}
"""Manifests without findings, and the part of them that the example replaces."""


@pytest.fixture
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty working folder, without CustomResourceDefinitions."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("VSR_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.delenv("VSR_CRDS", raising=False)


@pytest.mark.usefixtures("_folder")
@pytest.mark.parametrize("name", RUNNABLE)
def test_example_produces_its_code(name: str, *, update_golden: bool) -> None:
    """With the message that the reference page shows."""
    findings = [
        f"{item['severity']} {item['code']}: {item['message']}"
        + (f"\n  = help: {item['help']}" if "help" in item else "")
        for item in run(name)
        if item["code"] == name
    ]
    assert findings, [(item["code"], item["message"], item.get("help")) for item in run(name)]
    if update_golden:
        stored = {other: recorded()[other] for other in RUNNABLE if other in recorded()} | {name: findings[0]}
        recorded.cache_clear()
        RECORDED.write_text(json.dumps(stored, indent=2, sort_keys=True, ensure_ascii=False) + "\n", encoding="utf-8")
    else:
        assert findings[0] == recorded()[name]


def test_findings_are_recorded_for_runnable_examples_only() -> None:
    """A recorded finding of a removed example would never be compared again."""
    assert sorted(recorded()) == RUNNABLE


@pytest.mark.usefixtures("_folder")
def test_policy_of_the_examples_has_no_finding() -> None:
    """Every finding of an example comes from its own sections."""
    Path("policy.yaml").write_text(BASE, encoding="utf-8")
    assert call("check", "policy.yaml").stderr == "policy.yaml: no findings\n"


def run(name: str) -> list[dict[str, str]]:
    """The findings of an example."""
    code = CODES[name]
    folder = Path("manifests" if code.stage is Stage.VERIFY else "policies")
    folder.mkdir(exist_ok=True)
    (folder / "example.yaml").write_text(source(name), encoding="utf-8")
    command = COMMANDS.get(code.stage, ["check"])
    report: dict[str, list[dict[str, str]]] = json.loads(call(*command, folder, "--format", "json").stdout)
    return report["findings"]


def source(name: str) -> str:
    """The whole input of an example."""
    example = CODES[name].example
    if example.kind is Kind.SECTIONS:
        sections = {**split(BASE), **split(example.text)}
        return "".join(sections.values())
    if example.kind is Kind.EXCERPT:
        parts, old = EXCERPTS[name]
        text = m.joined(*parts)
        assert old in text
        return text.replace(old, example.text.rstrip("\n"), 1)
    return example.text


def split(text: str) -> dict[str, str]:
    """The top-level sections of a policy by their keys."""
    parts = re.split(r"^(?=\w)", text if text.endswith("\n") else f"{text}\n", flags=re.MULTILINE)
    return {part.split(":")[0]: part for part in parts if part}
