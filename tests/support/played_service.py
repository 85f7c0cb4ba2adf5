"""A service of small methods behind the transport, and what must be true of it whatever its clients did."""

from __future__ import annotations

import asyncio
import gc
import os
from contextlib import asynccontextmanager
from functools import cache

import uvloop

from support.bare_client import ANY_TIME, asked, connected, message
from vsr_runtime.server.address import Address
from vsr_runtime.server.transport import nghttp2_server, session
from vsr_runtime.server.transport.nghttp2_server import Nghttp2Server
from vsr_runtime.server.transport.stream import Method, Status

BAD = b"\xff"
MOST = 1 << 20
"""Bytes of a message."""


def parsed(data: bytes) -> tuple[bytes]:
    """Something true, whatever the bytes, but for those that are no message."""
    if data.startswith(BAD):
        raise ValueError(data)
    return (data,)


async def echo(stream):
    """Answer with all that was asked."""
    found = []
    while given := await stream.read():
        found.append(given[0])
    return b"|".join(found)


async def first(stream):
    """Answer the first message."""
    given = await stream.read()
    return given[0] if given else (Status.INTERNAL, "nothing was asked")


async def large(stream):
    """Answer with as many bytes as are asked."""
    (number,) = await stream.read()
    return b"x" * int(number)


async def parts(stream):
    """Answer each message at once, and in the end say how many they were."""
    count = 0
    while given := await stream.read():
        await stream.write(given[0])
        count += 1
    return b"%d" % count


async def broken(stream):
    """Fail."""
    await stream.read()
    raise ValueError("secret")


async def refusing(_):
    """End in a status whose reason is not of plain letters."""
    return Status.NOT_FOUND, "100% größer\n\ud800" + "x" * 5000


async def deaf(_):
    """Read nothing, for ever."""
    await asyncio.Event().wait()
    return b"never"


METHODS = {
    ("t", each.__name__.capitalize()): Method(parsed, each)
    for each in (echo, first, large, parts, broken, refusing, deaf)
}


async def settled(server: Nghttp2Server) -> None:
    """Wait until nothing runs and nothing is counted."""
    async with asyncio.timeout(ANY_TIME):
        while server.state.running or server.state.buffered:  # noqa: ASYNC110 - there is no event for it
            await asyncio.sleep(0.01)


async def served_well(port: int, **more) -> None:
    """A client that behaves is served."""
    async with connected(port, **more) as client:
        client.send(asked(1, b"still", b"there"))
        answer = await client.answer(1)
        assert (answer.status, answer.data) == (0, message(b"still|there"))


@asynccontextmanager
async def service(methods=METHODS, *, tls=None, most=MOST, streams=100, buffered=None, faulty=False, **more):
    """The methods, served; afterwards nothing may be left of what clients did, and nobody have failed unseen.

    Where the transport is to be ``faulty``, that must have been logged.
    """
    loop, unseen, faults = asyncio.get_running_loop(), [], []
    loop.set_exception_handler(lambda _, context: unseen.append(context))
    log, session.log = session.log, lambda *event, **fields: faults.append((event, fields))
    try:
        server = await nghttp2_server.listen(Address("127.0.0.1", 0), tls, methods, max_message=most, streams=streams)
        server.state.max_buffered = buffered or server.state.max_buffered
        try:
            yield server
        except BaseException:
            await server.stop(0)  # or else the loop would not close
            raise
        await settled(server)
        if server._server.is_serving() and ("t", "Echo") in methods:
            await served_well(server.port, **more)
        await server.stop(0)
        async with asyncio.timeout(ANY_TIME):
            while server.connections or server.state.running:  # noqa: ASYNC110 - there is no event for it
                await asyncio.sleep(0.01)
        assert server.state.buffered == 0
        gc.collect()
        await asyncio.sleep(0)
        assert not unseen
        assert bool(faults) == faulty
    finally:
        session.log = log


@cache
def spare_collector(module: str) -> None:
    """Exempt from collection what is alive when a module begins: each service collects, to see what is left of it."""
    del module
    gc.collect()
    gc.freeze()


def run(main) -> None:
    """Run on the loop that serves in production."""
    spare_collector(os.environ["PYTEST_CURRENT_TEST"].partition("::")[0])
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main)
