"""HTTP requests to ports of pods, through a port forward of the API server.

A port forward reaches ports that only listen inside the pod, such as Envoy's admin port, and those that a NetworkPolicy
closes. Only GET is ever sent. The protocol is `v4.channel.k8s.io` over WebSocket: the first byte of each message is a
channel, of data (0) or of the port's error (1), and the first message of each channel repeats the port.

Source: Kubernetes, `pkg/kubelet/cri/streaming/portforward/websocket.go`.
"""

from __future__ import annotations

import contextlib
import http.client
import io
import time
import urllib.parse
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from vsr_compiler.live.conditions import short
from vsr_compiler.verify.api_server.client import DryRunClient

MAX_BODY = 32 * 1024 * 1024
TIMEOUT = 20.0
_CHUNK = 65_536
_OK = 200
_BINARY, _CLOSE = 0x2, 0x8
_DATA, _ERROR = b"\0", b"\1"
_PROTOCOL = "v4.channel.k8s.io"


class ForwardError(Exception):
    """A port cannot be asked. The message is for users."""


@dataclass(frozen=True, slots=True)
class Port:
    """A port of a pod."""

    namespace: str
    pod: str
    number: int


def get(client: DryRunClient, port: Port, path: str) -> bytes:
    """Return the body of a GET request to a port.

    Raises:
        ForwardError: The port cannot be asked, or answers with another status than 200.
    """
    import websocket  # noqa: PLC0415 - comes with the Kubernetes client

    try:
        connection = _connected(client, port)
    except (websocket.WebSocketException, OSError, ValueError) as error:
        raise ForwardError(f"no port forward to `{port.pod}`: {_reason(error)}") from None
    try:
        connection.settimeout(TIMEOUT)
        connection.send_binary(_DATA + f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
        return _body(_Stream(connection), path)
    except (websocket.WebSocketException, OSError, http.client.HTTPException) as error:
        reason = short(str(error)) or type(error).__name__
        raise ForwardError(f"no answer from port {port.number} of `{port.pod}`: {reason}") from None
    finally:
        with contextlib.suppress(websocket.WebSocketException, OSError):
            connection.shutdown()


def _connected(client: DryRunClient, port: Port) -> Any:  # noqa: ANN401 - a WebSocket of the client
    from kubernetes.stream import ws_client  # noqa: PLC0415 - an extra, slow to import

    namespace, pod = (urllib.parse.quote(text, safe="") for text in (port.namespace, port.pod))
    path = f"/api/v1/namespaces/{namespace}/pods/{pod}/portforward"
    # The client annotates only some of its functions.
    url: Any = ws_client.get_websocket_url
    connect: Any = ws_client.create_websocket
    return connect(
        client.configuration,
        url(f"{client.configuration.host.rstrip('/')}{path}", [("ports", str(port.number))]),
        {name.lower(): text for name, text in client.authorization.items()} | {"sec-websocket-protocol": _PROTOCOL},
    )


class _Stream(io.RawIOBase):
    """The bytes that a port sends, until it ends or time is up."""

    def __init__(self, connection: Any) -> None:  # noqa: ANN401 - a WebSocket of the client
        self._parts = self._received(connection)
        self._rest = b""

    def makefile(self, _mode: str) -> io.BufferedReader:
        """Return the stream as `http.client` reads it from a socket."""
        return io.BufferedReader(self)

    def readable(self) -> bool:
        """Return that it can be read."""
        return True

    def readinto(self, buffer: Any) -> int:  # noqa: ANN401 - a buffer
        """Fill a buffer with the next bytes; 0 at the end."""
        self._rest = self._rest or next(self._parts, b"")
        size = min(len(buffer), len(self._rest))
        buffer[:size] = self._rest[:size]
        self._rest = self._rest[size:]
        return size

    @staticmethod
    def _received(connection: Any) -> Iterator[bytes]:  # noqa: ANN401 - a WebSocket of the client
        """Yield the data of the port, and raise `OSError` for its error."""
        begun: set[bytes] = set()
        end = time.monotonic() + TIMEOUT
        while time.monotonic() < end:
            opcode, data = connection.recv_data()
            if opcode == _CLOSE:
                return
            channel, content = data[:1], data[1:]
            if opcode != _BINARY or channel not in begun:
                begun.add(channel)
            elif channel == _ERROR and content:
                raise OSError(content.decode(errors="replace"))
            elif channel == _DATA and content:
                yield content
        raise TimeoutError(f"it takes more than {TIMEOUT:g} s")


def _body(stream: _Stream, path: str) -> bytes:
    response = http.client.HTTPResponse(stream)  # type: ignore[arg-type] # it only calls `makefile`
    with contextlib.closing(response):
        response.begin()
        parts, size = [], 0
        while part := response.read(_CHUNK):
            parts.append(part)
            size += len(part)
            if size > MAX_BODY:
                raise ForwardError(f"the answer is longer than {MAX_BODY // 1024 // 1024} MiB")
    if response.status != _OK:
        raise ForwardError(f"{path} answers with status {response.status}")
    return b"".join(parts)


def _reason(error: Exception) -> str:
    """Return why there is no port forward: the API server's answer to the handshake."""
    text = short(str(error))
    return "the account may not forward ports (403)" if " 403 " in f" {text} " else text
