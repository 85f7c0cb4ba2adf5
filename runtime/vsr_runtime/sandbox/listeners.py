"""Listeners of a sandbox: free ports and certificates for those of the policy, and connections to them.

The sandbox holds each port with a socket that does not listen, so that redirects can name it before Envoy starts.
"""

from __future__ import annotations

import http.client
import socket
import ssl
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from functools import cached_property
from pathlib import Path
from typing import Any

from vsr_runtime.errors import UserError
from vsr_runtime.sandbox.certificates import LOCAL_NAMES, Authority, write_private
from vsr_schemas.sandbox import CERTIFICATES, CLIENT_AUTHORITY, SandboxListener

LOOPBACK = "127.0.0.1"
ANY_LABEL = "any"
"""What stands for `*` in a hostname that is asked for."""


class Listeners:
    """The listeners of a policy on this machine.

    Args:
        settings: those of the policy.
        folder: a private folder, in which certificates are written.
        parts: closes what holds the ports.

    Attributes:
        ports: the local port of each port of the policy.

    Raises:
        UserError: they do not fit together, or certificates cannot be made.
    """

    def __init__(self, settings: Sequence[SandboxListener], folder: Path, parts: ExitStack) -> None:
        self._settings = list(settings)
        self._folder = folder / CERTIFICATES
        self._authority: Authority | None = None
        if all(listener.redirect is not None for listener in settings):
            raise UserError("sandbox.yaml: listeners: none of them leads to models")
        self.ports = {port: _held(parts) for port in dict.fromkeys(listener.port for listener in settings)}
        with_tls = [listener for listener in settings if listener.tls]
        if with_tls:
            self._authority = Authority("sandbox")
            write_private(self._ca, self._authority.pem)
        for listener in with_tls:
            self._issue(self._authority, listener)
        if any(listener.clientCertificates for listener in with_tls):
            clients = Authority("clients of the sandbox")
            write_private(self._folder / CLIENT_AUTHORITY, clients.pem)
            clients.issue(self._ca.parent, "client")

    def _issue(self, authority: Authority | None, listener: SandboxListener) -> None:
        if authority is not None:
            authority.issue(self._folder, listener.name, listener.hostnames or LOCAL_NAMES)

    @property
    def _ca(self) -> Path:
        return self._folder / "for-clients" / "ca.crt"

    @property
    def client(self) -> tuple[Path, Path]:
        """The certificate and the key of a client."""
        return self._ca.parent / "client.crt", self._ca.parent / "client.key"

    @cached_property
    def main(self) -> SandboxListener:
        """The listener to which requests of tests go: with TLS if there is one, and for all clients if possible."""
        serving = [listener for listener in self._settings if listener.redirect is None]
        return min(serving, key=lambda listener: (not listener.tls, listener.clientCertificates))

    def find(self, name: str) -> SandboxListener:
        """Return a listener by name."""
        return next(listener for listener in self._settings if listener.name == name)

    def url(self, listener: SandboxListener, hostname: str = "") -> str:
        """Return the address of a listener, by its first hostname unless another is given."""
        scheme = "https" if listener.tls else "http"
        return f"{scheme}://{hostname or _host(listener)}:{self.ports[listener.port]}"

    def connection(
        self, listener: SandboxListener | None = None, hostname: str = "", *, timeout: float, certificate: bool = True
    ) -> http.client.HTTPConnection:
        """Return a connection that is not open yet. With TLS it checks the certificate for the hostname.

        Args:
            listener: the listener; by default the main one.
            hostname: the host to ask for; by default its first.
            timeout: seconds for each step.
            certificate: whether to show a client's certificate where the listener asks for one.
        """
        listener = listener or self.main
        context = None
        if listener.tls:
            context = ssl.create_default_context(cafile=str(self._ca))
            if listener.clientCertificates and certificate:
                context.load_cert_chain(*self.client)
        return _Connection(hostname or _host(listener), self.ports[listener.port], context, timeout)

    def localise(self, bodies: Sequence[dict[str, Any]]) -> None:
        """Replace the ports and the certificates of Envoy's listeners, in place.

        Raises:
            UserError: they are not those of the settings.
        """
        found = [_port(body) for body in bodies]
        if sorted(map(str, found)) != sorted(map(str, self.ports)):
            raise UserError("envoy.yaml: its listeners are not those of sandbox.yaml; compile the policy again")
        for body in bodies:
            body["address"] = {"socket_address": {"address": LOOPBACK, "port_value": self.ports[_port(body)]}}
            body["enable_reuse_port"] = True
            self._replace(body)

    def _replace(self, value: object) -> None:
        if isinstance(value, dict):
            name = value.get("filename")
            if isinstance(name, str) and name.startswith(f"{CERTIFICATES}/"):
                value["filename"] = str(self._folder.parent / name)
            if "port_redirect" in value:
                value["port_redirect"] = self.ports.get(value["port_redirect"], value["port_redirect"])
            for part in value.values():
                self._replace(part)
        elif isinstance(value, list):
            for part in value:
                self._replace(part)

    def lines(self) -> Iterator[str]:
        """Yield a line for each listener, and how curl reaches them."""
        for listener in self._settings:
            wanted = ", wants a client certificate" if listener.clientCertificates else ""
            leads = f", redirects to {listener.redirect}" if listener.redirect is not None else wanted
            hostnames = [name.replace("*", ANY_LABEL) for name in listener.hostnames] or [_host(listener)]
            urls = " ".join(self.url(listener, hostname) for hostname in hostnames)
            yield f"listener {listener.name}, port {listener.port}: {urls}{leads}"
        options = f"--connect-to ::{LOOPBACK}:"
        if self._authority is not None:
            options += f" --cacert {self._ca}"
        if any(listener.clientCertificates for listener in self._settings):
            certificate, key = self.client
            options += f" --cert {certificate} --key {key}"
        yield f"curl {options}"


class _Connection(http.client.HTTPConnection):
    """A connection to loopback that asks for another host."""

    def __init__(self, hostname: str, port: int, context: ssl.SSLContext | None, timeout: float) -> None:
        super().__init__(hostname, port, timeout=timeout)
        self._hostname, self._local, self._context, self._seconds = hostname, port, context, timeout

    def connect(self) -> None:
        """Connect, and check the certificate of the gateway."""
        self.sock = socket.create_connection((LOOPBACK, self._local), timeout=self._seconds)
        if self._context is not None:
            try:
                self.sock = self._context.wrap_socket(self.sock, server_hostname=self._hostname)
            except OSError:
                self.close()
                raise


def _host(listener: SandboxListener) -> str:
    plain = [hostname for hostname in listener.hostnames if not hostname.startswith("*")]
    return plain[0] if plain else listener.hostnames[0].replace("*", ANY_LABEL) if listener.hostnames else LOOPBACK


def _port(body: dict[str, Any]) -> int:
    try:
        return int(body["address"]["socket_address"]["port_value"])
    except (KeyError, TypeError, ValueError):
        return 0


def _held(parts: ExitStack) -> int:
    """Return a free port that nobody else gets: this user's Envoy may share it."""
    holder = parts.enter_context(socket.socket())
    holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    holder.bind((LOOPBACK, 0))
    return int(holder.getsockname()[1])
