"""`status --forward`: what runs inside pods."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from support.common import call, reference
from support.fake_cluster import Body, FakeCluster
from vsr_compiler.live import filters, forward
from vsr_compiler.live.desired import read_desired
from vsr_compiler.live.filters import Proxies, faults, proxies
from vsr_compiler.live.served import parse

COMMAND = ("status", "policies/quickstart.yaml", "--env", "dev", "--forward")
MANAGER = "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"
CHAIN = (
    "envoy.filters.http.jwt_authn",
    "vsr.header_mutation",
    "vsr.ext_proc",
    "envoy.filters.http.grpc_stats",
    "router",
)
DUMP = filters.CONFIG_DUMP
DIGEST = "vsr.dev/config-sha256"


def listener(*names: str, name: str = "0.0.0.0_80", **more: object) -> Body:
    """A listener in a dump."""
    settings = {"@type": MANAGER, "http_filters": [{"name": each} for each in names]}
    chain = {"filters": [{"name": "hcm", "typed_config": settings}]}
    return {"name": name, "active_state": {"listener": {"name": name, "filter_chains": [chain]}}, **more}


def dump(*entries: Body) -> tuple[int, bytes]:
    """The answer of an admin port."""
    return 200, json.dumps({"configs": list(entries)}).encode()


def metrics(digest: str, reloaded: int = 1, errors: int = 0) -> tuple[int, bytes]:
    """The metrics of a router."""
    lines = (
        "# TYPE config_generation_info gauge",
        f'config_generation_info{{sha256="{digest}"}} 1.0',
        f"config_last_reload_success {reloaded}.0",
        f'llm_request_errors_total{{model="a",reason="timeout"}} {errors}.0',
        'llm_request_errors_total{model="unknown",reason="no_decision"} 2.0',
        "vsr_engine_waiting_tokens 7.0",
    )
    return 200, "\n".join(lines).encode() + b"\n"


@pytest.fixture
def forwarded(live: FakeCluster, desired) -> FakeCluster:
    """A cluster whose routers serve what was compiled, behind an Envoy with all filters."""
    (router,) = [item for item in desired.manifests if DIGEST in item.body["metadata"].get("annotations", {})]
    for number in range(2):
        digest = router.body["metadata"]["annotations"][DIGEST]
        live.ports[f"semantic-router-{number}", 8080, "/metrics"] = metrics(digest, errors=3)
    live.ports["gateway-0", 15_000, DUMP] = dump(listener(*CHAIN))
    labels = {"gateway.networking.k8s.io/gateway-name": "inference-gateway"}
    live.pods.append(
        {"metadata": {"name": "gateway-0", "namespace": "default", "labels": labels}, "status": {"phase": "Running"}}
    )
    return live


def test_routers_and_envoys_that_serve_the_output_are_in_order(forwarded: FakeCluster) -> None:
    """The digest of every pod, its errors, and the gateway's filters."""
    result = call(*COMMAND)
    assert (result.exit_code, result.stderr) == (0, "")
    assert "  in order  default/gateway-0  vsr.header_mutation, vsr.ext_proc" in result.stdout
    data = json.loads(call(*COMMAND, "--format", "json").stdout)
    assert [(len(pod["served"]), pod["errors"], pod["waiting"]) for pod in data["pods"]] == [(1, 5, 7)] * 2
    assert forwarded.requests


def test_router_that_serves_another_digest_is_stale(forwarded: FakeCluster) -> None:
    """With `reload: hot` a pod can serve former files although its ConfigMap is the new one."""
    forwarded.ports["semantic-router-1", 8080, "/metrics"] = metrics("0" * 64, reloaded=0)
    result = call(*COMMAND)
    assert result.exit_code == 1
    assert "semantic-router-1` serves the configuration 000000000000… instead of" in result.stderr
    assert "semantic-router-1` has refused the files that it has now" in result.stderr
    assert "2 errors" in result.stderr


def test_port_that_does_not_answer_is_a_finding(forwarded: FakeCluster, monkeypatch: pytest.MonkeyPatch) -> None:
    """Refused, not HTTP, another status, too long, and without the permission."""
    where = ("semantic-router-1", 8080, "/metrics")
    monkeypatch.setattr(forward, "MAX_BODY", 100_000)
    for answer, words in (
        ("connection refused", "connection refused"),
        ((404, b""), "answers with status 404"),
        ((200, b"a" * 200_000), "the answer is longer than"),
    ):
        forwarded.ports[where] = answer
        result = call(*COMMAND)
        assert (result.exit_code, "error VSR579" in result.stderr, words in result.stderr) == (1, True, True), words
    forwarded.denied = {("create", "pods/portforward")}
    result = call(*COMMAND)
    assert (result.exit_code, "the account may not forward ports (403)" in result.stderr) == (1, True)


def test_envoy_without_the_filter_is_a_finding_at_the_policy(forwarded: FakeCluster) -> None:
    """An EnvoyFilter has no status: only Envoy knows that it has no effect."""
    forwarded.ports["gateway-0", 15_000, DUMP] = dump(listener("envoy.filters.http.router"))
    result = call(*COMMAND)
    assert result.exit_code == 1
    assert "policies/quickstart.yaml:8:1: error VSR577: the Envoy `default/gateway-0` of the gateway" in result.stderr
    assert "listener `0.0.0.0_80`: the filter `vsr.header_mutation` is not there" in result.stderr
    forwarded.pods.pop()
    assert "the gateway `inference-gateway`: it has no running pod" in call(*COMMAND).stderr


def test_roles_for_port_forwards_are_printed_with_the_flag_only(live: FakeCluster) -> None:
    """Both actions: API servers differ in which they ask for."""
    assert "portforward" not in call(*COMMAND[:-1], "--rbac").stdout
    assert "pods/portforward\n  verbs:\n  - create\n  - get" in call(*COMMAND, "--rbac").stdout
    assert live.requests == []


def wanted(folder: str, environment: str) -> Proxies:
    """The Envoys of an example policy."""
    (one,) = proxies(read_desired(Path("out") / folder, environment, None).manifests)
    return one


@pytest.mark.parametrize(
    ("entries", "words"),
    [
        ([listener(*CHAIN)], []),
        ([], ["it has no listener"]),
        ([{"name": "x"}], ["it has no listener"]),
        (
            [listener(*reversed(CHAIN))],
            ["wrong order", "`envoy.filters.http.grpc_stats` runs before", "after `vsr.ext_proc`"],
        ),
        (
            [listener("vsr.header_mutation", "vsr.ext_proc", "envoy.filters.http.ext_authz/x")],
            ["`envoy.filters.http.ext_authz/x`"],
        ),
        ([listener(*CHAIN), listener("router", name="0.0.0.0_443")], ["listener `0.0.0.0_443`: the filter"]),
        (
            [listener(*CHAIN, error_state={"details": "Proto constraint validation failed"})],
            ["it refuses the listener `0.0.0.0_80`: Proto constraint"],
        ),
    ],
)
def test_order_of_filters_is_checked(cluster: FakeCluster, entries: list[Body], words: list[str]) -> None:
    """After authentication, before what reads the decision, and in every listener."""
    assert cluster.url
    found = faults(wanted("quickstart", "dev"), dump(*entries)[1])
    assert len(found) == len(words)
    assert all(word in item for word, item in zip(words, found, strict=True))


def test_listeners_of_envoy_gateway_are_those_that_its_patch_names(cluster: FakeCluster) -> None:
    """Its own listener for probes has no router."""
    one = wanted("envoy-gateway", "prod")
    assert (one.admin, one.listeners) == (19_000, {"default/inference-gateway/http"})
    ready = listener("envoy.filters.http.router", name="envoy-gateway-proxy-ready-0.0.0.0-19003")
    own = listener("vsr.header_mutation", "vsr.ext_proc", "router", name="default/inference-gateway/http")
    assert faults(one, dump(ready, own)[1]) == []
    assert faults(one, dump(ready)[1]) == ["it has no listener `default/inference-gateway/http`"]
    assert cluster.url


RECORDED = {
    "envoy-gateway-1.8.3": "",
    "ai-gateway-1.1.0-on-1.8.3": "",
    "istiod-1.31.0-rc.0-quickstart": "",
    "auth-1a-jwt-gw": "`envoy.filters.http.jwt_authn` authenticates clients after",
    "auth-1d-ext-route": "authenticates clients after `vsr.ext_proc`",
    "auth-2a-jwt-route": "",
    "auth-9e-ai-epp-buffer": "",
    "auth-5a-eep-replace": "the filter `vsr.ext_proc` is not there",
}


@pytest.mark.parametrize("name", RECORDED)
def test_listeners_that_control_planes_made_are_judged(name: str) -> None:
    """Recorded from real Istio and Envoy Gateway, most of them by hand-written objects."""
    xds = json.loads((reference() / "data" / "xds" / f"{name}.json").read_text(encoding="utf-8"))
    entries = [{"name": item["name"], "active_state": {"listener": item}} for item in xds["listeners"]]
    names = frozenset(item["name"] for item in xds["listeners"] if "proxy-ready" not in item["name"])
    manifests = read_desired(Path(__file__).parents[3] / "out" / "quickstart", "dev", None).manifests
    one = Proxies(manifests[0], "gw", ("default",), {}, 1, ("vsr.ext_proc",), "envoy.filters.http.buffer", names)
    found = faults(one, dump(*entries)[1])
    assert len(found) == bool(RECORDED[name]), found
    assert RECORDED[name] in "".join(found)


@pytest.mark.parametrize(
    "data", [b"", b"<html>", b"[]", b'{"configs": 5}', b"[" * 200_000, b'{"configs": [{"name": 5}]}']
)
def test_dump_of_any_shape_is_judged(cluster: FakeCluster, data: bytes) -> None:
    """Whatever the port answers, there is a fault."""
    assert cluster.url
    assert len(faults(wanted("quickstart", "dev"), data)) == 1


def test_metrics_of_any_shape_are_read() -> None:
    """A router without the metric reports nothing, and is not called stale."""
    assert parse("").digests == ()
    assert parse("config_generation_info{sha256=5} 1\nvsr_engine_waiting_tokens 1.2.3\n" + "x" * 10_000).waiting == 0
    assert parse('config_generation_info{sha256="' + "a" * 64 + '"} 0.0\n').digests == ()
