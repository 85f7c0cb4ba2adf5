"""Envoy Gateway's filter of the request buffer, before which patches insert a router's filter.

Envoy Gateway adds it to a filter chain while a route of the chain has a `requestBuffer`, from the BackendTrafficPolicy
that applies to the route. Source: Envoy Gateway 1.8.3, `internal/xds/translator/httpfilters.go`.
"""

from __future__ import annotations

from collections.abc import Iterator

from vsr_compiler.verify.listeners import Listener, listeners_of, routes_of
from vsr_compiler.verify.manifest import Manifest, as_mappings, as_string
from vsr_compiler.verify.manifest_index import ManifestIndex
from vsr_compiler.verify.policy_targets import EffectivePolicy, effective_policies

_SETTING = "requestBuffer"


def policies_without_buffer(index: ManifestIndex, listener: Listener) -> list[Manifest] | None:
    """Return None if the filter chain of a listener has the filter, otherwise the policies that apply without it."""
    policies = list(_policies(index, listener))
    # Of several policies with one target, each may be the one that applies.
    buffered = [all(policy.settings.get(_SETTING) for policy in candidates) for candidates in policies]
    if any(buffered) or not policies:
        return None
    lacking = {id(policy.source): policy.source for candidates in policies for policy in candidates}
    return [source for source in lacking.values() if source is not None and not source.spec.get(_SETTING)]


def _policies(index: ManifestIndex, listener: Listener) -> Iterator[list[EffectivePolicy]]:
    """Return for each rule of the routes in a listener's filter chain the policies of which one applies."""
    chain = [listener]
    if not listener.has_tls:
        chain = [other for other in listeners_of(listener.gateway) if other.port == listener.port and not other.has_tls]
    for other in chain:
        for route in routes_of(index, other):
            for rule in as_mappings(route.spec.get("rules")):
                yield effective_policies(index, "BackendTrafficPolicy", other, route, as_string(rule.get("name")))
