"""What surrounds the router: the Gateway and the environments."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from vsr_compiler.diagnostics import Span
from vsr_compiler.ir.attachment import Attachment
from vsr_compiler.ir.candidate import Candidate
from vsr_compiler.ir.gitops import Cluster
from vsr_compiler.ir.hosts import Host
from vsr_compiler.ir.listeners import HTTP, Listener, Section, redirected_hostnames, sections
from vsr_compiler.ir.placement import EnvironmentPlacement, Resources
from vsr_compiler.ir.rollout import Rollout


@dataclass(frozen=True, slots=True)
class Cors:
    """The pages that may call the gateway from a browser. ``max_age`` is in seconds."""

    origins: tuple[str, ...]
    headers: tuple[str, ...]
    exposed: tuple[str, ...]
    credentials: bool
    max_age: int
    span: Span


@dataclass(frozen=True, slots=True)
class Gateway:
    """The Gateway that receives the traffic.

    ``timeout`` is in milliseconds and bounds a whole request. ``redis`` is where it counts for limits; empty for none.
    """

    name: str
    namespace: str
    timeout: int
    span: Span
    listeners: tuple[Listener, ...] = (HTTP,)
    cors: Cors | None = None
    redis: str = ""

    @property
    def class_name(self) -> str:
        """The name of the GatewayClass that belongs to this Gateway alone, if one is written."""
        return f"{self.namespace}-{self.name}"

    @property
    def sections(self) -> tuple[Section, ...]:
        """The listeners of the Gateway API, in their order."""
        return sections(self.listeners)

    @property
    def model_sections(self) -> tuple[Section, ...]:
        """The sections that routes to models attach to: those that do not redirect."""
        return tuple(section for section in self.sections if section.listener.redirect is None)

    def hostnames(self, listener: Listener) -> tuple[str, ...]:
        """Return the hostnames of a listener, and of a redirect those of its target; empty for every host."""
        return redirected_hostnames(self.listeners, listener)

    def certificate(self, listener: Listener) -> tuple[str, str]:
        """Return name and namespace of the Secret with a listener's certificate; empty names without TLS."""
        if listener.tls is None:
            return "", ""
        return listener.tls.secret or f"{self.name}-{listener.name}-tls", listener.tls.namespace or self.namespace


@dataclass(frozen=True, slots=True)
class Environment:
    """An overlay.

    ``replicas``, ``images``, ``resources`` and ``placement`` are by endpoint; the key ``router`` is the router, and
    in ``placement`` the key ``pickers`` means all endpoint pickers.
    """

    name: str
    target: str
    span: Span
    simulate: bool = False
    replicas: Mapping[str, int] = field(default_factory=dict)
    images: Mapping[str, str] = field(default_factory=dict)
    resources: Mapping[str, Resources] = field(default_factory=dict)
    placement: Mapping[str, EnvironmentPlacement] = field(default_factory=dict)
    device: str | None = None
    gateway_name: str | None = None
    gateway_namespace: str | None = None
    hostnames: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Other hostnames by listener."""
    versions: Mapping[str, str] = field(default_factory=dict)
    issuer: str | None = None
    audiences: tuple[str, ...] = ()
    jwks_uri: str | None = None
    region: str | None = None
    """Where everything in its cluster is."""
    server: str | None = None
    """The API server of its cluster, if it is not that of ``gitops``."""
    attachment: Attachment | None = None
    """How the router is attached to a Gateway that exists already; None on targets with a Gateway of their own."""
    cluster: Cluster | None = None
    """Its cluster, if it is one of several that run the environment. Then `server` is the cluster's."""
    host: Host | None = None
    """Its machine, if it is no cluster."""
    rollout: Rollout | Literal["none"] | None = None
    """The stepwise rollout of its router, or none; None for that of the policy."""
    candidate: Candidate | None = None
    """Its own candidate."""
