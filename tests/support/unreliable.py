"""Backends that fail as a test says, each in its own way, and record every request that reaches them."""

from __future__ import annotations

import json
import socket
import struct
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar

STALL = 20
"""Seconds that a stalled backend keeps quiet: longer than any test waits."""


class Unreliable:
    """Has the form of the sandbox's own stand-ins. All of them share their behaviours and records.

    A behaviour is a status, a response (`echo` has the text of the request, `forbidden`, `stream`) or a failure:
    `refused`, `reset` (after the request), `stall` (no byte of a response), `stall-late` (after the first event of a
    stream). Without one a backend answers with its cluster's name.
    """

    behaviours: ClassVar[dict[str, int | str]] = {}
    requests: ClassVar[list[tuple[str, str, dict[str, str], bytes]]] = []
    """Cluster, path, headers and body."""
    ports: ClassVar[dict[str, int]] = {}

    def __init__(self, cluster, *_: object) -> None:
        self.cluster = cluster
        if Unreliable.behaviours.get(cluster) == "refused":
            with socket.socket() as held:
                held.bind(("127.0.0.1", 0))
                self.port = held.getsockname()[1]
            self._server = None
            return
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(cluster))
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    alive = True

    def stop(self) -> None:
        """Stop serving, or do nothing if it never has."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()

    @classmethod
    def reached(cls) -> list[str]:
        """The clusters that got a request, in order."""
        return [cluster for cluster, *_ in cls.requests]


def _completion(text: str) -> object:
    choice = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": text}}
    return {"id": "x", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice]}


def _handler(cluster: str) -> type[BaseHTTPRequestHandler]:  # noqa: C901 - a case for each behaviour
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_POST(self) -> None:
            """Fail as the test says."""
            data = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            headers = {key.lower(): value for key, value in self.headers.items()}
            Unreliable.requests.append((cluster, self.path, headers, data))
            match Unreliable.behaviours.get(cluster, 200):
                case "reset":
                    self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    self.connection.close()
                    self.close_connection = True
                case "stall":
                    time.sleep(STALL)
                case "stall-late":
                    self._head(200, "text/event-stream", ("Transfer-Encoding", "chunked"))
                    self._chunk(b'data: {"choices": [{"index": 0, "delta": {"content": "one"}}]}\n\n')
                    time.sleep(STALL)
                case "stream":
                    self._head(200, "text/event-stream", ("Transfer-Encoding", "chunked"))
                    self._chunk(b'data: {"choices": [{"index": 0, "delta": {"content": "one"}}]}\n\n')
                    self._chunk(b"data: [DONE]\n\n")
                    self.wfile.write(b"0\r\n\r\n")
                case "echo" | "forbidden" as kind:
                    said = json.loads(data)["messages"][-1]["content"] if kind == "echo" else "a forbidden-word"
                    self._answer(200, _completion(said))
                case int() as status:
                    self._answer(status, {"backend": cluster, "model": json.loads(data)["model"]})

        def _answer(self, status: int, document: object) -> None:
            text = json.dumps(document).encode()
            self._head(status, "application/json", ("Content-Length", str(len(text))))
            self.wfile.write(text)

        def _head(self, status: int, content_type: str, framing: tuple[str, str]) -> None:
            self.send_response(status)
            self.send_header("Content-Type", content_type)
            self.send_header(*framing)
            if status == 429:
                self.send_header("Retry-After", "7")
            self.end_headers()

        def _chunk(self, data: bytes) -> None:
            self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
            self.wfile.flush()

        def log_message(self, *_: object) -> None:
            """Keep quiet."""

    return Handler
