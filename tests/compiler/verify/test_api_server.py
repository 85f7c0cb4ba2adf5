"""Dry runs at a fake API server on loopback, with valid and invalid responses."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

import support.verify_support as m
from support.common import call
from vsr_compiler.diagnostics import Diagnostic, Severity
from vsr_compiler.verify import api_server
from vsr_compiler.verify.api_server import client, dry_run
from vsr_compiler.verify.stream import Budget, read_stream

CORE = {"Service": ("services", True), "ConfigMap": ("configmaps", True), "Namespace": ("namespaces", False)}
ROUTES = {"HTTPRoute": ("httproutes", True), "Gateway": ("gateways", True)}
SPACE = "apiVersion: v1\nkind: Namespace\nmetadata: {name: prod}\n"
Reply = tuple[int, bytes, dict[str, str]]


def status(code: int, message: str, *causes: tuple[str, str]) -> Reply:
    """Return a Status as an API server writes it."""
    details = {"causes": [{"reason": "FieldValueInvalid", "field": field, "message": text} for field, text in causes]}
    body = {"kind": "Status", "status": "Failure", "code": code, "message": message, "details": details}
    return code, json.dumps(body).encode(), {}


class Fake:
    """The server: the requests, and the replies to PATCH requests by the name of the object."""

    def __init__(self) -> None:
        self.requests: list[tuple[str, str, dict[str, str], dict[str, Any]]] = []
        self.replies: dict[str, Reply] = {}
        self.discovery: Reply | None = None
        self.drip = 0.0
        self.authorization = ""
        fake = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                kinds = {"/api/v1": CORE, "/apis/gateway.networking.k8s.io/v1": ROUTES}.get(self.path)
                known = [
                    {"name": name, "kind": kind, "namespaced": space} for kind, (name, space) in (kinds or {}).items()
                ]
                known += [{"name": "services/status", "kind": "Service", "namespaced": True}]
                listed = (200, json.dumps({"kind": "APIResourceList", "resources": known}).encode(), {})
                self.answer(fake.discovery or (listed if kinds else status(404, "not found")))

            def do_PATCH(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                parts = urlsplit(self.path)
                fake.authorization = self.headers["Authorization"]
                fake.requests.append((parts.path, self.headers["Content-Type"], query(parts.query), body))
                self.answer(fake.replies.get(body["metadata"]["name"], (200, json.dumps(body).encode(), {})))

            def answer(self, reply: Reply) -> None:
                code, data, headers = reply
                self.send_response(code)
                for name, value in ({"Content-Length": str(len(data))} | headers).items():
                    self.send_header(name, value)
                self.end_headers()
                try:
                    for start in range(0, len(data), 1 if fake.drip else 65536):
                        self.wfile.write(data[start : start + (1 if fake.drip else 65536)])
                        time.sleep(fake.drip)
                except OSError:
                    self.close_connection = True

            def log_message(self, *_: object) -> None:
                """Print nothing."""

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.http.daemon_threads = True
        self.thread = threading.Thread(target=self.http.serve_forever, args=(0.02,), daemon=True)
        self.thread.start()

    def config(self) -> str:
        """Return a kubeconfig with two contexts: this server, and one that does not answer."""
        port = self.http.server_address[1]
        clusters = [
            {"name": name, "cluster": {"server": f"http://127.0.0.1:{number}"}}
            for name, number in (("here", port), ("gone", 9))
        ]
        contexts = [{"name": name, "context": {"cluster": name, "user": "me"}} for name in ("here", "gone")]
        users = [{"name": "me", "user": {"token": "t0ken"}}]
        return json.dumps(
            {"apiVersion": "v1", "kind": "Config", "clusters": clusters, "contexts": contexts, "users": users}
            | {"current-context": "here"}
        )


def query(text: str) -> dict[str, str]:
    """Return the values of a query."""
    return {name: values[0] for name, values in parse_qs(text).items()}


@pytest.fixture
def fake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Fake]:
    """Start a server, with a kubeconfig for it."""
    started = Fake()
    (tmp_path / "kubeconfig").write_text(started.config(), encoding="utf-8")
    monkeypatch.setattr("kubernetes.config.kube_config.KUBE_CONFIG_DEFAULT_LOCATION", str(tmp_path / "kubeconfig"))
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    yield started
    started.http.shutdown()
    started.http.server_close()
    started.thread.join()


def findings(text: str, context: str | None = None) -> list[Diagnostic]:
    """Return the findings of the server for a stream."""
    problems: list[Diagnostic] = []
    return [*problems, *dry_run(read_stream(text.encode(), "m.yaml", Budget(), problems), context)]


def test_each_object_is_sent_as_a_dry_run_only(fake: Fake) -> None:
    """A server-side apply with strict validation, which changes nothing."""
    assert findings(m.joined(SPACE, m.SERVICE, m.ROUTE)) == []
    assert sorted(path for path, *_ in fake.requests) == [
        "/api/v1/namespaces/prod",
        "/api/v1/namespaces/prod/services/big",
        "/apis/gateway.networking.k8s.io/v1/namespaces/prod/httproutes/big",
    ]
    expected = {"dryRun": "All", "fieldManager": "vsr-compile", "fieldValidation": "Strict", "force": "true"}
    assert all(query == expected and form == "application/apply-patch+yaml" for _, form, query, _ in fake.requests)
    assert fake.authorization == "Bearer t0ken"


def test_cause_is_reported_at_the_field_that_it_names(fake: Fake) -> None:
    """A path that does not exist is reported at its parent."""
    fake.replies["big"] = status(
        422,
        "HTTPRoute is invalid",
        ("spec.rules[0].backendRefs[0].port", "must be between 1 and 65535"),
        ("spec.parentRefs[0].sectionName", "Required value"),
        ("metadata.labels[a/b]", "too long"),
    )
    labels, section, port = sorted(findings(m.ROUTE), key=lambda item: item.span.line)
    line = m.ROUTE.splitlines()[port.span.line - 1]
    assert line[port.span.column - 1 :].startswith("80, weight")
    assert (port.code, "must be between 1 and 65535" in port.message) == ("VSR460", True)
    assert (section.span.line, labels.span.line) == (5, 3)


@pytest.mark.parametrize(
    "message",
    [
        'strict decoding error: unknown field "spec.rules[0].timeoutz", unknown field "spec.hostnamez"',
        "a:\n .spec.rules[0].timeoutz: field not declared in schema\n .spec.hostnamez: field not declared in schema",
    ],
)
def test_unknown_fields_are_parsed_from_the_message(fake: Fake, message: str) -> None:
    """The server lists them in one string, in one of two forms."""
    fake.replies["big"] = status(400, message)
    text = m.ROUTE.replace("timeouts:", "timeoutz:").replace("  rules:", "  hostnamez: [a]\n  rules:")
    first, second = findings(text)
    assert [text.splitlines()[item.span.line - 1].split(":")[0].strip() for item in (first, second)] == [
        "hostnamez",
        "timeoutz",
    ]


def test_warnings_missing_permissions_and_unknown_kinds_are_distinguished(fake: Fake) -> None:
    """A deprecation is a warning, a missing permission is reported once, an unknown kind is an error."""
    fake.replies["big"] = (200, b"{}", {"Warning": '299 - "v1 Service: use \\"v2\\""'})
    (warning,) = findings(m.SERVICE)
    assert (warning.code, warning.level, "use" in warning.message) == ("VSR460", Severity.WARNING, True)
    for name in ("big", "router"):
        fake.replies[name] = status(403, "services is forbidden: User cannot patch")
    (denied,) = findings(m.joined(m.SERVICE, m.ROUTER_SERVICE))
    assert (denied.code, "cannot patch" in denied.message) == ("VSR461", True)
    (unknown,) = findings(m.POOL)
    assert (unknown.code, unknown.span.line) == ("VSR460", 2)
    assert "does not have InferencePool of inference.networking.k8s.io/v1" in unknown.message


def test_namespaces_and_kinds_among_the_objects_are_notes(fake: Fake) -> None:
    """The server does not have them before they are applied."""
    fake.replies["big"] = status(404, 'namespaces "prod" not found')
    crd = (
        "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: x}\n"
        "spec: {group: inference.networking.k8s.io, names: {kind: InferencePool}}\n"
    )
    found = findings(m.joined(SPACE, m.SERVICE, m.POOL, crd))
    assert [item.level for item in found if "yet" in item.message] == [Severity.NOTE, Severity.NOTE]
    assert [item.level for item in findings(m.SERVICE)] == [Severity.ERROR]


HOSTILE: dict[str, tuple[Reply, str]] = {
    "no JSON": ((200, b"<html>", {}), "without JSON"),
    "deep JSON": ((200, b"[" * 200_000, {}), "without JSON"),
    "a list": ((200, b"[]", {}), "not a JSON object"),
    "a huge answer": ((422, b"a" * (client.MAX_RESPONSE + 10), {}), "longer than 4 MiB"),
    "more than it sends": ((200, b"{}", {"Content-Length": "99"}), "no response from the server"),
    "a redirect": ((302, b"{}", {"Location": "http://127.0.0.1:9/"}), "status 302"),
}


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("step", ["discovery", "patch"])
def test_hostile_response_is_a_finding(fake: Fake, name: str, step: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the discovery and in the dry run."""
    monkeypatch.setattr(client, "TIMEOUT", 1.0)
    reply, part = HOSTILE[name]
    if step == "discovery":
        fake.discovery = reply
    else:
        fake.replies["big"] = reply
    (item,) = findings(m.SERVICE)
    assert item.code in {"VSR460", "VSR461"}
    assert part in item.message


@pytest.mark.parametrize(
    "details",
    [
        None,
        [],
        {"causes": "x"},
        {"causes": [5, {"field": 5, "message": "m"}, {"field": "[[[..", "message": "m" * 9999}]},
    ],
)
def test_details_of_any_shape_are_accepted(fake: Fake, details: object) -> None:
    """The finding is short and has a place."""
    fake.replies["big"] = (422, json.dumps({"message": "m" * 5000, "details": details}).encode(), {})
    found = findings(m.SERVICE)
    assert found
    assert all(len(item.message) < 500 and item.span.line for item in found)


def test_slow_server_ends_the_check(fake: Fake, monkeypatch: pytest.MonkeyPatch) -> None:
    """Even if it sends one byte at a time."""
    monkeypatch.setattr(client, "TIMEOUT", 3.0)
    fake.drip = 0.05
    (item,) = findings(m.SERVICE)
    assert "takes more than" in item.message
    fake.drip = 0.0
    monkeypatch.setattr(api_server, "RESPONSE_TIMEOUT", 0.2)
    over = threading.Event()
    monkeypatch.setattr(api_server, "connect", lambda _: lambda _each: over.wait())
    (item,) = findings(m.SERVICE)
    over.set()
    assert "1 objects without a response" in item.message


def test_missing_cluster_is_a_finding(fake: Fake, tmp_path: Path) -> None:
    """An unknown context, and a server that does not answer."""
    assert [item.code for item in findings(m.SERVICE, "other")] == ["VSR461"]
    (gone,) = findings(m.joined(m.SERVICE, m.ROUTER_SERVICE), "gone")
    assert "no response from the server" in gone.message
    assert fake.requests == []
    file = tmp_path / "m.yaml"
    file.write_text(m.SERVICE, encoding="utf-8")
    assert call("verify", file, "--no-envoy").exit_code == 0
    assert fake.requests == []
    assert call("verify", file, "--no-envoy", "--server").exit_code == 0
    assert len(fake.requests) == 1
    assert call("verify", file, "--server", "--context", "gone").exit_code == 1
    assert call("verify", file, "--context", "gone").exit_code == 2


def test_name_of_an_object_cannot_change_the_path(fake: Fake) -> None:
    """The name is one segment of the path."""
    findings(m.SERVICE.replace("name: big,", 'name: "../../secrets/x?a=b#",').replace("prod", '"a/b"'))
    assert [path.count("/") for path, *_ in fake.requests] == [6]
