"""Link rules check generated objects before a file is written, and point to the policy."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from support import rendering
from support.common import SMALL, call
from vsr_compiler import verify
from vsr_compiler.targets import TARGETS
from vsr_compiler.targets.istio import gateway


@pytest.fixture
def without_gateway() -> Iterator[None]:
    """The target `istio` without the emitter of its Gateway."""
    istio = TARGETS["istio"]
    emitters = tuple(emitter for emitter in istio.emitters if emitter is not gateway.emit)
    with rendering.replaced(replace(istio, emitters=emitters)):
        yield


@pytest.mark.usefixtures("without_gateway")
def test_broken_link_stops_a_compile_at_the_line_of_the_policy(tmp_path: Path) -> None:
    """Nothing is written."""
    policy = tmp_path / "small.yaml"
    policy.write_text(SMALL, encoding="utf-8")
    result = call("compile", policy, "--out", tmp_path / "out")
    assert result.exit_code == 1
    assert f"{policy}:" in result.stderr
    assert "error VSR402 [L02]: " in result.stderr
    assert "refers to Gateway" in result.stderr
    assert not (tmp_path / "out").exists()


def test_each_distinct_set_of_objects_is_checked_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A base with its components, and environments that differ from the base."""
    seen: list[int] = []
    monkeypatch.setattr(verify, "check_objects", lambda whole, *_: seen.append(len(whole)) or [])
    policy = tmp_path / "small.yaml"
    policy.write_text(f"{SMALL}environments: {{dev: {{}}, prod: {{replicas: {{router: 3}}}}}}\n", encoding="utf-8")
    assert call("compile", policy, "--out", tmp_path / "out").exit_code == 0
    assert len(seen) == 2


def test_finding_in_output_points_to_the_line_of_the_policy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The policy is detected for output of policies/, or passed by --policy. The hint has the place in the output."""
    monkeypatch.chdir(tmp_path)
    policy = tmp_path / "policies" / "small.yaml"
    policy.parent.mkdir()
    policy.write_text(SMALL, encoding="utf-8")
    assert call("compile", "policies/small.yaml").exit_code == 0
    assert call("verify", "out/small", "--no-envoy").exit_code == 0
    base = tmp_path / "out" / "small" / "istio" / "base"
    services = sorted(base.rglob("service-one.yaml"))
    services[0].unlink()
    assume = ("--assume", "Service/default/two")
    own = call("verify", "out/small/istio", "--no-envoy")
    assert own.exit_code == 1
    line = SMALL[: SMALL.index("  big: {")].count("\n") + 1
    assert f"policies/small.yaml:{line}:" in own.stderr
    assert "See out/small/istio/base/default/httproute-" in own.stderr
    moved = tmp_path / "elsewhere"
    base.rename(moved)
    assert "small.yaml" not in call("verify", moved, "--no-envoy", *assume).stderr
    told = call("verify", moved, "--no-envoy", "--policy", "policies/small.yaml", "--format", "github")
    assert f"file=policies/small.yaml,line={line}" in told.stdout
    gone = call("verify", moved, "--no-envoy", *assume, "--policy", "policies/gone.yaml")
    assert (gone.exit_code, "VSR001" in gone.stderr) == (1, True)
