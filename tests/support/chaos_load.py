"""Clients that send one request after the other."""

from __future__ import annotations

import http.client
import json
import threading
from contextlib import contextmanager

from support.gateway_client import ANY_TIME, JSON, wait_until

CLIENTS = 8
PAUSE = 0.02
"""Seconds between two requests of a client: enough clients are always in flight, and the machine has time to spare."""


@contextmanager
def load(url: str, body: bytes):
    """Clients that send one request after the other; yields the set of what came of them and a way to count them."""
    done, outcomes, served = threading.Event(), set(), []

    def client() -> None:
        connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=ANY_TIME)
        while not done.wait(PAUSE):
            connection.request("POST", "/v1/chat/completions", body, JSON)
            response = connection.getresponse()
            model = json.loads(response.read() or b"{}").get("model")
            outcomes.add((response.status, response.headers.get("x-backend"), model))
            served.append(model)
        connection.close()

    threads = [threading.Thread(target=client) for _ in range(CLIENTS)]
    for thread in threads:
        thread.start()
    try:
        yield outcomes, served
    finally:
        done.set()
        for thread in threads:
            thread.join()


def more(served: list, count: int = 200) -> None:
    """Wait until so many more requests were answered."""
    goal = len(served) + count
    wait_until(lambda: len(served) >= goal)
