"""The objects of one check, with the look-ups that link rules share."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property, wraps
from typing import Any, TypeVar

from vsr_compiler.manifests.kinds import KINDS
from vsr_compiler.verify.assumptions import Assumptions
from vsr_compiler.verify.manifest import (
    Body,
    Identity,
    Manifest,
    Path,
    as_mapping,
    as_mappings,
    as_string,
    as_string_map,
    value_at,
)

GATEWAY_API, ISTIO, INFERENCE = "gateway.networking.k8s.io", "networking.istio.io", "inference.networking.k8s.io"
ENVOY, AI = "gateway.envoyproxy.io", "aigateway.envoyproxy.io"
RBAC = "rbac.authorization.k8s.io"
POOL_GROUPS = frozenset({INFERENCE, "inference.networking.x-k8s.io"})
"""API groups of InferencePool: the current one, and the one before version 1."""
_T = TypeVar("_T")
_TEMPLATES: dict[str, tuple[Path, ...]] = {
    **{kind.name: (kind.pod_template,) for kind in KINDS.values() if kind.pod_template is not None},
    "ReplicationController": (("spec", "template"),),
    "Rollout": (("spec", "template"),),
    "LeaderWorkerSet": (
        ("spec", "leaderWorkerTemplate", "leaderTemplate"),
        ("spec", "leaderWorkerTemplate", "workerTemplate"),
    ),
}
"""Paths of pod templates by kind. Sources: Kubernetes, Argo Rollouts 1.9, LeaderWorkerSet 0.8."""


@dataclass(frozen=True, slots=True, eq=False)
class Workload:
    """An object that creates pods, such as a Deployment, or a Pod itself.

    Attributes:
        owner: The object.
        path: Path of the pod template.
        labels: Labels of the pods.
    """

    owner: Manifest
    path: Path
    labels: dict[str, str]

    @property
    def spec(self) -> Body:
        """The spec of the pods."""
        return as_mapping(self.owner.at(*self.path, "spec"))

    def containers(self, *, init: bool = False) -> list[tuple[Path, Body]]:
        """Return the containers with their paths; with ``init``, init containers too, which may be sidecars."""
        containers = list(self.owner.entries(*self.path, "spec", "containers"))
        return [*containers, *self.owner.entries(*self.path, "spec", "initContainers")] if init else containers

    def ports(self) -> dict[str, int]:
        """Return the declared ports by name; a port without a name is listed under its number."""
        ports: dict[str, int] = {}
        for _, container in self.containers(init=True):
            for port in as_mappings(container.get("ports")):
                number = port.get("containerPort")
                if isinstance(number, int):
                    ports[as_string(port.get("name")) or str(number)] = number
        return ports


@dataclass(eq=False)
class ManifestIndex:
    """The objects of one check. They never change, so each look-up is computed once.

    Attributes:
        manifests: The objects.
        assumptions: Objects and pods that exist elsewhere.
        documents: Parsed YAML documents by their text in ConfigMaps, for texts that the caller has parsed already.
    """

    manifests: list[Manifest]
    assumptions: Assumptions = field(default_factory=Assumptions)
    documents: Mapping[str, Body] = field(default_factory=dict)
    _cache: dict[object, Any] = field(default_factory=dict, init=False, repr=False)

    def cached(self, key: object, compute: Callable[[], _T]) -> _T:
        """Return the value of a key, computed at the first call."""
        if key not in self._cache:
            self._cache[key] = compute()
        value: _T = self._cache[key]
        return value

    @cached_property
    def by_identity(self) -> dict[Identity, Manifest]:
        """The first object of each identity."""
        first: dict[Identity, Manifest] = {}
        for manifest in self.manifests:
            first.setdefault(manifest.identity, manifest)
        return first

    @cached_property
    def _by_kind(self) -> dict[str, list[Manifest]]:
        by_kind: dict[str, list[Manifest]] = defaultdict(list)
        for manifest in self.manifests:
            by_kind[manifest.kind].append(manifest)
        return by_kind

    def of_kind(self, kind: str, *groups: str) -> list[Manifest]:
        """Return the objects of a kind, in any API group or in the given ones."""
        manifests = self._by_kind.get(kind, [])
        if not groups:
            return manifests
        return self.cached((kind, groups), lambda: [item for item in manifests if item.group in groups])

    def find(self, group: str, kind: str, namespace: str, name: str) -> Manifest | None:
        """Return one object; None if it does not exist."""
        return self.by_identity.get((group, kind, namespace, name))

    def assumes(self, kind: str, namespace: str, name: str) -> bool:
        """Whether an object is assumed to exist elsewhere."""
        return (kind, namespace, name) in self.assumptions.objects

    @cached_property
    def defined_twice(self) -> frozenset[Identity]:
        """The identities of objects that are defined in several ways, so that it is open which of them applies."""
        return frozenset(
            manifest.identity for manifest in self.manifests if manifest is not self.by_identity[manifest.identity]
        )

    @cached_property
    def kinds_by_file(self) -> dict[str, set[tuple[str, str]]]:
        """The namespaces and kinds of the objects in each file."""
        kinds: dict[str, set[tuple[str, str]]] = defaultdict(set)
        for manifest in self.manifests:
            kinds[manifest.span("kind").file].add((manifest.namespace, manifest.kind))
        return kinds

    @cached_property
    def names_of_kind(self) -> dict[tuple[str, str], list[str]]:
        """The names of the objects of each kind in each namespace."""
        names: dict[tuple[str, str], list[str]] = defaultdict(list)
        for manifest in self.manifests:
            names[manifest.kind, manifest.namespace].append(manifest.name)
        return names

    @cached_property
    def kinds_by_namespace(self) -> dict[str, set[str]]:
        """The kinds of the objects in each namespace."""
        kinds: dict[str, set[str]] = defaultdict(set)
        for manifest in self.manifests:
            kinds[manifest.namespace].add(manifest.kind)
        return kinds

    @cached_property
    def namespaces(self) -> frozenset[str]:
        """The namespaces in which objects are, and those that are among the objects."""
        return frozenset([*self.kinds_by_namespace, *(item.name for item in self.of_kind("Namespace", ""))])

    @cached_property
    def workloads(self) -> list[Workload]:
        """Every object that creates pods."""
        return [
            Workload(manifest, path, as_string_map(manifest.at(*path, "metadata", "labels")))
            for kind, paths in _TEMPLATES.items()
            for manifest in self.of_kind(kind)
            for path in paths
            if isinstance(manifest.at(*path, "spec"), dict)
        ]

    @cached_property
    def workloads_by_label(self) -> dict[tuple[str, str, str], list[Workload]]:
        """The workloads by namespace and each label of their pods."""
        by_label: dict[tuple[str, str, str], list[Workload]] = defaultdict(list)
        for workload in self.workloads:
            for name, value in workload.labels.items():
                by_label[workload.owner.namespace, name, value].append(workload)
        return by_label

    def selected_workloads(self, namespace: str, labels: dict[str, str]) -> list[Workload]:
        """Return the workloads in a namespace whose pods match a label selector; an empty selector matches none."""
        key = ("selected", namespace, frozenset(labels.items()))
        return self.cached(key, lambda: self._select(namespace, labels))

    def _select(self, namespace: str, labels: dict[str, str]) -> list[Workload]:
        by_label = [self.workloads_by_label.get((namespace, *label), []) for label in labels.items()]
        candidates = min(by_label, key=len, default=[])
        return [workload for workload in candidates if labels.items() <= workload.labels.items()]

    def assumes_pods(self, namespace: str, labels: dict[str, str]) -> bool:
        """Whether pods that match a label selector are assumed to exist elsewhere."""
        return any(
            pod_namespace == namespace and labels.items() <= set(pod_labels)
            for pod_namespace, pod_labels in self.assumptions.pods
        )

    def service_of_host(self, host: str, namespace: str) -> tuple[str, str] | None:
        """Return name and namespace of the Service that a host refers to in a namespace; None for other hosts."""
        name, *rest = host.split(".")
        if not rest:
            return name, namespace
        if len(rest) == 1 or rest[1] == "svc":
            return name, rest[0]
        return None

    def named(self, kind: str, name: str) -> list[Manifest]:
        """Return the objects of a kind and name, in any API group and namespace."""
        return self._by_name.get((kind, name), [])

    @cached_property
    def _by_name(self) -> dict[tuple[str, str], list[Manifest]]:
        by_name: dict[tuple[str, str], list[Manifest]] = defaultdict(list)
        for manifest in self.manifests:
            by_name[manifest.kind, manifest.name].append(manifest)
        return by_name

    def service(self, namespace: str, name: str) -> Manifest | None:
        """Return a Service; None if it does not exist."""
        return self.find("", "Service", namespace, name)

    @cached_property
    def istio(self) -> bool:
        """Whether Istio carries the traffic, according to the GatewayClasses and API groups in use."""
        gateways = self.of_kind("Gateway", GATEWAY_API)
        classes = [as_string(gateway.at("spec", "gatewayClassName")) for gateway in gateways]
        return any(name.startswith("istio") for name in classes) or any(
            manifest.group == ISTIO for manifest in self.manifests
        )

    @cached_property
    def pools(self) -> list[Manifest]:
        """The InferencePools."""
        return self.of_kind("InferencePool", *POOL_GROUPS)

    @cached_property
    def routes(self) -> list[Manifest]:
        """The HTTPRoutes and AIGatewayRoutes."""
        return [*self.of_kind("HTTPRoute", GATEWAY_API), *self.of_kind("AIGatewayRoute", AI)]

    def gateways_of(self, route: Manifest) -> list[tuple[str, str]]:
        """Return namespace and name of the parent Gateways of a route."""
        parents = as_mappings(route.spec.get("parentRefs"))
        return sorted(
            (as_string(ref.get("namespace")) or route.namespace, as_string(ref.get("name")))
            for ref in parents
            if ref.get("kind", "Gateway") == "Gateway"
        )

    def routes_to(self, pool: Manifest) -> list[Manifest]:
        """Return the routes with a backendRef to a pool."""
        return self._routes_by_pool.get((pool.namespace, pool.name), [])

    @cached_property
    def _routes_by_pool(self) -> dict[tuple[str, str], list[Manifest]]:
        routes: dict[tuple[str, str], list[Manifest]] = defaultdict(list)
        for route in self.routes:
            for _, ref in self.backend_refs(route):
                if ref.get("kind") == "InferencePool":
                    routes[as_string(ref.get("namespace")) or route.namespace, as_string(ref.get("name"))].append(route)
        return routes

    @cached_property
    def routes_with_pools(self) -> dict[tuple[str, str], list[Manifest]]:
        """The HTTPRoutes with a backendRef to a pool, by namespace and name of their Gateways."""
        by_gateway: dict[tuple[str, str], list[Manifest]] = {}
        for route in self.of_kind("HTTPRoute"):
            if any(ref.get("kind") == "InferencePool" for _, ref in self.backend_refs(route)):
                for gateway in self.gateways_of(route):
                    by_gateway.setdefault(gateway, []).append(route)
        return by_gateway

    def backend_refs(self, route: Manifest) -> Iterator[tuple[Path, Body]]:
        """Return the backendRefs of a route's rules with their paths."""
        for path, _ in route.entries("spec", "rules"):
            yield from route.entries(*path, "backendRefs")


def cached_per_index(
    compute: Callable[[ManifestIndex], Iterator[_T]],
) -> Callable[[ManifestIndex], tuple[_T, ...]]:
    """Compute what several rules need once for each index."""

    @wraps(compute)
    def cached(index: ManifestIndex) -> tuple[_T, ...]:
        return index.cached(compute, lambda: tuple(compute(index)))

    return cached


def label_selector(body: Body, *path: str) -> dict[str, str]:
    """Return the labels that a selector matches, below `matchLabels` or directly at the path."""
    value = as_mapping(value_at(body, *path))
    return as_string_map(value.get("matchLabels", value))
