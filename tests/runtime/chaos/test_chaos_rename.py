"""A category's model gets another name and another server, under load, in the order of the compiled waves."""

from __future__ import annotations

import copy
import http.client
import json
import os
import signal
import socket
import sys
import threading
import urllib.request
from collections import Counter
from contextlib import contextmanager

from support.argo_cd import wave
from support.chaos import RUNTIME, Second, address
from support.common import linked
from support.compiled_sandbox import compiled_sandbox
from support.gateway_client import ANY_TIME, JSON, REAL_ENVOY, events, wait_until
from support.gitops_support import compiled, written
from support.scripted import Scripted

OLD = """\
apiVersion: vsr.dev/v1alpha1
kind: RoutingPolicy
metadata: {name: shop}
router: {image: "registry.example/vsr-runtime:0.1.0"}
endpoints: {alpha: {vllm: {}}, beta: {vllm: {}}}
models:
  alpha-8b: {checkpoint: example/alpha, endpoints: alpha}
  beta-8b: {checkpoint: example/beta, endpoints: beta}
categories:
  math:
    description: Numbers, equations and proofs
    examples: ["2+2 is", "Solve x^2 = 9.", "What is 15% of 240?", "Is 91 a prime number?", "What is 7 times 8?"]
  cooking:
    description: Recipes, kitchens and food
    examples: ["How long do I boil an egg?", "How do I roast carrots?", "What goes into a minestrone?"]
routes: [{name: math, when: {category: math}, model: beta-8b}]
default: alpha-8b
environments: {it: {target: istio}}
"""
NEW = OLD.replace("beta", "gamma")
BOTH = OLD.replace("beta: {vllm: {}}}", "beta: {vllm: {}}, gamma: {vllm: {}}}").replace(
    "categories:", "  gamma-8b: {checkpoint: example/gamma, endpoints: gamma}\ncategories:"
)
BODY = json.dumps({"model": "auto", "messages": [{"role": "user", "content": "What is 12 times 12?"}]}).encode()
CLIENTS, PAUSE = 10, 0.2
"""Ten clients with five requests a second each."""

pytestmark = REAL_ENVOY


class Gateway:
    """Envoy's routes as a file that it watches, as a control plane would push them.

    Args:
        folder: Where the output of the old policy and the routes are.
    """

    def __init__(self, folder) -> None:
        self._folder, self._file = folder, folder / "routes.json"
        self._all: list[dict] = []

    def edit(self, bootstrap) -> None:
        """Give the router the old policy and Envoy the old routes."""
        (self._folder / "out" / "shop" / "router").rename(self._folder / "router-of-both")
        old = written(compiled(linked(OLD)), self._folder / "old")
        (self._folder / "out" / "shop" / "router").symlink_to(old / "router")
        manager = bootstrap["static_resources"]["listeners"][0]["filter_chains"][0]["filters"][0]["typed_config"]
        (host,) = manager.pop("route_config")["virtual_hosts"]
        self._host, self._all = host, host["routes"]
        self.push("beta-8b")
        source = {"path_config_source": {"path": str(self._file)}, "resource_api_version": "V3"}
        manager["rds"] = {"route_config_name": "models", "config_source": source}
        bootstrap["node"] = {"id": "gateway", "cluster": "gateway"}
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self._admin = free.getsockname()[1]
        bootstrap["admin"] = {"address": {"socket_address": {"address": "127.0.0.1", "port_value": self._admin}}}

    def push(self, *models: str) -> None:
        """Replace the routes by those of the default model and of these models."""
        routes = [route for route in self._all if _model(route) in {"", "alpha-8b", *models}]
        host = copy.deepcopy(self._host) | {"routes": routes}
        kind = "type.googleapis.com/envoy.config.route.v3.RouteConfiguration"
        resource = {"@type": kind, "name": "models", "virtual_hosts": [host]}
        draft = self._file.with_suffix(".draft")
        draft.write_text(json.dumps({"resources": [resource]}), encoding="utf-8")
        draft.replace(self._file)

    def pushed(self, *models: str) -> None:
        """Replace the routes, and wait until Envoy has them."""
        before = self._reloads()
        self.push(*models)
        wait_until(lambda: self._reloads() > before)

    def _reloads(self) -> int:
        url = f"http://127.0.0.1:{self._admin}/stats?filter=rds.models.config_reload$"
        with urllib.request.urlopen(url, timeout=ANY_TIME) as answer:
            return int(answer.read().decode().split()[-1])


def _model(route) -> str:
    headers = {item["name"]: item for item in route["match"].get("headers", [])}
    return headers["x-selected-model"]["string_match"]["exact"] if "x-selected-model" in headers else ""


@contextmanager
def load(url: str):
    """Requests at 50 a second; yields how many got which status from which server."""
    done, outcomes = threading.Event(), Counter()

    def client() -> None:
        while not done.wait(PAUSE):
            connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=ANY_TIME)
            connection.request("POST", "/v1/chat/completions", BODY, JSON)
            response = connection.getresponse()
            response.read()
            outcomes[response.status, response.headers.get("x-backend")] += 1
            connection.close()

    threads = [threading.Thread(target=client) for _ in range(CLIENTS)]
    for thread in threads:
        thread.start()
    try:
        yield outcomes
    finally:
        done.set()
        for thread in threads:
            thread.join()


def order() -> list[str]:
    """The steps of the change in the order of the compiled waves; what is removed goes last."""
    objects = {(item.kind, item.name): item.body for item in compiled(linked(NEW)).environments["it"]}
    steps = {
        "server": wave(objects["Deployment", "gamma"]),
        "routes": wave(objects["HTTPRoute", "gamma-8b"]),
        "router": wave(objects["Deployment", "semantic-router"]),
    }
    return [*sorted(steps, key=steps.__getitem__), "prune"]


def test_a_rename_of_a_categorys_model_loses_no_request(tmp_path):
    """At 50 requests a second, with a router that is replaced as a rolling update replaces it."""
    Scripted.says("fine")
    gateway = Gateway(tmp_path)
    new = written(compiled(linked(NEW)), tmp_path / "new") / "router" / "config.yaml"
    serve = (sys.executable, "-P", "-m", "vsr_runtime.cli", "serve")
    assert order() == ["server", "routes", "router", "prune"]
    with compiled_sandbox(tmp_path, BOTH, edit=gateway.edit) as running, load(running.sandbox.url) as outcomes:
        wait_until(lambda: sum(outcomes.values()) > 50)
        assert {status for status, _ in outcomes} == {200}
        old = set(outcomes)
        gateway.pushed("beta-8b", "gamma-8b")
        with Second(address(running.lines), serve, new):
            os.kill(running.sandbox.pids[RUNTIME], signal.SIGTERM)
            wait_until(lambda: events(running.lines, "stopped"))
            gateway.pushed("gamma-8b")
            goal = sum(outcomes.values()) + 100
            wait_until(lambda: sum(outcomes.values()) >= goal)
            assert {status for status, _ in outcomes} == {200}, outcomes
            assert set(outcomes) > old
