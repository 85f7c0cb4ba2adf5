"""Fake detectors: in the sandbox alone, and only if asked for, they answer for the servers that a policy names.

The settings of a policy are copied for them, with their addresses. What was compiled is never changed.
"""

from __future__ import annotations

import json
import shutil
import threading
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import quote

from vsr_runtime.credentials import ServerAccess
from vsr_runtime.files import read_model, read_yaml
from vsr_runtime.log import log
from vsr_runtime.sandbox.fake_answers import UnexpectedRequestError, answer
from vsr_runtime.sandbox.listeners import LOOPBACK
from vsr_schemas.inference_servers import PROTOCOLS
from vsr_schemas.runtime import ClassifierSettings, RuntimeSettings
from vsr_schemas.runtime_servers import ServerSettings

HEADER = "x-vsr-fake-detectors"
"""Names the fake detectors, in their answers and in all that clients of such a sandbox get."""
_FILE = "runtime.yaml"
_ALWAYS = {
    "status_code_filter": {
        "comparison": {"op": "GE", "value": {"default_value": 100, "runtime_key": "vsr.fake_detectors"}}
    }
}
"""A condition of Envoy that every response meets."""
_MAX_BODY = 16 << 20
_DIGITS = 9
_POLL = 0.05
_SECONDS = 30.0
"""How long a connection may say nothing."""


def servers(runtime: RuntimeSettings) -> dict[str, ServerSettings]:
    """Return the servers that classify text, by the name of their classifier."""
    return {name: one.server for name, one in runtime.classifiers.items() if one.server is not None}


class FakeDetector:
    """Answers for one server, in its own thread, on a free loopback port.

    Attributes:
        name: the classifier.
        url: its address.
    """

    def __init__(self, name: str, classifier: ClassifierSettings, server: ServerSettings, access: ServerAccess) -> None:
        self.name = name
        self.classifier = classifier
        self.server = server
        self.headers = dict(access.headers)
        self.path = PROTOCOLS[server.protocol].path.format(model=quote(server.model or "", safe=""))
        self._http = _Server((LOOPBACK, 0), type("Handler", (_Handler,), {"fake": self}))
        self.url = f"http://{LOOPBACK}:{self._http.server_address[1]}"
        self._thread = threading.Thread(target=self._http.serve_forever, args=(_POLL,), name=name, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop serving and release the port."""
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()


def with_fakes(
    config: Path, folder: Path, access: Callable[[Mapping[str, ServerSettings]], Mapping[str, ServerAccess]]
) -> tuple[Path, list[FakeDetector]]:
    """Copy the settings of a policy, and start a fake for each server that they name.

    Args:
        config: the compiled config.yaml.
        folder: where the copy goes; it is empty.
        access: how servers are reached, by the name of their classifier.

    Returns:
        The copy of config.yaml, and the fakes; without servers the file itself.
    """
    runtime = read_model(config.parent / _FILE, RuntimeSettings)
    named = {name: _plain(server) for name, server in servers(runtime).items()}
    if not named:
        return config, []
    document = read_yaml(config.parent / _FILE)
    shutil.copytree(config.parent, folder, dirs_exist_ok=True)
    accesses = access(named)
    fakes = [FakeDetector(name, runtime.classifiers[name], server, accesses[name]) for name, server in named.items()]
    for fake in fakes:
        settings: dict[str, Any] = document["classifiers"][fake.name]["server"]
        settings["url"] = fake.url
        settings.pop("caFile", None)
    (folder / _FILE).write_text(json.dumps(document), encoding="utf-8")
    return folder / config.name, fakes


def mark_responses(value: object, names: str) -> None:
    """Add a header to all responses of Envoy, those of backends and its own, in place."""
    entry = {"header": {"key": HEADER, "value": names}, "append_action": "OVERWRITE_IF_EXISTS_OR_ADD"}
    if isinstance(value, dict):
        if isinstance(value.get("virtual_hosts"), list):
            value["response_headers_to_add"] = [*value.get("response_headers_to_add", ()), entry]
        if isinstance(value.get("http_filters"), list):
            own = value.setdefault("local_reply_config", {})
            mappers = [*own.get("mappers", ()), {"filter": _ALWAYS}]
            own["mappers"] = [{**one, "headers_to_add": [*one.get("headers_to_add", ()), entry]} for one in mappers]
        for part in value.values():
            mark_responses(part, names)
    elif isinstance(value, list):
        for part in value:
            mark_responses(part, names)


def _plain(server: ServerSettings) -> ServerSettings:
    """Return the settings of a server without TLS."""
    return server.model_copy(update={"caFile": None})


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        """Nothing: the runtime has hung up, as it does at a deadline."""


class _Handler(BaseHTTPRequestHandler):
    fake: FakeDetector
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # else each answer waits some 40 ms for an acknowledgement
    timeout = _SECONDS

    def do_POST(self) -> None:
        status, body, findings = self._result()
        log(
            "fake_detector_answered",
            detector=self.fake.name,
            protocol=self.fake.server.protocol,
            status=status,
            findings=findings,
        )
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.send_header(HEADER, self.fake.name)
        if status == 413:  # noqa: PLR2004 - the body was not read
            self.close_connection = True
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(data)

    def _result(self) -> tuple[int, object, int]:
        """Return status, JSON values and number of findings."""
        length = self.headers.get("Content-Length", "")
        if not (length.isascii() and length.isdigit() and len(length) <= _DIGITS and int(length) <= _MAX_BODY):
            return 413, {"error": "too long, or of no stated length"}, 0
        data = self.rfile.read(int(length))
        if self.path != self.fake.path:
            return 404, {"error": "not a path of this protocol"}, 0
        if any(self.headers.get_all(name, []) != [value] for name, value in self.fake.headers.items()):
            return 401, {"error": "not the key that the sandbox generated"}, 0
        try:
            given = answer(self.fake.classifier, self.fake.server, json.loads(data))
        except (ValueError, RecursionError, UnexpectedRequestError) as error:
            reason = str(error) if isinstance(error, UnexpectedRequestError) else "no JSON"
            return 422, {"error": reason}, 0
        return 200, given.body, given.findings

    def log_message(self, *_: object) -> None:
        """Nothing: each answer has a line of its own."""
