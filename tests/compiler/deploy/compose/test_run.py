"""A host for real: the commands of its Compose file as processes, with the real Envoy, TLS and a provider."""

from __future__ import annotations

import http.client
import json
import signal
import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from support.common import linked
from support.compose_host import Host, free_port, wait
from vsr_compiler.pipeline import compile_policy
from vsr_runtime.sandbox.certificates import Authority
from vsr_runtime.sandbox.envoy import envoy_command

pytestmark = [pytest.mark.envoy, pytest.mark.subprocess]
POLICY = """\
apiVersion: vsr.dev/v1alpha1
kind: RoutingPolicy
metadata: {name: box}
router: {image: "registry.example/vsr-runtime:0.1.0", deadline: 20s}
gateway:
  listeners:
    - {name: http, port: 80, redirect: https}
    - {name: https, port: 443, hostnames: [llm.example.org], tls: {secret: llm-tls}}
endpoints:
  own: {service: "ollama:11434"}
  outside: {external: {url: "https://api.example.com/v1", apiKey: {secret: outside, key: token}}}
models:
  little: {endpoints: [own]}
  big: {endpoints: [outside], providerModel: big-1}
signals: {hard: {keywords: [prove]}}
routes: [{name: hard, when: {signal: hard}, model: big}]
default: little
environments: {box: {target: compose, host: {endpoints: {own: "localhost:11434"}}}}
"""
PATH = "/v1/chat/completions"


@dataclass
class Seen:
    """What the stand-ins saw, and when they may answer."""

    requests: list[tuple[str, str, str | None]]
    arrived: threading.Event
    go: threading.Event


def server(seen: Seen, context: ssl.SSLContext | None = None) -> ThreadingHTTPServer:
    """A model server on loopback, with TLS if there is a context."""

    class Model(BaseHTTPRequestHandler):
        """Says which model it was asked for."""

        def do_POST(self) -> None:
            """Answer, after a sign if the request asks to wait."""
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            seen.requests.append((self.headers["host"], body["model"], self.headers["authorization"]))
            if "wait" in json.dumps(body):
                seen.arrived.set()
                seen.go.wait(30)
            data = json.dumps({"model": body["model"]}).encode()
            self.send_response(200)
            self.send_header("content-length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: object) -> None:
            """Write nothing."""

    made = ThreadingHTTPServer(("127.0.0.1", 0), Model)
    if context is not None:
        made.socket = context.wrap_socket(made.socket, server_side=True)
    threading.Thread(target=made.serve_forever, daemon=True).start()
    return made


@dataclass
class Running:
    """A running host."""

    host: Host
    seen: Seen
    envoy: subprocess.Popen[bytes]
    authority: Path
    health: dict[str, tuple[int, int]]
    """Ports of the administration and of probes: in the container, and here."""

    def ask(self, text: str, hostname: str = "llm.example.org") -> tuple[int, bytes]:
        """Send a request to the listener with TLS, whose certificate is checked."""
        context = ssl.create_default_context(cafile=str(self.authority))
        body = json.dumps({"model": "auto", "messages": [{"role": "user", "content": text}]})
        forged = {"x-selected-model": "big", "x-forwarded-for": "10.0.0.1", "host": hostname}
        plain = socket.create_connection(("127.0.0.1", self.host.port(443)), timeout=60)
        connection = http.client.HTTPConnection("127.0.0.1", self.host.port(443), timeout=60)
        with context.wrap_socket(plain, server_hostname=hostname) as connection.sock:
            connection.request("POST", PATH, body, {"content-type": "application/json", **forged})
            response = connection.getresponse()
            return response.status, response.read()


def written(root: Path) -> Path:
    """The folder of the host, as it is copied there."""
    compiled = compile_policy(linked(POLICY), lambda _: None)
    for path, file in compiled.tree.items():
        target = root / "out" / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(file.content)
    return root / "out" / "compose" / "box"


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A host that runs."""
    with started(tmp_path_factory.mktemp("host")) as made:
        yield made


@contextmanager
def started(root: Path) -> Iterator[Running]:
    """Start a host with its secrets, and stand-ins for the models."""
    host = Host(written(root), root)
    authority = Authority("public")
    host.secrets.mkdir()
    (root / "authorities.crt").write_text(authority.pem, encoding="utf-8")
    for name, hostname in (("llm", "llm.example.org"), ("provider", "api.example.com")):
        authority.issue(root / "certificates", name, [hostname])
    (host.secrets / "llm-tls").mkdir()
    for end in ("crt", "key"):
        data = (root / "certificates" / f"llm.{end}").read_bytes()
        (host.secrets / "llm-tls" / f"tls.{end}").write_bytes(data)
    (host.secrets / "outside").mkdir()
    (host.secrets / "outside" / "token").write_text("secret-of-the-provider\n", encoding="utf-8")
    host.link_secrets()
    seen = Seen([], threading.Event(), threading.Event())
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(root / "certificates" / "provider.crt", root / "certificates" / "provider.key")
    own, outside = server(seen), server(seen, context)
    router, admin, probes = free_port(), free_port(), free_port()
    document = host.bootstrap(
        {
            "vsr-router": router,
            "host.docker.internal": own.server_address[1],
            "api.example.com": outside.server_address[1],
        }
    )
    document["admin"]["address"]["socket_address"]["port_value"] = admin
    host.write(document)
    with host.router(router, probes), host.envoy(admin) as envoy:
        made = Running(host, seen, envoy, root / "authorities.crt", {"envoy": (9901, admin), "router": (8080, probes)})

        def ready() -> bool:
            try:
                return made.ask("hello")[0] == 200
            except OSError:
                return False

        wait(ready, envoy)
        seen.requests.clear()
        yield made
    for item in (own, outside):
        item.shutdown()
        item.server_close()


def test_requests_go_where_the_policy_says_with_the_key_of_the_provider(running: Running) -> None:
    """TLS with the host's certificate, the default on the machine itself, and a provider whose name is checked."""
    running.seen.requests.clear()
    assert running.ask("hello") == (200, b'{"model": "little"}')
    assert running.ask("prove it") == (200, b'{"model": "big-1"}')
    assert running.seen.requests == [
        ("llm.example.org", "little", None),
        ("api.example.com", "big-1", "Bearer secret-of-the-provider"),
    ]


def test_its_healthchecks_find_it_healthy(running: Running) -> None:
    """The commands of the Compose file, in place of the containers' ports those of here."""
    for name, (inner, port) in running.health.items():
        (kind, *command) = running.host.compose["services"][name]["healthcheck"]["test"]
        assert kind == "CMD"
        here = [
            word.replace("$$", "$").replace(f"127.0.0.1{mark}{inner}", f"127.0.0.1{mark}{port}")
            for word in command
            for mark in ("/" if name == "envoy" else ":",)
        ]
        assert subprocess.run(here, check=False, timeout=30).returncode == 0, name
        wrong = [word.replace(str(port), str(free_port())) for word in here]
        assert subprocess.run(wrong, check=False, timeout=30, capture_output=True).returncode != 0, name


def test_plain_http_is_sent_to_the_published_port_of_https(running: Running) -> None:
    """Not to the port inside of the container."""
    connection = http.client.HTTPConnection("127.0.0.1", running.host.port(80), timeout=30)
    connection.request("GET", "/v1/models", headers={"host": "llm.example.org"})
    response = connection.getresponse()
    assert response.status == 301
    assert response.headers["location"] in {
        "https://llm.example.org/v1/models",
        "https://llm.example.org:443/v1/models",
    }
    connection.close()


def test_a_signal_to_stop_lets_requests_end(tmp_path: Path) -> None:
    """`docker compose up` replaces Envoy's container; a response that has begun is not cut."""
    with started(tmp_path) as running:
        _stop(running)


def _stop(running: Running) -> None:
    answers: list[tuple[int, bytes]] = []
    client = threading.Thread(target=lambda: answers.append(running.ask("wait for me")))
    client.start()
    assert running.seen.arrived.wait(30)
    running.envoy.send_signal(signal.SIGTERM)
    with pytest.raises(subprocess.TimeoutExpired):
        running.envoy.wait(1.5)
    running.seen.go.set()
    client.join(30)
    assert answers == [(200, b'{"model": "little"}')]
    assert running.envoy.wait(30) == 0


def test_envoy_accepts_the_configuration_as_it_is(tmp_path: Path) -> None:
    """`envoy --mode validate`; only the files of certificates are of here."""
    folder = written(tmp_path)
    host = Host(folder, tmp_path)
    authority = Authority("public")
    (tmp_path / "authorities.crt").write_text(authority.pem, encoding="utf-8")
    authority.issue(tmp_path / "run" / "tls" / "https", "tls", ["llm.example.org"])
    text = (folder / "envoy" / "envoy.yaml").read_text(encoding="utf-8")
    (tmp_path / "envoy.yaml").write_text(host.moved(text), encoding="utf-8")
    command = [*envoy_command(), "--mode", "validate", "-c", str(tmp_path / "envoy.yaml")]
    result = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert result.returncode == 0, result.stderr[-2000:]
