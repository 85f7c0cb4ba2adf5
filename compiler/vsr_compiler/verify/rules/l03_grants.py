"""L03: missing and unused ReferenceGrants."""

from __future__ import annotations

from collections.abc import Iterator

from vsr_compiler.diagnostics import Diagnostic, Severity
from vsr_compiler.verify.manifest import Manifest, as_mappings, as_string
from vsr_compiler.verify.manifest_index import AI, ENVOY, GATEWAY_API, ManifestIndex
from vsr_compiler.verify.references import Reference, references
from vsr_compiler.verify.rules.rule import LinkRule

_UNUSED_HINT = "Remove the entry, or the grant if no entry is left."


def _check(index: ManifestIndex) -> Iterator[Diagnostic]:
    crossing = [ref for ref in references(index) if ref.granted and ref.namespace != ref.source.namespace]
    grants = index.of_kind("ReferenceGrant", GATEWAY_API)
    for ref in crossing:
        if not any(_grants(grant, ref) for grant in grants) and not _is_assumed(index, ref):
            source = ref.source
            message = f"{source.title} refers to {ref.kind} `{ref.name}` in `{ref.namespace}` without a ReferenceGrant"
            hint = f"Add a ReferenceGrant in `{ref.namespace}` from {source.kind} in `{source.namespace}`."
            yield Diagnostic("VSR403", message, source.span(*ref.path), hint)
    for grant in grants:
        yield from _unused_entries(grant, crossing)


def _is_assumed(index: ManifestIndex, ref: Reference) -> bool:
    return any(
        kind == "ReferenceGrant" and namespace == ref.namespace for kind, namespace, _ in index.assumptions.objects
    )


def _grants(grant: Manifest, ref: Reference) -> bool:
    return (
        grant.namespace == ref.namespace
        and any(_matches_from(entry, ref) for entry in as_mappings(grant.spec.get("from")))
        and any(_matches_to(entry, ref) for entry in as_mappings(grant.spec.get("to")))
    )


def _matches_from(entry: dict[str, object], ref: Reference) -> bool:
    source = (as_string(entry.get("group")), as_string(entry.get("kind")), as_string(entry.get("namespace")))
    return source == (ref.source.group, ref.source.kind, ref.source.namespace)


def _matches_to(entry: dict[str, object], ref: Reference) -> bool:
    kind = (as_string(entry.get("group")), as_string(entry.get("kind")))
    return kind == (ref.group, ref.kind) and as_string(entry.get("name")) in {"", ref.name}


def _unused_entries(grant: Manifest, crossing: list[Reference]) -> Iterator[Diagnostic]:
    refs = [ref for ref in crossing if ref.namespace == grant.namespace]
    for path, entry in grant.entries("spec", "from"):
        # AI Gateway creates an HTTPRoute in the AIGatewayRoute's namespace, which refers to the backends itself.
        http_route = {"group": GATEWAY_API, "kind": "HTTPRoute", "namespace": entry.get("namespace")}
        indirect = entry == http_route and any(ref.source.group in {AI, ENVOY} for ref in refs)
        if not indirect and not any(_matches_from(entry, ref) for ref in refs):
            source = f"{as_string(entry.get('kind'))} in `{as_string(entry.get('namespace'))}`"
            message = f"{grant.title} has an unused entry: no {source} refers to this namespace"
            yield Diagnostic("VSR403", message, grant.span(*path), _UNUSED_HINT, Severity.WARNING)
    for path, entry in grant.entries("spec", "to"):
        indirect = entry.get("group") == ENVOY and any(ref.source.group == AI for ref in refs)
        if not indirect and not any(_matches_to(entry, ref) for ref in refs):
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
