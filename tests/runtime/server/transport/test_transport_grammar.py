"""What a stream may be made of, and how what it may not be made of ends."""

from __future__ import annotations

import struct

import pytest

from support.bare_client import (
    CONTINUATION,
    DATA,
    END_HEADERS,
    END_STREAM,
    HEADERS,
    INITIAL_WINDOW,
    PADDED,
    WIDE,
    asked,
    begin,
    connected,
    fields,
    frame,
    literal,
    message,
)
from support.played_service import BAD, MOST, run, served_well, service
from vsr_runtime.server.transport.stream import Status

ABC = message(b"a") + message(b"") + message(b"bc")


def exchange(*given: bytes, **more):
    """What comes of bytes on stream 1."""
    found = []

    async def main():
        async with service(**more) as server, connected(server.port) as client:
            client.send(*given)
            found.append(await client.answer(1))

    run(main())
    return found[0]


def pieces(data: bytes, size: int) -> bytes:
    """Data in frames of some size, the last of which ends the stream."""
    cut = [data[at : at + size] for at in range(0, len(data), size)]
    return b"".join(frame(DATA, 0, 1, each) for each in cut[:-1]) + frame(DATA, END_STREAM, 1, cut[-1])


@pytest.mark.parametrize("size", [1, 2, 5, 7, 1000])
def test_messages_do_not_depend_on_frames(size):
    """Several in one frame, one over many, empty ones: the same messages."""
    assert exchange(begin(1), pieces(ABC, size)).data == message(b"a||bc")


def test_padding_is_no_data():
    """It is dropped, and the window that it took is given back."""
    assert exchange(begin(1), frame(DATA, END_STREAM | PADDED, 1, b"\x09" + ABC + bytes(9))).data == message(b"a||bc")


def test_end_may_come_alone():
    """As an empty frame of data or as trailers."""
    for end in (frame(DATA, END_STREAM, 1), begin(1, (("x-more", "1"),), end=True)):
        answer = exchange(begin(1), frame(DATA, 0, 1, ABC), end)
        assert (answer.status, answer.data) == (0, message(b"a||bc"))


def test_stream_without_messages():
    """Headers may end it: the method sees that nothing was asked."""
    assert exchange(begin(1, end=True)).data == message(b"")
    assert exchange(begin(1, fields("/t/First"), end=True)).status == Status.INTERNAL


@pytest.mark.parametrize("cut", [1, 4, 5, 6])
@pytest.mark.parametrize("before", [b"", message(b"whole")])
def test_part_of_a_message_is_an_error(cut, before):
    """A stream that ends within a message was cut off, and what it asked is not known."""
    answer = exchange(begin(1), frame(DATA, END_STREAM, 1, before + message(b"ab")[:cut]))
    assert (answer.status, answer.data) == (Status.INTERNAL, b"")


@pytest.mark.parametrize("before", [b"", message(b"whole")])
def test_compression_is_refused(before):
    """None was agreed on."""
    answer = exchange(begin(1), frame(DATA, 0, 1, before + message(b"ab", compressed=1)))
    assert answer.status == Status.UNIMPLEMENTED


def test_large_message_is_refused_by_its_length_alone():
    """Before anything of it has come."""
    answer = exchange(begin(1), frame(DATA, 0, 1, b"\0" + struct.pack(">I", MOST + 1)))
    assert answer.status == Status.RESOURCE_EXHAUSTED


def test_largest_message_is_served():
    """It is larger than the window: what has come of it is acknowledged before it is whole."""
    data = message(bytes(MOST))

    async def main():
        async with service() as server, connected(server.port, {INITIAL_WINDOW: WIDE}) as client:
            client.send(begin(1))
            for at in range(0, len(data), 16_384):
                await client.until(lambda at=at: (1 << 20) + client.credit.get(1, 0) >= at + 16_384 or client.closed)
                client.send(frame(DATA, 0, 1, data[at : at + 16_384]))
            client.send(frame(DATA, END_STREAM, 1))
            assert (await client.answer(1)).data == data

    run(main())


@pytest.mark.parametrize("before", [b"", message(b"whole")])
def test_bytes_that_are_no_message(before):
    """The service's parser says so."""
    assert exchange(begin(1), frame(DATA, 0, 1, before + message(BAD))).status == Status.INTERNAL


def test_unknown_path():
    """Told apart from a method that fails."""
    for path in ("/t/None", "/", "/t/Echo/", "/t/Echo?x"):
        assert exchange(begin(1, fields(path))).status == Status.UNIMPLEMENTED


@pytest.mark.parametrize("headers", [fields(kind="text/html"), fields(kind=""), fields()[:4]])
def test_what_is_no_grpc(headers):
    """415, as gRPC has it."""
    answer = exchange(begin(1, headers))
    assert (answer.headers, answer.data) == ({":status": "415"}, b"")


def test_kind_of_a_stream_is_no_other_streams():
    """Headers leave nothing behind for those of the next stream, and trailers neither."""

    async def main():
        async with service() as server, connected(server.port) as client:
            client.send(begin(1), begin(1, (("content-type", "application/grpc"),), end=True), begin(3, fields()[:4]))
            assert (await client.answer(1)).status == 0
            assert (await client.answer(3)).headers == {":status": "415"}

    run(main())


ISTIO = (*fields()[:3], (":authority", "outbound|50051||router.example"), *fields()[4:])


@pytest.mark.parametrize(
    "headers", [ISTIO, (*fields(), ("content-length", "77")), fields()[1:], (*fields(), ("X", "y"))]
)
def test_headers_that_say_more_than_is_asked(headers):
    """What names no method is not looked at: gateways put names of clusters where HTTP has names of hosts."""
    answer = exchange(begin(1, headers), frame(DATA, END_STREAM, 1, ABC))
    assert (answer.status, answer.data) == (0, message(b"a||bc"))


@pytest.mark.parametrize("headers", [(), fields()[:2], (*fields()[4:], *fields()[:4])])
def test_headers_that_are_no_request(headers):
    """Pseudo headers that are missing or come late: no method answers."""
    answer = exchange(begin(1, headers))
    assert answer.headers == {":status": "415"}


def test_headers_without_a_path():
    """As if it were a path that nobody knows."""
    assert exchange(begin(1, fields()[:2] + fields()[3:])).status == Status.UNIMPLEMENTED


def test_headers_over_several_frames():
    """They are one block."""
    block = literal(fields())
    cut = frame(HEADERS, 0, 1, block[:9]) + frame(CONTINUATION, 0, 1, block[9:20])
    answer = exchange(cut, frame(CONTINUATION, END_HEADERS, 1, block[20:]), frame(DATA, END_STREAM, 1, ABC))
    assert answer.data == message(b"a||bc")


@pytest.mark.parametrize(
    "text",
    [
        b"GET / HTTP/1.1\r\nhost: x\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(32),
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r.",
        bytes(100),
    ],
)
def test_what_is_no_http2(text):
    """HTTP/1.1, TLS where none is spoken, noise: the connection is closed."""

    async def main():
        import asyncio  # noqa: PLC0415 - for this alone

        async with service() as server:
            reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
            writer.write(text)
            async with asyncio.timeout(10):
                await reader.read()
            writer.close()

    run(main())


def test_message_after_the_answer():
    """It changes nothing, and the connection goes on."""

    async def main():
        async with service() as server, connected(server.port) as client:
            client.send(begin(1, fields("/t/First")), frame(DATA, 0, 1, message(b"one")))
            answer = await client.answer(1)
            assert (answer.status, answer.data) == (0, message(b"one"))
            client.send(*(frame(DATA, 0, 1, bytes(16_384)) for _ in range(200)), asked(3, b"next"))
            assert (await client.answer(3)).data == message(b"next")

    run(main())


def test_streams_do_not_mix():
    """Pieces of many at a time."""

    async def main():
        async with service() as server, connected(server.port) as client:
            numbers = range(1, 101, 2)
            client.send(*map(begin, numbers))
            for at in range(4):
                client.send(*(frame(DATA, 0, each, message(b"%04d" % each)[at * 3 : at * 3 + 3]) for each in numbers))
            client.send(*(frame(DATA, END_STREAM, each) for each in reversed(numbers)))
            for each in numbers:
                assert (await client.answer(each)).data == message(b"%04d" % each)

    run(main())


def test_one_window_serves_many_messages():
    """Bytes are acknowledged on every way: read, not read any more, of streams that were refused or reset."""

    async def main():
        async with service() as server, connected(server.port) as client:
            client.send(begin(1, fields("/t/None")), begin(3, fields(kind="text/html")), begin(5, fields("/t/Broken")))
            sent = 0
            for number in (1, 3, 5, 7):
                if number == 7:
                    client.send(begin(7), frame(3, 0, 7, bytes(4)))
                for _ in range(63):
                    sent += 16_384
                    client.send(frame(DATA, 0, number, bytes(16_384)))
            client.send(asked(9, b"there"))
            assert (await client.answer(9)).status == 0
            assert client.credit[0] >= (16 << 20) - 65_535 + sent - (8 << 20)
            await served_well(server.port)

    run(main())
