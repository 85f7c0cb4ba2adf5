"""A stand-in for a model server: speaks its APIs, answers with the name of the model, computes nothing."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from vsr_runtime.decision.apis.endpoints import Api, ApiEndpoint, endpoint_of
from vsr_runtime.decision.request.form_body import boundary_of, read_form
from vsr_runtime.sandbox.listeners import LOOPBACK
from vsr_runtime.sandbox.replies import AUDIO, document, error, events, models, serves
from vsr_schemas.headers import CREDENTIALS

_BASE = "/v1"
_MAX_BODY = 64 << 20
_POLL = 0.05
"""Seconds until a stop is noticed."""


@dataclass(frozen=True, slots=True)
class Provider:
    """How to call a provider outside the cluster, or a server with a key.

    Without ``value`` it expects no key. Any other credential is rejected, because the client's own must not get here.

    Attributes:
        path: the path of its API.
        value: the value of ``header`` that it expects; None for no key there.
        header: the header that carries the key.
        query: the query that it expects, which may carry a key; None for any.
        headers: further headers that it requires.
        inside: whether it is a server in the cluster.
    """

    path: str = _BASE
    value: str | None = field(default=None, repr=False)
    header: str = "authorization"
    query: str | None = field(default=None, repr=False)
    headers: tuple[str, ...] = ()
    inside: bool = False

    def accepts(self, sent: Message, query: str) -> bool:
        """Return whether a request has the expected credentials, query and headers, and no other credential."""
        expected = {} if self.value is None else {self.header: [self.value]}
        names = {*CREDENTIALS, self.header}
        found = {name: values for name in names if (values := sent.get_all(name, []))}
        complete = all(sent.get_all(name) for name in self.headers)
        return found == expected and self.query in {None, query} and complete


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
        self._server = ThreadingHTTPServer((LOOPBACK, 0), type("Handler", (_Handler,), {"backend": self}))
        self._server.daemon_threads = True
        self.port = int(self._server.server_address[1])
        self._thread = threading.Thread(target=self._server.serve_forever, args=(_POLL,), name=cluster, daemon=True)
        self._thread.start()

    @property
    def alive(self) -> bool:
        """Whether it is still serving."""
        return self._thread.is_alive()

    def endpoint(self, method: str, path: str) -> ApiEndpoint | None:
        """The API at a path; None if it is not served. A provider has its APIs below its own path."""
        base = _BASE if self.provider is None else self.provider.path
        if self.provider is not None and not self.provider.inside and not path.startswith(base):
            return None
        endpoint = endpoint_of(path if base == _BASE else f"{_BASE}{path.removeprefix(base)}")
        if endpoint is None or method not in endpoint.methods:
            return None
        outside = self.provider is not None and not self.provider.inside
        return endpoint if serves(endpoint.api, method, provider=outside) else None

    def error_response(
        self,
        endpoint: ApiEndpoint | None,
        body: Mapping[str, Any] | None,
        *,
        accepted: bool,
    ) -> tuple[int, object] | None:
        """Status and document for a request that is rejected; None for one that is served.

        Requests about stored responses name no model.
        """
        if endpoint is None:
            return 404, error(None, 404, "not an API of this server", "not_found")
        if body is None:
            return 400, error(endpoint.api, 400, "not a request of this API", "not_found")
        if not accepted:
            return 401, error(endpoint.api, 401, "This is not the key that the sandbox generated.", "invalid_api_key")
        model = body.get("model")
        if not endpoint.stored and model not in self.models:
            return 404, error(endpoint.api, 404, f"The model `{model}` does not exist.", "model_not_found")
        return None

    def stop(self) -> None:
        """Stop serving and release the port."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Handler(BaseHTTPRequestHandler):
    backend: Backend
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # else each answer waits some 40 ms for an acknowledgement

    def do_GET(self) -> None:
        self._serve()

    def do_DELETE(self) -> None:
        self._serve()

    def do_POST(self) -> None:
        self._serve()

    def _serve(self) -> None:
        path = self.path.partition("?")[0]
        if self.command == "GET" and path == f"{_BASE}/models":
            self._answer(200, models(self.backend.models))
            return
        endpoint = self.backend.endpoint(self.command, path)
        body = _read(self, form=endpoint is not None and endpoint.form)
        if endpoint is not None and endpoint.stored:
            body = {"model": self.backend.models[0]}
        provider = self.backend.provider
        accepted = provider is None or provider.accepts(self.headers, self.path.partition("?")[2])
        refused = self.backend.error_response(endpoint, body, accepted=accepted)
        if refused is not None or endpoint is None or body is None:
            self._answer(*(refused or (404, {})))
        elif body.get("stream") is True and endpoint.api.generates:
            self._stream(endpoint.api, body["model"])
        elif endpoint.api is Api.SPEECH:
            self._head(200, "audio/wav", ("Content-Length", str(len(AUDIO))))
            self.wfile.write(AUDIO)
        else:
            self._answer(200, document(endpoint.api, body["model"], body))

    def _answer(self, status: int, document: object) -> None:
        data = json.dumps(document).encode()
        self._head(status, "application/json", ("Content-Length", str(len(data))))
        self.wfile.write(data)

    def _stream(self, api: Api, model: str) -> None:
        self._head(200, "text/event-stream", ("Transfer-Encoding", "chunked"))
        for event in events(api, model):
            data = f"{event}\n\n".encode()
            self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
            self.wfile.flush()
        self.wfile.write(b"0\r\n\r\n")

    def _head(self, status: int, content_type: str, framing: tuple[str, str]) -> None:
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header(*framing)
        self.send_header("x-backend", self.backend.cluster)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Log nothing: the sandbox's output is the URL and the runtime's log."""


def _read(handler: BaseHTTPRequestHandler, *, form: bool) -> dict[str, Any] | None:
    """The body as a JSON object, by length or chunked, or the fields of a form; None if it is neither."""
    if handler.headers.get("Transfer-Encoding", "").lower() == "chunked":
        data = b"".join(_chunks(handler))
    else:
        data = handler.rfile.read(min(int(handler.headers.get("Content-Length") or 0), _MAX_BODY))
    try:
        if form:
            return dict(read_form(data, boundary_of(handler.headers.get("Content-Type", "")) or b"").document.values)
        body = json.loads(data)
    except ValueError:
        return None
    return body if isinstance(body, dict) else None


def _chunks(handler: BaseHTTPRequestHandler) -> Iterator[bytes]:
    while size := int(handler.rfile.readline(64).partition(b";")[0], 16):
        yield handler.rfile.read(size)
        handler.rfile.readline(2)
    while handler.rfile.readline(8192).strip():
        pass  # trailers
