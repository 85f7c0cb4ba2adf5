"""A target that is registered from outside the package works like the others: compile, wave, overlays, explain."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from support import example_target
from support.common import ROOT, SMALL, call
from support.gitops_support import PLAIN, compiled
from vsr_compiler import pipeline
from vsr_compiler.pipeline import Compiled, read_policy
from vsr_compiler.targets import TARGETS, register, unregister

ENVIRONMENTS = """\
environments:
  dev: {target: example}
  prod: {target: example, replicas: {router: 3, one: 2}, versions: seed}
"""
FILTER = "default/routerfilter-inference-gateway-router.yaml"


@pytest.fixture(autouse=True)
def _registered() -> Iterator[None]:
    """The example target, registered for one test."""
    register(example_target.TARGET)
    yield
    unregister(example_target.TARGET.name)


@pytest.fixture
def policy(tmp_path: Path) -> Path:
    """A policy with two environments on the example target."""
    path = tmp_path / "small.yaml"
    path.write_text(PLAIN + ENVIRONMENTS, encoding="utf-8")
    return path


@pytest.fixture
def result(policy: Path) -> Compiled:
    """The compiled policy."""
    return compiled(read_policy(policy))


def test_a_policy_compiles_for_the_target(result: Compiled) -> None:
    """Own objects and common ones are in the base, by namespace and kind."""
    assert f"example/base/{FILTER}" in result.objects
    assert "example/base/default/httproute-little.yaml" in result.objects
    assert "example/base/vllm-semantic-router-system/deployment-semantic-router.yaml" in result.objects
    assert result.lock.tables["example-gateway"] == "1.1.0"


def test_an_object_of_a_kind_of_the_target_has_its_wave_and_health(result: Compiled) -> None:
    """Both come from the table of kinds, which the target extends."""
    metadata = result.objects[f"example/base/{FILTER}"].body["metadata"]
    assert metadata["annotations"] == {"argocd.argoproj.io/sync-wave": "2"}
    (settings,) = [item for path, item in result.objects.items() if path.startswith("argocd/settings/")]
    assert "resource.customizations.health.filters.example.com_RouterFilter" in settings.body["data"]


def test_an_environment_becomes_an_overlay_with_its_own_release(result: Compiled) -> None:
    """The release of the target's own table differs, so the filter is another object there."""
    changed = {path for path in result.tree if path.startswith("example/overlays/prod/")}
    assert "example/overlays/prod/patches/default/deployment-one.yaml" in changed
    bodies = {item.kind: item.body for item in result.environments["prod"]}
    assert bodies["RouterFilter"]["apiVersion"] == "filters.example.com/v1alpha1"
    assert result.lock.overlays["example/overlays/prod"]["example-gateway"] == "1.0.0"


def test_explain_names_the_emitter_and_the_policy_line(policy: Path, tmp_path: Path) -> None:
    """The emitter is recorded by the render, so a target cannot leave it out."""
    assert call("compile", policy, "--out", tmp_path / "out").exit_code == 0
    place = tmp_path / "out" / "small" / "example" / "base" / FILTER
    lines = policy.read_text(encoding="utf-8").splitlines()
    line = next(number for number, text in enumerate(lines, 1) if text.startswith("router:"))
    explained = call("explain", place, "--policy", policy).stdout
    expected = f"RouterFilter inference-gateway-router: {policy}:{line}:1, by support/example_target.py"
    assert explained.splitlines()[0] == expected


def test_verify_reports_no_error_in_its_output(policy: Path, tmp_path: Path) -> None:
    """A target needs no component: `verify` reads the base without them."""
    assert call("compile", policy, "--out", tmp_path / "out").exit_code == 0
    result = call("verify", tmp_path / "out" / "small", "--policy", policy)
    assert (result.exit_code, "VSR001" in result.output) == (0, False)


def test_its_checks_and_releases_are_reported_at_the_policy(policy: Path) -> None:
    """An endpoint that it cannot serve, and a release that its table does not have."""
    text = policy.read_text(encoding="utf-8")
    external = 'two: {external: {url: "https://a.example/v1"}}'
    policy.write_text(text.replace("two: {service: {name: two, port: 8000}}", external), encoding="utf-8")
    assert [item.code for item in pipeline.findings(policy) if item.level.word == "error"] == ["VSR312"]
    policy.write_text(text.replace("versions: seed", "versions: {example-gateway: 2.0.0}"), encoding="utf-8")
    (unknown,) = [item for item in pipeline.findings(policy) if item.code == "VSR313"]
    assert unknown.hint.startswith("Use one of: 1.0.0, 1.1.0.")


def test_the_schema_for_editors_lists_the_target() -> None:
    """As it lists every registered target."""
    last = [name for name in TARGETS if name != "example"][-1]
    assert f'"{last}",\n            "example"' in call("schema").stdout


def test_without_registration_the_target_is_not_supported(policy: Path) -> None:
    """The message lists the targets that exist."""
    unregister(example_target.TARGET.name)
    try:
        errors = [item for item in pipeline.findings(policy) if item.level.word == "error"]
    finally:
        register(example_target.TARGET)
    assert {item.code for item in errors} == {"VSR105"}
    assert all(f"`{name}`" in errors[0].hint for name in TARGETS if name != "example")


def test_the_how_to_page_shows_the_example_as_it_is_tested() -> None:
    """The page and the module are one text."""
    page = (ROOT / "docs" / "how-to" / "add-a-target.md").read_text(encoding="utf-8")
    module = Path(example_target.__file__).read_text(encoding="utf-8")
    code = module[module.index("from collections.abc") :]
    assert code in page
    assert "from vsr_compiler.targets import" not in code, "the package imports the folder of the stack"
    assert len(code.splitlines()) <= 70
    assert SMALL.startswith(PLAIN[:100])
