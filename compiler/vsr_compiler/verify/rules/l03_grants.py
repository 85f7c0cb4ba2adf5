"""L03: missing and unused ReferenceGrants."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import chain

from vsr_compiler.diagnostics import Diagnostic, Severity
from vsr_compiler.verify.grants import Triple, is_assumed, needed_permissions, permissions_of, source_of, triple
from vsr_compiler.verify.manifest import Manifest, as_mappings, as_string
from vsr_compiler.verify.manifest_index import AI, ENVOY, GATEWAY_API, ManifestIndex
from vsr_compiler.verify.references import Reference, references
from vsr_compiler.verify.rules.rule import LinkRule

_MESH_PARENTS = frozenset({"Service", "ServiceEntry"})
"""Parents of mesh routes: Gateway API's, and Istio's own."""
_ADOPTING = frozenset({"agentgateway", "agentgateway-v2"})
"""Classes of gateways that adopt children without parents only with a grant; kgateway's Envoy adopts any."""
_WITH_GRANTS = frozenset({"aibrix-system"})
"""Namespaces for whose routes a controller creates the grants. Source: AIBrix, `modelrouter_controller.go`."""
_UNUSED_HINT = "Remove the entry, or the grant if no entry is left."


def _check(index: ManifestIndex) -> Iterator[Diagnostic]:
    crossing = [
        ref
        for ref in references(index)
        if (ref.granted or ref.kind == ref.source.kind == "HTTPRoute") and ref.namespace != ref.source.namespace
    ]
    grants = index.of_kind("ReferenceGrant", GATEWAY_API)
    permitted = set(chain.from_iterable(map(permissions_of, grants)))
    for ref in crossing:
        is_open = not ref.granted or is_assumed(index, ref) or _is_of_mesh(ref) or _is_selection(ref)
        if not is_open and permitted.isdisjoint(needed_permissions(ref)):
            source = ref.source
            message = f"{source.title} refers to {ref.kind} `{ref.name}` in `{ref.namespace}` without a ReferenceGrant"
            hint = f"Add a ReferenceGrant in `{ref.namespace}` from {source.kind} in `{source.namespace}`."
            # A source that writes no namespace may land in the one to which it refers: `kubectl apply -n`, or Flux.
            is_placed = source.writes_namespace or index.assumptions.namespace_is_given
            is_placed &= source.namespace not in _WITH_GRANTS
            level = None if is_placed else Severity.NOTE
            yield Diagnostic("VSR403", message, source.span(*ref.path), hint, level)
        elif not ref.granted and _adopts(index, ref) and permitted.isdisjoint(needed_permissions(ref)):
            message = (
                f"{ref.source.title} delegates to HTTPRoute `{ref.name}` in `{ref.namespace}`, which names no parent: "
                "agentgateway ignores it without a ReferenceGrant"
            )
            hint = f"Add a ReferenceGrant in `{ref.namespace}`, or parentRefs to the child."
            yield Diagnostic("VSR403", message, ref.source.span(*ref.path), hint, Severity.WARNING)
    used = _Used.of(crossing)
    unplaced = {item.kind for item in index.manifests if not item.writes_namespace}
    unplaced |= {kind for kind, _ in index.assumptions.unplaced}
    for grant in grants:
        for item in _unused_entries(grant, used):
            # A source that writes no namespace may land in the one of the entry.
            entries = {as_string(entry.get("kind")) for entry in as_mappings(grant.spec.get("from"))}
            is_open = not index.assumptions.namespace_is_given and not unplaced.isdisjoint(entries)
            yield replace(item, severity=Severity.NOTE) if is_open else item


def _adopts(index: ManifestIndex, ref: Reference) -> bool:
    """Whether a route delegates to one that names no parent.

    Source: agentgateway, `controller/pkg/agentgateway/translator/route_collections.go`.
    """
    child = index.find(ref.group, ref.kind, ref.namespace, ref.name)
    if child is None or as_mappings(child.spec.get("parentRefs")):
        return False
    gateways = (index.find(GATEWAY_API, "Gateway", *key) for key in index.gateways_of(ref.source))
    return any(as_string(gateway.spec.get("gatewayClassName")) in _ADOPTING for gateway in gateways if gateway)


def _is_selection(ref: Reference) -> bool:
    """Whether a backendRef selects routes by label, as those of Gloo do, and names no object."""
    return not ref.kind[:1].isupper()


def _is_of_mesh(ref: Reference) -> bool:
    """Whether a route has only Services as parents: it changes requests inside of a mesh and exposes nothing.

    Source: Gateway API, GEP-1294: routes of producers and of consumers send to any namespace without a ReferenceGrant.
    """
    parents = as_mappings(ref.source.spec.get("parentRefs"))
    return bool(parents) and all(parent.get("kind") in _MESH_PARENTS for parent in parents)


@dataclass(frozen=True, slots=True)
class _Used:
    """What references into each namespace need: their sources, their targets, and the API groups of their sources."""

    sources: frozenset[tuple[str, Triple]]
    targets: frozenset[tuple[str, Triple]]
    groups: frozenset[tuple[str, str]]

    @classmethod
    def of(cls, crossing: list[Reference]) -> _Used:
        """Return what references need."""
        return cls(
            frozenset((ref.namespace, source_of(ref)) for ref in crossing),
            frozenset((ref.namespace, (ref.group, ref.kind, name)) for ref in crossing for name in ("", ref.name)),
            frozenset((ref.namespace, ref.source.group) for ref in crossing),
        )


def _unused_entries(grant: Manifest, used: _Used) -> Iterator[Diagnostic]:
    namespace = grant.namespace
    from_ai = (namespace, AI) in used.groups
    for path, entry in grant.entries("spec", "from"):
        # AI Gateway creates an HTTPRoute in the AIGatewayRoute's namespace, which refers to the backends itself.
        http_route = {"group": GATEWAY_API, "kind": "HTTPRoute", "namespace": entry.get("namespace")}
        indirect = entry == http_route and (from_ai or (namespace, ENVOY) in used.groups)
        if not indirect and (namespace, triple(entry, "namespace")) not in used.sources:
            source = f"{as_string(entry.get('kind'))} in `{as_string(entry.get('namespace'))}`"
            message = f"{grant.title} has an unused entry: no {source} refers to this namespace"
            yield Diagnostic("VSR403", message, grant.span(*path), _UNUSED_HINT, Severity.WARNING)
    for path, entry in grant.entries("spec", "to"):
        indirect = entry.get("group") == ENVOY and from_ai
        if not indirect and (namespace, triple(entry, "name")) not in used.targets:
            target = f"{as_string(entry.get('kind'))} `{as_string(entry.get('name')) or '*'}`"
            message = f"{grant.title} has an unused entry: no reference from another namespace names {target}"
            yield Diagnostic("VSR403", message, grant.span(*path), _UNUSED_HINT, Severity.WARNING)


RULE = LinkRule(
    name="L03",
    code="VSR403",
    purpose="A reference into another namespace has a ReferenceGrant in that namespace, and every entry of a "
    "ReferenceGrant is used by some reference.",
    check=_check,
)
