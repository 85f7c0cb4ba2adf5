"""Two routers behind the real Envoy, as each gateway stack is configured, one of them killed or stopped.

A killed one refuses connections, and a stopped one accepts them and never answers. Kubernetes lists both for a while.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import urllib.request

import pytest

from support import rendering
from support.compiled_sandbox import compiled_sandbox
from support.gateway_client import ANY_TIME, REAL_ENVOY, events, wait_until
from support.scripted import Scripted
from vsr_compiler.pipeline import read_policy
from vsr_runtime.sandbox.process import Process

POLICY = """\
apiVersion: vsr.dev/v1alpha1
kind: RoutingPolicy
metadata: {name: pair}
router: {image: "registry.example/vsr-runtime:0.1.0", replicas: 2}
endpoints: {one: {service: "one.models:8000"}}
models: {served: {endpoints: [one]}}
guards: {secrets: {patterns: ["sk-[a-z0-9]{20}"], action: block, on: both}}
default: served
"""
BODY = json.dumps({"model": "auto", "messages": [{"role": "user", "content": "hello"}]})
SERVED_IN_A_ROW, SENT = 60, 200
OURS = {"x_envoy_retry_on": "5xx", "x_envoy_max_retries": "0"}
"""A client's own headers of this name have no effect on the stream to the router."""

pytestmark = REAL_ENVOY


def envoy_gateway(policy):
    """Return the router's cluster and filter on Envoy Gateway."""
    [patches] = [
        item.body["spec"] for item in rendering.objects(policy, "envoy-gateway") if item.kind == "EnvoyPatchPolicy"
    ]
    values = [patch["operation"]["value"] for patch in patches["jsonPatches"] if "value" in patch["operation"]]
    [cluster] = [value for value in values if "outlier_detection" in value]
    [ours] = [value for value in values if value.get("name") == "vsr.ext_proc"]
    names = "common_lb_config outlier_detection health_checks circuit_breakers lb_policy ignore_health_on_host_removal"
    return {name: cluster[name] for name in names.split()}, ours


def istio(policy):
    """Return the router's cluster and filter as istiod makes them (`cluster_traffic_policy.go`)."""
    found = rendering.objects(policy, "istio")
    [rule] = [
        item.body["spec"]["trafficPolicy"]
        for item in found
        if item.kind == "DestinationRule" and "semantic-router" in item.name
    ]
    patches = [patch for item in found if item.kind == "EnvoyFilter" for patch in item.body["spec"]["configPatches"]]
    [cluster] = [patch["patch"]["value"] for patch in patches if patch["applyTo"] == "CLUSTER"]
    filters = [patch["patch"]["value"] for patch in patches if patch["applyTo"] == "HTTP_FILTER"]
    [ours] = [value for value in filters if value.get("name") == "vsr.ext_proc"]
    ejection = rule["outlierDetection"]
    return cluster | {
        "lb_policy": "LEAST_REQUEST",
        "common_lb_config": {"healthy_panic_threshold": {"value": ejection["minHealthPercent"]}},
        "outlier_detection": {
            "base_ejection_time": ejection["baseEjectionTime"],
            "consecutive_5xx": ejection["consecutive5xxErrors"],
            "consecutive_gateway_failure": ejection["consecutiveGatewayErrors"],
            "enforcing_consecutive_gateway_failure": 100,
            "interval": ejection["interval"],
            "max_ejection_percent": ejection["maxEjectionPercent"],
        },
    }, ours


class Pair:
    """The sandbox's runtime and a second one in the same cluster.

    Args:
        folder: Where policy and output are.
        stack: Returns the cluster and the filter of a gateway stack.
        transport: By which the second one serves.
    """

    def __init__(self, folder, stack, transport) -> None:
        self._folder, self._stack, self._transport = folder, stack, transport
        self._serving = threading.Event()
        self.lines: list[str] = []

    def edit(self, bootstrap) -> None:
        """Start the second runtime, and configure Envoy as the stack does."""
        router = self._folder / "out" / "pair" / "router" / "config.yaml"
        options = ("--config", str(router), "--address", "127.0.0.1:0", "--http-address", "127.0.0.1:0")
        command = (sys.executable, "-P", "-m", "vsr_runtime.cli", "serve", "--transport", self._transport, *options)
        self.process = Process("the second runtime", command, self._hear)
        assert self._serving.wait(ANY_TIME), self.process.last_lines()
        resources = bootstrap["static_resources"]
        [cluster] = [each for each in resources["clusters"] if each["name"] == "router"]
        more, ours = self._stack(read_policy(self._folder / "policy.yaml"))
        cluster |= more
        port = int(events(self.lines, "serving")[0]["address"].rpartition(":")[2])
        address = {"socket_address": {"address": "127.0.0.1", "port_value": port}}
        cluster["load_assignment"]["endpoints"][0]["lb_endpoints"].append({"endpoint": {"address": address}})
        manager = resources["listeners"][0]["filter_chains"][0]["filters"][0]["typed_config"]
        service = manager["http_filters"][0]["typed_config"]["grpc_service"]
        service["initial_metadata"] = ours["typed_config"]["grpc_service"]["initial_metadata"]

    def _hear(self, line: str) -> None:
        self.lines.append(line)
        if '"serving"' in line:
            self._serving.set()


def decisions(lines) -> int:
    """The requests that a runtime has counted as sent to a model."""
    http = events(lines, "serving")[0]["http"]
    with urllib.request.urlopen(f"http://{http}/metrics", timeout=ANY_TIME) as answer:
        metrics = answer.read().decode().splitlines()
    return sum(int(float(line.split()[-1])) for line in metrics if line.startswith("llm_model_requests"))


@pytest.mark.parametrize("stack", [envoy_gateway, istio])
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGSTOP], ids=["killed", "stopped"])
def test_dead_router_is_avoided_and_nothing_is_counted_twice(tmp_path, transport, stack, how):
    """Once the gateway has noticed, nothing fails; what got no answer from a router was counted by none."""
    Scripted.says("fine")
    pair = Pair(tmp_path, stack, transport)
    served = 0
    with compiled_sandbox(tmp_path, POLICY, transport=transport, edit=pair.edit) as gateway:

        def serves() -> bool:
            nonlocal served
            good = gateway.send(BODY, **OURS)[0] == 200
            served += good
            return good

        try:
            wait_until(lambda: serves() and decisions(pair.lines) > 0 and decisions(gateway.lines) > 0)
            os.kill(pair.process.pid, how)
            in_a_row = 0

            def recovered() -> bool:
                nonlocal in_a_row
                in_a_row = in_a_row + 1 if serves() else 0
                return in_a_row == SERVED_IN_A_ROW

            wait_until(recovered)
            assert sum(not serves() for _ in range(SENT)) <= SENT // 100
            if how == signal.SIGSTOP:
                os.kill(pair.process.pid, signal.SIGCONT)
                before = decisions(pair.lines)
                wait_until(lambda: serves() and decisions(pair.lines) > before)
                assert decisions(pair.lines) + decisions(gateway.lines) == served
        finally:
            os.kill(pair.process.pid, signal.SIGCONT) if how == signal.SIGSTOP else None
            pair.process.stop()
