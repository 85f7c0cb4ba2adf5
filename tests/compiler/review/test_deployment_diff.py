"""What changes for requests and stands in objects only."""

from __future__ import annotations

from typing import Any

import pytest

from vsr_compiler.manifests.yaml import dump
from vsr_compiler.review.baseline import Baseline
from vsr_compiler.review.diff_report import report

Body = dict[str, Any]


def body(kind: str, name: str, spec: Body) -> Body:
    """An object."""
    return {"apiVersion": "v1", "kind": kind, "metadata": {"name": name, "namespace": "x"}, "spec": spec}


def route(name: str, time: str, kind: str = "HTTPRoute") -> Body:
    """A route whose requests may take so long."""
    return body(kind, name, {"rules": [{"matches": [{"headers": [{"name": "x"}]}], "timeouts": {"request": time}}]})


def server(checkpoint: str) -> Body:
    """A model server."""
    container = {"name": "vllm", "args": ["--port=8000", f"--model={checkpoint}"]}
    return body("Deployment", "house", {"template": {"spec": {"containers": [container]}}})


def sentences(old: list[Body], new: list[Body]) -> list[str]:
    """What is told between two trees."""
    sides = [
        {f"istio/base/x/{each['kind']}-{each['metadata']['name']}.yaml": dump(each).encode() for each in side}
        for side in (old, new)
    ]
    return [each.text for each in report("p", Baseline("old", sides[0]), sides[1]).traffic]


@pytest.mark.parametrize("kind", ["HTTPRoute", "AIGatewayRoute"])
def test_another_timeout_is_a_change_for_traffic_reported_once(kind: str) -> None:
    """Long answers end earlier; the number of routes does not matter."""
    old = [route("a", "300s", kind), route("b", "300s", kind)]
    assert sentences(old, [route("a", "60s", kind), route("b", "60s", kind)]) == ["a request may take 60s, was 300s"]


def test_another_checkpoint_behind_the_same_name_is_a_change_for_traffic() -> None:
    """Nothing in the router's folder says which weights answer."""
    assert sentences([server("a/small")], [server("a/large")]) == ["server house loads a/large, was a/small"]


def test_an_environment_on_another_target_is_a_change_for_traffic() -> None:
    """Nothing changed for traffic, it said, where every request came through another gateway."""

    def side(**environments: str) -> dict[str, bytes]:
        return {f"{target}/overlays/{name}/kustomization.yaml": b"{}\n" for name, target in environments.items()}

    old, new = side(dev="istio", prod="istio", old="gie"), side(dev="istio", prod="envoy-gateway", more="gie")
    assert [each.text for each in report("p", Baseline("old", old), new).traffic] == [
        "environment more is new, on gie",
        "environment old is gone",
        "environment prod is on envoy-gateway, was on istio",
    ]
    assert [each.text for each in report("p", Baseline("old", old), old).traffic] == []


def test_a_simulator_in_the_place_of_a_server_is_a_change_for_traffic() -> None:
    """Only an overlay's patch says so, and the environment's clients get words at random."""
    patch = [{"op": "replace", "path": "/spec/template/spec/containers/0/args", "value": ["--model=simulated-house"]}]
    overlay = {"istio/overlays/prod/kustomization.yaml": dump({"resources": ["../../base"]}).encode()}
    overlay |= {"istio/overlays/dev/kustomization.yaml": dump({"resources": ["../../base"]}).encode()}
    old = {"istio/base/x/deployment-house.yaml": dump(server("a/small")).encode(), **overlay}
    new = old | {"istio/overlays/prod/patches/x/deployment-house.yaml": dump(patch).encode()}
    assert [each.text for each in report("p", Baseline("old", old), new).traffic] == [
        "server house loads simulated-house, was a/small, in prod"
    ]
    larger = old | {"istio/base/x/deployment-house.yaml": dump(server("a/large")).encode()}
    assert [each.text for each in report("p", Baseline("old", old), larger).traffic] == [
        "server house loads a/large, was a/small"
    ]


def test_objects_of_any_form_are_read_without_harm() -> None:
    """An earlier output is anybody's."""
    odd = [body("HTTPRoute", "a", {"rules": "none"}), body("Deployment", "house", {"template": ["x"]})]
    assert sentences(odd, [route("a", "60s"), server("a/large")]) == []
