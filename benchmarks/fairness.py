"""How others are served while one client attacks: success and p99, quiet and attacked, with the real Envoy.

Run: ``python benchmarks/fairness.py [--seconds 5] [--transport nghttp2|grpc] [--attack NAME]``. Needs the extra
``local``. The attacker has an address of its own on the loopback interface, so it is another client to the gateway.

Asked for, on a quiet machine: at least 95 % of the others' requests succeed, and their p99 is at most three times the
quiet one. On a busy machine compare with the line below each: Envoy alone, which buffers the bodies and sends them to
the same server, under the same attack. The rest is the router's.

An attack of many requests is measured once it has arrived, and while it arrives.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests"))

from support.compiled_sandbox import compiled_sandbox  # noqa: E402 - the folder above
from support.hostile_client import ATTACKER, Others, chat, half_open, request  # noqa: E402 - likewise
from support.scripted import Scripted  # noqa: E402 - likewise
from vsr_runtime.server.transport.stream import TRANSPORTS  # noqa: E402 - likewise

SUCCESS, SLOWER = 0.95, 3.0
CLIENTS = 4
ARRIVAL = 2.0
"""Seconds in which an attack arrives, apart from the time to send it."""
POLICY = """\
apiVersion: vsr.dev/v1alpha1
kind: RoutingPolicy
metadata: {name: fair}
router: {image: "registry.example/vsr-runtime:0.1.0"}
endpoints: {one: {service: {name: one, port: 8000}}}
models: {big: {endpoints: [one]}}
guards:
  secrets: {patterns: builtin, action: block, on: both}
  pii: {types: [EMAIL_ADDRESS, PHONE_NUMBER, CREDIT_CARD, IBAN_CODE], action: mask, unmask: true}
default: big
"""
SIZE = int(7.8 * (1 << 20))
NESTED = b'{"model":"auto","messages":[{"role":"user","content":"hi"}],"z":[%s]}'
Attack = Callable[[str], AbstractAsyncContextManager[None]]


def open_requests(url: str) -> AbstractAsyncContextManager[None]:
    """4,800 requests without bodies."""
    return half_open(url, 48, 100)


def flood(body: bytes, clients: int) -> Attack:
    """Return an attack that sends one body in a loop, on some connections."""

    @asynccontextmanager
    async def attack(url: str) -> AsyncIterator[None]:
        async def send() -> None:
            while True:
                await request(url, body, ATTACKER)

        tasks = [asyncio.ensure_future(send()) for _ in range(clients)]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    return attack


ATTACKS: dict[str, Attack] = {
    "requests without bodies": open_requests,
    "nested lists of 7.8 MiB": flood(NESTED % b",".join([b"[" * 120 + b"]" * 120] * (SIZE // 241)), 2),
    "texts of 7.8 MiB": flood(chat("word " * (SIZE // 5)), 4),
    "small requests": flood(chat("hello"), 16),
}


async def measure(url: str, attack: Attack, seconds: float) -> list[Others]:
    """Return how others were served before the attack, in its first two seconds, and after these."""
    quiet, first, attacked = (Others(url, CLIENTS) for _ in range(3))
    await quiet.run(seconds)
    async with attack(url):
        await first.run(ARRIVAL)
        await attacked.run(seconds)
    return [quiet, first, attacked]


def alone(bootstrap: dict[str, Any]) -> None:
    """Replace the router's filter by one that only buffers, and send all requests to the model."""
    manager = bootstrap["static_resources"]["listeners"][0]["filter_chains"][0]["filters"][0]["typed_config"]
    buffer = {
        "@type": "type.googleapis.com/envoy.extensions.filters.http.buffer.v3.Buffer",
        "max_request_bytes": 8 << 20,
    }
    manager["http_filters"] = [
        {"name": "envoy.filters.http.buffer", "typed_config": buffer},
        manager["http_filters"][-1],
    ]
    routes = manager["route_config"]["virtual_hosts"][0]["routes"]
    for route in routes:
        route["match"] = {"prefix": "/"}
    # The sandbox asks for the list of models to see whether it is ready; the router would answer.
    routes.insert(0, {"match": {"path": "/v1/models"}, "direct_response": {"status": 200}})


def line(name: str, found: list[Others]) -> str:
    """Return the result of an attack in one line."""
    quiet, _, attacked = found
    slower = attacked.quantile(0.99) / quiet.quantile(0.99)
    good = attacked.success >= SUCCESS and slower <= SLOWER
    times = " -> ".join(f"{others.quantile(0.99) * 1000:.0f}" for others in found)
    success = " -> ".join(f"{others.success:.1%}" for others in found)
    return f"{name:34} {'ok ' if good else 'NO '} success {success}, p99 {times} ms ({slower:.1f} times)"


def main() -> None:
    """Print a line for each attack and transport."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--transport", choices=TRANSPORTS)
    parser.add_argument("--attack", choices=ATTACKS)
    given = parser.parse_args()
    for transport in [given.transport] if given.transport else TRANSPORTS:
        Scripted.says("hello")
        for name in [given.attack] if given.attack else ATTACKS:
            for label, edit in ((f"{transport:8} {name}", None), ("         Envoy alone", alone)):
                with (
                    tempfile.TemporaryDirectory() as folder,
                    compiled_sandbox(Path(folder), POLICY, transport=transport, edit=edit) as running,
                ):
                    found = asyncio.run(measure(running.sandbox.url, ATTACKS[name], given.seconds))
                print(line(label, found), dict(found[-1].statuses), flush=True)


if __name__ == "__main__":
    main()
