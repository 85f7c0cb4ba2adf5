"""Sets of manifests that real control planes left open or broken: what `verify` says about each."""

from __future__ import annotations

from pathlib import Path

import pytest

from support.common import call, reference
from support.gitops_support import build
from vsr_compiler.diagnostics import Diagnostic, Severity
from vsr_compiler.verify import Assumptions, check_links
from vsr_compiler.verify.stream import Budget, read_stream

pytestmark = pytest.mark.subprocess  # kubectl builds what is checked

SECURITY = """\
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: SecurityPolicy
metadata: {name: users, namespace: %s}
spec:
  targetRefs: [{group: gateway.networking.k8s.io, kind: %s, name: %s}]
  %s
"""
EXT_AUTH = "extAuth: {http: {backendRefs: [{name: near, port: 8000}]}}"


def case(name: str) -> Path:
    """The folder of a case of the reference data."""
    return next((reference() / "data" / "cases" / "control").glob(f"{name}-*"))


def at_profile(name: str, folder: Path) -> Path:
    """A copy of a case's policy, at the releases that it was seen with."""
    path = folder / "policy.yaml"
    text = (case(name) / "policy.yaml").read_text(encoding="utf-8")
    path.write_text(f"{text}gateway: {{versions: 2026-08}}\n", encoding="utf-8")
    return path


def compiled(policy: Path, folder: Path) -> Path:
    """The target folders of a compiled policy."""
    result = call("compile", policy, "--out", folder / "out")
    assert result.exit_code == 0, result.stderr
    return next(path.parent for path in (folder / "out").glob("*/router"))


def errors(stream: str) -> list[Diagnostic]:
    """The errors about links between objects, apart from what the cluster provides."""
    found: list[Diagnostic] = []
    manifests = read_stream(stream.encode(), "stream", Budget(), found)
    found += check_links(manifests, Assumptions())
    return [item for item in found if item.level is Severity.ERROR and item.code not in {"VSR402", "VSR417"}]


@pytest.mark.parametrize("overlay", ["https-in-place", "listener-before-ours", "second-listener"])
def test_overlay_that_leaves_a_listener_without_the_filter_is_an_error(overlay: str, tmp_path: Path) -> None:
    """Unless the patch reaches the listener after all, because it selects every filter chain."""
    source = case("newest-02")
    tree = compiled(source / "policy.yaml", tmp_path)
    base = tree / "envoy-gateway" / "overlays" / "eg"
    plain = build(base)
    assert errors(plain) == []
    folder = tree / "changed"
    folder.mkdir()
    for file in (source / "overlays" / overlay).iterdir():
        text = file.read_text(encoding="utf-8").replace("BASE", "../envoy-gateway/overlays/eg")
        (folder / file.name).write_text(text, encoding="utf-8")
    missed = overlay != "https-in-place" or "jsonPath" not in plain
    assert ("VSR624" in {item.code for item in errors(build(folder))}) == missed


def test_authentication_of_one_generated_route_is_an_error_on_ai_gateway(tmp_path: Path) -> None:
    """The route that requests match first may be that of the other namespace."""
    tree = compiled(case("envoy-gateway-auth-03") / "policy-ai-gateway.yaml", tmp_path)
    plain = build(tree / "ai-gateway" / "overlays" / "ai")
    policy = SECURITY % ("vllm-semantic-router-system", "HTTPRoute", "gw-a-ext", EXT_AUTH)
    assert errors(plain) == []
    assert "VSR625" in {item.code for item in errors(f"{plain}---\n{policy}")}


@pytest.mark.parametrize("setting", [EXT_AUTH, "basicAuth: {users: {name: u}}", "apiKeyAuth: {extractFrom: []}"])
@pytest.mark.parametrize(("kind", "name"), [("Gateway", "gw-e"), ("HTTPRoute", "small")])
def test_authentication_that_never_runs_is_an_error_on_envoy_gateway(
    setting: str, kind: str, name: str, tmp_path: Path
) -> None:
    """Without a route that requests match on their arrival; with one, on a model's route."""
    tree = compiled(case("envoy-gateway-auth-03") / "policy.yaml", tmp_path)
    plain = build(tree / "envoy-gateway" / "overlays" / "eg")
    documents = plain.split("---\n")
    without = [text for text in documents if "kind: HTTPRoute\n" not in text or "x-selected-model" in text]
    policy = SECURITY % ("edge", kind, name, setting)
    assert "VSR625" in {item.code for item in errors("---\n".join([*without, policy]))}
    if len(without) < len(documents):
        held = kind == "Gateway"
        assert ("VSR625" in {item.code for item in errors("---\n".join([*documents, policy]))}) != held


def test_pickers_of_a_compiled_policy_accept_its_bodies(tmp_path: Path) -> None:
    """With a larger buffer, or without the flag, they are an error."""
    tree = compiled(at_profile("picker-03", tmp_path), tmp_path)
    gie, llm_d = (build(tree / target / "overlays" / name) for target, name in (("gie", "g"), ("llm-d", "l")))
    assert errors(gie) == errors(llm_d) == []
    changed = gie.replace("4128768", "8388608"), llm_d.replace("--grpc-max-recv-msg-size", "--grpc-max-send-msg-size")
    for text in changed:
        assert "VSR626" in {item.code for item in errors(text)}


def test_policy_with_a_scorer_that_its_picker_cannot_use_is_refused(tmp_path: Path) -> None:
    """VSR312 names the release."""
    policy = at_profile("picker-02", tmp_path)
    result = call("compile", policy, "--out", tmp_path / "out")
    assert result.exit_code == 1
    assert "VSR312" in result.stderr
    assert "token-load-scorer" in result.stderr
