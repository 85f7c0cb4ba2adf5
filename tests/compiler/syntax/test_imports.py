"""Policies in several files: what is joined, what is refused, and where findings point."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from support.common import call
from vsr_compiler.diagnostics import CompileError
from vsr_compiler.pipeline import findings, read_policy
from vsr_compiler.syntax.imports import MAX_DEPTH

HEAD = "apiVersion: vsr.dev/v1alpha1\nkind: RoutingPolicyFragment\n"
POLICY = """\
apiVersion: vsr.dev/v1alpha1
kind: RoutingPolicy
metadata: {name: joined}
imports:
  - {file: ./models.yaml, owner: platform}
  - {file: teams/maths.yaml, owner: maths}
router: {image: "registry.example/vsr-runtime:0.1.0"}
guards:
  secrets: {patterns: builtin, action: block}
signals: {own: {keywords: [own]}}
routes:
  - {name: own, when: {signal: own}, model: big}
default: big
environments: {dev: {target: istio}}
"""
MODELS = HEAD + 'endpoints: {a: {service: "a.models:8000"}}\nmodels: {big: {endpoints: a}}\n'
MATHS = HEAD + (
    "signals: {proof: {keywords: [prove]}}\nroutes:\n  - {name: proof, when: {signal: proof}, model: big}\n"
)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with a policy of three files, as the working folder."""
    monkeypatch.chdir(tmp_path)
    Path(".git").mkdir()
    write("policies/policy.yaml", POLICY)
    write("policies/models.yaml", MODELS)
    write("policies/teams/maths.yaml", MATHS)
    return tmp_path


def write(file: str, text: str) -> Path:
    """Write a file and its folder."""
    path = Path(file)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def reported(file: str = "policies/policy.yaml") -> list[tuple[str, str, int]]:
    """Return code, file and line of the errors about a policy."""
    try:
        read_policy(Path(file))
    except CompileError as error:
        return [(item.code, item.span.file, item.span.line) for item in error.diagnostics]
    return []


@pytest.mark.usefixtures("folder")
def test_routes_of_the_policy_come_before_those_of_fragments_in_the_order_of_imports() -> None:
    """So the owner of the policy decides first."""
    policy = read_policy(Path("policies/policy.yaml"))
    assert [route.name for route in policy.routes] == ["own", "proof"]
    assert [model.name for model in policy.models] == ["big"]
    assert [(item.path, item.owner) for item in policy.imports] == [
        ("models.yaml", "platform"),
        ("teams/maths.yaml", "maths"),
    ]


@pytest.mark.usefixtures("folder")
def test_one_file_and_several_files_compile_to_the_same_objects() -> None:
    """A fragment adds nothing of its own."""
    whole = POLICY.replace(
        "  - {file: ./models.yaml, owner: platform}\n  - {file: teams/maths.yaml, owner: maths}\n", ""
    )
    whole = whole.replace("imports:\n", "") + MODELS.replace(HEAD, "")
    whole = whole.replace("signals: {own:", "signals: {proof: {keywords: [prove]}, own:").replace(
        "model: big}\ndefault", "model: big}\n  - {name: proof, when: {signal: proof}, model: big}\ndefault"
    )
    write("whole/policy.yaml", whole)
    assert call("compile", "policies/policy.yaml", "--out", "one").exit_code == 0
    assert call("compile", "whole/policy.yaml", "--out", "other").exit_code == 0

    def files(root: str) -> dict[str, bytes]:
        paths = [path for path in Path(root).rglob("*") if path.is_file() and path.name != "vsr-compile.lock"]
        return {path.relative_to(root).as_posix(): path.read_bytes() for path in paths}

    assert files("one") == files("other")


@pytest.mark.usefixtures("folder")
def test_findings_point_into_the_fragment() -> None:
    """Of the schema, of names, and warnings that a comment there can silence."""
    write("policies/teams/maths.yaml", MATHS.replace("model: big", "model: bgi"))
    assert reported() == [("VSR201", "policies/teams/maths.yaml", 5)]
    write("policies/teams/maths.yaml", MATHS.replace("model: big", "modle: big"))
    assert ("VSR101", "policies/teams/maths.yaml", 5) in reported()
    unused = MODELS.replace("models: {", "models:\n  spare: {endpoints: a}\n  ").replace("a}}", "a}")
    write("policies/models.yaml", unused)
    write("policies/teams/maths.yaml", MATHS)
    (finding,) = findings(Path("policies/policy.yaml"))
    assert (finding.code, finding.span.file, finding.span.line) == ("VSR236", "policies/models.yaml", 5)
    write("policies/models.yaml", unused.replace("a}\n  big", "a} # vsr: ignore VSR236 for later\n  big"))
    assert findings(Path("policies/policy.yaml")) == []


CONFLICTS = {
    "guards": ("guards:\n  secrets: {patterns: builtin, action: flag}\n", 9),
    "signals": ("signals:\n  own: {keywords: [other]}\n", 10),
    "routes": ("routes:\n  - {name: own, when: {signal: own}, model: big}\n", 12),
}


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("section", CONFLICTS)
def test_a_name_in_two_files_is_an_error_with_both_places(section: str) -> None:
    """So no fragment can weaken a guard, or replace a route, of another owner."""
    text, line = CONFLICTS[section]
    write("policies/teams/maths.yaml", HEAD + text)
    with pytest.raises(CompileError) as caught:
        read_policy(Path("policies/policy.yaml"))
    (finding,) = caught.value.diagnostics
    assert (finding.code, finding.span.file, finding.span.line) == ("VSR108", "policies/teams/maths.yaml", 4)
    assert f"policies/policy.yaml:{line}:" in finding.message


@pytest.mark.usefixtures("folder")
def test_a_conflict_of_two_fragments_names_the_owner_of_the_other() -> None:
    """The owners have to talk to each other."""
    write("policies/teams/maths.yaml", HEAD + "models: {big: {endpoints: a}}\n")
    with pytest.raises(CompileError) as caught:
        read_policy(Path("policies/policy.yaml"))
    assert "policies/models.yaml:4:10 (owner: platform)" in caught.value.diagnostics[0].message


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("gateway: {name: mine}\n", "VSR109"),
        ("default: big\n", "VSR109"),
        ("environments: {dev: {target: istio}}\n", "VSR109"),
        ("router: {onFailure: default-model}\n", "VSR109"),
        ("routes:\n  - {name: first, when: {signal: own}, model: big, priority: 100}\n", "VSR109"),
        ("modles: {}\n", "VSR101"),
    ],
)
def test_what_concerns_all_owners_belongs_in_the_policy(text: str, code: str) -> None:
    """Also a priority, by which a route would go ahead of routes of others."""
    write("policies/teams/maths.yaml", HEAD + text)
    assert [item[:2] for item in reported()] == [(code, "policies/teams/maths.yaml")]


@pytest.mark.usefixtures("folder")
def test_assertions_of_the_policy_hold_for_routes_of_fragments() -> None:
    """They are proved over the union."""
    external = 'endpoints: {out: {external: {url: "https://api.example.com/v1"}}}\nmodels: {gpt: {endpoints: out}}\n'
    write("policies/teams/maths.yaml", MATHS.replace("model: big", "model: gpt") + external)
    write("policies/policy.yaml", POLICY + "assertions:\n  - never: {to: external, without: [secrets]}\n")
    assert reported() == []
    write("policies/policy.yaml", POLICY + "assertions:\n  - always: {signal: proof, to: [big]}\n")
    assert [item[0] for item in reported()] != []


OUTSIDE = "../outside.yaml"


@pytest.mark.parametrize("way", ["path", "link", "absolute", "pipe", "folder", "missing"])
def test_only_regular_files_of_the_repository_are_read(
    folder: Path, way: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Not by `..`, not by a link, and nothing that could block."""
    other = tmp_path_factory.mktemp("other") / "outside.yaml"
    other.write_text(MATHS, encoding="utf-8")
    target = folder / "policies" / "teams" / "maths.yaml"
    target.unlink()
    imported = "teams/maths.yaml"
    if way == "path":
        imported = os.path.relpath(other, folder / "policies")
    elif way == "link":
        target.symlink_to(other)
    elif way == "absolute":
        imported = str(other)
    elif way == "pipe":
        os.mkfifo(target)
    elif way == "folder":
        target.mkdir()
    write("policies/policy.yaml", POLICY.replace("teams/maths.yaml", imported))
    assert [(code, line) for code, _, line in reported()] == [("VSR106", 6)]


@pytest.mark.usefixtures("folder")
def test_a_link_within_the_repository_is_a_file_like_others() -> None:
    """But it counts as the file that it leads to."""
    write("shared/maths.yaml", MATHS)
    Path("policies/teams/maths.yaml").unlink()
    Path("policies/teams/maths.yaml").symlink_to("../../shared/maths.yaml")
    assert reported() == []
    write("policies/policy.yaml", POLICY.replace("router:", "  - {file: ../shared/maths.yaml, owner: x}\nrouter:"))
    assert [item[0] for item in reported()] == ["VSR107"]


@pytest.mark.usefixtures("folder")
def test_cycles_end_with_an_error() -> None:
    """A fragment that imports itself, the policy, or another one in a circle."""
    for imported in ("maths.yaml", "../policy.yaml", "../models.yaml"):
        write("policies/teams/maths.yaml", MATHS + f"imports: [{{file: {imported}, owner: x}}]\n")
        assert [item[0] for item in reported()] == ["VSR107"]


@pytest.mark.usefixtures("folder")
def test_imports_of_imports_are_bounded_in_depth() -> None:
    """Each in the folder of the one before."""
    for number in range(MAX_DEPTH + 1):
        more = "imports: [{file: next/maths.yaml, owner: x}]\n"
        write(f"policies/teams/{'next/' * number}maths.yaml", HEAD + more)
    assert [item[0] for item in reported()] == ["VSR107"]


@pytest.mark.usefixtures("folder")
def test_a_fragment_alone_is_no_policy_and_a_folder_may_contain_fragments() -> None:
    """`check` of a folder reads each fragment as part of its policy, and `fmt` formats all files."""
    assert reported("policies/models.yaml") == [("VSR106", "policies/models.yaml", 2)]
    result = call("check", "policies")
    assert (result.exit_code, "policies/policy.yaml: no findings" in result.output) == (0, True)
    assert call("fmt", "policies").exit_code == 0
    assert call("fmt", "policies", "--check").exit_code == 0
    assert reported() == []


@pytest.mark.usefixtures("folder")
def test_lock_and_explain_name_the_owners() -> None:
    """And a change of a fragment changes the hash of the policy."""
    assert call("compile", "policies/policy.yaml").exit_code == 0
    lock = json.loads(Path("out/joined/vsr-compile.lock").read_text(encoding="utf-8"))
    assert {path: entry["owner"] for path, entry in lock["imports"].items()} == {
        "models.yaml": "platform",
        "teams/maths.yaml": "maths",
    }
    route = "out/joined/istio/base/default/httproute-big.yaml"
    assert (
        "policies/models.yaml:4:10 (owner: platform)"
        in call("explain", route, "--policy", "policies/policy.yaml").output
    )
    output = call("explain", "policies/models.yaml:4", "--policy", "policies/policy.yaml").output
    assert "policies/models.yaml (owner: platform)" in output
    assert "httproute-big.yaml" in output
    write("policies/teams/maths.yaml", MATHS.replace("prove", "theorem"))
    assert read_policy(Path("policies/policy.yaml")).sha256 != lock["policy"]["sha256"]
    assert call("compile", "policies/policy.yaml").exit_code == 0


def test_schema_of_fragments_accepts_what_a_fragment_can_have() -> None:
    """For completion in editors."""
    schema = json.loads(call("schema", "--fragment").output)
    assert schema["properties"]["kind"]["const"] == "RoutingPolicyFragment"
    assert "router" not in schema["properties"]
    assert call("schema", "--fragment", "--report").exit_code == 2
