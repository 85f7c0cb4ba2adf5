"""Whatever bytes come, in whatever pieces: nobody fails, nothing is left, and OK comes from a handler only."""

from __future__ import annotations

import asyncio

from hypothesis import given
from hypothesis import strategies as st

from support.bare_client import (
    ACK,
    DATA,
    END_STREAM,
    HEADERS,
    INITIAL_WINDOW,
    PING,
    RST,
    SETTINGS,
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
from support.played_service import METHODS, run, service
from support.properties import examples
from vsr_runtime.server.transport.stream import Method

PATHS = (*(f"/t/{name}" for _, name in METHODS), "/t/None")
NUMBERS = st.sampled_from((1, 3, 5, 7, 9))
FRAMES = st.one_of(
    st.builds(begin, NUMBERS, st.sampled_from([fields(path) for path in PATHS] + [fields()[:3]]), end=st.booleans()),
    st.builds(
        lambda number, data, end: frame(DATA, END_STREAM * end, number, data),
        NUMBERS,
        st.sampled_from((b"", b"\0", message(b"7"), message(b"90000"), message(b"9") * 3, message(b"\xff"), b"\1" * 9)),
        st.booleans(),
    ),
    st.builds(reset, NUMBERS),
    st.builds(window, st.sampled_from((0, 1, 3)), st.sampled_from((0, 1, 70_000, (1 << 31) - 1))),
    st.builds(lambda size: settings({INITIAL_WINDOW: size}), st.sampled_from((0, 1, 65_535, 1 << 31))),
    st.just(frame(PING, 0, 0, bytes(8))),
    st.builds(
        frame,
        st.sampled_from((DATA, HEADERS, RST, SETTINGS, 2, 5, 7, 9, 200)),
        st.integers(0, 255),
        st.integers(0, 9),
        st.binary(max_size=40),
    ),
)
CONVERSATIONS = st.lists(FRAMES, max_size=25).map(b"".join)


def recorded(handle, spoken: list[bytes]):
    """A handler that notes what it ends in OK with."""

    async def handled(stream):
        outcome = await handle(stream)
        if isinstance(outcome, bytes):
            spoken.append(outcome)
        return outcome

    return handled


async def put(data: bytes, cuts: list[int]) -> None:
    """Send bytes in pieces, wait for a moment, and look at what came."""
    spoken: list[bytes] = []
    methods = {name: Method(each.parse, recorded(each.handle, spoken)) for name, each in METHODS.items()}
    async with service(methods) as server, connected(server.port, hasty=True) as client:
        last = 0
        for cut in [*sorted(cut % (len(data) + 1) for cut in cuts), len(data)]:
            client.send(data[last:cut])
            last = cut
            await asyncio.sleep(0)
        client.send(frame(PING, 0, 0, b"the last"))
        for _ in range(50):
            await asyncio.sleep(0.001)
            if client.closed or (PING, ACK, 0) in client.frames:
                break
        assert sum(each.status == 0 for each in client.answers.values()) <= len(spoken)
        for each in client.answers.values():
            if each.status == 0:
                assert any(each.data.endswith(message(outcome)) for outcome in spoken)


@examples(50)
@given(st.binary(max_size=300), st.lists(st.integers(0, 300), max_size=3))
def test_bytes_of_any_kind(data, cuts):
    """After the preface."""
    run(put(data, cuts))


@examples(100)
@given(CONVERSATIONS, st.lists(st.integers(0, 5000), max_size=6))
def test_frames_of_any_kind(data, cuts):
    """Good and bad ones in any order, cut anywhere."""
    run(put(data, cuts))


@examples(50)
@given(
    st.lists(st.tuples(st.integers(0, 600), st.integers(0, 255)), min_size=1, max_size=4),
    st.lists(st.integers(0, 600), max_size=4),
    st.integers(0, 600),
)
def test_conversation_with_wrong_bytes(wrong, cuts, size):
    """A good one, of which some bytes are others and the end is missing."""
    data = bytearray(asked(1, b"a", b"b") + asked(3, b"900", path="/t/Large") + asked(5, b"x", path="/t/Parts"))
    data += begin(7, fields("/t/First")) + frame(DATA, 0, 7, message(b"y")) + reset(7) + asked(9, b"z")
    for at, value in wrong:
        data[at % len(data)] = value
    run(put(bytes(data[: len(data) - size % 80]), cuts))
