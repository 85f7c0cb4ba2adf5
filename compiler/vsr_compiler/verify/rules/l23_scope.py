"""L23: cluster-wide objects among an application's."""

from __future__ import annotations

from collections.abc import Iterator

from vsr_compiler.diagnostics import Diagnostic, Severity
from vsr_compiler.verify.manifest import Manifest, as_mapping, as_string, value_at
from vsr_compiler.verify.manifest_index import ENVOY, GATEWAY_API, ManifestIndex
from vsr_compiler.verify.rules.rule import LinkRule

_PLATFORM = ("GatewayClass", "PersistentVolume", "StorageClass", "CustomResourceDefinition")
_INSTALLED = ("CustomResourceDefinition", "PersistentVolume")
"""Kinds that operators and volumes set up beforehand bring along."""
_BROUGHT_BY = ("CustomResourceDefinition", "ClusterRole")
"""Kinds that say that a file installs a controller, which brings its GatewayClass along."""


def _check(index: ManifestIndex) -> Iterator[Diagnostic]:
    for gateway_class in index.of_kind("GatewayClass"):
        yield from _node_ports(index, gateway_class)
    if not index.workloads and not index.routes:
        return
    own_classes = {f"{gateway.namespace}-{gateway.name}" for gateway in index.of_kind("Gateway", GATEWAY_API)}
    used = {as_string(gateway.spec.get("gatewayClassName")) for gateway in index.of_kind("Gateway", GATEWAY_API)}
    files = {item.span("kind").file for item in [*index.routes, *(workload.owner for workload in index.workloads)]}
    installers = {item.span("kind").file for kind in _BROUGHT_BY for item in index.of_kind(kind)}
    for kind in _PLATFORM:
        for manifest in index.of_kind(kind):
            if kind == "GatewayClass" and manifest.name in own_classes:
                continue
            host_path = " and is a folder of one node" if value_at(manifest.spec, "hostPath") else ""
            message = f"{manifest.title} belongs to the whole cluster{host_path}, but is among an application's objects"
            hint = "Move it to the manifests that set up the cluster."
            # With its Gateway it is a complete example, and nobody else's Gateways change.
            is_note = kind == "GatewayClass" and manifest.name in used
            is_note |= kind in _INSTALLED and not host_path
            is_note |= kind == "GatewayClass" and manifest.span("kind").file in installers
            is_note |= not host_path and manifest.span("kind").file not in files
            level = Severity.NOTE if is_note else Severity.WARNING
            yield Diagnostic("VSR423", message, manifest.span("metadata", "name"), hint, level)


def _node_ports(index: ManifestIndex, gateway_class: Manifest) -> Iterator[Diagnostic]:
    ref = as_mapping(gateway_class.spec.get("parametersRef"))
    kind, namespace, name = (as_string(ref.get(key)) for key in ("kind", "namespace", "name"))
    proxy = index.find(ENVOY, kind, namespace, name)
    path = ("spec", "provider", "kubernetes", "envoyService", "type")
    if proxy is not None and proxy.at(*path) == "NodePort":
        message = f"every Gateway of {gateway_class.title} opens ports on all nodes, because of {proxy.title}"
        hint = "Refer to the EnvoyProxy in the Gateway that needs it, by infrastructure.parametersRef."
        yield Diagnostic("VSR423", message, proxy.span(*path), hint, Severity.WARNING)


RULE = LinkRule(
    name="L23",
    code="VSR423",
    purpose="GatewayClasses, PersistentVolumes, StorageClasses and CustomResourceDefinitions are not among the objects "
    "of an application. A GatewayClass with the name `NAMESPACE-NAME` of its Gateway is allowed, "
    "and one beside its Gateway is a note. A GatewayClass does "
    "not open node ports for all of its Gateways.",
    check=_check,
)
