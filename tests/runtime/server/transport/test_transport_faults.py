"""Faults of our own."""

from __future__ import annotations

import pytest

from support.bare_client import asked, begin, connected
from support.played_service import run, service, settled
from vsr_runtime.server.transport.call import Call


@pytest.mark.parametrize("where", ["receive", "end", "fill"])
def test_failure_in_what_the_library_calls(where, monkeypatch):
    """It ends that connection and no other, without a status, and is logged."""
    whole = getattr(Call, where)

    async def main():
        async with service(faulty=True) as server, connected(server.port) as other, connected(server.port) as client:
            other.send(begin(1))
            await other.until(lambda: server.state.running)
            monkeypatch.setattr(Call, where, lambda *_: 1 // 0)
            client.send(asked(1, b"x"))
            await client.until(lambda: client.closed or server.connections == 1)
            monkeypatch.setattr(Call, where, whole)
            assert client.answers.get(1) is None or client.answers[1].status is None
            await client.gone()
            other.send(asked(3, b"y"))
            assert (await other.answer(3)).status == 0
            await other.close()
            await settled(server)

    run(main())
