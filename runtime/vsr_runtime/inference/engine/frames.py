"""The protocol between servers and an engine process: MessagePack in frames of bounded length.

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
"""Bytes of a frame at most."""

Reason = Literal["overloaded", "timeout", "broken"]


class Frame(msgspec.Struct, tag_field="is", forbid_unknown_fields=True, frozen=True):
    """Base of all messages."""


class Hello(Frame, tag="hello", frozen=True):
    """A server's first message: a hash of the classifiers that it will ask."""

    digest: str


class Welcome(Frame, tag="welcome", frozen=True):
    """The engine's answer: the hash of the classifiers that it runs."""

    digest: str


class Ask(Frame, tag="ask", frozen=True):
    """Sequences for a task: token ids as int32, and the heads that must label every token."""

    number: int
    task: str
    until: float
    sequences: list[tuple[bytes, list[str]]]


class Drop(Frame, tag="drop", frozen=True):
    """Cancel a request."""

    number: int


class Ping(Frame, tag="ping", frozen=True):
    """Health check."""


class Pong(Frame, tag="pong", frozen=True):
    """Reply to `Ping`: queue length and health."""

    waiting: int
    healthy: bool


class Answers(Frame, tag="answers", frozen=True):
    """For each sequence, by head: shape and float32 values."""

    number: int
    answers: list[dict[str, tuple[list[int], bytes]]]


class Failed(Frame, tag="refused", frozen=True):
    """The request failed."""

    number: int
    why: Reason


FromFront = Hello | Ask | Drop | Ping
FromEngine = Welcome | Pong | Answers | Failed

_encoder = msgspec.msgpack.Encoder()
read_front = msgspec.msgpack.Decoder(FromFront)
read_engine = msgspec.msgpack.Decoder(FromEngine)


class FrameError(Exception):
    """Received data is not a valid frame, or too long."""


def frame(message: Frame) -> bytes:
    """Serialise a message, with its length before it.

    Raises:
        FrameError: It is too long.
    """
    data = _encoder.encode(message)
    if len(data) > MOST_BYTES:
        raise FrameError(f"a frame of {len(data)} bytes; {MOST_BYTES} are the most")
    return len(data).to_bytes(4, "big") + data


async def next_frame(reader: asyncio.StreamReader) -> bytes:
    """Read the bytes of the next message.

    Raises:
        FrameError: It is too long.
        asyncio.IncompleteReadError: The connection was closed.
    """
    size = int.from_bytes(await reader.readexactly(4), "big")
    if size > MOST_BYTES:
        raise FrameError(f"a frame of {size} bytes; {MOST_BYTES} are the most")
    return await reader.readexactly(size)


def pack_sequences(sequences: Sequence[TokenSequence]) -> list[tuple[bytes, list[str]]]:
    """Convert sequences for ``Ask``."""
    return [(array("i", sequence.ids).tobytes(), sorted(sequence.tokens_of)) for sequence in sequences]


def unpack_sequences(packed: Sequence[tuple[bytes, list[str]]]) -> list[TokenSequence]:
    """Convert back.

    Raises:
        ValueError: The ids are truncated.
    """
    found = []
    for data, tokens_of in packed:
        ids = array("i")
        ids.frombytes(data)
        found.append(TokenSequence(ids, frozenset(tokens_of)))
    return found


def pack_answers(answers: Sequence[Answer]) -> list[dict[str, tuple[list[int], bytes]]]:
    """Convert answers for ``Answers``."""
    return [
        {name: (list(row.shape), np.ascontiguousarray(row, dtype="<f4").tobytes()) for name, row in answer.items()}
        for answer in answers
    ]


def unpack_answers(packed: Sequence[dict[str, tuple[list[int], bytes]]]) -> list[Answer]:
    """Convert back.

    Raises:
        ValueError: Shapes and values do not match.
    """
    return [
        {name: np.frombuffer(data, dtype="<f4").reshape(shape) for name, (shape, data) in answer.items()}
        for answer in packed
    ]
