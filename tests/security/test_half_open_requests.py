"""A client that opens requests and sends no bodies, against the real Envoy: others are served."""

from __future__ import annotations

import asyncio

import pytest

from support.compiled_sandbox import compiled_sandbox
from support.gateway_client import ANY_TIME, REAL_ENVOY
from support.hostile_client import ATTACKER, OTHER, Others, chat, half_open, request
from support.scripted import Scripted

pytestmark = REAL_ENVOY
POLICY = """\
apiVersion: vsr.dev/v1alpha1
kind: RoutingPolicy
metadata: {name: open}
router: {image: "registry.example/vsr-runtime:0.1.0", deadline: 5s}
endpoints: {one: {service: {name: one, port: 8000}}}
models: {big: {endpoints: [one]}}
guards: {secrets: {patterns: builtin, action: block, on: both}}
default: big
"""


@pytest.fixture(scope="module")
def running(transport, tmp_path_factory):
    """The sandbox, by each transport."""
    Scripted.says("hello")
    with compiled_sandbox(tmp_path_factory.mktemp("open"), POLICY, transport=transport) as running:
        yield running


async def settled(url: str) -> None:
    """Wait until all hostile requests have arrived, which takes long on a busy machine."""
    async with asyncio.timeout(ANY_TIME):
        for _ in range(3):
            await asyncio.sleep(0.5)
            while (await request(url, chat("hello")))[0] != 200:  # noqa: ASYNC110 - there is no event for it
                await asyncio.sleep(0.1)


@pytest.mark.parametrize(
    ("connections", "streams", "source"),
    [
        (6, 800, OTHER),  # more streams on a connection than a client may open
        (48, 100, ATTACKER),  # more streams than the router has in all
        (48, 100, OTHER),  # by the same address, as behind a proxy that hides clients
    ],
)
def test_requests_without_bodies_keep_nobody_from_being_served(running, connections, streams, source):
    """The router ends the oldest of them, and of the client that has most."""

    async def whole() -> Others:
        others = Others(running.sandbox.url)
        async with half_open(running.sandbox.url, connections, streams, source):
            await settled(running.sandbox.url)
            await others.send(40)
        return others

    others = asyncio.run(whole())
    assert others.statuses.total() == 40
    assert others.success >= 0.95, others.statuses
