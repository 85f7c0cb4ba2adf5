"""An object store on this machine: as much of S3's protocol as reading and listing take."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape

BUCKET = "logs"
_CHANGED = "Wed, 02 Dec 2026 10:00:00 GMT"


class _Handler(BaseHTTPRequestHandler):
    files: ClassVar[dict[str, bytes]]
    protocol_version = "HTTP/1.1"

    def do_HEAD(self) -> None:
        self._object(with_body=False)

    def do_GET(self) -> None:
        query = parse_qs(urlsplit(self.path).query, keep_blank_values=True)
        if "list-type" in query:
            self._listing(query.get("prefix", [""])[0])
        else:
            self._object(with_body=True)

    def _object(self, *, with_body: bool) -> None:
        key = unquote(urlsplit(self.path).path).removeprefix(f"/{BUCKET}").removeprefix("/")
        data = self.files.get(key)
        if data is None:
            self._answer(404, b"", [])
            return
        begin, status = 0, 200
        if "Range" in self.headers:
            first, _, last = self.headers["Range"].removeprefix("bytes=").partition("-")
            begin, end, status = int(first), min(int(last), len(data) - 1) if last else len(data) - 1, 206
            extra = [("Content-Range", f"bytes {begin}-{end}/{len(data)}")]
            part = data[begin : end + 1]
        else:
            extra, part = [], data
        self._answer(status, part, [*extra, ("Last-Modified", _CHANGED), ("ETag", '"1"')], with_body=with_body)

    def _listing(self, prefix: str) -> None:
        entries = "".join(
            f"<Contents><Key>{escape(key)}</Key><Size>{len(data)}</Size>"
            f"<LastModified>2026-12-02T10:00:00.000Z</LastModified></Contents>"
            for key, data in sorted(self.files.items())
            if key.startswith(prefix)
        )
        body = f"<ListBucketResult><Name>{BUCKET}</Name><IsTruncated>false</IsTruncated>{entries}</ListBucketResult>"
        self._answer(200, body.encode(), [("Content-Type", "application/xml")])

    def _answer(self, status: int, body: bytes, headers: list[tuple[str, str]], *, with_body: bool = True) -> None:
        self.send_response(status)
        for name, value in [*headers, ("Content-Length", str(len(body)))]:
            self.send_header(name, value)
        self.end_headers()
        if with_body:
            self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name in the base class
        del format, args


@contextmanager
def object_store(files: dict[str, bytes]) -> Iterator[str]:
    """Serve a bucket with files by their keys. Yield the end of a URI that leads Arrow here."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"files": files}))
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"?scheme=http&endpoint_override=127.0.0.1:{server.server_address[1]}&region=us-east-1"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
