"""Our rules about gateways against what real control planes made of our objects, and what was seen there."""

from __future__ import annotations

import json
from typing import Any

import pytest

from support.common import reference
from support.consumers import probes
from support.consumers.envoy import JWT, Outcome, Proxy, Request, manager, sent, served
from support.consumers.recorded import recorded_objects

NAMES = sorted(recorded_objects())
Body = dict[str, Any]
KEY = "our-key"
ROUTER = probes.PlainRouter({"small": ("small", None), "ext": ("example-1", KEY)})


def recorded(name: str) -> Proxy:
    """A recorded gateway."""
    data = json.loads((reference() / "data" / "xds" / f"{name}.json").read_text(encoding="utf-8"))
    return Proxy(tuple(data["listeners"]), {item["name"]: item for item in data["routes"]})


def computed(name: str) -> Proxy:
    """The same gateway by our rules."""
    (proxy,) = probes.proxies(recorded_objects()[name]).values()
    return proxy


def test_every_recorded_gateway_is_compared() -> None:
    """A file that is added to the recordings is not forgotten."""
    files = (reference() / "data" / "xds").glob("*.json")
    assert sorted(path.stem for path in files) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_filters_stand_in_the_order_that_the_control_plane_made(name: str) -> None:
    """Listeners have the recorded names and ports; filters their order, and which of them are disabled."""
    assert shape(computed(name)) == shape(recorded(name))


def shape(proxy: Proxy) -> list[tuple[str, int, list[tuple[str, bool]]]]:
    """Listeners with their filters."""
    return [
        (
            listener["name"],
            listener["address"]["socket_address"]["port_value"],
            [(item["name"], item.get("disabled", False)) for item in manager(chain)["http_filters"]],
        )
        for listener, chain in served(proxy)
    ]


@pytest.mark.parametrize("name", NAMES)
def test_routes_enable_the_filters_that_the_control_plane_enabled(name: str) -> None:
    """Routes match in the recorded order, and say to the same filters whether they run."""
    assert routes(computed(name)) == routes(recorded(name))


def routes(proxy: Proxy) -> list[tuple[Body, int, dict[str, bool]]]:
    """Every route: its conditions on headers, its own answer, and filters with whether they are disabled there."""
    return [
        (
            {item["name"]: item["string_match"]["exact"] for item in route["match"].get("headers", [])},
            route.get("direct_response", {}).get("status", 0),
            {
                filter_name: config.get("disabled", False)
                for filter_name, config in sorted(route.get("typed_per_filter_config", {}).items())
            },
        )
        for _, chain in served(proxy)
        for host in proxy.routes[manager(chain)["rds"]["route_config_name"]]["virtual_hosts"]
        for route in host["routes"]
    ]


def seen(name: str, request: Request) -> str:
    """What became of a request at a recorded gateway, in a word; the gateway by our rules says the same."""
    outcomes = [sent(proxy, request, ROUTER) for proxy in (recorded(name), computed(name))]
    assert outcomes[0].ran == outcomes[1].ran
    words = [word(outcome) for outcome in outcomes]
    assert words[0] == words[1]
    return words[0]


def word(outcome: Outcome) -> str:
    """Who answered, with which status."""
    if outcome.reached:
        return outcome.model
    return f"{outcome.by.removeprefix('envoy.filters.http.').split('/')[0]} {outcome.status}"


VALID = {"authorization": JWT}
LIST = ("/v1/models", "GET")
TABLE = [
    # As emitted until 0.1: the filter stands first.
    ("auth-1a-jwt-gw", {}, "jwt_authn 401", "jwt_authn 401", "vsr.ext_proc 200"),
    ("auth-1a-jwt-gw", VALID, "small", "jwt_authn 401", "vsr.ext_proc 200"),
    ("auth-1b-jwt-route", {}, "jwt_authn 401", "jwt_authn 401", "vsr.ext_proc 200"),
    ("auth-1b-jwt-route", VALID, "small", "jwt_authn 401", "vsr.ext_proc 200"),
    ("auth-1d-ext-route", {}, "small", "ext", "vsr.ext_proc 200"),
    # Moved before the router filter, nothing else: everything is open.
    ("auth-2a-jwt-route", {}, "small", "ext", "vsr.ext_proc 200"),
    ("auth-2d-ext-gw", {}, "small", "ext", "vsr.ext_proc 200"),
    # First, with a catch-all route: the service is shown our key.
    ("auth-3a-ext-gw-first-catchall", {}, "ext_authz 403", "ext_authz 403", "vsr.ext_proc 200"),
    ("auth-3a-ext-gw-first-catchall", VALID, "small", "ext_authz 403", "vsr.ext_proc 200"),
    # Policies on the models' routes alone, which nobody asks before the decision.
    ("auth-3b2-all-route-last-catchall", {}, "small", "ext", "vsr.ext_proc 200"),
    ("auth-3b3-limit-last-catchall", {}, "small", "ext", "vsr.ext_proc 200"),
    # An EnvoyExtensionPolicy and a catch-all route.
    ("auth-9-eep-full", {}, "ext_authz 403", "ext_authz 403", "ext_authz 403"),
    ("auth-9-eep-full", VALID, "small", "ext", "ext_proc 200"),
    # Before the buffer filter, with a catch-all route.
    ("auth-9b-epp-buffer-full", {}, "ext_authz 403", "ext_authz 403", "ext_authz 403"),
    ("auth-9b-epp-buffer-full", VALID, "small", "ext", "vsr.ext_proc 200"),
    ("auth-9e-ai-epp-buffer", {}, "ext_authz 403", "ext_authz 403", "ext_authz 403"),
    ("auth-9e-ai-epp-buffer", VALID, "small", "ext", "vsr.ext_proc 200"),
]


@pytest.mark.parametrize(("name", "headers", "inside", "provider", "listed"), TABLE)
def test_requests_get_what_was_seen_at_the_recorded_gateway(
    name: str, headers: Body, inside: str, provider: str, listed: str
) -> None:
    """A model in the cluster, one of a provider, and the list of models: each ends where it did on the cluster."""
    assert seen(name, probes.chat("small", headers)) == inside
    assert seen(name, probes.chat("ext", headers)) == provider
    assert seen(name, Request(*LIST[:1], dict(headers), LIST[1])) == listed


def test_ext_authz_was_sent_the_key_of_the_provider() -> None:
    """Where the filter stands first, the service that judges is shown our key in place of the client's token."""
    outcome = sent(recorded("auth-3a-ext-gw-first-catchall"), probes.chat("ext", VALID), ROUTER)
    (shown,) = (headers for name, headers in outcome.shown.items() if "ext_authz" in name)
    assert shown["authorization"] == f"Bearer {KEY}"


def test_cors_preflight_needs_a_route_before_the_decision() -> None:
    """A catch-all route with the policy answers a preflight; without one the router does, with 405."""
    preflight = Request(
        headers={"origin": "https://a.example.com", "access-control-request-method": "POST"}, method="OPTIONS"
    )
    assert seen("auth-7d-eep-cors-real-catchall", preflight) == "cors 200"
    assert seen("envoy-gateway-1.9.0", preflight) == "vsr.ext_proc 405"
