"""The reference graph: which object refers to which, in which field, and how the namespace is determined."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from vsr_compiler.verify.manifest import Body, Manifest, Path, as_mappings, as_string, value_at
from vsr_compiler.verify.manifest_index import RBAC, ManifestIndex, cached_per_index
from vsr_compiler.verify.reference_table import POD_ROWS, ROWS, Form, Row
from vsr_compiler.verify.scopes import is_cluster_scoped

_BY_ANNOTATION = "use-annotation"
"""The port of a backend that is an action in an annotation, no Service. Source: AWS Load Balancer Controller, Ingress
annotations, `actions`.
"""


@dataclass(frozen=True, slots=True, eq=False)
class Reference:
    """A reference from one object to another.

    Attributes:
        source: The object that contains the reference.
        path: Path of the reference.
        group: API group of the other object.
        kind: Its kind.
        namespace: Its namespace; empty for cluster-scoped kinds.
        name: Its name.
        port: The port that the Service must have, by number or name.
        granted: Whether a reference into another namespace requires a ReferenceGrant.
        section: The part of the other object that must exist; empty for the whole.
        keys: The keys that a ConfigMap or Secret must have, with their paths.
        travels: Whether the other object belongs to the source, so that it is missing if it is not beside it.
        mild: Whether the source works without it in part.
    """

    source: Manifest
    path: Path
    group: str
    kind: str
    namespace: str
    name: str
    port: int | str | None = None
    granted: bool = False
    section: str = ""
    keys: tuple[tuple[Path, str], ...] = ()
    travels: bool = False
    mild: bool = False


@cached_per_index
def references(index: ManifestIndex) -> Iterator[Reference]:
    """Return the references of all kinds in the table, and those of pod templates."""
    for manifest in index.manifests:
        for row in ROWS.get((manifest.group, manifest.kind), ()):
            yield from _of_row(index, manifest, row, ())
    for workload in index.workloads:
        for row in POD_ROWS:
            yield from _of_row(index, workload.owner, row, (*workload.path, "spec"))


@cache
def _steps(path: str) -> tuple[tuple[str, bool], ...]:
    """Return the names of a path, each with whether its value is a list."""
    return tuple((part.removesuffix("[]"), part.endswith("[]")) for part in path.split("."))


def values_at(value: object, path: str, at: Path = ()) -> Iterator[tuple[Path, object]]:
    """Yield the values at a path of the table, with their paths."""
    yield from _walk(value, _steps(path), at)


def _walk(value: object, steps: tuple[tuple[str, bool], ...], at: Path) -> Iterator[tuple[Path, object]]:
    if not steps:
        yield at, value
        return
    (name, is_list), *rest = steps
    inner = value.get(name) if isinstance(value, dict) else None
    if inner is None:
        return
    if not is_list:
        yield from _walk(inner, tuple(rest), (*at, name))
        return
    for number, item in enumerate(inner if isinstance(inner, list) else ()):
        yield from _walk(item, tuple(rest), (*at, name, number))


def _of_row(index: ManifestIndex, source: Manifest, row: Row, base: Path) -> Iterator[Reference]:
    for path, value in values_at(value_at(source.body, *base), row.path, base):
        body: Body = value if isinstance(value, dict) else {row.name: value}
        name = as_string(body.get(row.name))
        if name and body.get("optional") is not True:
            yield from _reference(index, source, row, path, body)


def _reference(index: ManifestIndex, source: Manifest, row: Row, path: Path, body: Body) -> Iterator[Reference]:
    if row.form is Form.HOST:
        yield from _host(index, source, row, path, body)
        return
    name = as_string(body.get(row.name))
    if source.kind == "Ingress" and value_at(body, "port", "name") == _BY_ANNOTATION:
        return
    if row.form is Form.GATEWAY:
        namespace, slash, rest = name.rpartition("/")
        if name != "mesh":
            yield Reference(source, path, row.group, row.kind, namespace if slash else source.namespace, rest)
        return
    kind = as_string(body.get("kind")) or row.kind
    if row.only and kind != row.only:
        return
    group = _group(body, row, kind)
    keys = tuple((at, key) for at, key in values_at(body, row.keys, path) if isinstance(key, str)) if row.keys else ()
    namespace = source.namespace if row.local else as_string(body.get("namespace")) or source.namespace
    if is_cluster_scoped(group, kind):
        namespace = ""
    elif source.kind == "ClusterRoleBinding" and not namespace:
        return  # L15 reports a ClusterRoleBinding's subject without a namespace.
    yield Reference(
        source,
        path,
        group,
        kind,
        namespace,
        name,
        _port(body, row) if kind == "Service" else None,
        row.granted and not kind == source.kind == "HTTPRoute",  # kgateway and agentgateway delegate without grants.
        as_string(body.get("sectionName")) if row.section else "",
        keys,
        row.travels,
        row.mild,
    )


def _group(body: Body, row: Row, kind: str) -> str:
    for field in ("group", "apiGroup"):
        if isinstance(body.get(field), str):
            # Traefik and Kong take `core` for the core group, whose name is empty.
            written = "" if body[field] == "core" else str(body[field])
            return RBAC if row.group == RBAC and not written else written
    if isinstance(body.get("apiVersion"), str):
        return str(body["apiVersion"]).rpartition("/")[0]
    return "" if row.kind and kind != row.kind and row.group not in {RBAC, "cert-manager.io"} else row.group


def _port(body: Body, row: Row) -> int | str | None:
    for alternative in row.port.split("|"):
        port = value_at(body, *alternative.split("."))
        if isinstance(port, int | str) and not isinstance(port, bool):
            return port
    return None


def _host(index: ManifestIndex, source: Manifest, row: Row, path: Path, body: Body) -> Iterator[Reference]:
    """Return the Service of a host, if the host has the form of a Service's."""
    host = as_string(body.get(row.name))
    service = index.service_of_host(host, source.namespace)
    if service is None or "*" in host or host in service_entry_hosts(index):
        return
    if host.count(".") == 1 and service[1] not in index.namespaces:
        return  # Such as `example.com`.
    yield Reference(source, (*path, row.name), "", "Service", service[1], service[0], _port(body, row))


def service_entry_hosts(index: ManifestIndex) -> frozenset[str]:
    """Return the hosts of ServiceEntries."""

    def compute() -> frozenset[str]:
        entries = index.of_kind("ServiceEntry", "networking.istio.io")
        return frozenset(host for entry in entries for host in entry.spec.get("hosts") or () if isinstance(host, str))

    return index.cached("hosts of ServiceEntries", compute)


def port_numbers_and_names(service: Manifest) -> list[object]:
    """Return the ports of a Service, by number and by name."""
    ports = as_mappings(service.spec.get("ports"))
    return [port.get("port") for port in ports] + [port["name"] for port in ports if as_string(port.get("name"))]
