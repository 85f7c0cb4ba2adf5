"""How others are served while one client attacks: success and p99, quiet and attacked, with the real Envoy.

Run: ``python benchmarks/fairness.py [--seconds 5] [--transport nghttp2|grpc] [--attack NAME]``. Needs the extra
``local``. The attacker has an address of its own on the loopback interface, so it is another client to the gateway.

Asked for, on a quiet machine: at least 95 % of the others' requests succeed, and their p99 is at most three times the
quiet one.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests"))

from support.compiled_sandbox import compiled_stand  # noqa: E402 - the folder above
from support.hostile_client import ATTACKER, Others, chat, half_open, request  # noqa: E402 - likewise
from support.scripted import Scripted  # noqa: E402 - likewise
from vsr_runtime.server.transport.stream import TRANSPORTS  # noqa: E402 - likewise

SUCCESS, SLOWER = 0.95, 3.0
CLIENTS = 4
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


async def measure(url: str, attack: Attack | None, seconds: float) -> Others:
    """Return how others were served."""
    others = Others(url, CLIENTS)
    if attack is None:
        await others.run(seconds)
        return others
    async with attack(url):
        await asyncio.sleep(2)
        await others.run(seconds)
    return others


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
            with (
                tempfile.TemporaryDirectory() as folder,
                compiled_stand(Path(folder), POLICY, transport=transport) as running,
            ):
                url = running.sandbox.url
                quiet = asyncio.run(measure(url, None, given.seconds))
                attacked = asyncio.run(measure(url, ATTACKS[name], given.seconds))
            slower = attacked.quantile(0.99) / quiet.quantile(0.99)
            good = attacked.success >= SUCCESS and slower <= SLOWER
            print(
                f"{transport:8} {name:24} {'ok ' if good else 'NO '} success {quiet.success:6.1%} -> "
                f"{attacked.success:6.1%}, p99 {quiet.quantile(0.99) * 1000:.0f} -> "
                f"{attacked.quantile(0.99) * 1000:.0f} ms ({slower:.1f} times), statuses {dict(attacked.statuses)}",
                flush=True,
            )


if __name__ == "__main__":
    main()
