"""TLS between the real Envoy and the runtime."""

from __future__ import annotations

import json
import os
import shutil
import ssl
import subprocess
from pathlib import Path

import pytest

from support.chaos import PHI, address
from support.gateway_client import REAL_ENVOY, Running, start
from vsr_runtime.files import read_yaml

pytestmark = [
    *REAL_ENVOY,
    pytest.mark.skipif(shutil.which("openssl") is None and not os.environ.get("CI"), reason="openssl is not installed"),
]


def certificate(folder, name: str) -> tuple[str, str]:
    """A self-signed certificate for loopback and its key."""
    cert, key = folder / f"{name}.crt", folder / f"{name}.key"
    made = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"]
    made += ["-subj", "/CN=router", "-addext", "subjectAltName=DNS:router,IP:127.0.0.1"]
    subprocess.run([*made, "-keyout", key, "-out", cert], check=True, capture_output=True)
    return str(cert), str(key)


def speak_tls(policy, trusted: str, shown: tuple[str, str] | None) -> None:
    """Let the sample gateway ask its router over TLS: it trusts one certificate, and may show another."""
    local = policy / "local"
    router = read_yaml(local / "sandbox.yaml")["extProcCluster"]
    bootstrap = read_yaml(local / "envoy.yaml")
    (cluster,) = [each for each in bootstrap["static_resources"]["clusters"] if each["name"] == router]
    common = {"alpn_protocols": ["h2"], "validation_context": {"trusted_ca": {"filename": trusted}}}
    if shown:
        chain, key = ({"filename": name} for name in shown)
        common["tls_certificates"] = [{"certificate_chain": chain, "private_key": key}]
    kind = "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext"
    context = {"@type": kind, "common_tls_context": common}
    cluster["transport_socket"] = {"name": "envoy.transport_sockets.tls", "typed_config": context}
    (local / "envoy.yaml").write_text(json.dumps(bootstrap))


@pytest.mark.parametrize("mutual", [False, True])
def test_gateway_speaks_tls(policy, tmp_path, chat, fake, mutual):
    """Requests are decided over TLS, with a certificate of the gateway's where one is asked for."""
    served, shown = certificate(tmp_path, "router"), certificate(tmp_path, "gateway")
    speak_tls(policy, served[0], shown if mutual else None)
    options = ("--tls-cert", served[0], "--tls-key", served[1], *(("--tls-client-ca", shown[0]) if mutual else ()))
    sandbox, lines = start(policy / "local", (*fake, *options))
    with sandbox:
        assert Running(sandbox, lines).served(chat("auto", "1+1")) == PHI


def test_certificate_is_followed_as_it_changes(policy, tmp_path, chat, fake):
    """A renewed certificate is what the next connection is shown."""
    old, new = certificate(tmp_path, "old"), certificate(tmp_path, "new")
    speak_tls(policy, old[0], None)
    sandbox, lines = start(policy / "local", (*fake, "--tls-cert", old[0], "--tls-key", old[1]))
    with sandbox:
        assert Running(sandbox, lines).served(chat("auto", "1+1")) == PHI
        for source, target in zip(new, old, strict=True):
            shutil.copyfile(source, target)
        authority = address(lines)
        shown = ssl.get_server_certificate((authority.rpartition(":")[0], int(authority.rpartition(":")[2])))
        assert shown.strip() == Path(new[0]).read_text().strip()
