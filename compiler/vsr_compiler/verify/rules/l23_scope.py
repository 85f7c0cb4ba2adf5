"""L23: what belongs to the cluster is not in an application's manifests."""

from __future__ import annotations

from collections.abc import Iterator

from vsr_compiler.diagnostics import Diagnostic, Severity
from vsr_compiler.verify.manifest import Manifest, dig, table, text
from vsr_compiler.verify.manifest_index import ENVOY, GATEWAY_API, World

_PLATFORM = ("GatewayClass", "PersistentVolume", "StorageClass", "CustomResourceDefinition")


def rule(world: World) -> Iterator[Diagnostic]:
    """GatewayClasses, PersistentVolumes, StorageClasses and CustomResourceDefinitions are shared by a whole cluster:
    two applications that bring their own fight over them, and removing one takes them from the other. What a
    GatewayClass sets, such as NodePort, holds for every Gateway of it. One that bears its Gateway's namespace and name
    (`NAMESPACE-NAME`) is that Gateway's alone.
    """  # noqa: D205 - the whole of it is what users read
    for each in world.of("GatewayClass"):
        yield from _ports(world, each)
    if not world.pods and not world.routes:
        return
    own = {f"{each.namespace}-{each.name}" for each in world.of("Gateway", GATEWAY_API)}
    for kind in _PLATFORM:
        for each in world.of(kind):
            if kind == "GatewayClass" and each.name in own:
                continue
            extra = ", and it is a folder of one node" if dig(each.spec, "hostPath") else ""
            message = f"{each.title} belongs to the whole cluster{extra}, and is among an application's objects"
            hint = "Keep it with what sets up the cluster."
            yield Diagnostic("VSR423", message, each.span("metadata", "name"), hint, Severity.WARNING)


def _ports(world: World, each: Manifest) -> Iterator[Diagnostic]:
    ref = table(each.spec.get("parametersRef"))
    proxy = world.find(ENVOY, text(ref.get("kind")), text(ref.get("namespace")), text(ref.get("name")))
    path = ("spec", "provider", "kubernetes", "envoyService", "type")
    if proxy is not None and proxy.at(*path) == "NodePort":
        message = f"every Gateway of {each.title} opens ports on all nodes, because {proxy.title} says so"
        hint = "Name the EnvoyProxy in the one Gateway that needs it, by infrastructure.parametersRef."
        yield Diagnostic("VSR423", message, proxy.span(*path), hint, Severity.WARNING)
