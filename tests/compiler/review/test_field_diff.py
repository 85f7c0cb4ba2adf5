"""Field by field: list items are matched by what tells them apart."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vsr_compiler.review.field_diff import KEYS, changes

VALUES: st.SearchStrategy[Any] = st.recursive(
    st.integers(-2, 2) | st.booleans() | st.text("ab", max_size=2) | st.none(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["name", "rules", "containers", "x"]), inner, max_size=3)
    ),
    max_leaves=10,
)


def differences(old: Any, new: Any) -> list[tuple[str, str, Any, Any]]:
    """The changes as tuples."""
    return [(each.change, each.path, each.old, each.new) for each in changes(old, new)]


def test_a_container_is_matched_by_its_name_whatever_its_place() -> None:
    """A sidecar put first does not make every other container a change."""
    old = {"containers": [{"name": "vllm", "image": "a:1"}]}
    new = {"containers": [{"name": "sidecar"}, {"name": "vllm", "image": "a:2"}]}
    assert differences(old, new) == [
        ("changed", "containers[name=vllm].image", "a:1", "a:2"),
        ("added", "containers[name=sidecar]", None, {"name": "sidecar"}),
    ]


def test_a_backend_is_matched_by_kind_namespace_name_and_port() -> None:
    """So a weight reads as a weight."""
    ref = {"group": "", "kind": "Service", "name": "a", "namespace": "x", "port": 80}
    old, new = {"backendRefs": [ref | {"weight": 90}]}, {"backendRefs": [ref | {"weight": 50}]}
    path = "backendRefs[kind=Service,namespace=x,name=a,port=80].weight"
    assert differences(old, new) == [("changed", path, 90, 50)]


def test_another_order_is_one_change() -> None:
    """Order may matter, but nothing came or went."""
    old = {"env": [{"name": "a"}, {"name": "b"}]}
    assert differences(old, {"env": [{"name": "b"}, {"name": "a"}]}) == [
        ("changed", "env (order)", ["name=a", "name=b"], ["name=b", "name=a"])
    ]
    assert [each[1] for each in differences({"args": ["x", "y"]}, {"args": ["y", "x"]})] == ["args (order)"]


def test_plain_values_come_and_go() -> None:
    """An argument in the middle does not shift the rest."""
    old, new = {"args": ["a", "b", "c"]}, {"args": ["a", "x", "b", "c", "c"]}
    assert differences(old, new) == [("added", "args[]", None, "x"), ("added", "args[]", None, "c")]


def test_a_list_whose_keys_are_missing_or_not_unique_is_matched_by_place() -> None:
    """Nothing is dropped for the sake of a nicer match."""
    twice = {"containers": [{"name": "a", "x": 1}, {"name": "a", "x": 2}]}
    assert differences(twice, {"containers": [{"name": "a", "x": 1}, {"name": "a", "x": 3}]}) == [
        ("changed", "containers[1].x", 2, 3)
    ]
    assert differences({"rules": [{"a": 1}]}, {"rules": [{"a": 1}, {"b": 2}]}) == [
        ("added", "rules[1]", None, {"b": 2})
    ]


def test_a_key_that_is_no_word_is_quoted() -> None:
    """Annotations, mostly."""
    old, new = {"annotations": {"a.b/c": "1"}}, {"annotations": {"a.b/c": "2"}}
    assert differences(old, new)[0][1] == 'annotations["a.b/c"]'


@pytest.mark.parametrize("name", KEYS)
def test_every_table_entry_names_keys_in_tuples(name: str) -> None:
    """A forgotten comma would make letters of a word into keys."""
    assert all(isinstance(keys, tuple) and all(len(key) > 1 for key in keys) for keys in KEYS[name])


@given(VALUES, VALUES)
def test_different_values_are_reported_and_equal_ones_are_not(old: Any, new: Any) -> None:
    """Hostile forms too: no crash, no silence."""
    found = list(changes(old, new))
    assert list(changes(old, old)) == []
    if repr(old) != repr(new) and old != new:
        assert found


def test_operations_of_a_json_patch_are_identified_by_their_path() -> None:
    """Not by their place in the file, which says nothing to a reviewer."""
    old = [{"op": "replace", "path": "/spec/replicas", "value": 4}]
    new = [
        {"op": "add", "path": "/metadata/labels", "value": {}},
        {"op": "replace", "path": "/spec/replicas", "value": 8},
    ]
    assert [(each.path, each.change) for each in changes(old, new)] == [
        ("[path=/spec/replicas].value", "changed"),
        ("[path=/metadata/labels]", "added"),
    ]
