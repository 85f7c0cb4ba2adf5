"""Listeners of the Gateway. Each hostname of a listener is a listener of the Gateway API, here called a section."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Literal

from vsr_compiler.diagnostics import Span


@dataclass(frozen=True, slots=True)
class Issuer:
    """An issuer of cert-manager."""

    name: str
    kind: Literal["ClusterIssuer", "Issuer"]


@dataclass(frozen=True, slots=True)
class Tls:
    """The certificate of a listener.

    Attributes:
        secret: The Secret; empty if its name is left to the compiler, which then writes a Certificate.
        namespace: Its namespace; None for that of the Gateway.
        issuer: The issuer that fills it; None if the Secret exists.
    """

    secret: str = ""
    namespace: str | None = None
    issuer: Issuer | None = None


@dataclass(frozen=True, slots=True)
class ClientCertificates:
    """The object with the authorities (``ca.crt``) that sign client certificates."""

    kind: Literal["Secret", "ConfigMap"]
    name: str


@dataclass(frozen=True, slots=True)
class Listener:
    """A port on which the Gateway accepts requests. Without hostnames it takes every host."""

    name: str
    port: int
    span: Span = field(default_factory=partial(Span, ""))
    hostnames: tuple[str, ...] = ()
    tls: Tls | None = None
    client_certificates: ClientCertificates | None = None
    redirect: str | None = None
    """The listener to which it sends clients; None if requests to models arrive here."""
    namespaces: tuple[str, ...] = ()
    """Namespaces whose routes it admits besides those of the policy."""

    @property
    def protocol(self) -> str:
        """The protocol in the Gateway API."""
        return "HTTP" if self.tls is None else "HTTPS"


@dataclass(frozen=True, slots=True)
class Section:
    """A listener of the Gateway API: one hostname of a listener. An empty hostname means every host.

    Sections are numbered, so that the first one of a port, after which Envoy Gateway names Envoy's listener, keeps its
    name when hostnames are added, and routes refer to the same names in every environment.
    """

    name: str
    hostname: str
    listener: Listener


HTTP = Listener("http", 80)


def sections(listeners: tuple[Listener, ...]) -> tuple[Section, ...]:
    """Return the sections of listeners. Of a port that only redirects, the route has the hostnames."""
    result = []
    users = Counter(listener.port for listener in listeners)
    for listener in listeners:
        alone = listener.redirect is not None and users[listener.port] == 1
        hostnames = ("",) if alone else redirected_hostnames(listeners, listener) or ("",)
        for number, hostname in enumerate(hostnames, start=1):
            name = listener.name if number == 1 else f"{listener.name}-{number}"
            result.append(Section(name, hostname, listener))
    return tuple(result)


def redirected_hostnames(listeners: tuple[Listener, ...], listener: Listener) -> tuple[str, ...]:
    """Return the hostnames of a listener; one that redirects has those of its target unless it has its own."""
    target = next((other for other in listeners if other.name == listener.redirect), listener)
    return listener.hostnames or target.hostnames


def with_hostnames(listeners: tuple[Listener, ...], hostnames: Mapping[str, tuple[str, ...]]) -> tuple[Listener, ...]:
    """Return listeners with other hostnames, by the names of the listeners."""
    return tuple(
        replace(listener, hostnames=hostnames[listener.name]) if listener.name in hostnames else listener
        for listener in listeners
    )
