"""Trees side by side: files, and objects by their identity."""

from __future__ import annotations

from typing import Any

from vsr_compiler.manifests.yaml import dump
from vsr_compiler.review.compare import Comparison, file_changes, scope
from vsr_schemas.reports_diff import FileChange


def config_map(name: str, **data: str) -> dict[str, Any]:
    """An object."""
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": "x"}, "data": data}


def compared(old: dict[str, Any], new: dict[str, Any]) -> list[FileChange]:
    """The changes between two trees of documents."""
    sides = ({path: dump(body).encode() for path, body in side.items()} for side in (old, new))
    return list(file_changes(Comparison(*sides, "old").pairs))


def test_what_is_equal_is_not_even_read() -> None:
    """A broken file on both sides changes nothing."""
    same = {"a.yaml": b": [", "b.yaml": b"x: 1\n"}
    assert Comparison(same, dict(same), "old").pairs == []


def test_an_object_that_moved_to_another_file_is_compared_with_itself() -> None:
    """Objects are matched by identity, not by file."""
    found = compared({"istio/base/x/a.yaml": config_map("a", k="1")}, {"istio/base/x/b.yaml": config_map("a", k="2")})
    assert [(each.file, each.identity, each.change) for each in found] == [
        ("istio/base/x/b.yaml", "ConfigMap x/a", "changed")
    ]
    assert [field.path for field in found[0].fields] == ["data.k"]


def test_the_same_name_in_a_base_and_in_an_overlay_are_two_objects() -> None:
    """Within one of them an identity is there once; between them it is not."""
    old = {"istio/base/x/a.yaml": config_map("a")}
    new = {"istio/overlays/dev/x/a.yaml": config_map("a")}
    assert [each.change for each in compared(old, new)] == ["removed", "added"]
    assert scope("istio/overlays/dev/patches/x/a.yaml") == "istio/overlays/dev"
    assert scope("istio/base/x/a.yaml") == "istio/base"
    assert scope("router/config.yaml") == "router"


def test_long_texts_are_shown_by_their_length() -> None:
    """Nobody reads a config file on one line."""
    found = compared({"a/b/c.yaml": config_map("a", f="x\n" * 9)}, {"a/b/c.yaml": config_map("a", f="y\n" * 8)})
    field = found[0].fields[0]
    assert field.old.startswith("<9 lines, sha256 ")
    assert field.new.startswith("<8 lines, sha256 ")


def test_files_that_are_no_yaml_or_for_one_machine_are_not_compared_inside() -> None:
    """Heads are bytes; the local stand follows from the rest."""
    old = {"router/h.safetensors": b"\x00", "local/envoy.yaml": b"a: 1\n"}
    new = {"router/h.safetensors": b"\x01", "local/envoy.yaml": b"a: 2\n"}
    found = list(file_changes(Comparison(old, new, "old").pairs))
    assert [(each.file, each.change, each.fields) for each in found] == [
        ("local/envoy.yaml", "changed", []),
        ("router/h.safetensors", "changed", []),
    ]
