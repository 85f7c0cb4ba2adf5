"""Streams as kubectl takes them: templates, JSON documents, typed lists, namespaces that nobody writes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import support.verify_support as m
from support.common import call, reference
from vsr_compiler.diagnostics import Diagnostic, Severity, Span
from vsr_compiler.verify.shown import capped

CASES = "data/cases/verify"


def findings(path: Path, *flags: str) -> list[tuple[str, str]]:
    """Severity and code of each finding about links and reading, without notes about missing definitions."""
    report = json.loads(call("verify", path, "--no-envoy", "--format", "json", *flags).stdout)
    return [(item["severity"], item["code"]) for item in report["findings"] if item["code"] not in {"VSR440", "VSR453"}]


def written(folder: Path, text: str, name: str = "in.yaml") -> Path:
    """A file with this text."""
    (folder / name).write_text(text, encoding="utf-8")
    return folder / name


def test_route_without_namespace_finds_its_gateway_in_the_default_namespace() -> None:
    """One warning says that the manifest leaves the namespace open; with `-n` there is none."""
    path = reference() / CASES / "17-unwritten-namespace" / "in.yaml"
    found = findings(path)
    assert found.count(("warning", "VSR420")) == 1
    assert "error" not in {severity for severity, _ in found}
    assert "VSR420" not in {code for _, code in findings(path, "-n", "default")}


def test_namespace_flag_decides_where_objects_land(tmp_path: Path) -> None:
    """A route without a namespace attaches to a Gateway in `prod` with `-n prod` only."""
    text = m.joined(m.GATEWAY, m.SERVICE, m.ROUTE.replace("{name: big, namespace: prod}", "{name: big}"), m.SERVER)
    path = written(tmp_path, text)
    assert ("warning", "VSR402") in findings(path)
    assert ("warning", "VSR402") not in findings(path, "-n", "prod")


def test_manifests_without_any_namespace_get_one_note(tmp_path: Path) -> None:
    """They are meant for `kubectl apply -n`."""
    text = m.joined(m.GATEWAY, m.SERVICE, m.ROUTE, m.SERVER).replace(", namespace: prod", "")
    found = findings(written(tmp_path, text))
    assert found.count(("note", "VSR420")) == 1
    assert not [item for item in found if item[0] == "error"]


@pytest.mark.parametrize(("name", "objects"), [("two.json", 2), ("typedlist.yaml", 2)])
def test_json_documents_and_typed_lists_are_read(name: str, objects: int) -> None:
    """The items of a ConfigMapList are ConfigMaps."""
    result = call("verify", reference() / CASES / "18-streams" / name, "--no-envoy")
    assert f"{objects} objects verified" in result.stderr
    assert "VSR431" not in result.stderr
    assert "VSR002" not in result.stderr


@pytest.mark.parametrize("between", ["", " ", "\n", "\n\n", "\n \n", "\r\n"])
def test_json_documents_are_split_wherever_they_end(between: str, tmp_path: Path) -> None:
    """On one line or on several; the last two lines keep their numbers if each document starts a line."""
    one = '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"%s","namespace":"d"}}'
    path = written(tmp_path, f"{between}".join(one % name for name in "aba"), "x.json")
    assert [item for item in findings(path) if item[0] == "error"] == [("error", "VSR401")]


@pytest.mark.parametrize(
    ("name", "hint"), [("helm.yaml", "helm template"), ("helm2.yaml", "helm template"), ("envsub.yaml", "envsubst")]
)
def test_template_gets_one_note_that_says_how_to_render_it(name: str, hint: str) -> None:
    """No error about its placeholders."""
    path = reference() / CASES / "18-streams" / name
    result = call("verify", path, "--no-envoy")
    assert result.stderr.count("VSR480") == 1
    assert hint in result.stderr
    assert "error" not in result.stderr


def test_rest_of_a_template_is_checked(tmp_path: Path) -> None:
    """A document without actions is checked, with its own lines; one with a condition is not."""
    template = "{{- if .Values.a }}\n" + m.ROUTE.replace("name: big", "name: {{ .Values.name }}") + "{{- end }}\n"
    path = written(tmp_path, m.joined(template, m.GATEWAY, m.ROUTE, m.SERVICE.replace("{name: big,", "{name: other,")))
    result = call("verify", path, "--no-envoy")
    assert result.stderr.count("error VSR402") == 1
    line = (
        path.read_text(encoding="utf-8")
        .split("\n")
        .index('    backendRefs: [{group: "", kind: Service, name: big, port: 80, weight: 1}]')
        + 1
    )
    assert f"in.yaml:{line}:" in result.stderr


def test_texts_for_other_programs_are_no_placeholders(tmp_path: Path) -> None:
    """Shell variables in arguments and scripts, and templates of Prometheus in a ConfigMap."""
    config = (
        'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, namespace: prod}\ndata: {a: "${X} {{ $labels.pod }}"}\n'
    )
    server = m.SERVER.replace("args: [", 'args: ["${MODEL}", ')
    assert "VSR480" not in {code for _, code in findings(written(tmp_path, m.joined(config, server)))}


@pytest.mark.parametrize("text", ["{{" * 50_000, "{{ x }}\n" * 20_000, "a: " + "${A" * 50_000, "<a" * 50_000 + ">: {{"])
def test_hostile_templates_are_read_in_linear_time(text: str, tmp_path: Path) -> None:
    """Nothing is raised."""
    assert call("verify", written(tmp_path, text), "--no-envoy").exit_code in {0, 1, 2}


def test_findings_of_a_rule_are_capped_with_a_count() -> None:
    """Errors are shown first."""
    items = [Diagnostic("VSR416", f"m{n}", Span("a", n + 1), "", Severity(1 + n % 2)) for n in range(300)]
    shown = capped([*items, Diagnostic("VSR402", "x", Span("a"))], 50)
    assert len(shown) == 52
    assert {item.level for item in shown if item.code == "VSR416"} == {Severity.ERROR}
    assert [item.message for item in shown if item.code == "VSR486"] == ["250 further findings of L16 are not shown"]


def test_pools_that_share_a_label_end_in_a_capped_report(tmp_path: Path) -> None:
    """As text 50 findings of a rule; `--all-findings` shows more."""
    pools = [m.POOL.replace("name: big,", f"name: big{n},") for n in range(60)]
    servers = [m.SERVER.replace("name: big,", f"name: big{n},") for n in range(60)]
    path = written(tmp_path, m.joined(*pools, *servers))
    short, long = (call("verify", path, "--no-envoy", *flags).stderr for flags in ((), ("--all-findings",)))
    assert "VSR486" in short
    assert "VSR486" not in long
    assert short.count("\n") < long.count("\n")


def test_files_of_other_programs_in_a_folder_get_one_note(tmp_path: Path) -> None:
    """Helm values, a pipeline, settings of a tool, and YAML with tags of another program."""
    for name, text in {
        "values.yaml": "a: 1\n",
        "ci.yaml": "on: push\njobs: {}\n",
        "kind.yaml": "apiVersion: kind.x-k8s.io/v1alpha4\nkind: Cluster\n",
        "mkdocs.yml": "a: !!python/name:x.y\n",
        "s.yaml": m.SERVICE,
    }.items():
        written(tmp_path, text, name)
    found = findings(tmp_path)
    assert found.count(("note", "VSR432")) == 1
    assert not [item for item in found if item[0] == "error"]
