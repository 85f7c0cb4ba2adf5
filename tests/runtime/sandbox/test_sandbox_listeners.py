"""Listeners of a policy in the sandbox: TLS by hostname, redirects, client certificates."""

from __future__ import annotations

import http.client
import json
import socket
import ssl
import stat
from collections.abc import Iterator

import pytest

from support.compiled_sandbox import compiled_sandbox
from support.gateway_client import REAL_ENVOY, Running
from support.scripted import Scripted
from vsr_schemas.headers import SELECTED_MODEL
from vsr_schemas.sandbox import ClientSettings

pytestmark = REAL_ENVOY

POLICY = """\
apiVersion: vsr.dev/v1alpha1
kind: RoutingPolicy
metadata: {name: edge}
router: {image: "registry.example/vsr-runtime:0.1.0"}
gateway:
  listeners:
    - {name: https, port: 443, hostnames: [api.example.com, "*.models.example.com"], tls: {secret: api-cert}}
    - {name: http, port: 80, hostnames: [api.example.com], redirect: https}
    - {name: private, port: 8443, tls: {secret: own-cert}, clientCertificates: {secret: own-cert-cacert}}
identity:
  jwt: {issuer: "https://login.example.com", audiences: [llm], jwksUri: "https://a.example/k", claims: {team: team}}
endpoints:
  small: {service: {name: small, port: 8000}}
  large: {service: {name: large, port: 8000}}
models: {small: {endpoints: small}, large: {endpoints: large}}
signals: {research: {team: research}}
routes: [{name: research, when: {signal: research}, model: large, fallback: [small]}]
default: small
limits: [{name: few, per: team, requests: 2, window: 1h, for: {team: interns}}]
tests:
  - {prompt: Hello, as: {team: research}, expect: {model: large}}
  - {prompt: Hello, as: {team: interns}, expect: {model: small}}
"""
BODY = json.dumps({"model": "auto", "messages": [{"role": "user", "content": "Hello"}]})


@pytest.fixture(scope="module")
def stand(tmp_path_factory) -> Iterator[Running]:
    """A running sandbox with three listeners."""
    Scripted.says("Hello.")
    with compiled_sandbox(tmp_path_factory.mktemp("edge"), POLICY) as running:
        yield running


def asked(stand: Running, team: str, *, listener: str = "https", hostname: str = "", **more: str):
    """One request through a listener: status, headers and body."""
    listeners = stand.sandbox.listeners
    assert listeners is not None
    client = ClientSettings(attributes={"team": team})
    headers = {"content-type": "application/json"} | stand.sandbox.clients.headers(client) | more
    connection = listeners.connection(listeners.find(listener), hostname, timeout=30)
    try:
        connection.request("POST", "/v1/chat/completions", BODY, headers)
        response = connection.getresponse()
        return response.status, response.headers, response.read()
    finally:
        connection.close()


def _answer(connection: http.client.HTTPConnection) -> http.client.HTTPResponse:
    try:
        connection.request("POST", "/v1/chat/completions", BODY)
        return connection.getresponse()
    finally:
        connection.close()


@pytest.mark.parametrize("hostname", ["api.example.com", "a.models.example.com"])
def test_each_hostname_has_a_certificate_that_clients_check(stand, hostname):
    """The default context checks the chain and the name. Teams reach their models behind TLS."""
    status, headers, data = asked(stand, "research", hostname=hostname)
    assert (status, headers["x-backend"]) == (200, "backend/large"), data


def test_a_hostname_that_no_listener_has_gets_no_connection(stand):
    """Envoy finds no filter chain for the name."""
    with pytest.raises((ssl.SSLError, ConnectionError)):
        asked(stand, "research", hostname="other.example.com")


def test_plain_requests_are_redirected_without_the_router(stand):
    """The redirect names the port of the listener with TLS on this machine."""
    listeners = stand.sandbox.listeners
    status, headers, _ = asked(stand, "research", listener="http")
    assert status == 301
    port = listeners.ports[443]
    assert headers["location"] == f"https://api.example.com:{port}/v1/chat/completions"
    assert "x-backend" not in headers


def test_a_client_without_a_certificate_is_refused_where_one_is_asked_for(stand):
    """The handshake ends before any request is read."""
    listeners = stand.sandbox.listeners
    private = listeners.find("private")
    connection = listeners.connection(private, timeout=30, certificate=False)
    with pytest.raises((ssl.SSLError, ConnectionError)):
        _answer(connection)
    assert asked(stand, "research", listener="private")[0] == 200


def test_forged_decisions_choose_nothing_behind_tls(stand):
    """The headers of a decision are removed on every listener."""
    status, headers, _ = asked(stand, "research", **{SELECTED_MODEL: "small", "x-vsr-user-team": "interns"})
    assert (status, headers["x-backend"]) == (200, "backend/large")


def test_limits_count_behind_tls(stand):
    """A team's third request to a model with two an hour is refused, on whichever listener it comes."""
    found = [asked(stand, "interns", listener=name)[0] for name in ("https", "private", "https")]
    assert found == [200, 200, 429]


def test_keys_are_private_and_the_authority_has_none(stand):
    """Only this user reads the keys, and nothing can sign further certificates."""
    folder = stand.sandbox.listeners._folder
    keys = sorted(path for path in folder.rglob("*") if path.is_file())
    assert {path.name for path in keys} >= {"https.key", "https.crt", "ca.crt", "client.key"}
    assert {stat.S_IMODE(path.stat().st_mode) for path in keys} == {0o600}
    assert "ca.key" not in {path.name for path in keys}


def test_ports_stay_on_this_machine(stand):
    """No listener is reachable from outside."""
    for port in stand.sandbox.listeners.ports.values():
        with socket.create_connection(("127.0.0.1", port), timeout=5):
            pass


def test_a_model_that_fails_is_followed_by_the_next_behind_tls(stand):
    """Attempts are sent on behind the listener that took the request."""
    Scripted.reply = (503, {"content-type": "application/json"}, [b"{}"])
    before = len(Scripted.requests)
    assert asked(stand, "research")[0] == 503
    assert [json.loads(body)["model"] for _, body in Scripted.requests[before:]] == ["large", "small"]
