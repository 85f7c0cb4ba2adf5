"""Our own output: the link rules run before a byte is written, and speak of the policy."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from support import SMALL, call

from compiler import pipeline, targets
from compiler.features import gateway_istio
from compiler.features.objects import Object
from compiler.link import ir


def nothing(policy: ir.Policy) -> Iterator[Object]:
    """A feature that forgot its objects."""
    del policy
    return iter(())


@pytest.fixture
def without_gateway(monkeypatch: pytest.MonkeyPatch) -> None:
    """The target as if the feature that emits the Gateway were broken."""
    emit = tuple(nothing if each is gateway_istio.emit else each for each in targets.TARGETS["istio"])
    monkeypatch.setattr(targets, "TARGETS", {**targets.TARGETS, "istio": emit})


@pytest.mark.usefixtures("without_gateway")
def test_a_broken_link_stops_a_compile_at_the_policys_line_and_writes_nothing(tmp_path: Path) -> None:
    """What a rule finds in the output is said where its author can look."""
    policy = tmp_path / "small.yaml"
    policy.write_text(SMALL, encoding="utf-8")
    result = call("compile", policy, "--out", tmp_path / "out")
    assert result.exit_code == 1
    assert f"{policy}:" in result.stderr
    assert "error VSR402: " in result.stderr
    assert "names Gateway" in result.stderr
    assert not (tmp_path / "out").exists()


def test_each_whole_that_differs_is_checked_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A base with its options, and an environment only where it is not the base."""
    seen: list[int] = []
    monkeypatch.setattr(pipeline, "check", lambda whole, *_: seen.append(len(whole)) or [])
    policy = tmp_path / "small.yaml"
    policy.write_text(f"{SMALL}environments: {{dev: {{}}, prod: {{replicas: {{router: 3}}}}}}\n", encoding="utf-8")
    assert call("compile", policy, "--out", tmp_path / "out").exit_code == 0
    assert len(seen) == 2
