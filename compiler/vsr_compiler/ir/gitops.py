"""How the output is delivered: the repository, the controllers that read it, and the clusters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from vsr_compiler.diagnostics import Span

OCI = "oci://"


@dataclass(frozen=True, slots=True)
class Flux:
    """Flux. ``interval`` is in milliseconds; ``secret`` and ``service_account`` may be empty."""

    namespace: str
    interval: int
    span: Span
    secret: str = ""
    service_account: str = ""


@dataclass(frozen=True, slots=True)
class Cluster:
    """A cluster.

    Attributes:
        name: Its name in the policy. Argo CD knows it by this name if `server` is empty.
        server: Its API server, or empty.
        kubeconfig: The Secret with which Flux reaches it; empty if it has a Flux of its own.
        span: Where the policy defines it.
    """

    name: str
    server: str
    kubeconfig: str
    span: Span


@dataclass(frozen=True, slots=True)
class GitOps:
    """The repository that Argo CD and Flux read, and the cluster of environments without one of their own."""

    repo: str
    revision: str
    path: str
    server: str
    namespace: str
    span: Span
    clusters: Mapping[str, Cluster] = field(default_factory=dict)
    flux: Flux | None = None
    charts: tuple[str, ...] = ()

    @property
    def is_artifact(self) -> bool:
        """Whether the output comes from a registry: an artifact of ``vsr-compile package``."""
        return self.repo.startswith(OCI)
