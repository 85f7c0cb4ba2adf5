"""``vsr-compile verify --release``: the releases that manifests are checked for."""

from __future__ import annotations

from pathlib import Path

import pytest

from support.breakage_cases import CASES
from support.common import call


@pytest.fixture(autouse=True)
def _no_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VSR_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.delenv("VSR_CRDS", raising=False)


def verify(tmp_path: Path, objects: str, *arguments: str) -> tuple[int, list[str]]:
    """Return the exit code and the codes of findings."""
    (tmp_path / "m.yaml").write_text(objects, encoding="utf-8")
    result = call("verify", "--no-envoy", str(tmp_path / "m.yaml"), *arguments)
    words = result.stderr.split()
    return result.exit_code, [word for word in words if word.startswith("VSR") and word[3:].isdigit()]


def objects_of(name: str) -> str:
    """Return the objects of a case."""
    return next(case.objects for case in CASES if case.name == name)


def test_a_release_is_named_by_component(tmp_path: Path) -> None:
    """Several options name several releases; other names of components work as well."""
    objects = objects_of("detection of addresses")
    assert "VSR643" not in verify(tmp_path, objects)[1]
    code, codes = verify(tmp_path, objects, "--release", "envoy-gateway=v1.9.0", "--release", "gie=1.6.0")
    assert code == 1
    assert "VSR643" in codes


def test_one_fault_is_one_finding(tmp_path: Path) -> None:
    """The rule for the release says more than that about the schema of the same field."""
    codes = verify(tmp_path, objects_of("no rules"), "--release", "gateway-api=1.6.1")[1]
    assert codes.count("VSR643") == 1
    assert "VSR444" not in codes


def test_a_patch_release_is_checked_by_definitions_of_its_minor_release(tmp_path: Path) -> None:
    """Without a warning that they are of another release."""
    objects = objects_of("idle timeout of sessions")
    assert "VSR447" not in verify(tmp_path, objects, "--release", "gateway-api=1.6.2")[1]


@pytest.mark.parametrize("option", ["istio", "istio=", "istio=latest", "istio=1.x", "istoi=1.31.0", "=1.0.0"])
def test_an_option_that_is_no_release_is_a_usage_error(tmp_path: Path, option: str) -> None:
    """With what is expected."""
    (tmp_path / "m.yaml").write_text(objects_of("Lua"), encoding="utf-8")
    result = call("verify", str(tmp_path / "m.yaml"), "--release", option)
    assert result.exit_code == 2
    assert "COMPONENT=RELEASE" in result.stderr or "istio" in result.stderr


POLICY = """\
apiVersion: vsr.dev/v1alpha1
kind: RoutingPolicy
metadata: {name: up}
router: {image: "r:1"}
gateway: {versions: {inference-extension: 1.5.0}}
endpoints: {big: {vllm: {}, pool: {}}}
models: {big: {checkpoint: example/big, endpoints: big}}
default: big
environments: {dev: {target: gie}}
"""


def test_our_output_names_its_own_releases(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By its lock; a later release is asked for by the option."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "up.yaml").write_text(POLICY, encoding="utf-8")
    assert call("up.yaml").exit_code == 0
    assert "VSR64" not in call("verify", "--no-envoy", "out/up").stderr
    later = call("verify", "--no-envoy", "out/up", "--release", "inference-extension=1.6.0")
    assert "VSR640" in later.stderr


def test_settings_of_a_repository_name_releases(tmp_path: Path) -> None:
    """As the option, which precedes them."""
    settings = tmp_path / ".vsr-verify.yaml"
    settings.write_text("apiVersion: vsr.dev/verify/v1\nreleases: {envoy-gateway: '1.9'}\n", encoding="utf-8")
    objects = objects_of("detection of addresses")
    assert "VSR643" in verify(tmp_path, objects)[1]
    assert "VSR643" not in verify(tmp_path, objects, "--release", "envoy-gateway=1.8.3")[1]
    settings.write_text("apiVersion: vsr.dev/verify/v1\nreleases: {istoi: 1.31.0}\n", encoding="utf-8")
    result = call("verify", str(tmp_path / "m.yaml"))
    assert result.exit_code == 2
    assert "unknown component `istoi`" in result.stderr
