"""What must cost no request at all, with the real Envoy: new content, another process, requests of all kinds."""

from __future__ import annotations

import http.client
import json
import os
import random
import signal
from concurrent.futures import ThreadPoolExecutor

import pytest

from support.chaos import LLAMA, PHI, RUNTIME, Second, address
from support.chaos_load import CLIENTS, load, more
from support.gateway_client import ANY_TIME, FAKE, JSON, REAL_ENVOY, heard, start
from support.properties import FUZZING
from vsr_runtime.server.transport.stream import TRANSPORTS

pytestmark = REAL_ENVOY


def test_new_content_costs_nothing(policy, chat):
    """A config that changes under load moves the traffic, and no request is lost on the way."""
    config = policy / "router" / "config.yaml"
    sandbox, lines = start(policy / "local")
    with sandbox, load(sandbox.url, chat("auto", "1+1")) as (outcomes, served):
        more(served)
        config.write_text(
            config.read_text().replace("modelRefs: [{model: phi4-mini}]", "modelRefs: [{model: llama3-8b}]")
        )
        while not any('"reloaded"' in line for line in lines):
            more(served, 10)
        more(served)
    assert outcomes == {(200, *PHI), (200, "llama-8b", "llama3-8b")}
    assert served[-1] == "llama3-8b"


@pytest.mark.parametrize("workers", [(), ("--workers", "2")])
def test_rolling_restart_costs_nothing(chat, fake, workers):
    """A process that stops next to another on its address serves its connections to their end."""
    sandbox, lines = start(serve=(*fake, *workers))
    with sandbox, load(sandbox.url, chat("auto", "1+1")) as (outcomes, served):
        more(served)
        with Second(address(lines), fake):
            os.kill(sandbox.pids[RUNTIME], signal.SIGTERM)
            while sum('"stopped"' in line for line in lines) < (3 if workers else 1):
                more(served, 10)
            more(served)
            assert outcomes == {(200, *PHI)}


def test_a_process_with_the_other_transport_can_take_over(chat, transport, fake):
    """As where the library is installed or removed between two starts; each way costs nothing, too."""
    (other,) = set(TRANSPORTS) - {transport}
    sandbox, lines = start(serve=fake)
    with sandbox, load(sandbox.url, chat("auto", "1+1")) as (outcomes, served):
        more(served)
        with Second(address(lines), (*FAKE, "--transport", other)):
            os.kill(sandbox.pids[RUNTIME], signal.SIGTERM)
            heard(lines, '"stopped"')
            more(served)
            assert outcomes == {(200, *PHI)}


MIXED = 20_000 if FUZZING else 3_000
REFUSED = {
    b"{": 400,
    b'{"model":"auto","model":"auto","messages":[]}': 400,
    b'{"model":"none","messages":[]}': 404,
}


def test_mixed_requests_under_load_go_where_they_should(chat, fake):
    """Under load from all sides each request gets its own answer: none is routed wrong, none passes unguarded."""
    asked = {chat("auto", "1+1"): PHI, chat("auto", "Linux"): LLAMA, chat("auto", "hello"): LLAMA}
    asked |= {chat("phi4-mini", "Linux"): PHI, chat("llama3-8b", "1+1"): LLAMA}
    expected = {body: (200, *served) for body, served in asked.items()}
    expected |= {body: (status, None, None) for body, status in REFUSED.items()}
    sandbox, _ = start(serve=fake)
    wrong = []

    def client(number: int) -> None:
        order = random.Random(number)  # noqa: S311 - the same mixture in every run
        connection = http.client.HTTPConnection(sandbox.url.removeprefix("http://"), timeout=ANY_TIME)
        for _ in range(MIXED // CLIENTS):
            body, outcome = order.choice(list(expected.items()))
            connection.request("POST", "/v1/chat/completions", body, JSON | {"x-selected-model": "phi4-mini"})
            response = connection.getresponse()
            data = json.loads(response.read())
            if (response.status, response.headers.get("x-backend"), data.get("model")) != outcome:
                wrong.append((body, response.status, data))
        connection.close()

    with sandbox, ThreadPoolExecutor(CLIENTS) as threads:
        list(threads.map(client, range(CLIENTS)))
    assert wrong == []
