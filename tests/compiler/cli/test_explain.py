"""`vsr-compile explain`: from the output to the policy and back."""

from __future__ import annotations

from pathlib import Path

import pytest

from support.cases import output_of, policy_file
from support.command import run
from support.common import ROOT, call
from support.gitops_support import PLAIN
from vsr_compiler.manifests.yaml import dump
from vsr_compiler.review.yaml_paths import format_path, parse_path, path_at_line, scalars
from vsr_compiler.syntax import load

BASE = "out/small/istio/base"
POLICY = PLAIN + "environments:\n  dev: {target: istio}\n  prod:\n    target: istio\n    replicas: {one: 3}\n"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A policy in policies/ and its output."""
    (tmp_path / "policies").mkdir()
    (tmp_path / "policies" / "small.yaml").write_text(POLICY, encoding="utf-8")
    (tmp_path / "policies" / "other.yaml").write_text("metadata: {name: other}\n", encoding="utf-8")
    assert run("policies/small.yaml", cwd=tmp_path).returncode == 0
    return tmp_path


def line_of(text: str, part: str) -> int:
    """The line on which a part stands."""
    return next(number for number, line in enumerate(text.splitlines(), 1) if part in line)


def explained(place: str, project: Path) -> list[str]:
    """What is printed about a place."""
    result = run("explain", place, cwd=project)
    assert result.returncode == 0, result.stderr
    return result.stdout.splitlines()


def test_an_object_names_the_policy_line_and_the_emitter_that_made_it(project: Path) -> None:
    """`file:line:col`, by which module, and the line itself."""
    line = line_of(POLICY, "  little: ")
    assert explained(f"{BASE}/default/httproute-little.yaml", project) == [
        f"HTTPRoute little: policies/small.yaml:{line}:3, by compiler/vsr_compiler/targets/common/httproute.py",
        f"  {line} |   little: {{endpoints: [two]}}",
    ]


def test_a_field_names_the_symbol_that_it_was_made_from(project: Path) -> None:
    """A route's backend comes from an endpoint, its parent from the gateway."""
    path = f"{BASE}/default/httproute-little.yaml"
    line = line_of(POLICY, "  two: ")
    assert f"spec.rules[0].backendRefs[0].name: two: policies/small.yaml:{line}:3" in explained(
        f"{path}.spec.rules[0].backendRefs[0].name", project
    )
    assert any(text.startswith("spec.parentRefs[0]") for text in explained(f"{path}:.spec.parentRefs[0]", project))


def test_a_line_of_the_output_means_its_content(project: Path) -> None:
    """As an editor or a reviewer names it."""
    path = f"{BASE}/default/httproute-little.yaml"
    number = line_of((project / path).read_text(encoding="utf-8"), "name: two")
    line = line_of(POLICY, "  two: ")
    assert any(f"policies/small.yaml:{line}:3" in text for text in explained(f"{path}:{number}", project))


def test_a_patch_and_a_file_of_the_router_have_origins_too(project: Path) -> None:
    """Not only whole objects."""
    patch = "out/small/istio/overlays/prod/patches/default/deployment-one.yaml"
    line = line_of(POLICY, "  one: ")
    assert explained(patch, project)[0].startswith(f"Deployment one: policies/small.yaml:{line}:3")
    text = (project / "out/small/router/config.yaml").read_text(encoding="utf-8")
    number = line_of(text, "name: little")
    model = line_of(POLICY, "  little: ")
    assert any(f":{model}:3" in each for each in explained(f"out/small/router/config.yaml:{number}", project))


def test_argo_cds_objects_come_from_gitops_or_the_environment(project: Path) -> None:
    """Each Application from its environment."""
    line = line_of(POLICY, "  prod:")
    assert explained("out/small/argocd/application-small-prod.yaml", project)[0] == (
        f"Application small-prod: policies/small.yaml:{line}:3, by compiler/vsr_compiler/deploy/argocd/emit.py"
    )


def test_an_overlay_and_the_lines_of_its_environment_lead_to_each_other(project: Path) -> None:
    """Three replicas come from the environment: the endpoint's own line says one."""
    patch = "out/small/istio/overlays/prod/patches/default/deployment-one.yaml"
    line = line_of(POLICY, "  prod:")
    assert explained(f"{patch}:3", project)[-2:] == [
        f"environment prod: policies/small.yaml:{line}:3",
        f"  {line} |   prod:",
    ]
    for text in ("  prod:", "    replicas:"):
        assert f"{patch}: Deployment one" in explained(f"policies/small.yaml:{line_of(POLICY, text)}", project)
    assert not any(patch in text for text in explained(f"policies/small.yaml:{line_of(POLICY, '  dev:')}", project))


def test_true_leads_nowhere(tmp_path: Path) -> None:
    """A guard that unmasks made every `true` of the output, Argo CD's `prune` among them."""
    text = POLICY + "guards:\n  pii: {types: [EMAIL_ADDRESS], action: mask, unmask: true}\n"
    (tmp_path / "small.yaml").write_text(text, encoding="utf-8")
    lines = explained(f"small.yaml:{line_of(text, '  pii:')}", tmp_path)
    assert any("guards" in each and "EMAIL_ADDRESS" in each for each in lines)
    assert not any(each.endswith(" = true") for each in lines)


def test_a_policy_line_names_everything_that_came_from_it(project: Path) -> None:
    """The objects of its entry, and the fields with its values."""
    line = line_of(POLICY, "  little: ")
    lines = explained(f"policies/small.yaml:{line}", project)
    assert lines[0] == f"  {line} |   little: {{endpoints: [two]}}"
    assert f"{BASE}/default/httproute-little.yaml: HTTPRoute little" in lines
    assert f"{BASE}/default/httproute-little.yaml: spec.rules[0].backendRefs[0].name = two" in lines
    assert any(text.startswith("out/small/router/config.yaml: ") for text in lines)


def test_a_head_comes_from_the_categories() -> None:
    """Its examples are there, not at the router that serves it."""
    result = run("explain", "out/quickstart/router/domain.safetensors", cwd=ROOT)
    lines = (ROOT / "policies" / "quickstart.yaml").read_text(encoding="utf-8").splitlines()
    place = lines.index("categories:") + 2
    assert f"policies/quickstart.yaml:{place}:3\n  {place} | {lines[place - 1]}" in result.stdout


BAD = [
    ("policies/small.yaml:4000", 1, "VSR307"),
    ("policies/small.yaml", 2, "Name a line"),
    (f"{BASE}/default/httproute-little.yaml:4000", 1, "VSR307"),
    (f"{BASE}/default/httproute-little.yaml.spec.none", 1, "VSR307"),
    (f"{BASE}/default/none.yaml", 1, "VSR307"),
    ("out/small/vsr-compile.lock", 1, "Name a file that it lists"),
    ("nothing", 2, "is not a file"),
    ("nowhere.yaml:3", 1, "VSR001"),
]


@pytest.mark.parametrize(("place", "code", "words"), BAD)
def test_an_invalid_place_is_reported(place: str, code: int, words: str, project: Path) -> None:
    """With a way out, and never a traceback."""
    result = run("explain", place, cwd=project)
    assert (result.returncode, result.stdout) == (code, "")
    assert words in result.stderr
    assert "Traceback" not in result.stderr


def test_an_output_older_than_its_policy_is_reported(project: Path) -> None:
    """The explanation is of a fresh compile."""
    path = project / BASE / "default" / "httproute-little.yaml"
    path.write_text(path.read_text(encoding="utf-8") + "# edited\n", encoding="utf-8")
    result = run("explain", f"{BASE}/default/httproute-little.yaml", cwd=project)
    assert result.returncode == 0
    assert "is outdated; this explains the output of a new compile" in result.stderr


def test_a_policy_elsewhere_is_named(project: Path) -> None:
    """Without one of the lock's name in policies/, --policy says which."""
    (project / "policies" / "small.yaml").rename(project / "mine.yaml")
    place = f"{BASE}/default/httproute-little.yaml"
    missing = run("explain", place, cwd=project)
    assert missing.returncode == 1
    assert "--policy" in missing.stderr
    assert run("explain", place, "--policy", "mine.yaml", cwd=project).returncode == 0


@pytest.mark.parametrize("text", [".spec.rules[0].name", 'metadata.labels["a.b/c"]', "[1][2].x"])
def test_a_path_is_written_as_it_is_read(text: str) -> None:
    """Both ways."""
    path = parse_path(text)
    assert path is not None
    assert format_path(path) == text.removeprefix(".")
    assert parse_path("a..b") is None
    assert parse_path("a[") is None


def test_every_line_of_a_document_maps_to_its_content() -> None:
    """Each scalar's own line leads to the scalar, or to something inside the same entry."""
    document = load(dump({"a": {"b": [1, {"c": "x", "d": ["y"]}], "e": "f"}, "g": "line\nline\n"}), "x")
    for path, scalar in scalars(document.root):
        found = path_at_line(document, scalar.span.line)
        assert found is not None
        assert found[: len(path)] == path or path[: len(found)] == found
    assert path_at_line(document, 99) is None


def test_a_providers_host_leads_to_its_endpoint() -> None:
    """What a route points to outside the cluster stands in the policy as an endpoint's URL."""
    out = output_of("external")
    place = out / "istio" / "base" / "default" / "httproute-large.yaml"
    options = ("--policy", policy_file("external"), "--out", out.parent)
    result = call("explain", *options, f"{place}.spec.rules[0].backendRefs[0].name")
    assert "provider: {external:" in result.stdout
