"""L23: what belongs to the cluster is not in an application's manifests."""

from __future__ import annotations

from collections.abc import Iterator

from compiler.diagnostics import Diagnostic, Severity
from compiler.verify.manifest import dig
from compiler.verify.world import GATEWAY_API, World

_PLATFORM = ("GatewayClass", "PersistentVolume", "StorageClass", "CustomResourceDefinition")


def rule(world: World) -> Iterator[Diagnostic]:
    """GatewayClasses, PersistentVolumes, StorageClasses and CustomResourceDefinitions are shared by a whole cluster:
    two applications that bring their own fight over them, and removing one takes them from the other. A GatewayClass
    that bears its Gateway's namespace and name (`NAMESPACE-NAME`) is that Gateway's alone.
    """  # noqa: D205 - the whole of it is what users read
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
