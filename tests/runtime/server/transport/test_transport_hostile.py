"""What clients may do to harm: afterwards nothing is left of it, and others were served meanwhile."""

from __future__ import annotations

import asyncio
import os
import random
import socket
import struct
from collections.abc import Iterator, Sequence
from contextlib import suppress

import pytest

from support.bare_client import (
    ANY_TIME,
    CONTINUATION,
    DATA,
    END_HEADERS,
    HEADERS,
    INITIAL_WINDOW,
    PING,
    PREFACE,
    PRIORITY,
    SETTINGS,
    asked,
    begin,
    connected,
    fields,
    frame,
    literal,
    message,
    reset,
    settings,
    window,
)
from support.played_service import run, served_well, service, settled
from vsr_runtime.server.transport import connection
from vsr_runtime.server.transport.stream import Status

PAGE = os.sysconf("SC_PAGE_SIZE")


def batched(items: Sequence, size: int) -> Iterator[Sequence]:
    """Items, some at a time."""
    return (items[at : at + size] for at in range(0, len(items), size))


def resident() -> int:
    """Bytes of memory that this process has."""
    with open("/proc/self/statm", encoding="ascii") as file:  # noqa: PTH123 - a plain read of procfs
        return int(file.read().split()[1]) * PAGE


async def flood(server, *parts: bytes, times: int = 1) -> None:
    """Send bytes again and again without reading, until they are all sent or nobody takes them any more."""
    loop = asyncio.get_running_loop()
    many = b"".join(parts)
    many *= max(1, 60_000 // len(many))
    with socket.socket() as connection:
        connection.setblocking(False)  # noqa: FBT003 - as it is called
        await loop.sock_connect(connection, ("127.0.0.1", server.port))
        with suppress(TimeoutError, ConnectionError):
            async with asyncio.timeout(1):
                await loop.sock_sendall(connection, PREFACE + settings({}))
                for _ in range(max(1, times * sum(map(len, parts)) // len(many))):
                    for some in batched(many, 60_000):
                        await loop.sock_sendall(connection, some)
        await served_well(server.port)


@pytest.mark.parametrize("path", ["/t/Echo", "/t/Deaf", "/t/None", "/t/Large"])
def test_rapid_resets(path):
    """Streams that are begun and cancelled, before their handlers have begun: each gives its place back."""

    async def main():
        async with service() as server, connected(server.port) as client:
            for some in batched(range(1, 20_000, 2), 500):
                client.send(*(begin(each, fields(path)) + reset(each) for each in some))
                await asyncio.sleep(0)
                assert server.state.running <= 1000
            client.send(asked(20_001, b"x"))
            assert (await client.answer(20_001)).status == 0
            await settled(server)

    run(main())


@pytest.mark.parametrize(
    "part",
    [
        frame(PING, 0, 0, bytes(8)),
        frame(PING, 1, 0, bytes(8)),
        settings({INITIAL_WINDOW: 1}),
        settings({1: 0}) + settings({1: 4096}),
        frame(PRIORITY, 0, 1, struct.pack(">IB", 0, 1)),
        window(0, 1),
        begin(1) + frame(DATA, 0, 1),
        frame(DATA, 0, 1),
        frame(0x77, 0, 0, bytes(100)),
        frame(HEADERS, 0, 1, literal(fields())) + frame(CONTINUATION, 0, 1),
    ],
    ids=["ping", "pong", "settings", "tables", "priority", "window", "empty", "idle", "unknown", "continuation"],
)
def test_floods_of_frames(part):
    """From a client that reads nothing: answers do not pile up, and others are served."""

    async def main():
        async with service() as server:
            before = resident()
            await flood(server, part, times=100_000)
            assert resident() - before < 16 << 20

    run(main())


def test_priorities_of_streams_that_never_begin():
    """They are kept by no more than a bounded number, however they depend on each other."""

    async def main():
        async with service() as server:
            before = resident()
            parts = [frame(PRIORITY, 0, each, struct.pack(">IB", each - 2, 1)) for each in range(3, 60_001, 2)]
            await flood(server, *parts)
            assert resident() - before < 16 << 20

    run(main())


@pytest.mark.parametrize("path", ["/t/None", "/t/Echo", "/t/Refusing"])
def test_client_that_reads_nothing(path):
    """Nothing more is heard of it once it does not take its answers, and of what it has asked little is kept."""

    async def main():
        async with service() as server:
            parts = [asked(each, b"x" * 100, path=path) + reset(each) for each in range(1, 200_001, 2)]
            before = resident() + sum(map(len, parts))
            await flood(server, *parts)
            assert resident() - before < 32 << 20

    run(main())


def test_client_that_takes_no_answers():
    """Large ones over many streams: they are counted, so nothing more is received until they were given up."""

    async def main():
        async with (
            service(buffered=4 << 20) as server,
            connected(server.port, {INITIAL_WINDOW: 0}) as client,
        ):
            client.send(*(asked(each, b"1000000", path="/t/Large") for each in range(1, 41, 2)))
            client.send(asked(41, b"x"))
            await client.until(lambda: 41 in client.answers)
            async with connected(server.port) as other:
                other.send(asked(1, b"x"))
                assert (await other.answer(1)).status == Status.RESOURCE_EXHAUSTED
            await client.close()
            await settled(server)

    run(main())


def test_half_messages_on_many_streams():
    """They fill what there is for all, from then on each is refused; with their end there is place again."""

    async def main():
        async with service(buffered=4 << 20) as server, connected(server.port) as client:
            for each in range(1, 21, 2):
                half = message(bytes(900_000))[:500_000]
                client.send(begin(each), *(frame(DATA, 0, each, cut) for cut in batched(half, 16_000)))
            await client.answer(19)
            assert {each.status for each in client.answers.values()} == {Status.RESOURCE_EXHAUSTED}
            assert server.state.buffered <= 4 << 20  # who was refused holds nothing any more
            client.send(*(reset(each) for each in range(1, 21, 2)))
            await settled(server)
            client.send(asked(31, b"x"))
            assert (await client.answer(31)).status == 0

    run(main())


def test_messages_that_nobody_reads():
    """Many small ones: no more come than a window holds, and each counts as many bytes as it has."""

    async def main():
        async with service() as server, connected(server.port) as client:
            client.send(begin(1, fields("/t/Deaf")))
            before = resident()
            client.send(*(frame(DATA, 0, 1, message(b"") * 3000) for _ in range(69)))
            client.send(asked(3, b"x"))
            assert (await client.answer(3)).status == 0
            assert server.state.buffered == 69 * 15_000
            assert resident() - before < 16 << 20
            assert client.credit.get(1, 0) == 0

    run(main())


def test_block_that_grows_as_it_is_decoded():
    """A byte for each time that a long field is repeated: none of it is kept."""
    block = literal(fields()) + b"\x40" + b"\x01a" + b"\x7f\xa1\x1e" + b"x" * 4000

    async def main():
        async with service() as server, connected(server.port) as client:
            before = resident()
            client.send(frame(HEADERS, 0, 1, block))
            client.send(*(frame(CONTINUATION, 0, 1, b"\xbe" * 16_000) for _ in range(6)))
            client.send(frame(CONTINUATION, END_HEADERS, 1, b"\xbe" * 16_000), frame(DATA, 1, 1, message(b"x")))
            answer = await client.answer(1)
            assert answer.status == 0 or answer.reset is not None or client.leaves
            assert resident() - before < 8 << 20

    run(main())


def test_headers_without_an_end():
    """They are cut off, at the latest after some hundred KiB."""

    async def main():
        async with service() as server, connected(server.port) as client:
            client.send(frame(HEADERS, 0, 1, literal(fields())))
            for _ in range(100):
                client.send(frame(CONTINUATION, 0, 1, (b"\0\x01a\x7f\x81\x7e" + b"x" * 16_256)[:16_384]))
            await client.gone()

    run(main())


def test_streams_that_were_answered_and_are_never_ended():
    """A client that forgets them has no more than some of them open: the oldest are ended for it."""

    async def main():
        async with service(streams=200) as server, connected(server.port) as client:
            for some in batched(range(1, 2001, 2), 100):
                client.send(*(begin(each, fields("/t/First")) + frame(DATA, 0, each, message(b"x")) for each in some))
                for each in some:
                    await client.until(lambda each=each: each in client.answers and client.answers[each].ended)
            assert all(client.answers[each].status == 0 for each in range(1, 2001, 2))
            (one,) = server.state.connections
            assert len(one._calls) <= 64
            assert client.answers[1].reset == 0

    run(main())


def test_streams_that_only_wait(monkeypatch):
    """Nothing asked, or an answer not taken: they are ended some time after their connection was to go."""
    monkeypatch.setattr(connection, "AGE", 0.1)
    monkeypatch.setattr(connection, "_NOTICE", 0.1)
    monkeypatch.setattr(connection, "STALLED", 0.2)

    async def main():
        async with service() as server, connected(server.port, {INITIAL_WINDOW: 0}) as client:
            client.send(begin(1), asked(3, b"100", path="/t/Large"))
            await client.gone()
            assert (client.answers[1].reset, client.answers[3].reset) == (8, 8)
            await settled(server)

    run(main())


def test_more_connections_than_there_may_be(monkeypatch):
    """One more is closed, and the others are served."""
    monkeypatch.setattr(connection, "MAX_CONNECTIONS", 3)

    async def main():
        async with service() as server:
            async with connected(server.port) as one, connected(server.port) as two, connected(server.port) as three:
                for each in (one, two, three):
                    each.send(asked(1, b"x"))
                    assert (await each.answer(1)).status == 0
                async with connected(server.port) as four:
                    await four.gone()
            async with asyncio.timeout(ANY_TIME):
                while server.connections:  # noqa: ASYNC110 - there is no event for it
                    await asyncio.sleep(0.01)

    run(main())


def test_connections_dropped_at_any_moment():
    """In the middle of anything."""
    chance = random.Random(7)  # noqa: S311 - not for secrets

    async def main():
        async with service() as server:
            for _ in range(150):
                async with connected(server.port, {INITIAL_WINDOW: chance.choice((0, 9, 65_535))}) as client:
                    paths = ("Echo", "First", "Large", "Parts", "Broken", "Deaf", "None")
                    parts = [asked(each, b"90000", path=f"/t/{chance.choice(paths)}") for each in range(1, 40, 2)]
                    whole = b"".join(parts)
                    client.send(whole[: chance.randrange(len(whole))])
                    for _ in range(chance.randrange(6)):
                        await asyncio.sleep(0)
            await settled(server)

    run(main())


def test_settings_frame_that_never_comes():
    """A connection without a word is closed at its age, like all others."""

    async def main():
        async with service() as server, connected(server.port) as client:
            client.send(frame(SETTINGS, 0, 0, bytes(5)))  # no settings are of this length
            await client.gone()
            assert client.leaves[-1][1] == 6

    run(main())
