"""A client of HTTP/2 in bare frames, which does what a proper one refuses to do."""

from __future__ import annotations

import asyncio
import socket
import ssl
import struct
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

import hpack

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, PRIORITY, RST, SETTINGS, PUSH, PING, GOAWAY, WINDOW, CONTINUATION = range(10)
END_STREAM = ACK = 1
END_HEADERS, PADDED = 4, 8
STREAMS, INITIAL_WINDOW, FRAME_SIZE = 3, 4, 5
"""Settings."""
WIDE = (1 << 31) - 1
ANY_TIME = 10.0
Fields = tuple[tuple[str, str], ...]


def frame(kind: int, flags: int, stream: int, payload: bytes = b"") -> bytes:
    """A frame."""
    return struct.pack(">I", len(payload))[1:] + struct.pack(">BBI", kind, flags, stream) + payload


def settings(values: dict[int, int]) -> bytes:
    """A frame of settings."""
    return frame(SETTINGS, 0, 0, b"".join(struct.pack(">HI", *each) for each in values.items()))


def window(stream: int, size: int) -> bytes:
    """A frame that opens a window."""
    return frame(WINDOW, 0, stream, struct.pack(">I", size))


def reset(stream: int) -> bytes:
    """A frame that cancels a stream."""
    return frame(RST, 0, stream, struct.pack(">I", 8))


def message(data: bytes, *, compressed: int = 0) -> bytes:
    """A message of gRPC."""
    return struct.pack(">BI", compressed, len(data)) + data


def fields(path: str = "/t/Echo", kind: str = "application/grpc", method: str = "POST") -> Fields:
    """What a request of gRPC begins with."""
    return ((":method", method), (":scheme", "http"), (":path", path), (":authority", "t"), ("content-type", kind))


def literal(headers: Fields) -> bytes:
    """A block of headers that leaves no trace in any table."""
    parts = [bytes([len(text)]) + text.encode() for each in headers for text in each]
    return b"".join(b"\0" + name + value for name, value in zip(parts[::2], parts[1::2], strict=True))


def begin(stream: int, headers: Fields | None = None, *, end: bool = False) -> bytes:
    """A frame that begins a stream."""
    flags = END_HEADERS | (END_STREAM if end else 0)
    return frame(HEADERS, flags, stream, literal(fields() if headers is None else headers))


def asked(stream: int, *parts: bytes, path: str = "/t/Echo") -> bytes:
    """A whole request."""
    return begin(stream, fields(path)) + frame(DATA, END_STREAM, stream, b"".join(map(message, parts)))


@dataclass
class Answer:
    """What came on a stream: its headers with its trailers, its data, and the code that it was reset with."""

    headers: dict[str, str] = field(default_factory=dict)
    data: bytes = b""
    reset: int | None = None
    ended: bool = False

    @property
    def status(self) -> int | None:
        """Gives the status of gRPC, if it ended with one."""
        return int(self.headers["grpc-status"]) if "grpc-status" in self.headers else None


class Client:
    """A connection, whose frames are taken as they come."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer
        self.answers: dict[int, Answer] = {}
        self.leaves: list[tuple[int, int]] = []  # the last stream and the code of each GOAWAY
        self.frames: list[tuple[int, int, int]] = []
        self.credit: dict[int, int] = {}
        self.longest = 0
        self.closed = False
        self._decoder = hpack.Decoder()
        self._task = asyncio.ensure_future(self._take())

    def send(self, *parts: bytes) -> None:
        """Send bytes as they are, unless the server has gone."""
        if not self.writer.transport.is_closing():
            self.writer.write(b"".join(parts))

    async def until(self, found) -> None:
        """Wait until something is true, of what came or of the server."""
        async with asyncio.timeout(ANY_TIME):
            while not found():  # noqa: ASYNC110 - there is no event for it
                await asyncio.sleep(0.001)

    async def answer(self, stream: int) -> Answer:
        """What came on a stream once nothing more comes."""
        await self.until(lambda: self.closed or self._over(stream))
        return self.answers.get(stream, Answer())

    async def gone(self) -> None:
        """Wait until the server has closed the connection."""
        await self.until(lambda: self.closed)

    async def close(self) -> None:
        """Drop the connection."""
        self._task.cancel()
        self.writer.transport.abort()
        with suppress(asyncio.CancelledError):
            await self._task

    def _over(self, stream: int) -> bool:
        answer = self.answers.get(stream)
        return answer is not None and (answer.ended or answer.reset is not None)

    async def _take(self) -> None:
        with suppress(asyncio.IncompleteReadError, ConnectionError, ssl.SSLError):
            while True:
                head = await self.reader.readexactly(9)
                size, (kind, flags, stream) = int.from_bytes(head[:3], "big"), struct.unpack(">BBI", head[3:])
                payload = await self.reader.readexactly(size)
                self.longest = max(self.longest, size)
                self.frames.append((kind, flags, stream))
                self._note(kind, flags, stream, payload)
        self.closed = True

    def _note(self, kind: int, flags: int, stream: int, payload: bytes) -> None:
        if kind == SETTINGS and not flags & ACK:
            self.send(frame(SETTINGS, ACK, 0))
        elif kind == GOAWAY:
            last, code = struct.unpack(">II", payload[:8])
            self.leaves.append((last, code))
        elif kind == WINDOW:
            self.credit[stream] = self.credit.get(stream, 0) + struct.unpack(">I", payload)[0]
        elif kind in (DATA, HEADERS, RST):
            answer = self.answers.setdefault(stream, Answer())
            if kind == RST:
                answer.reset = struct.unpack(">I", payload)[0]
                return
            if kind == HEADERS:
                answer.headers |= dict(self._decoder.decode(payload))
            else:
                answer.data += payload
            answer.ended = bool(flags & END_STREAM)


@asynccontextmanager
async def connected(
    port: int,
    own: dict[int, int] | None = None,
    *,
    secure: ssl.SSLContext | None = None,
    name: str | None = None,
    hasty: bool = False,
    sock: socket.socket | None = None,
):
    """A connection with some settings; its own window is wide, so that only those of streams matter.

    With ``sock`` it stands already.

    Unless it is ``hasty`` it knows the server's settings: limits and windows count once both sides know them.
    """
    where = {"sock": sock} if sock else {"host": "127.0.0.1", "port": port}
    reader, writer = await asyncio.open_connection(**where, ssl=secure, server_hostname=name)
    client = Client(reader, writer)
    client.send(PREFACE, settings(own or {}), window(0, WIDE - 65_535))
    try:
        await client.until(lambda: hasty or client.closed or (SETTINGS, 0, 0) in client.frames)
        yield client
    finally:
        await client.close()
