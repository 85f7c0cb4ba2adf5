"""The failure table of docs/explanation/failure-model.md with the real Envoy: no model sees a failed request."""

from __future__ import annotations

import os
import signal
import socket
from contextlib import contextmanager

from support.chaos import LLAMA, PHI, RUNTIME, Second, address
from support.gateway_client import ANY_TIME, REAL_ENVOY, Running, heard, start
from support.sandbox_times import timed

pytestmark = REAL_ENVOY


@contextmanager
def kept(where: str):
    """The port is nobody else's while nobody listens there. Who does not listen takes no connection."""
    host, _, port = where.rpartition(":")
    with socket.socket() as held:
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        held.bind((host, int(port)))
        yield


def refused(running: Running, data, *statuses: int) -> None:
    """The request got one of these statuses, and no backend answered."""
    status, headers, _ = running.send(data)
    assert status in statuses
    assert "x-backend" not in headers


def test_hang_is_504_and_heals(policy, chat, fake):
    """A runtime that is paused costs each request the gateway's timeout; resumed, it serves."""
    sandbox, lines = start(timed(policy, gateway="3s"), fake)
    with sandbox:
        running = Running(sandbox, lines)
        os.kill(sandbox.pids[RUNTIME], signal.SIGSTOP)
        try:
            refused(running, chat("llama3-8b"), 504)
        finally:
            os.kill(sandbox.pids[RUNTIME], signal.SIGCONT)
        assert running.served(chat("auto", "1+1")) == PHI


def test_abort_is_503(chat, fake):
    """A fault that nobody foresaw ends the stream in an error, which the gateway turns into 503."""
    sandbox, lines = start(serve=fake)
    with sandbox:
        running = Running(sandbox, lines)
        refused(running, chat("auto", "ABORT"), 503)
        assert heard(lines, '"aborted"', "INTERNAL")
        assert running.served(chat("auto", "1+1")) == PHI


def test_kill_in_flight_is_an_error_and_a_new_process_serves(chat, fake):
    """What was in flight and what follows gets 5xx, until a runtime listens again."""
    sandbox, lines = start(serve=fake)
    with sandbox, kept(address(lines)):
        running = Running(sandbox, lines)
        refused(running, chat("auto", "DIE"), 500, 503)
        refused(running, chat("llama3-8b"), 503)
        with Second(address(lines), fake):
            statuses = [running.send(chat("auto", "1+1"))[0] for _ in range(20)]
            assert running.served(chat("auto", "1+1")) == PHI
        assert set(statuses) <= {200, 503}


def test_message_over_the_grpc_limit_is_503(policy, chat, fake):
    """A gateway that buffers more than a message may carry gets an error, and never a pass; in between it is 413."""
    path = policy / "router" / "runtime.yaml"
    limits = "limits: {maxBody: 262144, maxMessage: 327680}"
    path.write_text(path.read_text().replace(limits, "limits: {maxBody: 100000, maxMessage: 165536}"))
    sandbox, lines = start(policy / "local", fake)
    with sandbox:
        running = Running(sandbox, lines)
        refused(running, iter([chat("phi4-mini", "x" * 200_000)]), 503)  # chunked: no header tells its length
        refused(running, chat("phi4-mini", "x" * 120_000), 413)
        assert running.served(chat("phi4-mini", "x" * 90_000)) == PHI


def test_upload_that_stalls_is_ended_in_an_error_when_the_runtime_stops(chat, fake):
    """A stream without a decision never ends in OK, which Envoy would take for a pass: the client reads 503."""
    sandbox, lines = start(serve=fake)
    with sandbox:
        data = chat("llama3-8b")
        host, _, port = sandbox.url.removeprefix("http://").partition(":")
        with socket.create_connection((host, int(port)), ANY_TIME) as client:
            head = "POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n"
            client.sendall(f"{head}content-length: {len(data)}\r\n\r\n".encode() + data[:10])
            # The runtime logs nothing of a stream that waits; a request that overtakes it says that it is there.
            assert Running(sandbox, lines).served(chat("llama3-8b")) == LLAMA
            os.kill(sandbox.pids[RUNTIME], signal.SIGTERM)
            answer = client.recv(65536)
        assert answer.startswith(b"HTTP/1.1 503 ")
        assert b"x-backend" not in answer
        assert heard(lines, '"aborted"', "UNAVAILABLE")
