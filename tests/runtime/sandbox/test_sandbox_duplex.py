"""The real Envoy with bodies in FULL_DUPLEX_STREAMED mode, as gateways have it that cannot buffer."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket

import pytest

from support.gateway_client import REAL_ENVOY, Running, start
from support.runtime_fakes import DATA

pytestmark = REAL_ENVOY
LLAMA, PHI = ("llama-8b", "llama3-8b"), ("phi4-mini", "phi4-mini")
MAX_BODY = 262144
MIXED = [("auto", "2+2", PHI), ("auto", "Linux", LLAMA), ("llama3-8b", "2+2", LLAMA), ("phi4-mini", "x", PHI)]


def duplex(policy):
    """The sample gateway, set to that mode."""
    path = policy / "local" / "envoy.yaml"
    text = path.read_text()
    trailers = " " * 24 + "request_trailer_mode: SEND"
    changed = text.replace("request_body_mode: BUFFERED", f"request_body_mode: FULL_DUPLEX_STREAMED\n{trailers}")
    assert changed != text
    path.write_text(changed)
    return policy / "local"


@pytest.fixture(scope="module")
def gateway(tmp_path_factory, fake):
    """One sandbox for the tests that do not harm it."""
    sandbox, lines = start(duplex(shutil.copytree(DATA, tmp_path_factory.mktemp("duplex") / "policy")), fake)
    with sandbox:
        yield Running(sandbox, lines)


@pytest.mark.parametrize(("model", "prompt", "served"), MIXED)
def test_requests_land_on_the_right_backend(gateway, chat, model, prompt, served):
    """As with whole bodies; the backend receives the model that it serves."""
    assert gateway.served(chat(model, prompt)) == served
    data = chat(model, prompt)
    assert gateway.served(iter([data[:20], data[20:]])) == served


def test_large_body_arrives_whole(gateway, chat):
    """In several parts there and back."""
    assert gateway.served(chat("auto", "1" * (MAX_BODY - 2000))) == PHI


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b'{"model":"gpt","messages":[]}', (404, "model_not_found")),
        (b"{", (400, "invalid_json")),
        (b"", (400, "invalid_json")),
        (b'{"model":"auto","model":"auto","messages":[]}', (400, "duplicate_key")),
        (json.dumps({"model": "auto", "messages": [{"role": "user", "content": "RAISE"}]}), (503, "classifier_failed")),
    ],
)
def test_what_cannot_be_decided_is_answered(gateway, body, expected):
    """Each fault has its status, and reaches no backend."""
    assert gateway.code(body) == expected


@pytest.mark.parametrize("chunked", [False, True])
def test_body_over_the_bound_is_413(gateway, chat, chunked):
    """Announced or not, and although the gateway itself has no bound in this mode."""
    data = chat("phi4-mini", "x" * MAX_BODY)
    parts = iter([data[i : i + 60_000] for i in range(0, len(data), 60_000)]) if chunked else data
    status, headers, _ = gateway.send(parts)
    assert status == 413
    assert "x-backend" not in headers


def test_trailers_of_a_request_do_not_hold_it_up(gateway, chat):
    """A chunked upload that ends with a trailer is routed like any other."""
    data = chat("auto", "2+2")
    host, _, port = gateway.sandbox.url.removeprefix("http://").partition(":")
    with socket.create_connection((host, int(port)), 20) as client:
        head = "POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n"
        head += "transfer-encoding: chunked\r\ntrailer: x-more\r\nconnection: close\r\n\r\n"
        client.sendall(f"{head}{len(data):x}\r\n".encode() + data + b"\r\n0\r\nx-more: 1\r\n\r\n")
        answer = b""
        while received := client.recv(65536):
            answer += received
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert b"x-backend: phi4-mini" in answer.lower()


def test_runtime_that_dies_is_an_error_and_never_a_pass(policy, chat, fake):
    """In flight and afterwards: 5xx, and no backend sees the request, with an empty body or any other."""
    sandbox, lines = start(duplex(policy), fake)
    with sandbox:
        running = Running(sandbox, lines)
        for data in (chat("auto", "DIE"), chat("llama3-8b")):
            status, headers, _ = running.send(data)
            assert status in (500, 503)
            assert "x-backend" not in headers


def test_upload_that_stalls_is_ended_in_an_error_when_the_runtime_stops(policy, chat, fake):
    """A stream without a decision never ends in OK, which Envoy would take for a pass with an empty body."""
    sandbox, lines = start(duplex(policy), fake)
    with sandbox:
        data = chat("llama3-8b")
        host, _, port = sandbox.url.removeprefix("http://").partition(":")
        with socket.create_connection((host, int(port)), 20) as client:
            head = "POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n"
            client.sendall(f"{head}content-length: {len(data)}\r\n\r\n".encode() + data[:10])
            assert Running(sandbox, lines).served(chat("llama3-8b")) == LLAMA
            os.kill(sandbox.pids["the runtime"], signal.SIGTERM)
            answer = client.recv(65536)
        assert answer.startswith(b"HTTP/1.1 503 ")
        assert b"x-backend" not in answer
