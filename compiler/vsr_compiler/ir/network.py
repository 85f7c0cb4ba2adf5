"""Addresses inside the cluster: Services and listeners. Each spelling that several objects share is a property here."""

from __future__ import annotations

from dataclasses import dataclass

CLUSTER_DOMAIN = "cluster.local"
API_PATH = "/v1"
"""Path prefix under which clients find every routed API."""


@dataclass(frozen=True, slots=True)
class ServiceRef:
    """A port of a Service in the cluster."""

    name: str
    namespace: str
    port: int

    @property
    def host(self) -> str:
        """The fully qualified DNS name."""
        return f"{self.name}.{self.namespace}.svc.{CLUSTER_DOMAIN}"

    @property
    def authority(self) -> str:
        """``host:port``."""
        return f"{self.host}:{self.port}"

    @property
    def istio_cluster(self) -> str:
        """The Envoy cluster name that Istio gives this port."""
        return f"outbound|{self.port}||{self.host}"

    @property
    def envoy_cluster(self) -> str:
        """The Envoy cluster name under which this port is added to Envoy Gateway's proxies."""
        return f"vsr/{self.namespace}/{self.name}/{self.port}"
