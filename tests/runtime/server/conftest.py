from __future__ import annotations

import asyncio
from functools import partial

import pytest

from support.played_gateway import connected
from vsr_runtime.server.transport.choose import choose_transport


@pytest.fixture
def gateway(transport):
    """Serves a processor by each transport, with a gateway before it; see `connected`."""
    return partial(connected, choose_transport(transport))


@pytest.fixture
def exchange(gateway):
    """Sends messages on one stream of a fresh server; gives all responses and the final status."""

    def exchanged(settings, *messages, **more):
        async def whole():
            async with gateway(settings, **more) as envoy:
                return await envoy.send(*messages)

        return asyncio.run(whole())

    return exchanged
