"""What a front and an engine process say to each other: MessagePack in frames whose length is bounded.

Times are of the machine's monotonic clock, which all of its processes share.
"""

from __future__ import annotations

import asyncio
from array import array
from collections.abc import Sequence
from typing import Literal

import msgspec

from vsr_runtime.inference.errors import classify_extra
from vsr_runtime.inference.token_sequence import Answer, TokenSequence

with classify_extra():
    import numpy as np

MOST_BYTES = 64 << 20
"""Of a frame."""

Why = Literal["overloaded", "timeout", "broken"]


class Frame(msgspec.Struct, tag_field="is", forbid_unknown_fields=True, frozen=True):
    """Base of all messages."""


class Hello(Frame, tag="hello", frozen=True):
    """A front's first word: a hash of the classifiers that it wants to ask."""

    digest: str


class Welcome(Frame, tag="welcome", frozen=True):
    """The engine's answer: the hash of the classifiers that it runs."""

    digest: str


class Ask(Frame, tag="ask", frozen=True):
    """Pieces for a task: token ids as int32, and the heads whose word on every token is wanted."""

    number: int
    task: str
    until: float
    sequences: list[tuple[bytes, list[str]]]


class Drop(Frame, tag="drop", frozen=True):
    """Nobody waits for this any more."""

    number: int


class Ping(Frame, tag="ping", frozen=True):
    """Are you there?"""


class Pong(Frame, tag="pong", frozen=True):
    """Yes: and so much waits, and so it goes."""

    waiting: int
    healthy: bool


class Answers(Frame, tag="answers", frozen=True):
    """For each sequence, by head: shape and float32 values."""

    number: int
    answers: list[dict[str, tuple[list[int], bytes]]]


class Refused(Frame, tag="refused", frozen=True):
    """There will be no answer."""

    number: int
    why: Why


FromFront = Hello | Ask | Drop | Ping
FromEngine = Welcome | Pong | Answers | Refused

_encoder = msgspec.msgpack.Encoder()
read_front = msgspec.msgpack.Decoder(FromFront)
read_engine = msgspec.msgpack.Decoder(FromEngine)


class FrameError(Exception):
    """What came is no frame of ours, or too long."""


def frame(message: Frame) -> bytes:
    """A message with its length before it.

    Raises:
        FrameError: It is too long.
    """
    data = _encoder.encode(message)
    if len(data) > MOST_BYTES:
        raise FrameError(f"a frame of {len(data)} bytes; {MOST_BYTES} are the most")
    return len(data).to_bytes(4, "big") + data


async def next_frame(reader: asyncio.StreamReader) -> bytes:
    """The next message's bytes.

    Raises:
        FrameError: It is too long.
        asyncio.IncompleteReadError: The other end is gone.
    """
    size = int.from_bytes(await reader.readexactly(4), "big")
    if size > MOST_BYTES:
        raise FrameError(f"a frame of {size} bytes; {MOST_BYTES} are the most")
    return await reader.readexactly(size)


def pack_sequences(sequences: Sequence[TokenSequence]) -> list[tuple[bytes, list[str]]]:
    """Pieces as ``Ask`` carries them."""
    return [(array("i", sequence.ids).tobytes(), sorted(sequence.tokens_of)) for sequence in sequences]


def unpack_sequences(packed: Sequence[tuple[bytes, list[str]]]) -> list[TokenSequence]:
    """The other way.

    Raises:
        ValueError: The ids are cut off.
    """
    found = []
    for data, tokens_of in packed:
        ids = array("i")
        ids.frombytes(data)
        found.append(TokenSequence(ids, frozenset(tokens_of)))
    return found


def pack_answers(answers: Sequence[Answer]) -> list[dict[str, tuple[list[int], bytes]]]:
    """Answers as ``Answers`` carries them."""
    return [
        {name: (list(row.shape), np.ascontiguousarray(row, dtype="<f4").tobytes()) for name, row in answer.items()}
        for answer in answers
    ]


def unpack_answers(packed: Sequence[dict[str, tuple[list[int], bytes]]]) -> list[Answer]:
    """The other way.

    Raises:
        ValueError: Shapes and values do not fit together.
    """
    return [
        {name: np.frombuffer(data, dtype="<f4").reshape(shape) for name, (shape, data) in answer.items()}
        for answer in packed
    ]
