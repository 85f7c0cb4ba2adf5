"""Port forwards of a fake API server: the WebSocket protocol `v4.channel.k8s.io`, and pods that answer over HTTP."""

from __future__ import annotations

import base64
import hashlib
import struct
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler
from typing import BinaryIO

_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # RFC 6455, 1.3
_BINARY, _CLOSE = 0x2, 0x8
Answer = Callable[[str], tuple[int, bytes] | str]
"""Returns status and body for a path, or the error of the port."""


def serve(handler: BaseHTTPRequestHandler, port: int, answer: Answer) -> None:
    """Answer one HTTP request that comes through a port forward."""
    key = handler.headers["Sec-WebSocket-Key"].encode()
    handler.send_response(101)
    handler.send_header("Upgrade", "websocket")
    handler.send_header("Connection", "Upgrade")
    handler.send_header("Sec-WebSocket-Accept", base64.b64encode(hashlib.sha1(key + _GUID).digest()).decode())  # noqa: S324
    handler.send_header("Sec-WebSocket-Protocol", "v4.channel.k8s.io")
    handler.end_headers()
    for channel in (0, 1):
        _send(handler.wfile, bytes([channel]) + struct.pack("<H", port))
    request = b""
    for opcode, data in _frames(handler.rfile):
        if opcode == _CLOSE:
            break
        request += data[1:] if data[:1] == b"\0" else b""
        if b"\r\n\r\n" in request:
            _reply(handler.wfile, answer(request.split(b" ")[1].decode()))
            break
    handler.close_connection = True


def _reply(stream: BinaryIO, reply: tuple[int, bytes] | str) -> None:
    if isinstance(reply, str):
        _send(stream, b"\1" + reply.encode())
    else:
        code, body = reply
        head = f"HTTP/1.1 {code} OK\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode()
        data = head + body
        for start in range(0, len(data), 30_000):
            _send(stream, b"\0" + data[start : start + 30_000])
    _send(stream, b"", _CLOSE)


def _send(stream: BinaryIO, data: bytes, opcode: int = _BINARY) -> None:
    size = bytes([len(data)]) if len(data) < 126 else b"\x7e" + struct.pack(">H", len(data))
    stream.write(bytes([0x80 | opcode]) + size + data)
    stream.flush()


def _frames(stream: BinaryIO) -> Iterator[tuple[int, bytes]]:
    """Yield opcode and data of a client's frames, which are masked."""
    while head := stream.read(2):
        size = head[1] & 0x7F
        if size == 126:
            (size,) = struct.unpack(">H", stream.read(2))
        mask = stream.read(4)
        yield head[0] & 0x0F, bytes(byte ^ mask[index % 4] for index, byte in enumerate(stream.read(size)))
