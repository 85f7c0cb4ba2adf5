"""What objects open: ways in, and ways past a check that fails."""

from __future__ import annotations

from typing import Any

import pytest

from vsr_compiler.manifests.yaml import dump
from vsr_compiler.review.baseline import Baseline
from vsr_compiler.review.diff_report import report
from vsr_compiler.review.exposure import exposures, fail_open_fields

Body = dict[str, Any]


def body(kind: str, spec: Body, name: str = "edge") -> Body:
    """An object."""
    return {"apiVersion": "v1", "kind": kind, "metadata": {"name": name, "namespace": "x"}, "spec": spec}


def broken(old: dict[str, Body], new: dict[str, Body]) -> list[tuple[str, str | None]]:
    """The breaking sentences between two trees of objects."""
    before = {path: dump(each).encode() for path, each in old.items()} | {"router/config.yaml": b"{}\n"}
    after = {path: dump(each).encode() for path, each in new.items()} | {"router/config.yaml": b"{}\n"}
    return [(each.text, each.breaking) for each in report("p", Baseline("old", before), after).traffic]


PATH = "istio/base/x/gateway-edge.yaml"
LISTENER = {"protocol": "HTTP", "port": 80, "hostname": "llm.example.com"}
GATEWAY = body("Gateway", {"listeners": [LISTENER | {"allowedRoutes": {"namespaces": {"from": "Same"}}}]})
FILTER = "istio/base/x/envoyfilter-edge.yaml"


def test_a_listener_for_any_host_widens_what_can_be_reached() -> None:
    """A host name taken away, a port added, routes taken from elsewhere."""
    wide = body(
        "Gateway", {"listeners": [{"protocol": "HTTP", "port": 80, "allowedRoutes": {"namespaces": {"from": "All"}}}]}
    )
    assert broken({PATH: GATEWAY}, {PATH: wide}) == [
        ("Gateway x/edge listens on HTTP port 80 for any host", "exposure widened"),
        ("Gateway x/edge takes routes from namespaces: All", "exposure widened"),
    ]
    assert broken({PATH: wide}, {PATH: GATEWAY}) == [
        ("Gateway x/edge listens on HTTP port 80 for llm.example.com", "exposure widened")
    ]


def test_a_gateway_that_moves_to_another_target_opens_nothing_new() -> None:
    """It is the same Gateway, whatever folder its file lies in."""
    assert broken({PATH: GATEWAY}, {"gie/base/x/gateway-edge.yaml": GATEWAY}) == []
    assert broken({PATH: GATEWAY}, {PATH: GATEWAY, "gie/base/x/gateway-edge.yaml": GATEWAY}) == []


@pytest.mark.parametrize("kind", ["LoadBalancer", "NodePort"])
def test_a_service_that_gets_an_address_outside_widens(kind: str) -> None:
    """ClusterIP does not."""
    path = "istio/base/x/service-edge.yaml"
    old, new = body("Service", {"type": "ClusterIP"}), body("Service", {"type": kind})
    assert broken({path: old}, {path: new}) == [(f"Service x/edge is a Service of type {kind}", "exposure widened")]
    assert broken({path: new}, {path: old}) == []


def test_a_route_without_the_routers_header_is_a_way_past_it() -> None:
    """Requests would reach a model that nobody has judged."""
    path = "istio/base/x/httproute-a.yaml"
    guarded = body("HTTPRoute", {"rules": [{"matches": [{"headers": [{"name": "x-selected-model"}]}]}]}, "a")
    free = body("HTTPRoute", {"rules": [{"matches": [{"path": {"value": "/"}}]}]}, "a")
    text = "HTTPRoute x/a routes requests that the router has not sent anywhere"
    assert broken({path: guarded}, {path: free}) == [(text, "exposure widened")]
    assert broken({}, {path: guarded}) == []
    assert list(exposures(body("HTTPRoute", {"rules": [{}]}))) == [
        "routes requests that the router has not sent anywhere"
    ]


@pytest.mark.parametrize(
    ("closed", "opened"),
    [
        ({"failure_mode_allow": False}, {"failure_mode_allow": True}),
        ({}, {"failure_mode_allow": True}),
        ({"failureMode": "FailClose"}, {"failureMode": "FailOpen"}),
        ({"failOpen": False}, {"failOpen": True}),
    ],
)
def test_failing_open_is_found_in_every_place(closed: Body, opened: Body) -> None:
    """In any object, at any depth."""
    old = body("EnvoyFilter", {"configPatches": [{"patch": {"value": closed}}]})
    new = body("EnvoyFilter", {"configPatches": [{"patch": {"value": opened}}]})
    place = f"spec.configPatches[0].patch.value.{next(iter(opened))}"
    text = f"EnvoyFilter x/edge: failing means passing, by {place}"
    assert broken({FILTER: old}, {FILTER: new}) == [(text, "fail-open introduced")]
    assert broken({FILTER: new}, {FILTER: old}) == []
    assert broken({FILTER: new}, {FILTER: new | {"kind2": 1}}) == []


def test_a_new_object_that_fails_open_introduces_it() -> None:
    """It was not there before, and it lets requests pass."""
    new = body("EnvoyFilter", {"failure_mode_allow": True})
    assert [rule for _, rule in broken({}, {FILTER: new})] == ["fail-open introduced"]


def test_odd_forms_are_read_as_far_as_they_go() -> None:
    """An earlier output may be anybody's."""
    for spec in (None, [], "x", {"listeners": "x"}, {"listeners": [None, {"allowedRoutes": 3}]}, {"externalIPs": {}}):
        for kind in ("Gateway", "Service", "HTTPRoute", "Ingress"):
            list(exposures({"kind": kind, "spec": spec, "metadata": {}}))
            list(fail_open_fields({"kind": kind, "spec": spec, "failureMode": ["FailOpen"]}))
