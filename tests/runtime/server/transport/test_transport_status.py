"""How streams end, and what clients with narrow windows get of their answers."""

from __future__ import annotations

import asyncio
from urllib.parse import unquote

import grpc
import pytest

from support.bare_client import (
    FRAME_SIZE,
    INITIAL_WINDOW,
    WIDE,
    asked,
    begin,
    connected,
    fields,
    frame,
    message,
    reset,
    settings,
    window,
)
from support.played_service import METHODS, run, service, settled
from vsr_runtime.server.transport import connection
from vsr_runtime.server.transport.stream import Method, Status


def test_ok_comes_with_the_last_message_only():
    """What was written before does not end a stream."""

    async def main():
        async with service() as server, connected(server.port) as client:
            client.send(begin(1, fields("/t/Parts")), frame(0, 0, 1, message(b"a") + message(b"b")))
            await client.until(lambda: 1 in client.answers and len(client.answers[1].data) == 12)
            assert (client.answers[1].status, client.answers[1].ended) == (None, False)
            client.send(frame(0, 1, 1))
            answer = await client.answer(1)
            assert (answer.status, answer.data) == (0, message(b"a") + message(b"b") + message(b"2"))

    run(main())


def test_failures_say_little():
    """The kind of an exception, none of its text."""

    async def main():
        async with service() as server, connected(server.port) as client:
            client.send(asked(1, b"x", path="/t/Broken"))
            answer = await client.answer(1)
            assert answer.status == Status.INTERNAL
            assert unquote(answer.headers["grpc-message"]) == "internal error (ValueError)"

    run(main())


def test_reason_is_encoded_and_bounded():
    """Whatever it holds, it fits a header."""

    async def main():
        async with service() as server, connected(server.port) as client:
            client.send(asked(1, path="/t/Refusing"))
            answer = await client.answer(1)
            assert answer.status == Status.NOT_FOUND
            assert answer.headers["grpc-message"].startswith("100%25%20gr%C3%B6%C3%9Fer%0A")
            assert answer.headers["grpc-message"].isascii()
            assert len(answer.headers["grpc-message"]) < 2000

    run(main())


def test_failure_after_messages_is_the_status():
    """What was written is sent, then the status in trailers."""

    async def fails(stream):
        await stream.write(b"one")
        raise ValueError

    async def main():
        async with (
            service({("t", "Fails"): Method(bytes, fails)} | METHODS) as server,
            connected(server.port) as client,
        ):
            client.send(asked(1, path="/t/Fails"))
            answer = await client.answer(1)
            assert (answer.status, answer.data) == (Status.INTERNAL, message(b"one"))

    run(main())


def test_grpc_agrees():
    """A client of gRPC's own sees the same statuses and messages, and errors."""

    async def main():
        async with service() as server, grpc.aio.insecure_channel(f"127.0.0.1:{server.port}") as channel:
            call = channel.unary_unary("/t/Large")
            assert await call(b"700000") == b"x" * 700_000
            for path, code in (("/t/Broken", grpc.StatusCode.INTERNAL), ("/t/None", grpc.StatusCode.UNIMPLEMENTED)):
                with pytest.raises(grpc.aio.AioRpcError) as error:
                    await channel.unary_unary(path)(b"")
                assert error.value.code() == code
            with pytest.raises(grpc.aio.AioRpcError) as error:
                await channel.unary_unary("/t/Refusing")(b"")
            assert error.value.details().startswith("100% größer\n?x")
            assert await channel.stream_unary("/t/Echo")(iter([b"a", b"b"])) == b"a|b"

    run(main())


@pytest.mark.parametrize("step", [1, 1000, 65_535])
def test_answers_fit_the_windows(step):
    """No byte more than the client's window allows, and all of them in the end."""
    size = 3000 if step == 1 else 100_000

    async def main():
        async with service() as server, connected(server.port, {INITIAL_WINDOW: 0}) as client:
            client.send(asked(1, b"%d" % size, path="/t/Large"))
            await client.until(lambda: 1 in client.answers)
            got = 0
            while got < size + 5:
                assert not client.answers[1].ended
                client.send(window(1, step))
                got = min(got + step, size + 5)
                await client.until(lambda got=got: len(client.answers[1].data) >= got)
                assert len(client.answers[1].data) == got
            assert (await client.answer(1)).status == 0

    run(main())


def test_windows_that_shrink():
    """Below zero, in the middle of an answer: it waits until the window opens again."""

    async def main():
        async with service() as server, connected(server.port, {INITIAL_WINDOW: 50_000}) as client:
            client.send(asked(1, b"100000", path="/t/Large"))
            await client.until(lambda: 1 in client.answers and len(client.answers[1].data) == 50_000)
            client.send(settings({INITIAL_WINDOW: 10}), window(1, 40_000))
            client.send(asked(3, b"1"))
            await client.until(lambda: 3 in client.answers and len(client.answers[3].data) == 6)
            assert len(client.answers[1].data) == 50_000
            client.send(settings({INITIAL_WINDOW: WIDE}))
            answer = await client.answer(1)
            assert (answer.status, len(answer.data)) == (0, 100_005)

    run(main())


def test_frames_are_no_longer_than_asked():
    """16 KiB unless the client takes more."""

    async def main():
        async with service() as server:
            for most in (16_384, 100_000):
                async with connected(server.port, {FRAME_SIZE: most, INITIAL_WINDOW: WIDE}) as client:
                    client.send(asked(1, b"500000", path="/t/Large"))
                    assert (await client.answer(1)).status == 0
                    assert 16_000 < client.longest <= most

    run(main())


def test_handler_waits_until_its_messages_are_taken(monkeypatch):
    """Else what a client does not take would pile up; if it never does, the handler ends."""
    monkeypatch.setattr("vsr_runtime.server.transport.call.STALLED", 0.3)
    wrote, ends = [], []

    async def talks(stream):
        try:
            while True:
                await stream.write(bytes(50_000))
                wrote.append(1)
        except TimeoutError:
            ends.append(1)
            raise

    async def main():
        methods = {("t", "Talks"): Method(bytes, talks)} | METHODS
        async with service(methods) as server, connected(server.port, {INITIAL_WINDOW: 0}) as client:
            client.send(begin(1, fields("/t/Talks")))
            while not ends:  # noqa: ASYNC110 - there is no event for it
                await asyncio.sleep(0.01)
            assert len(wrote) == 1
            assert server.state.running == 1  # what it wrote waits yet
            client.send(reset(1))
            await settled(server)

    run(main())


def test_more_streams_than_agreed():
    """What came before the client could know of the limit is refused one by one; later it is the connection's fault."""

    async def main():
        async with service(streams=3) as server:
            async with connected(server.port, hasty=True) as client:
                client.send(*(begin(each, fields("/t/Deaf")) for each in range(1, 20, 2)))
                await client.until(lambda: client.leaves or sum(a.reset == 7 for a in client.answers.values()) == 7)
                assert server.state.running == 3
                await client.until(lambda: (4, 1, 0) in client.frames)
                client.send(reset(1), asked(21, b"x"))
                assert (await client.answer(21)).status == 0
                client.send(*(begin(each, fields("/t/Deaf")) for each in range(23, 30, 2)))
                await client.gone()
                assert client.leaves[-1][1] == 1
            await settled(server)

    run(main())


def test_more_streams_than_there_may_be_at_all(monkeypatch):
    """Over all connections: one more is refused in words, and places are free again."""
    monkeypatch.setattr(connection, "MAX_STREAMS", 5)

    async def main():
        async with service() as server, connected(server.port) as one, connected(server.port) as two:
            one.send(*(begin(each, fields("/t/Deaf")) for each in (1, 3, 5)))
            two.send(*(begin(each, fields("/t/Deaf")) for each in (1, 3, 5)))
            two.send(asked(7, b"x"))
            await two.answer(7)
            refused = [each.status for client in (one, two) for each in client.answers.values()]
            assert refused.count(Status.RESOURCE_EXHAUSTED) >= 1
            one.send(reset(1), reset(3), reset(5))
            two.send(reset(1), reset(3), reset(5))
            await settled(server)
            two.send(asked(9, b"x"))
            assert (await two.answer(9)).status == 0

    run(main())


def test_answers_that_are_not_taken_keep_their_place(monkeypatch):
    """A handler that has ended is not enough: else a client with no window would pile up answers without an end."""
    monkeypatch.setattr(connection, "MAX_STREAMS", 5)

    async def main():
        async with service() as server, connected(server.port, {INITIAL_WINDOW: 0}) as client:
            client.send(*(asked(each, b"900000", path="/t/Large") for each in range(1, 20, 2)))
            await client.answer(19)
            assert server.state.running == 5
            assert server.state.buffered == 5 * 900_005
            client.send(*(reset(each) for each in range(1, 20, 2)))
            await settled(server)

    run(main())


def test_streams_that_begin_while_it_stops():
    """They are refused in words."""

    async def main():
        async with service() as server, connected(server.port) as client:
            client.send(asked(1, b"x"))
            assert (await client.answer(1)).status == 0
            server.state.stopping = True
            client.send(asked(3, b"x"))
            assert (await client.answer(3)).status == Status.UNAVAILABLE
            server.state.stopping = False

    run(main())


def test_done_callback_runs_when_the_answer_was_sent():
    """Not only once the client has ended its side, too, which it may never do."""
    done = []

    async def tells(stream):
        stream.add_done_callback(done.append)
        return (await stream.read())[0]

    async def main():
        methods = {("t", "Tells"): Method(lambda data: (data,), tells)} | METHODS
        async with service(methods) as server, connected(server.port) as client:
            client.send(begin(1, fields("/t/Tells")), frame(0, 0, 1, message(b"x")))
            assert (await client.answer(1)).status == 0
            assert len(done) == 1

    run(main())
