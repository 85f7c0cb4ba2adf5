"""JSON patches: applying the difference gives the other object, here and in kustomize."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.common import kubectl
from vsr_compiler.manifests.jsonpatch import PatchError, apply, diff, pointer
from vsr_compiler.manifests.yaml import dump

KEYS = st.text("ab/~.-1", min_size=1, max_size=3)
VALUES: st.SearchStrategy[Any] = st.recursive(
    st.integers(-3, 3) | st.booleans() | st.text("ab~/ ", max_size=3),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=12,
)
BODIES = st.dictionaries(KEYS, VALUES, max_size=4)


@given(BODIES, BODIES)
def test_the_difference_applied_to_the_old_gives_the_new(old: dict[str, Any], new: dict[str, Any]) -> None:
    """The law of the module, whatever the objects."""
    before = repr(old)
    result = apply(old, diff(old, new))
    assert result == new
    assert repr(old) == before


@given(BODIES)
def test_nothing_changed_is_no_operation(body: dict[str, Any]) -> None:
    """An empty patch, not one that says everything again."""
    assert diff(body, body) == []


CASES: list[tuple[Any, Any, list[tuple[str, str]]]] = [
    ({"a": 1}, {"a": 2}, [("replace", "/a")]),
    ({"a": {"b": 1, "c": "x" * 50}}, {"a": {"b": 2, "c": "x" * 50}}, [("replace", "/a/b")]),
    ({"a": {"b": 1}}, {"a": {"c": 1}}, [("replace", "/a")]),
    ({"l": ["a" * 30, "b"]}, {"l": ["a" * 30, "b", "c"]}, [("add", "/l/2")]),
    ({"l": ["a" * 30, "b" * 30, "c"]}, {"l": ["a" * 30, "c"]}, [("remove", "/l/1")]),
    ({"l": ["z" * 90, "b", "c", "d"]}, {"l": ["z" * 90, "d"]}, [("remove", "/l/2"), ("remove", "/l/1")]),
    ({"a/b~c": "x" * 30}, {}, [("remove", "/a~1b~0c")]),
    ({"n": 1}, {"n": True}, [("replace", "/n")]),
]


@pytest.mark.parametrize(("old", "new", "expected"), CASES)
def test_a_patch_names_what_changed_and_no_more(old: Any, new: Any, expected: list[tuple[str, str]]) -> None:
    """Inside where that is shorter, whole where it is not."""
    assert [(each["op"], each["path"]) for each in diff(old, new)] == expected


@pytest.mark.parametrize(
    "operation",
    [
        {"op": "replace", "path": "/none/x", "value": 1},
        {"op": "remove", "path": "/none"},
        {"op": "replace", "path": "/l/7", "value": 1},
        {"op": "add", "path": "/l/7", "value": 1},
        {"op": "replace", "path": "", "value": 1},
    ],
)
def test_a_path_that_leads_nowhere_is_refused(operation: dict[str, Any]) -> None:
    """As kustomize refuses it."""
    with pytest.raises(PatchError):
        apply({"l": [1]}, [operation])


def test_a_pointer_escapes_what_would_be_read_as_structure() -> None:
    """RFC 6901."""
    assert pointer(("metadata", "annotations", "a.b/c~d", 0)) == "/metadata/annotations/a.b~1c~0d/0"


@pytest.mark.subprocess
def test_kustomize_applies_it_to_the_same_end(tmp_path: Path) -> None:
    """Escapes, list ends, types and multi-line text, byte for byte."""
    meta = {"name": "a", "namespace": "x"}
    head = {"apiVersion": "x.example/v1", "kind": "Foo", "metadata": meta}
    long = "# text\n" * 20
    old = head | {"spec": {"a/b~c": 1, "l": [1, {"x": long}, 3], "keep": long, "n": 0.5, "y": "1e3", "gone": {}}}
    new = head | {
        "spec": {"a/b~c": "no", "l": [1, {"x": long + "more\n"}], "keep": long, "n": 0.25, "y": True, "e": []}
    }
    target = {"group": "x.example", "version": "v1", "kind": "Foo"} | meta
    files = {
        "a.yaml": dump(old),
        "p.yaml": dump(diff(old, new)),
        "kustomization.yaml": dump({"resources": ["a.yaml"], "patches": [{"path": "p.yaml", "target": target}]}),
    }
    for name, text in files.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    result = subprocess.run([kubectl(), "kustomize", str(tmp_path)], capture_output=True, text=True, check=True)
    assert result.stdout == dump(new)
