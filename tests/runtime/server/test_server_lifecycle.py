from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from pathlib import Path

import grpc
import pytest

from support.runtime_fakes import DATA
from vsr_runtime.errors import UserError
from vsr_runtime.inference.errors import ModelError
from vsr_runtime.server.address import Address
from vsr_runtime.server.load import load_classifier
from vsr_runtime.server.messages import (
    EXT_PROC_SERVICE,
    NOT_SERVING,
    HealthCheckRequest,
    HealthCheckResponse,
    ProcessingRequest,
    ProcessingResponse,
)
from vsr_runtime.server.server import Listen, run

CONFIG = DATA / "router/config.yaml"
FREE = Listen(Address("127.0.0.1", 0), Address("127.0.0.1", 0))


@pytest.fixture
def options() -> list[str]:
    """What the server of a test is started with besides its addresses."""
    return []


@pytest.fixture
def server(fake, options):
    """A serving process with the fake classifier; yields it and the addresses that it reported."""
    options = ["--address", "127.0.0.1:0", "--http-address", "127.0.0.1:0", *options]
    with subprocess.Popen([*fake, "--config", str(CONFIG), *options], stderr=subprocess.PIPE, text=True) as process:
        try:
            yield process, json.loads(process.stderr.readline())
        finally:
            process.kill()


@pytest.mark.subprocess
def test_reports_its_addresses_and_is_ready(server, transport):
    """The first log line names the bound addresses and the transport, and from then on the server is ready."""
    _, record = server
    assert (record["event"], record["transport"]) == ("serving", transport)
    with urllib.request.urlopen(f"http://{record['http']}/readyz", timeout=10) as answer:
        assert answer.status == 200
    with urllib.request.urlopen(f"http://{record['http']}/metrics", timeout=10) as answer:
        assert b'llm_model_requests_total{model="phi4-mini"} 0.0' in answer.read()


def eval_response(record) -> dict[str, object]:
    """What the API of a server says of a chat."""
    body = json.dumps({"text": "2+2"}).encode()
    headers = {"content-type": "application/json"}
    asked = urllib.request.Request(f"http://{record['http']}/api/v1/eval", body, headers)
    with urllib.request.urlopen(asked, timeout=10) as answer:  # noqa: S310 - our own server, over HTTP
        return json.load(answer)


@pytest.mark.subprocess
def test_api_is_not_served_unless_it_is_asked_for(server):
    """Who reaches the port for its metrics cannot put text to the policy."""
    _, record = server
    with pytest.raises(urllib.error.HTTPError, match="404"):
        eval_response(record)


@pytest.mark.subprocess
@pytest.mark.parametrize("options", [["--api"]])
def test_api_is_served_where_it_is_asked_for(server):
    """Beside the probes, by the policy that serves."""
    _, record = server
    assert eval_response(record)["selected_model"] == "phi4-mini"
    with urllib.request.urlopen(f"http://{record['http']}/metrics", timeout=10) as answer:
        assert b'vsr_api_requests_total{path="/api/v1/eval",status="200"} 1.0' in answer.read()


@pytest.mark.subprocess
def test_sigterm_ends_an_undecided_stream_in_an_error(server):
    """On SIGTERM the server becomes unready, aborts what is undecided with UNAVAILABLE, and exits with 0."""
    process, record = server
    with grpc.insecure_channel(record["address"]) as channel:
        method = channel.stream_stream(
            f"/{EXT_PROC_SERVICE}/Process", ProcessingRequest.SerializeToString, ProcessingResponse.FromString
        )
        message = ProcessingRequest()
        for key, value in {":method": "POST", ":path": "/v1/completions", "content-type": "application/json"}.items():
            message.request_headers.headers.headers.add(key=key, value=value)
        finished = threading.Event()

        def messages():
            yield message
            finished.wait(30)

        call = method(messages())
        next(call)
        process.send_signal(signal.SIGTERM)
        assert json.loads(process.stderr.readline())["event"] == "draining"
        with pytest.raises(urllib.error.HTTPError, match="503"):
            urllib.request.urlopen(f"http://{record['http']}/readyz", timeout=10)
        assert call.code() == grpc.StatusCode.UNAVAILABLE
        finished.set()
    assert process.wait(20) == 0


@pytest.mark.subprocess
@pytest.mark.parametrize("options", [["--shutdown-delay", "3"]])
def test_connections_are_accepted_during_the_shutdown_delay(server):
    """A Service sends them until it has heard that the pod is unready, which its health says at once."""
    process, record = server
    process.send_signal(signal.SIGTERM)
    assert json.loads(process.stderr.readline())["event"] == "draining"
    with grpc.insecure_channel(record["address"]) as channel:
        check = channel.unary_unary(
            "/grpc.health.v1.Health/Check", HealthCheckRequest.SerializeToString, HealthCheckResponse.FromString
        )
        assert check(HealthCheckRequest(), timeout=20).status == NOT_SERVING
    assert process.wait(20) == 0


def test_address_in_use_is_one_clear_error(transport):
    """A port that another server holds is named, with the option that changes it."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = Address("127.0.0.1", taken.getsockname()[1])
        with pytest.raises(UserError, match=r"cannot listen on .* --http-address"):
            run(CONFIG, Listen(FREE.grpc, address, transport=transport), lambda _: None)
        with pytest.raises(UserError, match=r"cannot listen on .* --address"):
            run(CONFIG, Listen(address, FREE.http, transport=transport), lambda _: None)


def test_classifier_that_fails_when_warmed_stops_the_start():
    """A model that cannot read a single text is found out before a request comes."""

    class Broken:
        def classify(self, _):
            raise ValueError("wrong shape")

    with pytest.raises(UserError, match=r"failed on its first text \(ValueError: wrong shape\)"):
        run(CONFIG, FREE, lambda _: Broken())


def test_model_that_cannot_be_loaded_is_a_users_error(settings, monkeypatch):
    """An error of a model reaches the user unchanged."""
    classifier = pytest.importorskip("vsr_runtime.inference.compiled_classifier")

    def refuse(*_):
        raise ModelError("head.safetensors is not there")

    monkeypatch.setattr(classifier.CompiledClassifier, "load", refuse)
    with pytest.raises(UserError, match=r"head\.safetensors is not there"):
        load_classifier(settings)


def health(record, path: str = "/healthz") -> int:
    """The status of a probe."""
    with urllib.request.urlopen(f"http://{record['http']}{path}", timeout=10) as answer:
        return answer.status


@pytest.mark.subprocess
@pytest.mark.parametrize("options", [["--api", "--log-queue", "20000"]])
def test_stalled_reader_of_the_log_costs_lines_and_no_request(server):
    """Nobody reads stderr: everything is answered, dropped lines are counted, and SIGTERM ends the process."""
    process, record = server
    channel = grpc.insecure_channel(record["address"])
    method = channel.stream_stream(
        f"/{EXT_PROC_SERVICE}/Process", ProcessingRequest.SerializeToString, ProcessingResponse.FromString
    )
    # Each stream that ends before a decision is a line at once. A pipe and the queue take some 700.
    for _ in range(10):
        calls = [method(iter(())) for _ in range(100)]
        for call in calls:
            assert call.code() == grpc.StatusCode.INTERNAL
    assert eval_response(record)["selected_model"] == "phi4-mini"
    assert health(record) == health(record, "/readyz") == 200
    with urllib.request.urlopen(f"http://{record['http']}/metrics", timeout=10) as answer:
        lines = [line for line in answer.read().decode().splitlines() if line.startswith("vsr_log_lines_dropped_total")]
    assert float(lines[0].split()[1]) > 100
    channel.close()
    process.send_signal(signal.SIGTERM)
    assert process.wait(30) == 0


@pytest.mark.subprocess
def test_sigterm_ends_the_process_while_the_folder_is_broken(fake, tmp_path):
    """A FIFO where the config was holds no thread that the end would wait for."""
    config = Path(shutil.copytree(DATA / "router", tmp_path / "router")) / "config.yaml"
    options = ["--address", "127.0.0.1:0", "--http-address", "127.0.0.1:0", "--poll", "0.05"]
    with subprocess.Popen([*fake, "--config", str(config), *options], stderr=subprocess.PIPE, text=True) as process:
        try:
            assert json.loads(process.stderr.readline())["event"] == "serving"
            config.unlink()
            os.mkfifo(config)
            assert json.loads(process.stderr.readline())["event"] == "reload_refused"
            process.send_signal(signal.SIGTERM)
            assert process.wait(20) == 0
        finally:
            process.kill()


STUCK = """
import asyncio, os, signal, threading
from concurrent.futures import ThreadPoolExecutor
from vsr_runtime.server.stop_signal import begin_stop

async def serve():
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, begin_stop, stop, 0.2)
    ThreadPoolExecutor(1).submit(threading.Event().wait)
    os.kill(os.getpid(), signal.SIGTERM)
    await stop.wait()

asyncio.run(serve())
"""


@pytest.mark.subprocess
def test_process_that_does_not_stop_in_time_is_ended_by_the_kernel():
    """Whatever holds it: Python waits for the threads of its pools for ever."""
    assert subprocess.run([sys.executable, "-c", STUCK], timeout=30, check=False).returncode == -signal.SIGALRM
