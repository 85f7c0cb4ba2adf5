"""Warnings about releases: past their end of life, or with a vulnerability that concerns the output."""

from __future__ import annotations

from pathlib import Path

import pytest

from support.common import call

POLICY = """\
apiVersion: vsr.dev/v1alpha1
kind: RoutingPolicy
metadata: {name: example}
router: {image: "registry.example/vsr-runtime:0.1.0"}
gateway: {namespace: edge, versions: VERSIONS}
endpoints:
  one: {SERVER}
models:
  big: {checkpoint: example/big, endpoints: one}
default: big
environments:
  dev: {target: TARGET}
"""
SERVICE = "service: {name: one, port: 8000}"
GRANT = "CVE-2026-53718"


def checked(
    tmp_path: Path,
    target: str = "envoy-gateway",
    versions: str = "seed",
    server: str = SERVICE,
    today: str = "2026-12-02",
    command: str = "check",
) -> str:
    """What a command says about a policy on a day."""
    path = tmp_path / "policy.yaml"
    text = POLICY.replace("VERSIONS", versions).replace("TARGET", target).replace("SERVER", server)
    path.write_text(text, encoding="utf-8")
    out = ("--out", tmp_path / "out") if command == "compile" else ()
    result = call(command, path, "--today", today, *out)
    assert result.exit_code == 0, result.stderr
    return result.stderr


@pytest.mark.parametrize("command", ["check", "compile"])
def test_release_is_reported_from_the_day_of_its_end_of_life(tmp_path: Path, command: str) -> None:
    """Not on the day before, and as a warning that fails no build."""
    message = "VSR350: envoy-gateway 1.6.7 gets no more fixes: its end of life was 2026-05-13"
    assert message in checked(tmp_path, today="2026-05-13", command=command)
    assert "VSR350" not in checked(tmp_path, today="2026-05-12", command=command)


def test_newer_releases_that_still_get_fixes_are_named(tmp_path: Path) -> None:
    """Those of the day."""
    assert "Use envoy-gateway 1.8.3 or 1.9.0 or 1.9.2." in checked(tmp_path, today="2026-06-01")
    assert "Use envoy-gateway 1.9.0 or 1.9.2." in checked(tmp_path)
    assert "Use a newer release, once it is known here." in checked(tmp_path, today="2030-01-01")


def test_vulnerability_is_reported_only_if_the_output_has_what_it_concerns(tmp_path: Path) -> None:
    """The bypass of ReferenceGrants concerns references across namespaces."""
    elsewhere = "service: {name: one, port: 8000, namespace: models}"
    assert GRANT in checked(tmp_path, server=elsewhere)
    assert GRANT not in checked(tmp_path, server=elsewhere, versions="2026-08")
    assert GRANT not in checked(tmp_path, server=elsewhere, target="istio")


@pytest.mark.parametrize(
    ("server", "said"),
    [
        ("vllm: {}", True),
        ("vllm: {image: 'registry.example/vllm:1'}", False),
        (SERVICE, False),
    ],
)
def test_vulnerability_of_model_servers_concerns_images_of_the_release(
    tmp_path: Path,
    server: str,
    said: bool,  # noqa: FBT001 - a column
) -> None:
    """A policy's own image, or a server of somebody else, has a release of its own."""
    assert ("CVE-2026-34756" in checked(tmp_path, target="istio", versions="2026-08", server=server)) == said


def test_vulnerability_of_pinned_revisions_concerns_servers_with_that_argument(tmp_path: Path) -> None:
    """And the newest profile has none."""
    pinned = "vllm: {args: [--revision=abc]}"
    assert "CVE-2026-47155" in checked(tmp_path, versions="2026-08", server=pinned)
    assert "CVE-2026-47155" not in checked(tmp_path, versions="2026-08", server="vllm: {}")
    assert "VSR35" not in checked(tmp_path, versions="current", server=pinned)


def test_comment_accepts_a_warning_and_the_check_stays_silent(tmp_path: Path) -> None:
    """At the line that sets the releases; in both commands, and without a remark that it has no effect."""
    path = tmp_path / "policy.yaml"
    text = POLICY.replace("VERSIONS}", "seed} # vsr: ignore VSR350 replaced in spring").replace("SERVER", SERVICE)
    path.write_text(text.replace("TARGET", "envoy-gateway"), encoding="utf-8")
    for command in (("check", path), ("compile", path, "--out", tmp_path / "out")):
        result = call(*command, "--today", "2026-12-02")
        assert (result.exit_code, "no effect" in result.stderr) == (0, False)
        assert "VSR350" not in result.stderr.replace("ignore VSR350", "")


def test_environment_with_its_own_releases_has_the_warning(tmp_path: Path) -> None:
    """At its own line."""
    path = tmp_path / "policy.yaml"
    text = POLICY.replace("VERSIONS", "current").replace("SERVER", SERVICE)
    path.write_text(text.replace("TARGET", "envoy-gateway, versions: seed"), encoding="utf-8")
    assert "policy.yaml:12:3: warning VSR350" in call("check", path, "--today", "2026-12-02").stderr


def test_day_is_that_of_the_environment_variable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`SOURCE_DATE_EPOCH`, as other tools read it; a day on the command line goes before it."""
    path = tmp_path / "policy.yaml"
    text = POLICY.replace("VERSIONS", "seed").replace("SERVER", SERVICE).replace("TARGET", "envoy-gateway")
    path.write_text(text, encoding="utf-8")
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1767225600")  # 1 January 2026
    assert "VSR350" not in call("check", path).stderr
    assert "VSR350" in call("check", path, "--today", "2026-12-02").stderr
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "tomorrow")
    assert call("check", path).exit_code == 2
