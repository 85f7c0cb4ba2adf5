"""A server that answers as a test says, for the clients of servers that classify text."""

from __future__ import annotations

import json
import socket
import ssl
import threading
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from vsr_schemas.inference_servers import PROTOCOLS
from vsr_schemas.runtime import ClassifierSettings
from vsr_schemas.runtime_servers import ServerSettings


class PlayedServer:
    """Answers every POST with ``reply(body)``: JSON values, or a status, headers and bytes.

    Attributes:
        url: its address.
        asked: path, headers and body of each request, in order.
        most: the most requests that were open at a time.
    """

    def __init__(self, reply, tls: ssl.SSLContext | None = None) -> None:
        self.reply = reply
        self.asked: list[tuple[str, dict[str, str], object]] = []
        self.most = self._open = 0
        self._lock = threading.Lock()
        self._connections: list[socket.socket] = []
        played = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True  # else an answer waits 40 ms for an acknowledgement

            def setup(self) -> None:
                super().setup()
                played._connections.append(self.connection)

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["content-length"])))
                with played._lock:
                    played._open += 1
                    played.most = max(played.most, played._open)
                    headers = {name.lower(): value for name, value in self.headers.items()}
                    played.asked.append((self.path, headers, body))
                try:
                    answer = played.reply(body)
                finally:
                    with played._lock:
                        played._open -= 1
                status, headers, data = answer if isinstance(answer, tuple) else (200, {}, json.dumps(answer).encode())
                self.send_response(status)
                for name, value in ({"content-type": "application/json"} | headers).items():
                    self.send_header(name, value)
                self.send_header("content-length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *_) -> None:
                """Nothing is printed."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._server.handle_error = lambda *_: None  # a client may leave in the middle of an answer
        if tls:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def kill(self) -> None:
        """Stop listening, and close every connection, as if the process were killed."""
        self._server.shutdown()
        self._server.server_close()
        for connection in self._connections:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)


@contextmanager
def played(reply, tls: ssl.SSLContext | None = None):
    """A server while a test runs."""
    server = PlayedServer(reply, tls)
    try:
        yield server
    finally:
        server.kill()


def remote(protocol: str, url: str, labels, task: str | None = None, **more) -> ClassifierSettings:
    """A classifier that a server computes."""
    facts = PROTOCOLS[protocol]
    given = {"timeout": 5000, "concurrency": 4, "window": facts.window, **more}
    if facts.model == "required":
        given.setdefault("model", "m")
    server = ServerSettings(protocol=protocol, url=url, **given)
    return ClassifierSettings(task=task or min(facts.tasks - {"category"}), server=server, labels=labels, threshold=0.5)
