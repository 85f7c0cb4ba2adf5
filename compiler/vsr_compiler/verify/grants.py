"""What ReferenceGrants permit, and what references into other namespaces need."""

from __future__ import annotations

from collections.abc import Iterator

from vsr_compiler.verify.manifest import Body, Manifest, as_mappings, as_string
from vsr_compiler.verify.manifest_index import GATEWAY_API, ManifestIndex
from vsr_compiler.verify.references import Reference

MAX_ENTRIES = 16
"""Entries on each side of a ReferenceGrant that an API server accepts."""
Triple = tuple[str, str, str]
Permission = tuple[str, Triple, Triple]
"""A namespace; group, kind and namespace of the source; group, kind and name of the target, empty for every name."""


def may_be_permitted(index: ManifestIndex, ref: Reference) -> bool:
    """Whether a ReferenceGrant permits something of a reference's namespace to refer to it, or may exist elsewhere."""
    needed = (ref.group, ref.kind), {"", ref.name}
    for grant in index.of_kind("ReferenceGrant", GATEWAY_API):
        permissions = permissions_of(grant) if grant.namespace == ref.namespace else iter(())
        for _, source, target in permissions:
            if source[2] == ref.source.namespace and target[:2] == needed[0] and target[2] in needed[1]:
                return True
    return is_assumed(index, ref)


def is_assumed(index: ManifestIndex, ref: Reference) -> bool:
    """Whether a grant in the namespace of a reference is assumed to exist elsewhere."""
    return any(
        kind == "ReferenceGrant" and namespace == ref.namespace for kind, namespace, _ in index.assumptions.objects
    )


def permissions_of(grant: Manifest) -> Iterator[Permission]:
    """Yield what a grant permits. L16 reports a grant with more entries than an API server accepts."""
    for source in as_mappings(grant.spec.get("from"))[:MAX_ENTRIES]:
        for target in as_mappings(grant.spec.get("to"))[:MAX_ENTRIES]:
            yield grant.namespace, triple(source, "namespace"), triple(target, "name")


def needed_permissions(ref: Reference) -> Iterator[Permission]:
    """Yield the two permissions of which a reference needs one: for its target, and for every name."""
    for name in ("", ref.name):
        yield ref.namespace, source_of(ref), (ref.group, ref.kind, name)


def triple(entry: Body, last: str) -> Triple:
    """Return group, kind and another field of an entry."""
    return as_string(entry.get("group")), as_string(entry.get("kind")), as_string(entry.get(last))


def source_of(ref: Reference) -> Triple:
    """Return group, kind and namespace of the source of a reference."""
    return ref.source.group, ref.source.kind, ref.source.namespace
