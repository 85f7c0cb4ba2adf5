"""The parent of several workers: how it starts, what it answers itself, and how all end."""

from __future__ import annotations

import http.client
import json
import signal
import socket

import pytest

from support.gateway_client import wait_until
from support.supervised import supervised, until
from vsr_runtime.server.supervisor.link import ChildReport
from vsr_runtime.server.supervisor.supervisor import Supervisor


def asked(where: str, method: str, path: str, body: bytes | None = None):
    """Status and body of an answer over HTTP."""
    connection = http.client.HTTPConnection(where, timeout=20)
    connection.request(method, path, body, {"content-type": "application/json"})
    answer = connection.getresponse()
    try:
        return answer.status, answer.read()
    finally:
        connection.close()


@pytest.mark.subprocess
def test_all_workers_share_one_address_and_one_page(transport):
    """The parent says where; probes and metrics are of all; what it does not know a worker answers."""
    with supervised("--transport", transport) as process:
        *workers, serving = until(process, "serving")
        assert [record["event"] for record in workers] == ["worker_serving"] * 2
        assert {record["address"] for record in workers} == {serving["address"]}
        assert {record["transport"] for record in workers} == {transport}
        assert len({record["pid"] for record in workers}) == 2
        where = serving["http"]
        assert asked(where, "GET", "/readyz") == (200, b"ok\n")
        assert asked(where, "HEAD", "/healthz") == (200, b"")
        assert asked(where, "POST", "/metrics", b"{}") == (405, b"GET or HEAD\n")
        assert asked(where, "GET", "/nothing") == (404, b"not found\n")
        text = asked(where, "GET", "/metrics")[1].decode()
        assert "vsr_workers_serving 2.0" in text
        assert text.count('llm_model_requests_total{model="phi4-mini"}') == 1
        host, _, port = serving["address"].rpartition(":")
        with socket.create_connection((host, int(port)), 20):  # a worker waits for the last of its connections
            process.send_signal(signal.SIGTERM)
            until(process, "draining")
            assert asked(where, "GET", "/readyz")[0] == 503
        assert process.wait(20) == 0


@pytest.mark.subprocess
def test_child_processes_end_with_their_parent(transport):
    """A parent that is killed leaves nobody behind: the log, which all of them write to, comes to its end."""
    with supervised("--transport", transport) as process:
        until(process, "serving")
        process.kill()
        assert process.stderr.read().count('"stopped"') == 2


@pytest.mark.subprocess
def test_invalid_policy_is_reported_once(policy):
    """Only one child process reads it, and the parent ends with that child."""
    config = policy / "router/config.yaml"
    config.write_text("version: v0.3\nnonsense: 1\n")
    with supervised(config=config, program=("-m", "vsr_runtime.cli", "serve")) as process:
        wrong, ended, last = process.stderr.read().splitlines()
        assert process.wait(20) == 1
    assert wrong.startswith("vsr-runtime: error: config.yaml:")
    assert json.loads(ended)["event"] == "worker_ended"
    assert last == "vsr-runtime: error: a child process did not start; its own line above says why"


def test_counts_of_the_dead_stay_and_their_gauges_go():
    """A counter never goes back, while what a process held has gone with it."""
    supervisor = Supervisor(["true"], 2, {})
    state = {"llm_model_requests": {"small": [3.0]}, "vsr_request_bytes_in_work": {"": [500.0]}}
    supervisor._absorb_counters(state)
    supervisor._absorb_counters(state)
    supervisor.children[0].report = ChildReport(serving=True, http="127.0.0.1:1", state=state)
    text = supervisor.text().decode()
    assert 'llm_model_requests_total{model="small"} 9.0' in text
    assert "vsr_request_bytes_in_work 500.0" in text
    assert not supervisor.ready


@pytest.mark.subprocess
def test_the_api_is_answered_by_a_worker():
    """Through the parent's port, where it is asked for; its requests are in the one page of all."""
    with supervised("--api") as process:
        where = until(process, "serving")[-1]["http"]
        status, answer = asked(where, "POST", "/api/v1/eval", b'{"text": "2+2"}')
        assert (status, json.loads(answer)["selected_model"]) == (200, "phi4-mini")
        # The page shows a worker that is slow to say as it was before.
        wait_until(lambda: b'path="/api/v1/eval",status="200"} 1.0' in asked(where, "GET", "/metrics")[1])
