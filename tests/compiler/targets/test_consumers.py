"""The rules of gateways that no recorded gateway shows, and our own tables against them."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from support.consumers import edits, facts, json_patches, probes
from support.consumers.envoy import JWT, Outcome, PickerPod, Proxy, Request, chains, manager, sent
from support.consumers.recorded import (
    BEFORE_ROUTER,
    EXT_AUTH,
    FIRST,
    LIMIT,
    MANAGERS,
    ON_GATEWAY,
    PARENT,
    catch_all,
    patch,
    recorded_objects,
    reference,
    security,
    small,
    traffic,
)
from support.consumers.recorded import (
    JWT as JWT_POLICY,
)
from vsr_compiler.releases import filter_order
from vsr_compiler.releases.hops import HOPS
from vsr_schemas.headers import STRIPPED

Body = dict[str, Any]
ROUTER = probes.PlainRouter({"small": ("small", None), "ext": ("example-1", "our-key")})
EVERYWHERE: Body = {"op": "add", "jsonPath": MANAGERS, "path": "/typed_config/http_filters/0"}


def only(bodies: list[Body]) -> Proxy:
    """The Envoy of the only Gateway."""
    (proxy,) = probes.proxies(bodies).values()
    return proxy


def with_listeners(bodies: list[Body], *listeners: Body) -> list[Body]:
    """The objects with other listeners on the Gateway."""
    changed = copy.deepcopy(bodies)
    gateway = next(body for body in changed if body["kind"] == "Gateway")
    gateway["spec"]["listeners"] = [{"port": 80, "protocol": "HTTP", **item} for item in listeners]
    return changed


def filters(proxy: Proxy, name: str) -> list[list[str]]:
    """The filters of each chain of a listener."""
    (listener,) = (item for item in proxy.listeners if item["name"] == name)
    return [[item["name"] for item in manager(chain)["http_filters"]] for chain in chains(listener)]


OURS, LAST = "vsr.ext_proc", "envoy.filters.http.router"
TLS = {"port": 443, "protocol": "HTTPS"}


def test_listener_of_envoy_is_named_after_the_first_listener_of_its_port() -> None:
    """A listener that a user puts before ours takes the name away, and the patch finds nothing."""
    proxy = only(with_listeners(small(FIRST), {"name": "admin"}, {"name": "http", "hostname": "a.example"}))
    assert [item["name"] for item in proxy.listeners] == ["edge/gw-e/admin"]
    assert proxy.problems == ("edge/gw-e/http: ResourceNotFound",)


def test_a_patch_of_the_default_chain_misses_listeners_with_tls() -> None:
    """TLS listeners have filter chains; a patch by `jsonPath` reaches each of them."""
    listeners = [{"name": "http", **TLS, "hostname": "a.example"}, {"name": "b", **TLS, "hostname": "b.example"}]
    missed = only(with_listeners(small(FIRST), *listeners))
    assert filters(missed, "edge/gw-e/http") == [[LAST], [LAST]]
    assert len(missed.problems) == 1
    reached = only(with_listeners(small(EVERYWHERE), *listeners))
    assert filters(reached, "edge/gw-e/http") == [[OURS, LAST], [OURS, LAST]]
    assert reached.problems == ()


def test_http3_is_a_listener_that_the_patch_of_the_first_does_not_change() -> None:
    """`<name>-quic` has filters of its own; the patch is applied without a problem."""
    bodies = with_listeners(small(EVERYWHERE), {"name": "http", **TLS})
    gateway = next(body for body in bodies if body["kind"] == "Gateway")
    proxy = only([*bodies, edits.client_policy(gateway, None, http3={})])
    assert filters(proxy, "edge/gw-e/http-quic") == [[LAST]]
    assert filters(proxy, "edge/gw-e/http") == [[OURS, LAST]]
    assert proxy.problems == ()


@pytest.mark.parametrize(("shared", "limit"), [(False, 65_536), (True, facts.DEFAULT_BUFFER)])
def test_client_policy_of_a_section_replaces_the_gateways_as_a_whole(*, shared: bool, limit: int) -> None:
    """Nothing is merged. On a port with several HTTP listeners neither of the two applies."""
    more = [{"name": "other", "hostname": "b.example"}] if shared else []
    bodies = with_listeners(small(FIRST), {"name": "http"}, *more)
    gateway = next(body for body in bodies if body["kind"] == "Gateway")
    early = {"earlyRequestHeaders": {"remove": ["x-selected-model"]}}
    ours = edits.client_policy(gateway, None, headers=early)
    theirs = edits.client_policy(gateway, "http", connection={"bufferLimit": "64Ki"})
    (listener,) = only([*bodies, ours, theirs]).listeners
    assert listener["per_connection_buffer_limit_bytes"] == limit
    assert all("early_header_mutation_extensions" not in manager(chain) for chain in chains(listener))
    (before,) = only([*bodies, ours]).listeners
    assert all("early_header_mutation_extensions" in manager(chain) for chain in chains(before))


def test_other_patches_are_applied_although_one_fails() -> None:
    """A policy whose first patch names no place still makes its second."""
    bodies = small({"op": "add", "path": "/filter_chains/0/filters/0"})
    proxy = only([*bodies, patch(*PARENT, FIRST)])
    assert filters(proxy, "edge/gw-e/http") == [[OURS, LAST]]
    assert len(proxy.problems) == 1


def test_older_of_two_policies_on_one_target_counts() -> None:
    """The order of the objects is their age."""
    first = security("edge", ON_GATEWAY, JWT_POLICY)
    second = security("edge", ON_GATEWAY, EXT_AUTH)
    assert "envoy.filters.http.jwt_authn" in filters(only(small(FIRST, first, second)), "edge/gw-e/http")[0]
    assert "envoy.filters.http.jwt_authn" not in filters(only(small(FIRST, second, first)), "edge/gw-e/http")[0]


@pytest.mark.parametrize("merges", [False, True])
def test_traffic_policy_of_a_route_replaces_the_gateways_unless_it_merges(*, merges: bool) -> None:
    """A limit for one model takes the Gateway's request buffer away from its route."""
    limit = LIMIT | ({"mergeType": "StrategicMerge"} if merges else {})
    buffered = traffic("edge", "buffer", ON_GATEWAY, {"requestBuffer": {"limit": "8Mi"}})
    own = traffic("edge", "lim", [reference("HTTPRoute", "small")], limit)
    proxy = only(small(FIRST, buffered, own))
    (host,) = proxy.routes["edge/gw-e/http"]["virtual_hosts"]
    (route,) = (item for item in host["routes"] if "/small/" in item["name"])
    assert ("envoy.filters.http.buffer" in route["typed_per_filter_config"]) is merges


def test_filter_without_its_anchor_is_not_inserted_by_istio() -> None:
    """INSERT_BEFORE a filter that does not exist changes nothing."""
    bodies = copy.deepcopy(recorded_objects()["istiod-1.31.0-rc.0-quickstart"])
    patched = next(body for body in bodies if body["kind"] == "EnvoyFilter")["spec"]["configPatches"][0]
    patched["patch"]["operation"] = "INSERT_BEFORE"
    where = patched["match"]["listener"]["filterChain"]["filter"]
    for anchor, there in (("envoy.filters.http.ext_proc", False), ("envoy.filters.http.grpc_stats", True)):
        where["subFilter"] = {"name": anchor}
        assert (OURS in filters(only(bodies), "0.0.0.0_80")[0]) is there


def denied(*more: Body) -> Outcome:
    """A request without a token, where authentication comes before the router."""
    bodies = small(BEFORE_ROUTER, *catch_all(PARENT), security("edge", ON_GATEWAY, JWT_POLICY), *more)
    return sent(only(bodies), probes.chat("small"), ROUTER)


def test_local_reply_is_shown_to_filters_that_have_not_run() -> None:
    """The router is asked about the answer of a filter before it, on a stream without a request."""
    outcome = denied()
    assert (outcome.status, outcome.by) == (401, "envoy.filters.http.jwt_authn")
    assert not outcome.router_ran
    assert OURS in outcome.seen_by


def with_picker(size: int, path: str, pod: PickerPod) -> Outcome:
    """A request of some size to a model behind a picker."""
    proxy = only(recorded_objects()["istiod-1.31.0-rc.0-llm-d"])
    clusters = {
        route["typed_per_filter_config"]["envoy.filters.http.ext_proc"]["overrides"]["grpc_service"]["envoy_grpc"][
            "cluster_name"
        ]
        for route in proxy.routes["http.80"]["virtual_hosts"][0]["routes"]
    }
    known = Proxy(proxy.listeners, proxy.routes, proxy.ports, pickers=dict.fromkeys(clusters, pod))
    (listener,) = known.listeners
    listener["per_connection_buffer_limit_bytes"] = 8 * facts.MIB
    router = probes.PlainRouter({"llama3-8b": ("llama3-8b", None)})
    request = probes.chat("llama3-8b")
    body = request.body.replace(b"a question", b"a question" + b" " * size)
    return sent(known, Request(path, {}, body=body), router)


GIE = PickerPod("inference-extension", facts.MESSAGE, facts.PICKERS[0].parsed)


@pytest.mark.parametrize(
    ("size", "path", "status"),
    [
        (10, "/v1/chat/completions", 200),
        (3 * facts.MIB, "/v1/chat/completions", 200),
        (5 * facts.MIB, "/v1/chat/completions", 500),
        (9 * facts.MIB, "/v1/chat/completions", 413),
        (10, "/v1/messages", 400),
        (10, "/v1/chat/completions?x=1", 400),
    ],
)
def test_picker_has_a_limit_and_a_parser(size: int, path: str, status: int) -> None:
    """What was seen with the inference extension's picker behind a filter that buffers."""
    assert with_picker(size, path, GIE).status == status


@pytest.mark.parametrize(
    ("image", "project"),
    [
        ("registry.k8s.io/gateway-api-inference-extension/epp:v1.5.0", "inference-extension"),
        ("ghcr.io/llm-d/llm-d-router-endpoint-picker:v0.10.0", "llm-d-router"),
        ("ghcr.io/llm-d/llm-d-inference-scheduler:v0.3.2", "llm-d-router"),
        ("registry.k8s.io/gateway-api-inference-extension/epp:v2.0.0", None),
        ("example.com/epp:v1.5.0", None),
    ],
)
def test_picker_is_known_by_its_image(image: str, project: str | None) -> None:
    """A release beyond the table, or a build of somebody else, is not guessed."""
    row = facts.picker_of(image)
    assert (row and row.project) == project


DOCUMENT: Body = {"a": [{"name": "x", "b": [1]}, {"name": "y.z", "b": [2]}], "c": {"b": [3]}}


@pytest.mark.parametrize(
    ("expression", "places"),
    [
        ("$.c.b", [("c", "b")]),
        ("$.a[1].b", [("a", 1, "b")]),
        ("$.a[*].name", [("a", 0, "name"), ("a", 1, "name")]),
        ("$.a[?(@.name=='y.z')]", [("a", 1)]),
        ('$.a[?(@.name=="x")].b', [("a", 0, "b")]),
        ("$..b", [("a", 0, "b"), ("a", 1, "b"), ("c", "b")]),
        ("$.d", []),
    ],
)
def test_json_path_leads_to_every_match(expression: str, places: list[tuple[str | int, ...]]) -> None:
    """Names, indices, all items, items with a value, and names at any depth."""
    assert sorted(json_patches.matches(DOCUMENT, expression), key=str) == sorted(places, key=str)


def test_add_at_an_item_inserts_before_it() -> None:
    """As in a JSON Patch, at each match of the path."""
    operation = {"op": "add", "jsonPath": "$.a[?(@.name=='y.z')]", "value": {"name": "new"}}
    assert [item["name"] for item in json_patches.applied(DOCUMENT, operation)["a"]] == ["x", "new", "y.z"]


@pytest.mark.parametrize("operation", [{"path": "/d/e"}, {"jsonPath": "$.d"}, {"path": "/a/3"}])
def test_patch_without_its_place_fails(operation: Body) -> None:
    """Nothing is created on the way."""
    with pytest.raises(json_patches.PatchFailedError):
        json_patches.applied(DOCUMENT, {"op": "add", "value": 1, **operation})


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [(filter_order.ISTIO, facts.ISTIO_ORDER), (filter_order.ENVOY_GATEWAY, facts.ENVOY_GATEWAY_ORDER)],
)
def test_the_compiler_knows_the_same_order(ours: tuple[str, ...], theirs: tuple[str, ...]) -> None:
    """Two tables of one fact agree: that of the rules, and that by which objects are emitted and checked."""
    assert [name for name in ours if name in theirs] == list(theirs)


def test_the_compiler_strips_every_header_that_is_obeyed() -> None:
    """The table of stripped headers has all rows of the rules."""
    assert {row.header for row in facts.OBEYED} <= set(STRIPPED)


@pytest.mark.parametrize("row", facts.PICKERS, ids=lambda row: row.source.release)
def test_the_compiler_knows_the_same_limit_of_messages(row: facts.Picker) -> None:
    """Without an argument every picker takes 4 MiB."""
    assert HOPS[row.project][row.source.release].max_message == facts.MESSAGE


def test_a_token_is_judged_once_the_route_requires_it() -> None:
    """The requirement is read from the route that matches when the filter runs."""
    assert denied().ran == ("envoy.filters.http.jwt_authn",)
    valid = sent(
        only(small(BEFORE_ROUTER, *catch_all(PARENT), security("edge", ON_GATEWAY, JWT_POLICY))),
        probes.chat("ext", {"authorization": JWT}),
        ROUTER,
    )
    assert valid.model == "ext"
    assert valid.headers["authorization"] == "Bearer our-key"
