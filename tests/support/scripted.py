"""A scripted backend: sends what a test scripts, and records what it receives."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Scripted:
    """Has the form of the sandbox's own stand-ins; all of them share script and records.

    ``reply`` is a status, headers and the pieces of a body, which go one by one as chunks.
    """

    reply: tuple[int, dict[str, str], list[bytes]] = (200, {}, [])
    requests: list[tuple[dict[str, str], bytes]] = []  # noqa: RUF012 - shared on purpose

    def __init__(self, cluster, *_: object) -> None:
        self.cluster = cluster
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(cluster))
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    @property
    def alive(self) -> bool:
        """Whether it still serves."""
        return self._thread.is_alive()

    def stop(self) -> None:
        """Stop serving."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @classmethod
    def says(cls, text: str) -> None:
        """The next answers are chat completions with this text."""
        message = {"role": "assistant", "content": text}
        choice = {"index": 0, "message": message, "finish_reason": "stop", "logprobs": None}
        cls.document({"id": "x", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice]})

    @classmethod
    def document(cls, document, **headers: str) -> None:
        """The next answers are this JSON document."""
        data = document if isinstance(document, bytes) else json.dumps(document).encode()
        named = {key.replace("_", "-"): value for key, value in headers.items()}
        cls.reply = (200, {"content-type": "application/json"} | named, [data])

    @classmethod
    def streams(cls, *texts: str, cut: int = 0) -> None:
        """The next answers are streams of chat chunks with these texts, as events or cut into pieces of some bytes."""
        base = {"id": "x", "object": "chat.completion.chunk", "created": 1, "model": "m"}
        deltas = [({"role": "assistant", "content": ""}, None), *(({"content": text}, None) for text in texts)]
        events = [
            base | {"choices": [{"index": 0, "delta": delta, "finish_reason": reason}]}
            for delta, reason in [*deltas, ({}, "stop")]
        ]
        pieces = [f"data: {json.dumps(event)}\n\n".encode() for event in events] + [b"data: [DONE]\n\n"]
        if cut:
            whole = b"".join(pieces)
            pieces = [whole[i : i + cut] for i in range(0, len(whole), cut)]
        cls.reply = (200, {"content-type": "text/event-stream"}, pieces)


def _body(handler: BaseHTTPRequestHandler) -> bytes:
    """The body of a request, of a known length or in chunks."""
    if handler.headers.get("Transfer-Encoding") != "chunked":
        return handler.rfile.read(int(handler.headers.get("Content-Length") or 0))
    data = b""
    while size := int(handler.rfile.readline(), 16):
        data += handler.rfile.read(size)
        handler.rfile.readline()
    handler.rfile.readline()
    return data


def _handler(cluster: str) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_POST(self) -> None:
            data = _body(self)
            Scripted.requests.append(({key.lower(): value for key, value in self.headers.items()}, data))
            status, headers, pieces = Scripted.reply
            self.send_response(status)
            for key, value in headers.items():
                self.send_header(key, value)
            self.send_header("x-backend", cluster)
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            for piece in pieces:
                self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
                self.wfile.flush()
            self.wfile.write(b"0\r\n\r\n")

        def log_message(self, *_: object) -> None:
            """Keep quiet."""

    return Handler
