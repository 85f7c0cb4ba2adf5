"""L03: what crosses namespaces is granted, and nothing else is."""

from __future__ import annotations

from collections.abc import Iterator

from vsr_compiler.diagnostics import Diagnostic, Severity
from vsr_compiler.verify.manifest import Manifest, rows, text
from vsr_compiler.verify.manifest_index import AI, ENVOY, GATEWAY_API, World
from vsr_compiler.verify.references import Reference, references


def rule(world: World) -> Iterator[Diagnostic]:
    """A reference into another namespace has a ReferenceGrant there, and a ReferenceGrant serves some reference: a
    grant for nothing is a door that somebody forgot.
    """  # noqa: D205 - the whole of it is what users read
    crossing = [each for each in references(world) if each.granted and each.namespace != each.source.namespace]
    grants = world.of("ReferenceGrant", GATEWAY_API)
    for each in crossing:
        if not any(_grants(grant, each) for grant in grants) and not _assumed(world, each):
            source = each.source
            message = f"{source.title} may not name {each.kind} `{each.name}` in `{each.namespace}`: nothing grants it"
            hint = f"Add a ReferenceGrant in `{each.namespace}` from {source.kind} in `{source.namespace}`."
            yield Diagnostic("VSR403", message, source.span(*each.path), hint)
    for grant in grants:
        yield from _unused(grant, crossing)


def _assumed(world: World, each: Reference) -> bool:
    return any(kind == "ReferenceGrant" and space == each.namespace for kind, space, _ in world.assumed.objects)


def _grants(grant: Manifest, each: Reference) -> bool:
    return (
        grant.namespace == each.namespace
        and any(_from(source, each) for source in rows(grant.spec.get("from")))
        and any(_to(target, each) for target in rows(grant.spec.get("to")))
    )


def _from(source: dict[str, object], each: Reference) -> bool:
    asked = (text(source.get("group")), text(source.get("kind")), text(source.get("namespace")))
    return asked == (each.source.group, each.source.kind, each.source.namespace)


def _to(target: dict[str, object], each: Reference) -> bool:
    name = text(target.get("name"))
    return (text(target.get("group")), text(target.get("kind"))) == (each.group, each.kind) and name in {"", each.name}


def _unused(grant: Manifest, crossing: list[Reference]) -> Iterator[Diagnostic]:
    here = [each for each in crossing if each.namespace == grant.namespace]
    for path, source in grant.each("spec", "from"):
        # An AIGatewayRoute becomes an HTTPRoute of the same namespace, which crosses to the backends themselves.
        made = {"group": GATEWAY_API, "kind": "HTTPRoute", "namespace": source.get("namespace")}
        behind = source == made and any(each.source.group in {AI, ENVOY} for each in here)
        if not behind and not any(_from(source, each) for each in here):
            what = f"{text(source.get('kind'))} in `{text(source.get('namespace'))}`"
            message = f"{grant.title} grants {what} what it does not use"
            yield Diagnostic("VSR403", message, grant.span(*path), "Remove the entry, or the grant.", Severity.WARNING)
    for path, target in grant.each("spec", "to"):
        behind = target.get("group") == ENVOY and any(each.source.group == AI for each in here)
        if not behind and not any(_to(target, each) for each in here):
            what = f"{text(target.get('kind'))} `{text(target.get('name')) or '*'}`"
            message = f"{grant.title} opens {what}, which no reference from elsewhere names"
            yield Diagnostic("VSR403", message, grant.span(*path), "Remove the entry, or the grant.", Severity.WARNING)
