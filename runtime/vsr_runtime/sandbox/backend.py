"""A stand-in for a model server: speaks OpenAI's API, answers with the name of the model, computes nothing."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from vsr_runtime.sandbox.bootstrap import LOOPBACK
from vsr_schemas.headers import CREDENTIALS

_PATHS = {"/chat/completions": "chat.completion", "/completions": "text_completion"}
_BASE = "/v1"
_MAX_BODY = 64 << 20
_POLL = 0.05
"""Seconds until a stop is noticed."""


@dataclass(frozen=True, slots=True)
class Provider:
    """How to call a provider outside the cluster: the path of its API, and the Authorization that it expects.

    Without ``authorization`` it expects none. Any other credential is rejected, because the client's own must not get
    here.
    """

    path: str = _BASE
    authorization: str | None = field(default=None, repr=False)

    @property
    def expected(self) -> list[str]:
        """The credentials that a request must have."""
        return [] if self.authorization is None else [self.authorization]


class Backend:
    """One stand-in, in its own thread, on a free loopback port.

    Attributes:
        cluster: the Envoy cluster that it replaces; returned in the header ``x-backend``.
        models: the names that it serves. Others get 404, as with vLLM.
        provider: how it is called if it replaces a provider outside the cluster.
        port: where it listens.
    """

    def __init__(self, cluster: str, models: Sequence[str], provider: Provider | None = None) -> None:
        self.cluster = cluster
        self.provider = provider
        self.models = tuple(models)
        self._server = ThreadingHTTPServer((LOOPBACK, 0), _handler(self))
        self._server.daemon_threads = True
        self.port = int(self._server.server_address[1])
        self._thread = threading.Thread(target=self._server.serve_forever, args=(_POLL,), name=cluster, daemon=True)
        self._thread.start()

    @property
    def alive(self) -> bool:
        """Whether it is still serving."""
        return self._thread.is_alive()

    def kind(self, path: str) -> str:
        """The object type of answers at a path; empty if the path is unknown."""
        base = _BASE if self.provider is None else self.provider.path
        return _PATHS.get(path.removeprefix(base), "") if path.startswith(base) else ""

    def error_response(
        self,
        kind: str,
        body: Any,  # noqa: ANN401 - any JSON document
        credentials: Sequence[str],
    ) -> tuple[int, object] | None:
        """Status and document for a request that is rejected; None for one that is served.

        A stand-in for a model in the cluster expects no credentials.
        """
        if not kind:
            return 404, _error("not an API of this server", "not_found")
        if not isinstance(body, dict):
            return 400, _error("not an API of this server", "not_found")
        if self.provider is not None and list(credentials) != self.provider.expected:
            return 401, _error("This is not the key that the sandbox generated.", "invalid_api_key")
        model = body.get("model")
        if model not in self.models:
            return 404, _error(f"The model `{model}` does not exist.", "model_not_found")
        return None

    def stop(self) -> None:
        """Stop serving and release the port."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def _handler(backend: Backend) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True  # else each answer waits some 40 ms for an acknowledgement

        def do_POST(self) -> None:
            body = _read(self)
            kind = backend.kind(self.path.partition("?")[0])
            error = backend.error_response(kind, body, _credentials(self))
            if error is not None:
                self._answer(*error)
            elif body.get("stream") is True:
                self._stream(kind, body["model"])
            else:
                self._answer(200, _completion(kind, body["model"]))

        def _answer(self, status: int, document: object) -> None:
            data = json.dumps(document).encode()
            self._head(status, "application/json", ("Content-Length", str(len(data))))
            self.wfile.write(data)

        def _stream(self, kind: str, model: str) -> None:
            self._head(200, "text/event-stream", ("Transfer-Encoding", "chunked"))
            for event in _events(kind, model):
                data = f"data: {event}\n\n".encode()
                self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
                self.wfile.flush()
            self.wfile.write(b"0\r\n\r\n")

        def _head(self, status: int, content_type: str, framing: tuple[str, str]) -> None:
            self.send_response(status)
            self.send_header("Content-Type", content_type)
            self.send_header(*framing)
            self.send_header("x-backend", backend.cluster)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Log nothing: the sandbox's output is the URL and the runtime's log."""

    return Handler


def _read(handler: BaseHTTPRequestHandler) -> Any:  # noqa: ANN401 - any JSON document
    """The body as JSON, by length or chunked; None if it is not JSON."""
    if handler.headers.get("Transfer-Encoding", "").lower() == "chunked":
        data = b"".join(_chunks(handler))
    else:
        data = handler.rfile.read(min(int(handler.headers.get("Content-Length") or 0), _MAX_BODY))
    try:
        return json.loads(data)
    except ValueError:
        return None


def _credentials(handler: BaseHTTPRequestHandler) -> list[str]:
    return [value for name in CREDENTIALS for value in handler.headers.get_all(name, [])]


def _chunks(handler: BaseHTTPRequestHandler) -> Iterator[bytes]:
    while size := int(handler.rfile.readline(64).partition(b";")[0], 16):
        yield handler.rfile.read(size)
        handler.rfile.readline(2)
    while handler.rfile.readline(8192).strip():
        pass  # trailers


def _completion(kind: str, model: str) -> dict[str, object]:
    text = f"This is a stand-in for {model}."
    choice: dict[str, object] = {"index": 0, "finish_reason": "stop"}
    choice |= {"message": {"role": "assistant", "content": text}} if kind == "chat.completion" else {"text": text}
    usage = {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}
    return {"id": "stand-in", "object": kind, "created": 0, "model": model, "choices": [choice], "usage": usage}


def _events(kind: str, model: str) -> Iterator[str]:
    """A stream of two words, an end, and the closing mark."""
    chat = kind == "chat.completion"
    for text, reason in (("stand-in ", None), (model, None), ("", "stop")):
        choice: dict[str, object] = {"index": 0, "finish_reason": reason}
        choice |= {"delta": {"content": text} if text else {}} if chat else {"text": text}
        name = "chat.completion.chunk" if chat else kind
        yield json.dumps({"id": "stand-in", "object": name, "created": 0, "model": model, "choices": [choice]})
    yield "[DONE]"


def _error(message: str, code: str) -> dict[str, object]:
    return {"error": {"message": message, "type": "NotFoundError", "param": "model", "code": code}}
