"""Everything that is checked together: the objects, looked up by what they are, and what is said to exist elsewhere."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property, wraps
from typing import Any, TypeVar

from vsr_compiler.manifests.kinds import KINDS
from vsr_compiler.verify.manifest import Body, Identity, Manifest, Path, dig, labels, rows, table, text

GATEWAY_API, ISTIO, INFERENCE = "gateway.networking.k8s.io", "networking.istio.io", "inference.networking.k8s.io"
ENVOY, AI = "gateway.envoyproxy.io", "aigateway.envoyproxy.io"
RBAC = "rbac.authorization.k8s.io"
POOL_GROUPS = frozenset({INFERENCE, "inference.networking.x-k8s.io"})
"""The InferencePool's group, and the one that it had before version 1."""
CLUSTER_SCOPED = frozenset(key for key, kind in KINDS.items() if not kind.namespaced)
"""Kinds without a namespace, by API group."""
_T = TypeVar("_T")
_TEMPLATES: dict[str, Path] = {kind.name: kind.pod_template for kind in KINDS.values() if kind.pod_template is not None}


@dataclass(frozen=True, slots=True)
class Assumed:
    """What exists elsewhere.

    Attributes:
        objects: Kind, namespace and name; the namespace of a cluster-scoped object is empty.
        pods: Namespace and labels of pods whose workload is not in the stream.
    """

    objects: frozenset[tuple[str, str, str]] = frozenset()
    pods: tuple[tuple[str, tuple[tuple[str, str], ...]], ...] = ()

    def __or__(self, other: Assumed) -> Assumed:
        return Assumed(self.objects | other.objects, (*self.pods, *other.pods))

    @classmethod
    def parse(cls, given: Iterable[str]) -> Assumed:
        """From ``kind/namespace/name``, ``kind/name`` for cluster-scoped objects, and ``Pod/namespace/key=value,…``.

        Raises:
            ValueError: Something of another form, which is the message.
        """
        objects: set[tuple[str, str, str]] = set()
        pods: list[tuple[str, tuple[tuple[str, str], ...]]] = []
        for item in given:
            kind, _, rest = item.partition("/")
            namespace, _, name = rest.rpartition("/") if kind != "Pod" else rest.partition("/")
            if kind == "Pod" and "=" in name:
                pairs = [pair.partition("=") for pair in name.split(",")]
                pods.append((namespace, tuple((key, value) for key, _, value in pairs)))
            elif kind and name and "/" not in namespace:
                objects.add((kind, namespace, name))
            else:
                raise ValueError(item)
        return cls(frozenset(objects), tuple(pods))


@dataclass(frozen=True, slots=True, eq=False)
class Pods:
    """Pods of one workload: its object, where its pod template stands, and what of it others refer to."""

    owner: Manifest
    path: Path
    labels: dict[str, str]

    @property
    def spec(self) -> Body:
        """The pod's spec."""
        return table(self.owner.at(*self.path, "spec"))

    def containers(self, *, sidecars: bool = False) -> list[tuple[Path, Body]]:
        """Containers with their paths; sidecars are init containers."""
        found = list(self.owner.each(*self.path, "spec", "containers"))
        return [*found, *self.owner.each(*self.path, "spec", "initContainers")] if sidecars else found

    def ports(self) -> dict[str, int]:
        """The declared ports by name; one without a name stands under its number."""
        ports: dict[str, int] = {}
        for _, container in self.containers(sidecars=True):
            for port in rows(container.get("ports")):
                number = port.get("containerPort")
                if isinstance(number, int):
                    ports[text(port.get("name")) or str(number)] = number
        return ports


@dataclass(eq=False)
class World:
    """The objects of one check, with the look-ups that rules share. Nothing in here changes.

    Attributes:
        manifests: The objects.
        assumed: What exists elsewhere.
        known: What texts inside ConfigMaps hold, where whoever made them says so; others are parsed.
    """

    manifests: list[Manifest]
    assumed: Assumed = field(default_factory=Assumed)
    known: Mapping[str, Body] = field(default_factory=dict)
    _found: dict[object, Any] = field(default_factory=dict, init=False, repr=False)

    def once(self, key: object, make: Callable[[], _T]) -> _T:
        """What is made for a key, made once for these objects."""
        if key not in self._found:
            self._found[key] = make()
        found: _T = self._found[key]
        return found

    @cached_property
    def by_identity(self) -> dict[Identity, Manifest]:
        """The first object of each identity."""
        found: dict[Identity, Manifest] = {}
        for each in self.manifests:
            found.setdefault(each.identity, each)
        return found

    @cached_property
    def _by_kind(self) -> dict[str, list[Manifest]]:
        found: dict[str, list[Manifest]] = defaultdict(list)
        for each in self.manifests:
            found[each.kind].append(each)
        return found

    def of(self, kind: str, *groups: str) -> list[Manifest]:
        """The objects of a kind, of certain API groups where these are given."""
        found = self._by_kind.get(kind, [])
        return [each for each in found if each.group in groups] if groups else found

    def find(self, group: str, kind: str, namespace: str, name: str) -> Manifest | None:
        """One object."""
        return self.by_identity.get((group, kind, namespace, name))

    def assumes(self, kind: str, namespace: str, name: str) -> bool:
        """Whether an object is said to exist elsewhere."""
        return (kind, namespace, name) in self.assumed.objects

    @cached_property
    def pods(self) -> list[Pods]:
        """The pods of every workload."""
        return [
            Pods(each, path, labels(each.at(*path, "metadata", "labels")))
            for kind, path in _TEMPLATES.items()
            for each in self.of(kind)
            if isinstance(each.at(*path, "spec"), dict)
        ]

    @cached_property
    def _pods_by_namespace(self) -> dict[str, list[Pods]]:
        found: dict[str, list[Pods]] = defaultdict(list)
        for each in self.pods:
            found[each.owner.namespace].append(each)
        return found

    def selected(self, namespace: str, selector: dict[str, str]) -> list[Pods]:
        """The pods in a namespace that bear all labels of a selector; an empty one selects none here."""
        found = self._pods_by_namespace.get(namespace, []) if selector else []
        return [each for each in found if selector.items() <= each.labels.items()]

    def assumed_pods(self, namespace: str, selector: dict[str, str]) -> bool:
        """Whether pods that are said to exist bear all labels of a selector."""
        return any(ns == namespace and selector.items() <= set(own) for ns, own in self.assumed.pods)

    def service_of(self, host: str, namespace: str) -> tuple[str, str] | None:
        """Name and namespace of the Service that a host means to a reader in a namespace; None for other hosts."""
        name, *rest = host.split(".")
        if not rest:
            return name, namespace
        if len(rest) == 1 or rest[1] == "svc":
            return name, rest[0]
        return None

    def service(self, namespace: str, name: str) -> Manifest | None:
        """A Service."""
        return self.find("", "Service", namespace, name)

    @cached_property
    def istio(self) -> bool:
        """Whether Istio carries the traffic, as far as the objects tell."""
        classes = [text(each.at("spec", "gatewayClassName")) for each in self.of("Gateway", GATEWAY_API)]
        return any(each.startswith("istio") for each in classes) or any(each.group == ISTIO for each in self.manifests)

    @cached_property
    def pools(self) -> list[Manifest]:
        """The InferencePools."""
        return self.of("InferencePool", *POOL_GROUPS)

    @cached_property
    def routes(self) -> list[Manifest]:
        """The HTTPRoutes and AIGatewayRoutes."""
        return [*self.of("HTTPRoute", GATEWAY_API), *self.of("AIGatewayRoute", AI)]

    def gateways(self, route: Manifest) -> list[tuple[str, str]]:
        """Namespace and name of the gateways that a route asks for."""
        refs = [ref for ref in rows(route.spec.get("parentRefs")) if ref.get("kind", "Gateway") == "Gateway"]
        return sorted((text(ref.get("namespace")) or route.namespace, text(ref.get("name"))) for ref in refs)

    def reaching(self, pool: Manifest) -> list[Manifest]:
        """The routes with a rule that leads to a pool."""
        return self._reaching.get((pool.namespace, pool.name), [])

    @cached_property
    def _reaching(self) -> dict[tuple[str, str], list[Manifest]]:
        found: dict[tuple[str, str], list[Manifest]] = defaultdict(list)
        for route in self.routes:
            for _, ref in self.backends(route):
                if ref.get("kind") == "InferencePool":
                    found[text(ref.get("namespace")) or route.namespace, text(ref.get("name"))].append(route)
        return found

    def backends(self, route: Manifest) -> Iterator[tuple[Path, Body]]:
        """The backends of a route's rules with their paths."""
        for path, _ in route.each("spec", "rules"):
            yield from route.each(*path, "backendRefs")


def shared(make: Callable[[World], Iterator[_T]]) -> Callable[[World], tuple[_T, ...]]:
    """What several rules look for in the same objects is looked for once."""

    @wraps(make)
    def found(world: World) -> tuple[_T, ...]:
        return world.once(make, lambda: tuple(make(world)))

    return found


def selector(body: Body, *path: str) -> dict[str, str]:
    """The labels that a selector asks for, whether they stand below `matchLabels` or not."""
    found = table(dig(body, *path))
    return labels(found.get("matchLabels", found))
