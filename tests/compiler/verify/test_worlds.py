"""Sets of objects that are applied together: examples are alternatives, everything else is one set."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import support.verify_support as m
from support.common import call

OTHER = m.ROUTE.replace("value: /}", "value: /other}")
WHOLE = m.joined(m.GATEWAY, m.SERVICE, m.SERVER, m.ROUTE)
ELSE = m.joined(m.GATEWAY, m.SERVICE, m.SERVER, OTHER)


def put(folder: Path, **files: str) -> Path:
    """Write files; two underscores are a slash."""
    for name, text in files.items():
        path = folder / f"{name.replace('__', '/')}.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder


def errors(*args: object, severity: str = "error") -> list[str]:
    """Codes of the errors."""
    report = json.loads(call("verify", *args, "--no-envoy", "--format", "json").stdout)
    return [item["code"] for item in report["findings"] if item["severity"] == severity]


def test_examples_in_folders_are_separate(tmp_path: Path) -> None:
    """The same Gateway and the same match in two folders are no duplicates."""
    assert errors(put(tmp_path, one__a=WHOLE, two__b=ELSE)) == []


def test_examples_in_files_are_separate(tmp_path: Path) -> None:
    """One example for each file."""
    assert errors(put(tmp_path, a=WHOLE, b=ELSE)) == []


def test_duplicate_in_a_folder_is_a_warning(tmp_path: Path) -> None:
    """One object that two files of a set define: they may be alternatives. In one file it is an error."""
    other = m.SERVICE.replace("name: http", "name: web")
    put(tmp_path, a=m.GATEWAY, b=m.joined(m.SERVICE, m.SERVER), c=m.joined(other, m.ROUTE))
    assert errors(tmp_path) == []
    assert "VSR401" in errors(tmp_path, severity="warning")
    assert errors(put(tmp_path, b=m.joined(m.SERVICE, m.SERVER, m.SERVICE), c=m.ROUTE)) == ["VSR401"]


def test_equal_duplicate_in_another_file_is_a_note(tmp_path: Path) -> None:
    """A copy beside what was generated from it, such as all CustomResourceDefinitions in one file."""
    put(tmp_path, a=m.GATEWAY, b=m.joined(m.SERVICE, m.SERVER), c=m.joined(m.SERVICE, m.ROUTE))
    assert "VSR401" not in errors(tmp_path, severity="warning")
    assert "VSR401" in errors(tmp_path, severity="note")


def test_files_on_the_command_line_are_one_set(tmp_path: Path) -> None:
    """The user applies them together; `--separate` checks each by itself."""
    put(tmp_path, a=WHOLE, b=ELSE)
    assert "VSR401" in errors(tmp_path / "a.yaml", tmp_path / "b.yaml", severity="warning")
    assert errors(tmp_path / "a.yaml", tmp_path / "b.yaml", "--separate") == []


def test_common_objects_belong_to_every_example(tmp_path: Path) -> None:
    """A Gateway beside the examples is found, and its own faults are reported once."""
    rest = m.joined(m.SERVICE, m.SERVER)
    put(tmp_path, common__gw=m.GATEWAY, one__a=m.joined(m.ROUTE, rest), two__a=m.joined(OTHER, rest))
    assert errors(tmp_path) == []
    put(tmp_path, one__a=m.joined(m.ROUTE.replace("name: big, port", "name: none, port"), rest))
    assert errors(tmp_path) == ["VSR402"]


def test_overlays_of_one_base_are_separate(tmp_path: Path) -> None:
    """And a fault in one of them is reported."""
    put(tmp_path, base__kustomization="resources: [a.yaml]\n", base__a=WHOLE)
    put(tmp_path, overlays__dev__kustomization="resources: [../../base]\n")
    patch = (
        "patches: [{target: {kind: HTTPRoute}, patch: '- {op: replace, path: /spec/parentRefs/0/name, value: x}'}]\n"
    )
    put(tmp_path, overlays__prod__kustomization="resources: [../../base]\n" + patch)
    assert errors(tmp_path) == ["VSR402"]


@pytest.mark.parametrize("count", [1, 300])
def test_many_examples_take_linear_time(count: int, tmp_path: Path) -> None:
    """Each is a set of its own."""
    put(tmp_path, **{f"e{n}__a": m.SERVICE for n in range(count)})
    assert errors(tmp_path) in ([], ["VSR401"] * (count - 1))
