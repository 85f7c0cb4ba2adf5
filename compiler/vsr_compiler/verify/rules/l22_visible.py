"""L22: the gateway sees the rules that are made for it, and nobody else does."""

from __future__ import annotations

from collections.abc import Iterator

from vsr_compiler.diagnostics import Diagnostic, Severity
from vsr_compiler.verify.extproc import filters
from vsr_compiler.verify.manifest import Manifest, text, texts
from vsr_compiler.verify.manifest_index import GATEWAY_API, ISTIO, World
from vsr_compiler.verify.pickers import picker_service

_ROOT = "istio-system"


def rule(world: World) -> Iterator[Diagnostic]:
    """A DestinationRule for a router or a picker stands where the gateway looks (its own namespace, the Service's with
    exportTo, or Istio's) under the Service's full name; an EnvoyFilter names the gateway that it changes.
    """  # noqa: D205 - the whole of it is what users read
    for each in world.of("EnvoyFilter", ISTIO):
        if not each.spec.get("targetRefs") and not each.spec.get("workloadSelector") and each.namespace != _ROOT:
            message = (
                f"{each.title} names no gateway, so it changes every proxy in `{each.namespace or 'its namespace'}`"
            )
            yield Diagnostic("VSR422", message, each.span("spec"), "Add targetRefs with the Gateway.")
    ruled: dict[tuple[str, str], list[Manifest]] = {}
    for each in world.of("DestinationRule", ISTIO):
        host = text(each.spec.get("host"))
        found = world.service_of(host, each.namespace)
        if "." not in host and host:
            message = f"{each.title} names its host `{host}` without a namespace: it means another one elsewhere"
            hint = f"Write {host}.{each.namespace or 'NAMESPACE'}.svc.cluster.local."
            yield Diagnostic("VSR422", message, each.span("spec", "host"), hint, Severity.WARNING)
        if found is not None:
            ruled.setdefault((found[1], found[0]), []).append(each)
    for gateway, service in sorted(_needs(world)):
        rules = ruled.get(service, [])
        if rules and not any(_sees(each, gateway, service[0]) for each in rules):
            message = f"the gateway in `{gateway}` does not see {rules[0].title}, which is made for what it asks"
            hint = f"Move it to `{gateway}`, or to the Service's namespace with exportTo."
            yield Diagnostic("VSR422", message, rules[0].span("metadata"), hint)


def _needs(world: World) -> set[tuple[str, tuple[str, str]]]:
    """Namespaces of gateways with the Services, by namespace and name, that they ask."""
    spaces = {each.namespace for each in world.of("Gateway", GATEWAY_API)}
    found = {
        (each.source.namespace, (space, name))
        for each in filters(world)
        if each.source.group == ISTIO
        for space, name, _ in each.services
    }
    for pool in world.pools:
        for route in world.reaching(pool):
            service = (pool.namespace, picker_service(pool)[0])
            found |= {(space, service) for space, _ in world.gateways(route) if route.kind == "HTTPRoute"}
    return {each for each in found if each[0] in spaces}


def _sees(each: Manifest, gateway: str, service: str) -> bool:
    """Istio looks in the client's namespace, then the Service's, then the root."""
    exported = texts(each.spec.get("exportTo")) or ["*"]
    if each.namespace == gateway:
        return True
    return each.namespace in {service, _ROOT} and bool({"*", gateway} & set(exported))
