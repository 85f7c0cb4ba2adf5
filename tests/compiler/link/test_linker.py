"""What a policy means once its references are resolved."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.common import SMALL, linked
from vsr_compiler import ir
from vsr_compiler.ir.names import object_name


def test_defaults_are_filled_in() -> None:
    """What the policy leaves out has a safe value."""
    policy = linked()
    assert policy.router.deadline == 1000
    assert policy.router.max_body == 8 * 2**20
    assert policy.router.max_message == policy.router.max_body + 64 * 1024
    assert policy.router.auto_models == ("auto", "MoM")
    assert policy.gateway.namespace == "default"
    assert [environment.target for environment in policy.environments] == ["istio"]
    assert policy.classifier is not None
    assert policy.classifier.name == "domain"


def test_an_endpoint_is_one_symbol() -> None:
    """Host, authority and cluster name of a Service are all made from the same three facts."""
    service = linked().endpoints[1].service
    assert service == ir.ServiceRef("two", "default", 8000)
    assert service.authority == "two.default.svc.cluster.local:8000"
    assert service.istio_cluster == "outbound|8000||two.default.svc.cluster.local"


def test_weights_are_kept_and_a_list_means_equal_shares() -> None:
    """Endpoints may be a list or a mapping of weights."""
    text = SMALL.replace("{endpoints: [two]}", "{endpoints: {two: 90, one: 10}, checkpoint: example/big}")
    models = {model.name: model for model in linked(text).models}
    assert [(endpoint.name, weight) for endpoint, weight in models["little"].endpoints] == [("one", 10), ("two", 90)]
    assert [weight for _, weight in models["big"].endpoints] == [1]


def test_routes_are_tried_by_priority_and_then_in_file_order() -> None:
    """A higher number goes first; equal ones keep their order."""
    text = SMALL.replace(
        "default: big",
        "  - {name: b, when: {category: law}, model: big}\n"
        "  - {name: c, when: {category: law}, model: big, priority: 5}\ndefault: big",
    )
    assert [route.name for route in linked(text).routes] == ["c", "math", "b"]


def test_conditions_nest() -> None:
    """all, any and not become a tree of resolved parts."""
    text = SMALL.replace("{category: math}", "{all: [{category: math}, {not: {any: [{category: law}]}}]}")
    policy = linked(text)
    by_name = {category.name: category for category in policy.categories}
    expected = ir.AllOf((ir.InCategory(by_name["math"]), ir.Not(ir.AnyOf((ir.InCategory(by_name["law"]),)))))
    assert policy.routes[0].when == expected


def test_a_name_that_looks_like_another_type_stays_the_text_that_was_meant() -> None:
    """`no` and `1e3` are ordinary names of models."""
    text = SMALL.replace("little", "1e3").replace("big", "no")
    assert [model.name for model in linked(text).models] == ["1e3", "no"]


def test_the_order_of_maps_and_the_comments_do_not_change_the_fingerprint() -> None:
    """Only what a policy says counts."""
    lines = SMALL.splitlines()
    models, categories = lines[7:10], lines[10:13]
    shuffled = [*lines[:4], *categories, "# a comment", models[0], models[2], models[1], *lines[4:7], *lines[13:]]
    assert linked("\n".join(shuffled)).sha256 == linked().sha256
    assert linked(SMALL.replace("default: big", "default: little")).sha256 != linked().sha256


@given(st.lists(st.text(min_size=1, max_size=80), min_size=2, max_size=20, unique=True), st.randoms())
def test_object_names_are_labels_and_differ_where_names_do(names: list[str], rng: random.Random) -> None:
    """Whatever people call a model, its objects get a valid DNS label of their own."""
    rng.shuffle(names)
    labels = [object_name(name) for name in names]
    assert len(set(labels)) == len(names)
    for label in labels:
        assert 1 <= len(label) <= 50
        assert label[0].isascii()
        assert label[0].isalpha()
        assert label[-1].isalnum()
        assert all(c.islower() or c.isdigit() or c == "-" for c in label)


@pytest.mark.parametrize("name", ["phi4-mini", "llama-3-1-8b", "a" * 50])
def test_a_name_that_is_a_label_already_stays(name: str) -> None:
    """Readable names are not decorated."""
    assert object_name(name) == name
