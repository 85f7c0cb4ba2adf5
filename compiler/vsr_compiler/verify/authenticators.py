"""Objects by which a Gateway authenticates or authorizes clients."""

from __future__ import annotations

from vsr_compiler.releases.route_filters import ROUTE_FILTERS
from vsr_compiler.verify.listeners import listeners_of, routes_of
from vsr_compiler.verify.manifest import Manifest
from vsr_compiler.verify.manifest_index import ENVOY, ManifestIndex
from vsr_compiler.verify.policy_targets import targets
from vsr_compiler.verify.router_filters import ISTIO_SECURITY, applies_to_gateway

_KIND = "SecurityPolicy"
_SETTINGS = frozenset(item.setting for item in ROUTE_FILTERS if item.kind == _KIND)


def authenticator(index: ManifestIndex, gateway: Manifest) -> Manifest | None:
    """Return an object by which a Gateway or a route of it authenticates or authorizes; None if there is none."""
    for kind in ("RequestAuthentication", "AuthorizationPolicy"):
        for source in index.of_kind(kind, ISTIO_SECURITY):
            if applies_to_gateway(source, gateway):
                return source
    for source in index.of_kind(_KIND, ENVOY):
        if _SETTINGS & source.spec.keys() and _concerns(index, source, gateway):
            return source
    return None


def _concerns(index: ManifestIndex, source: Manifest, gateway: Manifest) -> bool:
    """Whether a policy targets a Gateway, a listener of it, or a route that attaches to it."""
    listeners = listeners_of(gateway)
    return (
        targets(source, gateway)
        or any(targets(source, gateway, listener.name) for listener in listeners)
        or any(targets(source, route) for listener in listeners for route in routes_of(index, listener))
    )
