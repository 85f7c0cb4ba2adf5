"""Objects of the manifests, by kind, namespace and name."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from vsr_compiler.diagnostics import Span
from vsr_compiler.importer.sources import Part
from vsr_compiler.importer.values import Fields, child, items, text
from vsr_compiler.syntax.nodes import Mapping, Node

GATEWAY_API = "gateway.networking.k8s.io"
POOL_GROUPS = ("inference.networking.k8s.io", "inference.networking.x-k8s.io")
AI_GATEWAY = "aigateway.envoyproxy.io"
ENVOY_GATEWAY = "gateway.envoyproxy.io"
AGENTGATEWAY = "agentgateway.dev"
KSERVE = "serving.kserve.io"
WORKLOADS = ("Deployment", "StatefulSet", "DaemonSet", "LeaderWorkerSet", "Pod", "ReplicaSet")
KINDS: dict[tuple[str, str], str] = {
    **{(GATEWAY_API, kind): kind for kind in ("Gateway", "GatewayClass", "HTTPRoute")},
    **{(group, "InferencePool"): "InferencePool" for group in POOL_GROUPS},
    **{(group, "InferenceModel"): "InferenceModel" for group in POOL_GROUPS},
    **{(group, "InferenceObjective"): "InferenceObjective" for group in POOL_GROUPS},
    **{(AI_GATEWAY, kind): kind for kind in ("AIGatewayRoute", "AIServiceBackend", "BackendSecurityPolicy")},
    (ENVOY_GATEWAY, "Backend"): "Backend",
    **{(AGENTGATEWAY, kind): kind for kind in ("AgentgatewayBackend", "AgentgatewayModel", "AgentgatewayPolicy")},
    (KSERVE, "LLMInferenceService"): "LLMInferenceService",
    ("", "Service"): "Service",
    **{("apps", kind): kind for kind in WORKLOADS},
    ("", "Pod"): "Pod",
    ("leaderworkerset.x-k8s.io", "LeaderWorkerSet"): "LeaderWorkerSet",
}
"""Group and kind, and the kind by which this package knows it."""
MAX_LIST = 5_000
"""Objects that are read at most."""


@dataclass(frozen=True, slots=True)
class Resource:
    """One object.

    Attributes:
        kind: Its kind.
        group: Its API group.
        namespace: Its namespace; ``default`` if it names none.
        name: Its name.
        labels: Its own labels.
        spec: Its ``spec``.
        span: The place of its name.
    """

    kind: str
    group: str
    namespace: str
    name: str
    labels: dict[str, str]
    spec: Fields
    span: Span

    @property
    def title(self) -> str:
        """Kind and name, for messages."""
        return f"{self.kind} `{self.name}`"


Key = tuple[str, str, str]


@dataclass(slots=True)
class Index:
    """All objects."""

    all: list[Resource] = field(default_factory=list)
    _by_key: dict[Key, Resource] = field(default_factory=dict)

    def of(self, kind: str) -> list[Resource]:
        """Return the objects of a kind, in the order of the files."""
        return [item for item in self.all if item.kind == kind]

    def get(self, kind: str, namespace: str, name: str) -> Resource | None:
        """Return an object; None if no file has it."""
        return self._by_key.get((kind, namespace, name))

    def add(self, item: Resource) -> None:
        """Add an object; of two with one name the first one counts."""
        if len(self.all) < MAX_LIST and (item.kind, item.namespace, item.name) not in self._by_key:
            self.all.append(item)
            self._by_key[item.kind, item.namespace, item.name] = item


def group_kind(node: Node | None) -> tuple[str, str]:
    """Return the group and the kind of a document."""
    group, slash, _ = text(child(node, "apiVersion")).rpartition("/")
    return (group if slash else ""), text(child(node, "kind"))


def is_known(part: Part) -> bool:
    """Return whether a document is an object that says where models run, or a List with one."""
    if group_kind(part.node)[1] == "List":
        return any(group_kind(item) in KINDS for item in items(child(part.node, "items")))
    return group_kind(part.node) in KINDS


def index(parts: Sequence[Part]) -> Index:
    """Return the objects of documents."""
    found = Index()
    for part in parts:
        for node in _expanded(part.node):
            if (item := _resource(node, part.span)) is not None:
                found.add(item)
    return found


def _expanded(node: Node | None) -> Iterator[Node]:
    if node is None:
        return
    if group_kind(node)[1] == "List":
        yield from items(child(node, "items"))
    else:
        yield node


def _resource(node: Node, span: Span) -> Resource | None:
    group, kind = group_kind(node)
    if (group, kind) not in KINDS or not isinstance(node, Mapping):
        return None
    metadata = Fields.of(child(node, "metadata"), "metadata", span)
    labels = labels_of(metadata.take("labels"))
    spec = Fields.of(child(node, "spec"), "spec", span)
    name = metadata.text("name") or metadata.text("generateName")
    return Resource(kind, group, metadata.text("namespace") or "default", name, labels, spec, metadata.value_at("name"))


def labels_of(node: Node | None) -> dict[str, str]:
    """Return a mapping of texts."""
    return {key: text(value) for key, (_, value) in node.entries.items()} if isinstance(node, Mapping) else {}


def selects(selector: dict[str, str], labels: dict[str, str]) -> bool:
    """Return whether labels match a selector. An empty one selects nothing, as for Services and pools."""
    return bool(selector) and all(labels.get(key) == value for key, value in selector.items())
