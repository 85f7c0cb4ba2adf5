"""Fallbacks in what a reviewer reads: the diff, the graph, and where one request goes."""

from __future__ import annotations

import pytest

from support.common import ROOT, call, linked
from vsr_compiler.review.graph import mermaid
from vsr_compiler.review.traffic import read_traffic
from vsr_compiler.review.traffic_diff import new_policy_changes, traffic_changes

GOLDEN = ROOT / "tests" / "golden" / "fallback" / "policy.yaml"
CONFIG = {"routing": {"decisions": [{"name": "a", "modelRefs": [{"model": "big"}], "rules": {}}]}}


def runtime(*models: str, attempts: int = 2):
    """Settings with a fallback of the route."""
    return {"fallbacks": {"a": {"routes": {"big": "vsr-route/a"}, "models": list(models), "attempts": attempts}}}


def test_a_diff_tells_another_fallback_and_more_attempts() -> None:
    """Each by the route's name."""
    old, new = read_traffic(CONFIG, runtime("small")), read_traffic(CONFIG, runtime("far", "small", attempts=3))
    texts = [change.text for change in traffic_changes(old, new)]
    assert sorted(texts) == ["a: attempts 2 → 3", "a: fallback small → far, small"]
    (first, *_) = [change.text for change in new_policy_changes(new) if "route a" in change.text]
    assert first.endswith("→ big, and falls back to far, small")


def test_the_graph_has_an_arrow_to_each_fallback() -> None:
    """In their order."""
    text = mermaid(linked(GOLDEN.read_text(encoding="utf-8")))
    assert text.count('"fallback 1"') == 2
    assert text.count('"fallback 2"') == 1


@pytest.mark.parametrize(("prompt", "line"), [("prove it", "fallback     larger, llama"), ("other", "")])
def test_route_names_the_models_that_follow(prompt: str, line: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those that can have this request."""
    monkeypatch.chdir(ROOT)
    output = call("route", GOLDEN, prompt).output
    assert line in output
    assert bool(line) == ("fallback" in output)
