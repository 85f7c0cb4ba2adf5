"""L27: volumes, keys and ports that a pod names and that do not exist."""

from __future__ import annotations

from collections.abc import Iterator

from vsr_compiler.diagnostics import Diagnostic
from vsr_compiler.diagnostics.suggestions import did_you_mean
from vsr_compiler.verify.manifest import Body, Manifest, Path, as_mapping, as_mappings, as_string, value_at
from vsr_compiler.verify.manifest_index import ManifestIndex, Workload
from vsr_compiler.verify.references import Reference, references
from vsr_compiler.verify.rules.rule import LinkRule

_SHOWN = 8
_PORTS = (
    *(
        (probe, action, "port")
        for probe in ("livenessProbe", "readinessProbe", "startupProbe")
        for action in ("httpGet", "tcpSocket")
    ),
    *(("lifecycle", hook, action, "port") for hook in ("postStart", "preStop") for action in ("httpGet", "tcpSocket")),
)


_CLAIMS = ((), ("leaderWorkerTemplate",))
"""Where the spec of a StatefulSet or a LeaderWorkerSet has templates of claims. Source: LeaderWorkerSet 0.7."""


def _check(index: ManifestIndex) -> Iterator[Diagnostic]:
    for workload in index.workloads:
        volumes = {as_string(volume.get("name")) for volume in as_mappings(workload.spec.get("volumes"))}
        claims = [
            claim
            for path in _CLAIMS
            for claim in as_mappings(value_at(workload.owner.spec, *path, "volumeClaimTemplates"))
        ]
        volumes |= {as_string(value_at(claim, "metadata", "name")) for claim in claims}
        for path, container in workload.containers(init=True):
            yield from _mounts(workload, path, volumes)
            yield from _port_names(workload.owner, path, container)
    for ref in references(index):
        if ref.keys:
            yield from _keys(index, ref)


def _mounts(workload: Workload, path: Path, volumes: set[str]) -> Iterator[Diagnostic]:
    owner = workload.owner
    for field in ("volumeMounts", "volumeDevices"):
        for item_path, body in owner.entries(*path, field):
            name = as_string(body.get("name"))
            if name and name not in volumes and not _is_placeholder(name):
                message = f"{owner.title} mounts the volume `{name[:80]}`, which it does not have"
                hint = did_you_mean(name, volumes) or f"Add it, or use one of: {_listed(volumes)}."
                yield Diagnostic("VSR627", message, owner.span(*item_path, "name"), hint)


def _port_names(owner: Manifest, path: Path, container: Body) -> Iterator[Diagnostic]:
    names = {as_string(port.get("name")) for port in as_mappings(container.get("ports"))} - {""}
    for field in _PORTS:
        port = value_at(container, *field)
        if isinstance(port, str) and port and not port.isdigit() and port not in names and not _is_placeholder(port):
            message = f"the {field[0]} of {owner.title} uses the port `{port[:80]}`, which its container does not name"
            hint = did_you_mean(port, names) or f"Use the number of a port, or one of its names: {_listed(names)}."
            yield Diagnostic("VSR627", message, owner.span(*path, *field), hint)


def _keys(index: ManifestIndex, ref: Reference) -> Iterator[Diagnostic]:
    """Check that a ConfigMap or Secret among the objects has the keys that a pod or a trigger reads."""
    target = index.find("", ref.kind, ref.namespace, ref.name) if ref.group == "" else None
    if target is None or target.identity in index.defined_twice or _is_filled_later(target):
        return
    keys = {str(key) for part in ("data", "binaryData", "stringData") for key in as_mapping(target.body.get(part))}
    for path, key in ref.keys:
        if key not in keys and not _is_placeholder(key):
            message = f"{ref.source.title} reads the key `{key[:80]}` of {target.title}, which does not have it"
            hint = did_you_mean(key, keys) or f"Use one of its keys: {_listed(keys)}. Or set `optional: true`."
            span = ref.source.span(*path) if path != ref.path else ref.source.span(*path, "key")
            yield Diagnostic("VSR627", message, span, hint)


def _is_filled_later(target: Manifest) -> bool:
    """Whether a controller fills a ConfigMap or Secret that is empty in the manifest."""
    empty = not any(as_mapping(target.body.get(part)) for part in ("data", "binaryData", "stringData"))
    metadata = as_mapping(target.body.get("metadata"))
    managed = bool(metadata.get("labels") or metadata.get("annotations")) or target.kind == "Secret"
    return empty and managed


def _is_placeholder(text: str) -> bool:
    return "$" in text or "{{" in text or text.startswith("<")


def _listed(names: set[str]) -> str:
    return ", ".join(sorted(names)[:_SHOWN]) or "it has none"


RULE = LinkRule(
    name="L27",
    code="VSR627",
    purpose="A pod has the volumes that its containers mount, a container has the ports that its probes name, "
    "and a ConfigMap or Secret among the objects has the keys that are read from it, unless they are optional.",
    check=_check,
)
