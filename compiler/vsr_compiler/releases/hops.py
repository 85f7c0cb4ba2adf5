"""What the components between the router and a model accept of a request: size, API and query, by project and release.

The router's filter buffers a request and hands the whole body to the next filter at once, which sends it to its server
as one gRPC message. By default, a gRPC server in Go rejects a message of more than 4 MiB. The client then gets an empty
500.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from vsr_compiler.releases.data import Table, builder
from vsr_schemas.apis import API_PATHS, ApiPath
from vsr_schemas.runtime import FRAME_BYTES


@dataclass(frozen=True, slots=True)
class Hop:
    """What a release of a component accepts of a request.

    Attributes:
        source: Where its project says so, at the tag of the release.
        max_message: The largest gRPC message in bytes by default; None without a limit.
        apis: The APIs that it serves.
        query: Whether a path can have a query.
        unserved: Why it does not serve the other APIs, or queries.
        instead: What accepts more.
    """

    source: str
    max_message: int | None = None
    apis: frozenset[ApiPath] = frozenset(API_PATHS)
    query: bool = True
    unserved: str = ""
    instead: str = ""

    @property
    def max_body(self) -> int | None:
        """The largest body in bytes that it accepts by default; None without a limit."""
        return None if self.max_message is None else self.max_message - FRAME_BYTES


HOPS: Mapping[str, Mapping[str, Hop]] = MappingProxyType(
    {
        name: Table(name, builder(Hop), "hop")
        for name in ("envoy-ai-gateway", "inference-extension", "llm-d-router", "production-stack", "vllm")
    }
)
"""By project and release. Sidecars of disaggregated pools (llm-d-router 0.10.0, pkg/sidecar/proxy) have no limit."""
