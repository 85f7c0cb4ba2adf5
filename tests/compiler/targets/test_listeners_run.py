"""Listeners of a policy in the real Envoy: TLS by hostname, certificates of clients, and redirects."""

from __future__ import annotations

import copy
import http.client
import json
import shutil
import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from support import rendering, xds
from support.cases import output_of, policy_of
from support.common import required
from vsr_compiler import ir
from vsr_compiler.deploy import sandbox

pytestmark = [pytest.mark.envoy, pytest.mark.subprocess]
Body = dict[str, Any]
TLS = "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext"
PATH = "/v1/chat/completions"
FORGED = {"x-selected-model": "a", "x-envoy-ip-tags": "vsr"}


class _Model(BaseHTTPRequestHandler):
    """A model server that answers everything."""

    def do_POST(self) -> None:
        """Answer with 200, and say who answers."""
        self.rfile.read(int(self.headers.get("content-length", 0)))
        self.send_response(200)
        self.send_header("content-length", "0")
        self.send_header("x-backend", "model")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Write nothing."""


def certificate(folder: Path, name: str, *hostnames: str) -> tuple[Path, Path]:
    """Make a self-signed certificate, which is also its own authority."""
    required(shutil.which("openssl"), "openssl")
    cert, key = folder / f"{name}.crt", folder / f"{name}.key"
    names = ",".join(f"DNS:{hostname}" for hostname in hostnames or (f"{name}.example.org",))
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    command += ["-days", "2", "-subj", f"/CN={name}", "-addext", f"subjectAltName={names}"]
    subprocess.run([*command, "-out", str(cert), "-keyout", str(key)], check=True, capture_output=True)
    return cert, key


def listeners(policy: ir.Policy, folder: Path) -> list[Body]:
    """Return a listener for each port of the Gateway, as control planes make them of its listeners."""
    plain = replace(policy, gateway=replace(policy.gateway, listeners=(ir.HTTP,)))
    (original,) = sandbox.bootstrap(plain)["static_resources"]["listeners"]
    objects = [item.body for item in rendering.objects(policy, "envoy-gateway")]
    clients = {
        ref["sectionName"]: body["spec"].get("tls", {})
        for body in objects
        if body["kind"] == "ClientTrafficPolicy"
        for ref in body["spec"]["targetRefs"]
    }
    result: dict[int, Body] = {}
    for section in policy.gateway.sections:
        chain = copy.deepcopy(original["filter_chains"][0])
        manager = chain["filters"][0]["typed_config"]
        (host,) = manager["route_config"]["virtual_hosts"]
        host["domains"] = [section.hostname or "*"]
        for route in host["routes"]:
            route["match"]["headers"].append({"name": "x-envoy-ip-tags", "string_match": {"exact": "vsr"}})
        mark = {"header": {"key": "x-envoy-ip-tags", "value": "vsr"}, "append_action": "OVERWRITE_IF_EXISTS_OR_ADD"}
        manager["http_filters"].insert(
            0,
            {
                "name": "vsr.header_mutation",
                "typed_config": {
                    "@type": "type.googleapis.com/envoy.extensions.filters.http.header_mutation.v3.HeaderMutation",
                    "mutations": {"request_mutations": [{"append": mark}]},
                },
            },
        )
        if section.listener.redirect is not None:
            (route,) = [body for body in objects if body["metadata"]["name"].endswith("-redirect")]
            assert route["spec"]["rules"][0]["filters"][0]["requestRedirect"] == {"scheme": "https", "statusCode": 301}
            host["domains"] = route["spec"]["hostnames"]
            host["routes"] = [{"match": {"prefix": "/"}, "redirect": {"scheme_redirect": "https"}}]
            manager["http_filters"] = manager["http_filters"][-1:]
        if section.listener.tls is not None:
            cert, key = certificate(folder, section.name, section.hostname)
            context: Body = {
                "tls_certificates": [{"certificate_chain": _file(cert), "private_key": _file(key)}],
                "alpn_protocols": ["h2", "http/1.1"],
            }
            secret: Body = {"@type": TLS, "common_tls_context": context}
            if "clientValidation" in clients[section.name]:
                context["validation_context"] = {"trusted_ca": _file(folder / "client.crt")}
                secret["require_client_certificate"] = True
            chain |= {
                "filter_chain_match": {"server_names": [section.hostname]},
                "transport_socket": {"name": "envoy.transport_sockets.tls", "typed_config": secret},
            }
        port = section.listener.port
        inspector = "type.googleapis.com/envoy.extensions.filters.listener.tls_inspector.v3.TlsInspector"
        filters = [{"name": "envoy.filters.listener.tls_inspector", "typed_config": {"@type": inspector}}]
        base = {**original, "name": str(port), "filter_chains": [], "listener_filters": filters}
        result.setdefault(port, base)["filter_chains"].append(chain)
    return list(result.values())


def _file(path: Path) -> Body:
    return {"filename": str(path)}


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[dict[str, str], Path]]:
    """The address of each port, and the folder with the certificates."""
    folder = tmp_path_factory.mktemp("certificates")
    certificate(folder, "client")
    policy = policy_of("listeners", "current")
    model = ThreadingHTTPServer(("127.0.0.1", 0), _Model)
    threading.Thread(target=model.serve_forever, daemon=True).start()
    document = sandbox.bootstrap(policy)
    with xds.router(output_of("listeners") / "router") as router:
        dump = {
            "listeners": listeners(policy, folder),
            "routes": [],
            "clusters": document["static_resources"]["clusters"],
        }
        ports = {sandbox.EXT_PROC_CLUSTER: router}
        made = xds.bootstrap(dump, lambda name: ports.get(name, model.server_address[1]))
        for chain in (chain for own in made["static_resources"]["listeners"] for chain in own["filter_chains"]):
            for item in chain["filters"][0]["typed_config"]["http_filters"]:
                if "message_timeout" in item["typed_config"]:
                    item["typed_config"]["message_timeout"] = "20s"
        with xds.envoy(made) as addresses:
            yield dict(addresses), folder
    model.shutdown()
    model.server_close()


def asked(
    address: str,
    host: str,
    *,
    sni: str | None = None,
    client: tuple[Path, Path] | None = None,
    trusted: Path | None = None,
    model: str = "a",
) -> tuple[int, str]:
    """Send a request with forged headers. Return the status, and the location or who answered."""
    name, _, port = address.rpartition(":")
    raw = socket.create_connection((name, int(port)), timeout=30)
    connection = http.client.HTTPConnection(name, int(port), timeout=30)
    try:
        if trusted is not None:
            context = ssl.create_default_context(cafile=str(trusted))
            if client is not None:
                context.load_cert_chain(*client)
            raw = context.wrap_socket(raw, server_hostname=sni or host)
        connection.sock = raw
        body = json.dumps({"model": model, "messages": [{"role": "user", "content": "hello"}]})
        connection.request("POST", PATH, body, {"host": host, "content-type": "application/json", **FORGED})
        response = connection.getresponse()
        response.read()
        return response.status, response.headers["location"] or response.headers["x-backend"] or ""
    finally:
        connection.close()
        raw.close()


def test_each_hostname_has_its_certificate_and_leads_to_the_model(gateway: tuple[dict[str, str], Path]) -> None:
    """The handshake checks the certificate for the hostname."""
    addresses, folder = gateway
    for section, host in (
        ("https", "llm.example.org"),
        ("https-2", "x.llm.example.org"),
        ("shared", "llm.example.net"),
    ):
        assert asked(addresses["443"], host, trusted=folder / f"{section}.crt") == (200, "model"), host


def test_other_hostnames_lead_to_no_model(gateway: tuple[dict[str, str], Path]) -> None:
    """An unknown name in the handshake ends it, and another host than in the handshake is 404."""
    addresses, folder = gateway
    with pytest.raises((ssl.SSLError, ConnectionError)):
        asked(addresses["443"], "other.example.com", trusted=folder / "https.crt")
    assert asked(addresses["443"], "llm.example.net", sni="llm.example.org", trusted=folder / "https.crt")[0] == 404


def test_clients_without_a_certificate_are_refused_where_it_is_demanded(gateway: tuple[dict[str, str], Path]) -> None:
    """Also with a certificate of another authority."""
    addresses, folder = gateway
    host, trusted = "partners.example.org", folder / "partners.crt"
    own = (folder / "client.crt", folder / "client.key")
    assert asked(addresses["8443"], host, trusted=trusted, client=own) == (200, "model")
    for client in (None, (folder / "https.crt", folder / "https.key")):
        with pytest.raises((ssl.SSLError, ConnectionError, http.client.RemoteDisconnected)):
            asked(addresses["8443"], host, trusted=trusted, client=client)


def test_plain_http_is_redirected_and_reaches_no_model(gateway: tuple[dict[str, str], Path]) -> None:
    """For the hostnames of the redirect only."""
    addresses, _ = gateway
    assert asked(addresses["80"], "llm.example.org") == (301, f"https://llm.example.org{PATH}")
    assert asked(addresses["80"], "other.example.com")[0] == 404
