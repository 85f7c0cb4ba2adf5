"""Objects by which a Gateway authenticates or authorizes clients."""

from __future__ import annotations

from collections.abc import Iterator

from vsr_compiler.releases.route_filters import ROUTE_FILTERS
from vsr_compiler.verify.by_gateway import ISTIO_SECURITY, by_gateway
from vsr_compiler.verify.listeners import listeners_of, routes_of
from vsr_compiler.verify.manifest import Manifest
from vsr_compiler.verify.manifest_index import ENVOY, ManifestIndex
from vsr_compiler.verify.policy_targets import policies_on

_KIND = "SecurityPolicy"
_SETTINGS = frozenset(item.setting for item in ROUTE_FILTERS if item.kind == _KIND)


def authenticator(index: ManifestIndex, gateway: Manifest) -> Manifest | None:
    """Return an object by which a Gateway or a route of it authenticates or authorizes; None if there is none."""
    return index.cached(("authenticator", id(gateway)), lambda: next(_authenticators(index, gateway), None))


def _authenticators(index: ManifestIndex, gateway: Manifest) -> Iterator[Manifest]:
    def of_istio() -> Iterator[tuple[Manifest, Manifest]]:
        for kind in ("RequestAuthentication", "AuthorizationPolicy"):
            yield from ((source, source) for source in index.of_kind(kind, ISTIO_SECURITY))

    yield from by_gateway(index, "authenticators", of_istio).applying_to(gateway)
    yield from (source for source in _policies(index, gateway) if _SETTINGS & source.spec.keys())


def _policies(index: ManifestIndex, gateway: Manifest) -> Iterator[Manifest]:
    """Yield the policies on a Gateway, a listener of it, or a route that attaches to it."""
    if not index.of_kind(_KIND, ENVOY):
        return
    yield from policies_on(index, _KIND, gateway)
    for listener in listeners_of(gateway):
        yield from policies_on(index, _KIND, gateway, listener.name)
        for route in routes_of(index, listener):
            yield from policies_on(index, _KIND, route)
