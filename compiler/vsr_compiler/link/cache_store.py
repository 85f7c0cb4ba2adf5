"""Links ``router.cache``."""

from __future__ import annotations

from vsr_compiler import ir
from vsr_compiler.link.scope import Scope
from vsr_schemas.policy import v1alpha1 as schema


def link_cache_store(scope: Scope, spec: schema.CacheStoreSpec | None) -> ir.CacheStore | None:
    """Return the store of cached responses; None if each process keeps its own."""
    if spec is None:
        return None
    return ir.CacheStore(
        address=spec.address,
        tls=spec.tls,
        ca=None if spec.ca is None else (spec.ca.secret, spec.ca.key),
        password=None if spec.login is None else (spec.login.secret, spec.login.password),
        username=None if spec.login is None else spec.login.username,
        pods=None if spec.pods is None else tuple(sorted(spec.pods.items())),
        span=scope.span("router", "cache", key=True),
        region=spec.region,
    )
