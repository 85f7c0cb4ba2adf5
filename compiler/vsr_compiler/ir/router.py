"""The router, the process that classifies requests, and its two implementations."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from vsr_compiler.diagnostics import Span
from vsr_compiler.ir.cache_store import CacheStore
from vsr_compiler.ir.candidate import Candidate
from vsr_compiler.ir.encoders import Encoder
from vsr_compiler.ir.network import ServiceRef
from vsr_compiler.ir.placement import Autoscaling, Placement, Resources
from vsr_compiler.ir.rollout import Rollout
from vsr_schemas.runtime import FRAME_BYTES
from vsr_schemas.scalars import TOKEN_SECRET


@dataclass(frozen=True, slots=True)
class VsrRuntime:
    """The implementation ``vsr-runtime``, from this project."""


@dataclass(frozen=True, slots=True)
class SemanticRouter:
    """The implementation ``semantic-router``, from the vLLM project.

    It does not evaluate guards on requests that name a model. ``unguarded`` is whether the policy accepts that.
    """

    unguarded: bool = False


RouterImplementation = VsrRuntime | SemanticRouter
"""What the policy selects by ``router.engine``."""


@dataclass(frozen=True, slots=True)
class Router:
    """The router. ``deadline`` is in milliseconds, ``max_body`` in bytes.

    ``image`` is empty if it is the default image of the release.
    """

    image: str
    replicas: int
    auto_models: tuple[str, ...]
    deadline: int
    max_body: int
    grpc: ServiceRef
    http: ServiceRef
    span: Span
    implementation: RouterImplementation = VsrRuntime()
    gpus: int = 0
    weights: str | None = None
    """The existing claim with the checkpoints; without one the compiler writes a claim."""
    token_secret: str = TOKEN_SECRET
    on_failure: Literal["deny", "default-model"] = "deny"
    response_headers: Literal["never", "on-request", "always"] = "never"
    access_log_metadata: bool = False
    overflow: Literal["route", "reject"] = "route"
    reload: Literal["rollout", "hot"] = "rollout"
    rollout: Rollout | None = None
    """Its stepwise rollout; None for the cluster's own rolling update."""
    resources: Resources | None = None
    placement: Placement = field(default_factory=Placement)
    autoscaling: Autoscaling | None = None
    cache: CacheStore | None = None
    candidate: Candidate | None = None
    encoder: Encoder = field(default_factory=Encoder)
    files: Mapping[str, bytes] = field(default_factory=dict)
    """The router folder by file name, filled in once it is rendered."""
    scaled_down_from: int = 0
    """The number of replicas in the base, if an environment sets none."""

    @property
    def headless(self) -> ServiceRef:
        """The headless Service, for gateways that balance over the addresses of the pods.

        Its name is not that of `grpc`: an API server never changes `clusterIP` from or to `None`, and an environment
        may move between stacks.
        """
        return replace(self.grpc, name=f"{self.grpc.name}-headless")

    @property
    def volume_holders(self) -> int:
        """How many pods mount its volume when not scaled to zero; the access mode of a claim cannot change later."""
        return self.replicas or self.scaled_down_from

    @property
    def fails_open(self) -> bool:
        """Whether requests reach the default model if the router fails."""
        return self.on_failure == "default-model"

    @property
    def max_message(self) -> int:
        """The limit of a gRPC message in bytes: a whole body and its frame."""
        return self.max_body + FRAME_BYTES
