"""Several worker processes behind the real Envoy: what one of them suffers is no more than its own streams' loss."""

from __future__ import annotations

import http.client
import os
import signal

import pytest

from support.chaos import PHI, RUNTIME
from support.chaos_load import CLIENTS, load, more
from support.gateway_client import ANY_TIME, REAL_ENVOY, Running, events, start, wait_until
from support.sandbox_times import timed

pytestmark = REAL_ENVOY


@pytest.fixture
def two(fake) -> tuple[str, ...]:
    """Serves with two workers."""
    return (*fake, "--workers", "2")


def page(lines: list[str], path: str) -> tuple[int, str]:
    """Status and text of a page of the parent's."""
    (record,) = events(lines, "serving")
    connection = http.client.HTTPConnection(record["http"], timeout=ANY_TIME)
    connection.request("GET", path)
    answer = connection.getresponse()
    return answer.status, answer.read().decode()


def value(lines: list[str], name: str) -> float:
    """One number of the metrics."""
    return next(
        float(line.split()[-1]) for line in page(lines, "/metrics")[1].splitlines() if line.startswith(f"{name} ")
    )


def test_killed_worker_costs_its_streams_and_is_replaced(chat, two):
    """SIGKILL under load, of one worker after the other: a few errors, no pass, and everything counted goes on."""
    sandbox, lines = start(serve=two)
    with sandbox, load(sandbox.url, chat("auto", "1+1")) as (outcomes, served):
        for number, worker in enumerate(events(lines, "worker_serving"), start=3):
            more(served)
            os.kill(worker["pid"], signal.SIGKILL)
            while len(events(lines, "worker_serving")) < number:
                more(served, 10)
            while page(lines, "/readyz")[0] != 200:
                more(served, 10)
        more(served)
        assert served[-100:] == [PHI[1]] * 100
        assert served.count(None) <= 2 * 2 * CLIENTS
        assert outcomes <= {(200, *PHI), (500, None, None), (503, None, None)}
        assert [record["code"] for record in events(lines, "worker_ended")] == [-9, -9]
        assert value(lines, "vsr_worker_restarts_total") == 2


def test_what_a_killed_worker_had_counted_is_still_shown(chat, two):
    """The sum of a counter does not fall, which Prometheus would take for a start from 0."""
    sandbox, lines = start(serve=two)
    name = 'llm_model_requests_total{model="phi4-mini"}'
    with sandbox:
        running = Running(sandbox, lines)
        for _ in range(10):
            assert running.served(chat("auto", "1+1")) == PHI
        wait_until(lambda: value(lines, name) >= 10)  # a worker that is slow to say is shown as it was before
        before = value(lines, name)
        for worker in events(lines, "worker_serving"):
            os.kill(worker["pid"], signal.SIGKILL)
        wait_until(lambda: len(events(lines, "worker_serving")) == 4 and page(lines, "/readyz")[0] == 200)
        assert value(lines, name) == before
        assert running.served(chat("auto", "1+1")) == PHI


def test_stuck_worker_is_replaced(policy, chat, two):
    """A worker that says nothing any more costs its streams the gateway's timeout, until it is ended and replaced."""
    sandbox, lines = start(timed(policy, gateway="3s"), (*two, "--stuck-after", "5"))
    with sandbox, load(sandbox.url, chat("auto", "1+1")) as (outcomes, served):
        more(served)
        for worker in events(lines, "worker_serving"):
            os.kill(worker["pid"], signal.SIGSTOP)
        while len(events(lines, "worker_serving")) < 4:
            more(served, 1)
        while page(lines, "/readyz")[0] != 200:
            more(served, 1)
        more(served)
        assert served[-100:] == [PHI[1]] * 100
        assert outcomes <= {(200, *PHI), *((status, None, None) for status in (500, 503, 504))}
        assert len(events(lines, "worker_stuck")) == 2


def test_new_content_reaches_every_worker(policy, chat, two):
    """A signal is enough to make all of them look, and under load nothing is lost."""
    config = policy / "router" / "config.yaml"
    sandbox, lines = start(policy / "local", (*two, "--poll", "3600"))
    with sandbox, load(sandbox.url, chat("auto", "1+1")) as (outcomes, served):
        more(served)
        changed = config.read_text().replace("modelRefs: [{model: phi4-mini}]", "modelRefs: [{model: llama3-8b}]")
        config.write_text(changed)
        os.kill(sandbox.pids[RUNTIME], signal.SIGHUP)
        while len(events(lines, "reloaded")) < 2:
            more(served, 10)
        more(served)
    assert outcomes == {(200, *PHI), (200, "llama-8b", "llama3-8b")}
    assert served[-100:] == ["llama3-8b"] * 100
