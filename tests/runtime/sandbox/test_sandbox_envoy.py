"""End to end: the real Envoy, the real server with a fake classifier, stand-in backends."""

from __future__ import annotations

import gzip
import json
import os
import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from support.gateway_client import FAKE, REAL_ENVOY, Running, start
from support.runtime_fakes import DATA
from support.sandbox_times import timed
from vsr_runtime.errors import UserError
from vsr_runtime.sandbox import Sandbox
from vsr_runtime.sandbox.demo import run_demo
from vsr_runtime.sandbox.sandbox import StoppedError

MAX_BODY = 262144

pytestmark = REAL_ENVOY


@pytest.fixture(scope="module")
def gateway():
    """One sandbox for all tests that do not harm it."""
    sandbox, lines = start()
    with sandbox:
        yield Running(sandbox, lines)


LLAMA, PHI = ("llama-8b", "llama3-8b"), ("phi4-mini", "phi4-mini")


@pytest.mark.parametrize(
    ("model", "prompt", "served"),
    [
        ("llama3-8b", "2+2 is ", LLAMA),
        ("phi4-mini", "Linux is", PHI),
        ("auto", "2+2 is ", PHI),
        ("MoM", "2+2 is ", PHI),
        ("auto", "Linux is", LLAMA),
        ("auto", "hello", LLAMA),
        ("auto", "ünïcödé 1 😀", PHI),
    ],
)
def test_requests_land_on_the_right_backend(gateway, chat, model, prompt, served):
    """The route follows the decision, and the backend receives the model that it serves."""
    assert gateway.served(chat(model, prompt)) == served


def test_completions_and_query_strings_are_routed(gateway):
    """The older API is routed too, and a query string changes nothing."""
    body = json.dumps({"model": "auto", "prompt": "2+2"})
    assert gateway.served(body, "POST", "/v1/completions?api-version=1") == PHI


def test_chunked_upload_is_routed(gateway, chat):
    """A body without a length is read whole, and rewritten with an exact one."""
    for model, served in (("auto", PHI), ("llama3-8b", LLAMA)):
        data = chat(model, "1+1")
        assert gateway.served(iter([data[:20], data[20:]])) == served


def test_stream_of_events_passes(gateway, chat):
    """A streamed answer comes through untouched."""
    status, headers, data = gateway.send(chat("auto", "2+2", stream=True))
    assert (status, headers["content-type"]) == (200, "text/event-stream")
    assert data.endswith(b"data: [DONE]\n\n")


@pytest.mark.parametrize("model", ["auto", "llama3-8b"])
def test_spoofed_header_never_decides(gateway, chat, model):
    """A client's own x-selected-model does not move its request."""
    assert gateway.served(chat(model, "Linux"), x_selected_model="phi4-mini") == LLAMA


def test_spoofed_header_never_decides_without_the_gateways_strip(policy, chat):
    """Even if the gateway does not strip the header, the runtime's own value is the only one."""
    path = policy / "local" / "envoy.yaml"
    text = path.read_text()
    start_, end = text.index("                early_header"), text.index("                http_filters")
    path.write_text(text[:start_] + text[end:])
    sandbox, lines = start(policy / "local")
    with sandbox:
        running = Running(sandbox, lines)
        assert running.served(chat("auto", "Linux"), x_selected_model="phi4-mini") == LLAMA
        assert running.code(None, "GET", "/other", x_selected_model="phi4-mini") == (404, "not_found")


def test_models_are_listed(gateway):
    """GET and HEAD of /v1/models are answered by the runtime."""
    status, _, data = gateway.send(None, "GET", "/v1/models?x=1", content_type=None)
    assert status == 200
    assert [item["id"] for item in json.loads(data)["data"]] == ["auto", "MoM", "llama3-8b", "phi4-mini"]
    status, headers, data = gateway.send(None, "HEAD", "/v1/models")
    assert (status, headers["content-type"], data) == (200, "application/json", b"")


DOUBLE = b'{"model":"phi4-mini","model":"llama3-8b","messages":[{"role":"user","content":"x"}]}'


@pytest.mark.parametrize(
    ("body", "more", "expected"),
    [
        (b'{"model":"gpt","messages":[]}', {}, (404, "model_not_found")),
        (b"{", {}, (400, "invalid_json")),
        (b"", {}, (400, "invalid_json")),
        (DOUBLE, {}, (400, "duplicate_key")),
        (b'\xef\xbb\xbf{"model":"auto"}', {}, (400, "invalid_json")),
        (gzip.compress(DOUBLE, mtime=0), {"content_encoding": "gzip"}, (415, "unsupported_encoding")),
        (DOUBLE, {"content_type": "text/plain"}, (415, "unsupported_content_type")),
        (DOUBLE, {"content_type": None}, (415, "unsupported_content_type")),
        (DOUBLE, {"path": "/v1/audio/unknown"}, (404, "not_found")),
        (None, {"method": "GET"}, (405, "method_not_allowed")),
    ],
)
def test_what_cannot_be_decided_is_answered(gateway, body, more, expected):
    """Each fault has its status and code, in OpenAI's form, and reaches no backend."""
    assert gateway.code(body, **more) == expected


@pytest.mark.parametrize("chunked", [False, True])
def test_body_over_the_bound_is_413(gateway, chat, chunked):
    """A body larger than maxBody is refused, announced or not, by the gateway or by the runtime."""
    data = chat("phi4-mini", "x" * MAX_BODY)
    parts = iter([data[i : i + 60_000] for i in range(0, len(data), 60_000)]) if chunked else data
    status, headers, _ = gateway.send(parts)
    assert status == 413
    assert "x-backend" not in headers


def test_large_body_passes(gateway, chat):
    """A body just under the bound is decided and forwarded whole."""
    assert gateway.served(chat("auto", "1" * (MAX_BODY - 2000))) == PHI


def test_broken_classifier_is_503(gateway, chat):
    """A classifier that raises never lets a request pass, and the text is in no log."""
    assert gateway.code(chat("auto", "RAISE secret"), x_request_id="broken") == (503, "classifier_failed")
    assert gateway.send(chat("auto", "RAISE"))[1]["retry-after"] == "1"
    assert gateway.logged("broken")
    assert "secret" not in "".join(gateway.lines)


def test_late_classifier_is_503_before_the_gateways_timeout(policy, chat):
    """The runtime answers within its budget, so the client reads a reason and not the gateway's 504."""
    sandbox, lines = start(timed(policy, deadline=1000))
    with sandbox:
        assert Running(sandbox, lines).code(chat("auto", "SLEEP")) == (503, "classifier_timeout")


def test_requests_at_once_are_not_mixed_up(gateway, chat):
    """Many requests at a time each land where their own prompt says."""
    jobs = [("auto", "2+2", PHI), ("auto", "Linux", LLAMA), ("llama3-8b", "2+2", LLAMA), ("phi4-mini", "a", PHI)] * 25
    with ThreadPoolExecutor(16) as threads:
        served = list(threads.map(lambda job: gateway.served(chat(job[0], job[1])), jobs))
    assert served == [job[2] for job in jobs]


def test_decision_is_found_by_its_request_id(gateway, chat):
    """The runtime logs each decision with the gateway's request id."""
    gateway.send(chat("auto", "2+2"), x_request_id="find-me")
    assert gateway.sandbox.decision("find-me")["category"] == "math"
    assert gateway.sandbox.decision("never sent", 0) is None


def test_killed_runtime_is_an_error_and_never_a_pass(chat):
    """With a request in flight and after it, a dead runtime means 5xx; the sandbox says who died."""
    asleep = threading.Event()
    sandbox = Sandbox(DATA / "local", serve=FAKE, on_log=lambda line: "classifying" in line and asleep.set())
    with sandbox, ThreadPoolExecutor(1) as threads:
        running = Running(sandbox, [])
        in_flight = threads.submit(running.send, chat("auto", "SLEEP"))
        assert asleep.wait(20)
        os.kill(sandbox.pids["the runtime"], signal.SIGKILL)
        for status, headers, _ in (in_flight.result(), running.send(chat("llama3-8b"))):
            assert status in (500, 503)
            assert "x-backend" not in headers
        # Its sockets are closed, and so its requests failed, a moment before there is an exit code to be read.
        os.waitid(os.P_PID, sandbox.pids["the runtime"], os.WEXITED | os.WNOWAIT)
        with pytest.raises(UserError, match="the runtime stopped by itself with exit code -9"):
            sandbox.check()


@pytest.mark.parametrize("mode", ["NONE", "STREAMED", "BUFFERED_PARTIAL"])
def test_gateway_with_another_body_mode_is_refused(policy, mode):
    """A filter set up otherwise gets errors instead of answers, and the log names the mode."""
    path = policy / "local" / "envoy.yaml"
    text = path.read_text()
    assert "request_body_mode: BUFFERED" in text
    path.write_text(text.replace("request_body_mode: BUFFERED", f"request_body_mode: {mode}"))
    refused = threading.Event()

    def hear(line: str) -> None:
        if f"request_body_mode {mode} is not supported" in line:
            refused.set()

    # The sandbox is not ready as long as its probe gets an error; after an error response it stops trying.
    with pytest.raises(StoppedError), Sandbox(policy / "local", serve=FAKE, on_log=hear, stop=refused):
        pass


def test_stand_that_cannot_start_says_why_and_leaves_nothing(policy):
    """A runtime that refuses its config ends the start with its own words."""
    config = policy / "router" / "config.yaml"
    config.write_text(config.read_text().replace("routing:", "routing:\n  foo: 1"))
    sandbox, _ = start(policy / "local", (sys.executable, "-m", "vsr_runtime.cli", "serve"))
    with pytest.raises(UserError, match=r"the runtime stopped .*routing\.foo: not supported"), sandbox:
        pass
    assert all(process.exit_code is not None for process in sandbox._processes.values())


@pytest.mark.parametrize("name", [signal.SIGINT, signal.SIGTERM])
def test_command_prints_the_url_first_and_stops_on_a_signal(name):
    """``vsr-runtime local`` prints the URL, serves, and ends everything with exit 0 on a signal."""
    with local_command() as process:
        running = at(process.stdout.readline().strip())
        assert running.send(None, "GET", "/v1/models")[0] == 200
        process.send_signal(name)
        assert process.wait(30) == 0
        assert process.stderr.read() == ""
        with pytest.raises(ConnectionRefusedError):
            running.send(None, "GET", "/v1/models")


def test_command_ends_when_a_part_dies(chat):
    """When the runtime dies, the sandbox stops the rest, says who died, and exits with 1."""
    with local_command() as process:
        running = at(process.stdout.readline().strip())
        assert running.send(chat("auto", "DIE"))[0] in (500, 503)
        assert process.wait(30) == 1
        assert process.stderr.read().startswith("vsr-runtime: error: the runtime stopped by itself with exit code 9")


def at(url: str) -> Running:
    """Requests to a gateway that another process started."""
    sandbox = Sandbox(DATA / "local")
    sandbox.url = url
    return Running(sandbox, [])


def local_command():
    """``vsr-runtime local`` with the fake classifier, as a process."""
    code = (
        "import sys; from vsr_runtime.sandbox import sandbox; from vsr_runtime import cli;"
        f"sandbox.Sandbox.__init__.__kwdefaults__['serve'] = {FAKE!r}; cli.main()"
    )
    command = [sys.executable, "-c", code, "local", str(DATA / "local")]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@pytest.mark.parametrize(("expect", "right"), [("phi4-mini", True), ("llama3-8b", False)])
def test_demo_prints_a_table_and_knows_right_from_wrong(policy, monkeypatch, capsys, expect, right):
    """The demo shows where each request went, and is right only if each is where the sandbox expects it."""
    monkeypatch.setitem(Sandbox.__init__.__kwdefaults__, "serve", FAKE)
    path = policy / "local" / "sandbox.yaml"
    path.write_text(path.read_text().replace("category: math, expect: phi4-mini", f"category: math, expect: {expect}"))
    assert run_demo(policy / "local") is right
    rows = capsys.readouterr().out.splitlines()
    assert [row.split()[-1] for row in rows[1:4]] == ["ok"] * 3
    assert rows[2].split()[-4:] == ["science", "llama3-8b", "llama-8b", "ok"]
    assert ("WRONG" in rows[4]) is not right
