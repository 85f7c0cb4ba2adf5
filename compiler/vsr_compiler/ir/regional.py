"""What an environment refers to, and where that is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from vsr_compiler.diagnostics import Span
from vsr_compiler.ir.endpoints import Provider
from vsr_compiler.ir.environments import Environment
from vsr_compiler.ir.network import CLUSTER_DOMAIN
from vsr_compiler.ir.policy import Policy

SHORT = 2
"""Labels of the longest name of a Service without a suffix: name and namespace."""


@dataclass(frozen=True, slots=True)
class Regional:
    """A thing that an environment refers to.

    Attributes:
        words: What it is, in messages.
        host: Its host name.
        region: Where it is, if the policy says so.
        is_local: Whether it is in the cluster, and so in the region of the environment unless `region` differs.
        span: Where it is written.
    """

    words: str
    host: str
    region: str | None
    is_local: bool
    span: Span

    def region_in(self, environment: Environment) -> str | None:
        """Return its region as an environment sees it; None if nobody knows it."""
        return self.region or (environment.region if self.is_local else None)


def regional(policy: Policy) -> Iterator[Regional]:
    """Yield everything that environments refer to: what may get prompts, responses, or counts of clients."""
    for endpoint in policy.endpoints:
        models = [model.name for model in policy.models if any(endpoint is one for one, _ in model.endpoints)]
        users = ", ".join(f"`{name}`" for name in models)
        words = f"the endpoint `{endpoint.name}`" + (f" of {users}" if users else "")
        local = not isinstance(endpoint.kind, Provider)
        yield Regional(words, endpoint.host, endpoint.region, local, endpoint.span)
    for classifier in policy.remote_classifiers:
        if (server := classifier.server) is not None:
            words = f"the server of the classifier `{classifier.name}`"
            yield Regional(words, server.host, server.region, server.namespace is not None, server.span)
    if (store := policy.router.cache) is not None:
        host = store.address.rpartition(":")[0]
        local = store.namespace(policy.router.grpc.namespace) is not None
        yield Regional("the store of `router.cache`", host, store.region, local, store.span)
    if policy.gateway.redis:
        host = policy.gateway.redis.rpartition(":")[0]
        yield Regional("the store of `gateway.redis`", host, None, is_service(host), policy.gateway.span)


def is_service(host: str) -> bool:
    """Return whether a host is the name of a Service in the cluster.

    >>> is_service("redis.cache"), is_service("redis.cache.svc.cluster.local"), is_service("redis.example.com")
    (True, True, False)
    """
    return host.count(".") < SHORT or host.removesuffix(f".{CLUSTER_DOMAIN}").endswith(".svc")
