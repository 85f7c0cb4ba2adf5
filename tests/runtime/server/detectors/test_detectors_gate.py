"""The turns at a server: bounded, fair, and free again after a cancelled wait."""

from __future__ import annotations

import asyncio

import pytest

from vsr_runtime.inference.engine.errors import OverloadedError
from vsr_runtime.server.clients import CLIENT
from vsr_runtime.server.detectors.gate import Gate


async def _work(gate, client, order, hold=None):
    CLIENT.set(client)
    async with gate.turn():
        order.append(client)
        await (hold.wait() if hold else asyncio.sleep(0))


def test_clients_take_turns():
    """One that asks a hundred times delays another by one turn."""

    async def whole():
        gate, order, hold = Gate(1), [], asyncio.Event()
        first = asyncio.create_task(_work(gate, b"a", order, hold))
        await asyncio.sleep(0)
        many = [asyncio.create_task(_work(gate, b"a", order)) for _ in range(100)]
        await asyncio.sleep(0)
        other = asyncio.create_task(_work(gate, b"b", order))
        await asyncio.sleep(0)
        hold.set()
        await asyncio.gather(first, *many, other)
        return order

    order = asyncio.run(whole())
    assert order.index(b"b") <= 2
    assert len(order) == 102


def test_wait_that_is_cancelled_costs_no_turn():
    """Neither before nor just after it was given one."""

    async def whole():
        gate, order, hold = Gate(1), [], asyncio.Event()
        first = asyncio.create_task(_work(gate, b"a", order, hold))
        await asyncio.sleep(0)
        waiting = [asyncio.create_task(_work(gate, b"b", order)) for _ in range(3)]
        await asyncio.sleep(0)
        waiting[0].cancel()
        await asyncio.sleep(0)
        hold.set()
        await first
        waiting[1].cancel()  # it has the turn already, and has not run since
        await asyncio.gather(*waiting, return_exceptions=True)
        async with asyncio.timeout(5):
            await _work(gate, b"c", order)
        return order

    assert asyncio.run(whole())[-1] == b"c"


def test_what_waits_is_bounded():
    """Beyond it a request is overload at once."""

    async def whole():
        gate, order, hold = Gate(1, max_waiting=2), [], asyncio.Event()
        tasks = [asyncio.create_task(_work(gate, b"", order, hold)) for _ in range(3)]
        await asyncio.sleep(0)
        with pytest.raises(OverloadedError):
            await _work(gate, b"", order)
        hold.set()
        await asyncio.gather(*tasks)

    asyncio.run(whole())
