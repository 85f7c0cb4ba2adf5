"""How connections come to their end, and that nothing is lost by it."""

from __future__ import annotations

import asyncio
import socket

import pytest

from support.bare_client import DATA, WIDE, asked, begin, connected, fields, frame, message, reset
from support.played_service import run, service, settled
from vsr_runtime.server.transport import connection
from vsr_runtime.server.transport.stream import Status


@pytest.fixture
def short(monkeypatch):
    """Connections are asked to go soon."""
    monkeypatch.setattr(connection, "AGE", 0.2)
    monkeypatch.setattr(connection, "_NOTICE", 0.2)
    monkeypatch.setattr(connection, "_LINGER", 0.2)


async def noticed(client) -> None:
    """Wait for the notice that it should go."""
    await client.until(lambda: client.leaves)
    assert client.leaves == [(WIDE, 0)]


@pytest.mark.usefixtures("short")
def test_client_that_stays_is_left():
    """A notice first, then the last stream that is served, then the end."""

    async def main():
        async with service() as server, connected(server.port) as client:
            client.send(asked(1, b"x"))
            await client.gone()
            assert client.leaves == [(WIDE, 0), (1, 0)]
            assert not client.answers[1].reset

    run(main())


@pytest.mark.usefixtures("short")
def test_streams_begun_after_the_notice_are_served():
    """Whoever has not heard of it yet loses nothing, though its own side stays open as a gateway's does."""

    async def main():
        async with service() as server, connected(server.port) as client:
            await noticed(client)
            client.send(asked(1, b"x"), begin(3, fields("/t/First")), frame(DATA, 0, 3, message(b"y")))
            client.send(asked(5, path="/t/None"))
            one, three, five = [await client.answer(each) for each in (1, 3, 5)]
            assert (one.status, one.data, three.status, three.data) == (0, message(b"x"), 0, message(b"y"))
            assert five.status == Status.UNIMPLEMENTED
            await client.gone()
            assert client.leaves[-1] == (5, 0)

    run(main())


@pytest.mark.usefixtures("short")
def test_streams_after_the_last_word_are_not_begun():
    """GOAWAY excludes them, so the client retries elsewhere. A stream that is open holds the connection."""

    async def main():
        async with service() as server, connected(server.port) as client:
            client.send(begin(1), begin(3))
            await client.until(lambda: len(client.leaves) == 2)
            assert client.leaves[-1] == (3, 0)
            client.send(asked(5, b"x"), frame(DATA, 1, 3, message(b"long")))
            assert (await client.answer(3)).data == message(b"long")
            await asyncio.sleep(0.5)
            assert not client.closed
            client.send(frame(DATA, 1, 1, message(b"longer")))
            assert (await client.answer(1)).data == message(b"longer")
            await client.gone()
            assert 5 not in client.answers

    run(main())


@pytest.mark.usefixtures("short")
def test_stream_that_fails_after_the_notice_has_its_status():
    """It is ended for the client only after its status was sent."""

    async def main():
        async with service() as server, connected(server.port) as client:
            client.send(begin(1, fields("/t/Parts")), frame(DATA, 0, 1, message(b"x")))
            await noticed(client)
            client.send(frame(DATA, 0, 1, message(b"y", compressed=1)))
            answer = await client.answer(1)
            assert (answer.status, answer.data) == (Status.UNIMPLEMENTED, message(b"x"))
            await client.gone()

    run(main())


@pytest.mark.usefixtures("short")
def test_nothing_is_lost_as_connections_change():
    """A client that goes to a new connection as soon as it is asked to has every answer."""

    async def main():
        async with service() as server:

            async def asks() -> int:
                served = 0
                for _ in range(3):
                    async with connected(server.port) as client:
                        number = -1
                        while not client.leaves:
                            number += 2
                            client.send(asked(number, b"%d" % number))
                            await asyncio.sleep(0)
                            if number % 64 == 1:
                                await client.answer(number)
                        for each in range(1, number + 1, 2):
                            answer = await client.answer(each)
                            assert (answer.status, answer.data) == (0, message(b"%d" % each))
                            served += 1
                return served

            assert sum(await asyncio.gather(*(asks() for _ in range(4)))) >= 12

    run(main())


def test_retired_server_takes_no_connection():
    """Who is there is asked to go; who is served is served to its end."""

    async def main():
        async with service() as server, connected(server.port) as client:
            client.send(begin(1))
            await client.until(lambda: server.state.running)
            server.retire()
            with pytest.raises(ConnectionRefusedError):
                await asyncio.open_connection("127.0.0.1", server.port)
            await noticed(client)
            client.send(frame(DATA, 1, 1, message(b"x")))
            assert (await client.answer(1)).data == message(b"x")

    run(main())


def test_retired_twice_is_retired_once():
    """By its age and by the server."""

    async def main():
        async with service() as server, connected(server.port) as client:
            server.retire()
            server.retire()
            await client.gone()
            assert client.leaves == [(WIDE, 0), (0, 0)]

    run(main())


def test_stopping_waits_for_streams():
    """For the given time; a stream that is not done by then is cut off, without a status."""

    async def main():
        async with service() as server, connected(server.port) as quick, connected(server.port) as slow:
            quick.send(begin(1))
            slow.send(begin(1))
            await quick.until(lambda: server.state.running == 2)
            stopping = asyncio.ensure_future(server.stop(0.5))
            await noticed(quick)
            quick.send(frame(DATA, 1, 1, message(b"x")))
            assert (await quick.answer(1)).status == 0
            await stopping
            await slow.gone()
            assert slow.answers == {}
            await settled(server)

    run(main())


def test_stopping_does_not_wait_for_who_was_answered():
    """A client that never ends its side holds nobody up."""

    async def main():
        async with service() as server, connected(server.port) as client:
            client.send(begin(1, fields("/t/First")), frame(DATA, 0, 1, message(b"x")))
            assert (await client.answer(1)).status == 0
            async with asyncio.timeout(5):
                await server.stop(60)
            await client.gone()

    run(main())


def test_client_that_says_it_goes_is_let_go():
    """Once its streams are done."""

    async def main():
        async with service() as server, connected(server.port) as client:
            client.send(begin(1), frame(7, 0, 0, bytes(8)))
            client.send(frame(DATA, 1, 1, message(b"x")))
            assert (await client.answer(1)).status == 0
            await client.gone()

    run(main())


def test_reset_by_the_client_ends_its_handler():
    """At once, whatever it waits for."""

    async def main():
        async with service() as server, connected(server.port) as client:
            client.send(begin(1, fields("/t/Deaf")), frame(DATA, 0, 1, message(b"x")))
            await client.until(lambda: server.state.running)
            client.send(reset(1))
            await settled(server)

    run(main())


def test_connection_that_waits_to_be_accepted_is_served():
    """The kernel has completed the handshake; closing the listener would cut it off."""

    async def main():
        async with service() as server:
            waiting = socket.create_connection(("127.0.0.1", server.port))  # and the loop does not turn
            server.retire()
            waiting.settimeout(0)
            async with connected(server.port, sock=waiting) as client:
                client.send(asked(1, b"x"))
                assert (await client.answer(1)).data == message(b"x")

    run(main())
