"""Servers that classify text for the router."""

from __future__ import annotations

from dataclasses import dataclass

from vsr_compiler.diagnostics import Span
from vsr_compiler.ir.network import CLUSTER_DOMAIN, ServiceRef
from vsr_compiler.ir.providers import EndpointKey
from vsr_schemas.inference_servers import ServerProtocol


@dataclass(frozen=True, slots=True)
class ClassifierServer:
    """A server, its protocol, and the bounds on its use.

    Attributes:
        protocol: What it speaks.
        scheme: ``http`` or ``https``.
        host: Its host name.
        port: Its port.
        path: The prefix of its paths, without a trailing slash.
        model: The model that requests name.
        config: The configuration that requests name.
        language: The language of texts.
        outputs: The model's outputs in order, if answers have no labels.
        labels: The labels of attacks that count; empty for the protocol's own.
        timeout: Milliseconds for one evaluation.
        concurrency: Requests of one process at a time.
        window: Characters that it reads at a time.
        api_key: The key that it requires.
        authority: The ConfigMap with the certificates of its authority.
        span: Its position.
        service: Its Service, if it is one in the cluster.
        region: Where it is; None for the region of the environment, or, outside the cluster, an unknown one.
    """

    protocol: ServerProtocol
    scheme: str
    host: str
    port: int
    path: str
    model: str | None
    config: str | None
    language: str | None
    outputs: tuple[str, ...]
    labels: tuple[str, ...]
    timeout: int
    concurrency: int
    window: int
    api_key: EndpointKey | None
    authority: str | None
    span: Span
    service: ServiceRef | None = None
    region: str | None = None

    @property
    def url(self) -> str:
        """The address with the prefix of its paths."""
        return f"{self.scheme}://{self.host}:{self.port}{self.path}"

    @property
    def namespace(self) -> str | None:
        """The namespace of its Service; None outside the cluster."""
        if self.service is not None:
            return self.service.namespace
        parts = self.host.removesuffix(f".{CLUSTER_DOMAIN}").split(".")
        return parts[1] if len(parts) == SERVICE_PARTS and parts[2] == "svc" else None


SERVICE_PARTS = 3
"""Parts of ``name.namespace.svc``."""
