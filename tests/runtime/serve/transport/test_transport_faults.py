"""Faults of our own, and of the place where it runs."""

from __future__ import annotations

import pytest
from bare_client import asked, begin, connected
from played_service import run, service, settled

from runtime.errors import UserError
from runtime.serve.transport import choose, nghttp2
from runtime.serve.transport.aio import listen as by_grpc
from runtime.serve.transport.call import Call
from runtime.serve.transport.stream import NGHTTP2


@pytest.mark.parametrize("where", ["receive", "end", "fill"])
def test_failure_in_what_the_library_calls(where, monkeypatch):
    """It ends that connection and no other, without a status, and is logged."""
    whole = getattr(Call, where)

    async def main():
        async with service(faulty=True) as server, connected(server.port) as other, connected(server.port) as client:
            other.send(begin(1))
            await other.until(lambda: server.running)
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


def test_place_that_allows_no_callbacks(monkeypatch):
    """Some systems let no program make code: it is said at the start, and without a wish grpc serves."""

    def refused(*_, **__):
        raise MemoryError

    nghttp2.library.cache_clear()
    monkeypatch.setattr(nghttp2.ffi, "callback", refused)
    try:
        with pytest.raises(UserError, match="--transport grpc"):
            choose.chosen(NGHTTP2)
        assert choose.chosen(None) is by_grpc
    finally:
        monkeypatch.undo()
        nghttp2.library.cache_clear()
