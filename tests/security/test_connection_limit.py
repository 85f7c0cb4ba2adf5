"""More connections than a gateway takes, against the real Envoy: those above the limit are closed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack, suppress
from typing import Any

import pytest

from support.compiled_sandbox import compiled_sandbox
from support.gateway_client import ANY_TIME, REAL_ENVOY
from support.hostile_client import address_of, chat, request
from support.scripted import Scripted
from vsr_compiler.targets.common.extproc import CLIENT_CONNECTIONS, connection_limit

pytestmark = REAL_ENVOY
POLICY = """\
apiVersion: vsr.dev/v1alpha1
kind: RoutingPolicy
metadata: {name: connections}
router: {image: "registry.example/vsr-runtime:0.1.0", deadline: 5s}
endpoints: {one: {service: {name: one, port: 8000}}}
models: {big: {endpoints: [one]}}
default: big
"""
FEW = 5
ASK = b"GET /v1/nothing HTTP/1.1\r\nhost: x\r\n\r\n"


def by_overload_manager(bootstrap: dict[str, Any]) -> None:
    """As in the sandbox, with fewer connections."""
    (monitor,) = [
        item["typed_config"]
        for item in bootstrap["overload_manager"]["resource_monitors"]
        if "max_active_downstream_connections" in item["typed_config"]
    ]
    assert monitor["max_active_downstream_connections"] == CLIENT_CONNECTIONS
    monitor["max_active_downstream_connections"] = FEW


def by_network_filter(bootstrap: dict[str, Any]) -> None:
    """As on Istio, with fewer connections."""
    limit = connection_limit()
    limit["typed_config"]["max_connections"] = FEW
    bootstrap["static_resources"]["listeners"][0]["filter_chains"][0]["filters"].insert(0, limit)


async def answered(stack: AsyncExitStack, url: str) -> bool:
    """Open a connection and keep it. Return whether it is served."""
    reader, writer = await asyncio.open_connection(*address_of(url))
    stack.callback(writer.close)
    with suppress(OSError):
        writer.write(ASK)
        return bool(await reader.read(1))
    return False


@pytest.mark.parametrize("edit", [by_overload_manager, by_network_filter])
def test_connections_above_the_limit_are_closed(tmp_path, edit: Callable[[dict[str, Any]], None]):
    """Those that are open are served, and once they are closed others are."""

    async def whole(url: str) -> int:
        async with AsyncExitStack() as stack:
            served = [await answered(stack, url) for _ in range(3 * FEW)]
        async with asyncio.timeout(ANY_TIME):
            while (await request(url, chat("hello")))[0] != 200:  # noqa: ASYNC110 - there is no event for it
                await asyncio.sleep(0.1)
        return sum(served)

    Scripted.says("hello")
    with compiled_sandbox(tmp_path, POLICY, edit=edit) as running:
        assert FEW - 2 <= asyncio.run(whole(running.sandbox.url)) <= FEW
