"""Three processes of the runtime behind the real Envoy share responses in a real store, which is killed under load."""

from __future__ import annotations

import json
import signal
import sys
import threading
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from support.cache_store import free_port, store
from support.chaos_load import load, more
from support.compiled_sandbox import compiled_sandbox
from support.gateway_client import ANY_TIME, REAL_ENVOY, events, wait_until
from support.scripted import Scripted
from vsr_runtime.sandbox.process import Process

POLICY = """\
apiVersion: vsr.dev/v1alpha1
kind: RoutingPolicy
metadata: {name: shared}
router:
  image: "registry.example/vsr-runtime:0.1.0"
  deadline: 20s
  replicas: 3
  cache: {address: "localhost:PORT", tls: false}
endpoints: {one: {service: "one.models:8000"}}
models: {served: {endpoints: one}}
routes: [{name: all, when: always, model: served, cache: {ttl: 10m, scope: global}}]
default: served
"""
ANSWERED = 60

pytestmark = [*REAL_ENVOY, pytest.mark.subprocess]


def body(text: str) -> str:
    """Return a request."""
    return json.dumps({"model": "auto", "messages": [{"role": "user", "content": text}]})


class Further:
    """Two more processes with the same files, in the same cluster of Envoy."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.logs: list[list[str]] = [[], []]
        self._processes: list[Process] = []

    def edit(self, bootstrap: dict[str, Any]) -> None:
        """Start them, and add their addresses."""
        router = self._folder / "out" / "shared" / "router" / "config.yaml"
        options = ("--config", str(router), "--address", "127.0.0.1:0", "--http-address", "127.0.0.1:0")
        [cluster] = [each for each in bootstrap["static_resources"]["clusters"] if each["name"] == "router"]
        for number, lines in enumerate(self.logs):
            serving = threading.Event()

            def hear(line: str, lines: list[str] = lines, serving: threading.Event = serving) -> None:
                lines.append(line)
                if '"serving"' in line:
                    serving.set()

            command = (sys.executable, "-P", "-m", "vsr_runtime.cli", "serve", *options)
            process = Process(f"runtime {number + 2}", command, hear)
            self._processes.append(process)
            assert serving.wait(ANY_TIME), process.last_lines()
            port = int(events(lines, "serving")[0]["address"].rpartition(":")[2])
            address = {"socket_address": {"address": "127.0.0.1", "port_value": port}}
            cluster["load_assignment"]["endpoints"][0]["lb_endpoints"].append({"endpoint": {"address": address}})

    def stop(self) -> None:
        """End them."""
        for process in self._processes:
            process.stop()


def hits(lines: list[str]) -> float:
    """Return how many requests a process answered from the store."""
    http = events(lines, "serving")[0]["http"]
    with urllib.request.urlopen(f"http://{http}/metrics", timeout=ANY_TIME) as answer:
        metrics = answer.read().decode().splitlines()
    return sum(float(line.split()[-1]) for line in metrics if line.startswith("llm_cache_plugin_hits_total{"))


def test_three_processes_share_responses_and_no_request_fails_when_their_store_is_killed(tmp_path: Path) -> None:
    """Each answers what another has stored. Without the store all are served, and with it there are hits again."""
    port = free_port()
    further = Further(tmp_path)
    Scripted.says("fine")
    with store(tmp_path, port=port) as (_, process):
        try:
            with compiled_sandbox(tmp_path, POLICY.replace("PORT", str(port)), edit=further.edit) as gateway:
                logs = [gateway.lines, *further.logs]

                def hit(text: str) -> bool:
                    before = len(Scripted.requests)
                    assert gateway.send(body(text))[0] == 200
                    return len(Scripted.requests) == before

                wait_until(lambda: hit("shared"))
                heard = len(Scripted.requests)
                wait_until(lambda: hit("shared") and all(hits(lines) > 0 for lines in logs))
                assert len(Scripted.requests) == heard

                with load(gateway.sandbox.url, body("under load").encode()) as (outcomes, served):
                    more(served, ANSWERED)
                    process.send_signal(signal.SIGKILL)
                    process.wait(20)
                    more(served, ANSWERED)
                    with store(tmp_path, port=port):
                        wait_until(lambda: hit("afterwards"))
                        more(served, ANSWERED)
                assert {status for status, _, _ in outcomes} == {200}
        finally:
            further.stop()
