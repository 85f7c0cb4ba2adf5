"""Laws of overlays, over random bases and environments: what kustomize would build is what was asked for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import strategies as st

from support.gitops_support import HERE, build, documents
from support.properties import examples
from vsr_compiler.deploy.overlays import overlay
from vsr_compiler.deploy.overlays.overlay import apply_overlay
from vsr_compiler.manifests.objects import Object, make
from vsr_compiler.manifests.yaml import dump

NAMES = st.sampled_from(["a", "b", "a.b", "axb", "c-1"])
NAMESPACES = st.sampled_from(["x", "y"])
KINDS = st.sampled_from([("v1", "ConfigMap"), ("example.com/v1", "Thing"), ("example.com/v2", "Thing")])
VALUES: st.SearchStrategy[Any] = st.recursive(
    st.integers(0, 3) | st.sampled_from(["", "no", "1e3", "x\ny\n", "a/b~c"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["k", "a/b", "~"]), inner, max_size=3),
    max_leaves=6,
)
KEYS = st.tuples(KINDS, NAMESPACES, NAMES)
TREES = st.dictionaries(KEYS, VALUES, max_size=8)
Tree = dict[tuple[tuple[str, str], str, str], Any]


def objects(tree: Tree) -> list[Object]:
    """A tree as objects, one a file: two versions of a kind would want the same one."""
    found = {}
    for ((version, kind), namespace, name), value in sorted(tree.items(), key=lambda item: repr(item[0])):
        item = make(version, kind, name, HERE, namespace=namespace, spec={"value": value})
        found[item.path] = item
    return list(found.values())


@given(TREES, TREES)
def test_whatever_the_two_sides_the_overlay_makes_one_of_the_other(base: Tree, wanted: Tree) -> None:
    """The check that every compile makes never fails, and says the truth."""
    before, after = objects(base), objects(wanted)
    result = overlay(before, after)
    found = apply_overlay(before if "../../base" in result.kustomization["resources"] else [], result)
    assert found == {item.identity: item.body for item in after}


@given(TREES, TREES)
def test_the_order_of_objects_does_not_matter(base: Tree, wanted: Tree) -> None:
    """Same environment, same files."""
    before, after = objects(base), objects(wanted)
    one, other = overlay(before, after), overlay(before[::-1], after[::-1])
    assert one.kustomization == other.kustomization
    assert dict(one.patches) == dict(other.patches)
    assert dict(one.objects) == dict(other.objects)


@given(TREES)
def test_an_environment_like_its_base_adds_nothing(base: Tree) -> None:
    """No file beside the kustomization."""
    result = overlay(objects(base), objects(base))
    assert (dict(result.objects), dict(result.patches)) == ({}, {})


@pytest.mark.subprocess
@examples(25, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(TREES.filter(bool), TREES.filter(bool))
def test_kubectl_agrees(tmp_path: Path, base: Tree, wanted: Tree) -> None:
    """A sample of them, built by the real kustomize, byte for byte."""
    folder = tmp_path / str(len(list(tmp_path.iterdir())))
    before, after = objects(base), objects(wanted)
    result = overlay(before, after)
    files = {f"base/{item.path}": dump(item.body) for item in before}
    files["base/kustomization.yaml"] = dump({"resources": [item.path for item in before]})
    files |= {f"overlays/e/{path}": dump(item.body) for path, item in result.objects.items()}
    files |= {f"overlays/e/{path}": dump(patch) for path, patch in result.patches.items()}
    files["overlays/e/kustomization.yaml"] = dump(result.kustomization)
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, encoding="utf-8")
    assert documents(build(folder / "overlays" / "e")) == {dump(item.body) for item in after}
