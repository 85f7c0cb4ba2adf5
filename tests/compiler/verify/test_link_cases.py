"""Links between objects as strangers write them: what is right stays silent, and what is wrong is reported."""

from __future__ import annotations

import re
from typing import Any

import pytest

import support.verify_support as m
from support.common import reference
from vsr_compiler.diagnostics import Diagnostic, Severity

CASES = "data/cases"


def case(path: str) -> list[Diagnostic]:
    """Return the findings about a case of the reference."""
    return m.found((reference() / CASES / path).read_text())


def about(found: list[Diagnostic], code: str, part: str = "") -> list[Diagnostic]:
    """Return the findings with a code that mention something, without notes."""
    return [item for item in found if item.code == code and part in item.message and item.level is not Severity.NOTE]


@pytest.mark.parametrize("name", ["by-port", "listener-hostnames", "redirect"])
def test_routes_on_different_listeners_do_not_share_requests(name: str) -> None:
    """By section, by port, and by the hostnames of listeners."""
    assert about(case(f"verify/01-listeners-told-apart/{name}.yaml"), "VSR416") == []


GATEWAY = """\
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: gw, namespace: web}
spec:
  gatewayClassName: eg
  listeners:
  - {name: plain, port: 80, protocol: HTTP}
  - {name: shop, port: 443, protocol: HTTPS, hostname: "*.shop.example"}
"""
SERVICE = """\
apiVersion: v1
kind: Service
metadata: {name: app, namespace: web}
spec: {type: ExternalName, externalName: app.example, ports: [{port: 80}]}
"""


def route(name: str, parent: str = "", hostnames: str = "", rule: str = "") -> str:
    """Return an HTTPRoute to the Gateway."""
    return f"""\
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {{name: {name}, namespace: web}}
spec:
  parentRefs: [{{name: gw{parent}}}]
  hostnames: [{hostnames}]
  rules: [{{{rule or "backendRefs: [{name: app, port: 80}]"}}}]
"""


@pytest.mark.parametrize(
    ("first", "second", "conflict"),
    [
        (("a", ""), ("b", ""), True),
        (("a", ", sectionName: plain"), ("b", ""), True),
        (("a", ", sectionName: plain"), ("b", ", sectionName: shop"), False),
        (("a", "", "a.shop.example"), ("b", "", "b.shop.example"), False),
        (("a", "", "a.shop.example, b.shop.example"), ("b", "", "B.shop.example"), True),
        (("a", "", '"*.shop.example"'), ("b", "", "a.shop.example"), False),
        (("a", ", port: 80"), ("b", ", port: 443"), False),
    ],
)
def test_routes_share_requests_by_listener_hostname_and_match(first: Any, second: Any, conflict: bool) -> None:  # noqa: FBT001
    """A more specific hostname takes its requests from the others."""
    found = m.found(m.joined(GATEWAY, SERVICE, route(*first), route(*second)))
    assert bool(about(found, "VSR416", "same match")) is conflict


def test_same_rule_name_matters_for_pickers_of_istio_only() -> None:
    """Rules of other gateways may have any names."""
    routes = [route(name, rule=f"name: main, matches: [{{path: {{value: /{name}}}}}]") for name in "ab"]
    assert about(m.found(m.joined(GATEWAY, SERVICE, *routes)), "VSR416") == []


def test_a_route_needs_a_hostname_of_its_listener() -> None:
    """A wildcard covers one label or more; the listener's name is not asked for."""
    assert about(case("bugs/11-verify-listener-hostname/manifests.yaml"), "VSR417", "no hostname of")
    for hostnames, wrong in (("a.b.shop.example", False), ("shop.example", True), ("", False)):
        found = m.found(m.joined(GATEWAY, SERVICE, route("a", ", sectionName: shop", hostnames)))
        assert bool(about(found, "VSR417")) is wrong, hostnames


def test_the_hint_names_protocol_and_kinds_when_they_are_the_reason() -> None:
    """Another namespace would not help."""
    (finding,) = about(case("verify/20-hint-kinds/in.yaml"), "VSR417")
    assert "accepts TLSRoute" in finding.hint
    assert "namespaces" not in finding.hint


@pytest.mark.parametrize(
    ("kind", "protocol", "accepted"),
    [("TCPRoute", "TCP", True), ("TCPRoute", "HTTP", False), ("UDPRoute", "TCP", False), ("GRPCRoute", "HTTP", True)],
)
def test_routes_attach_by_the_protocol_of_the_listener(kind: str, protocol: str, accepted: bool) -> None:  # noqa: FBT001
    """The API has routes for each protocol."""
    gateway = re.sub(r"protocol: HTTP\w*", f"protocol: {protocol}", GATEWAY).replace(', hostname: "*.shop.example"', "")
    text = route("a").replace("kind: HTTPRoute", f"kind: {kind}").replace("  hostnames: []\n", "")
    assert bool(about(m.found(m.joined(gateway, SERVICE, text)), "VSR417")) is not accepted
