"""Objects that controllers create, which are in no manifest: by whom, under which names, and whether with pods.

Names are patterns of the owner's name `{}`; `*` stands for anything. Names change between releases and with settings,
so most patterns say no more than that the names of created objects begin with the owner's. Sources: the controllers'
code or documentation, as listed; kserve 0.20 (`pkg/controller/v1alpha2/llmisvc`), Envoy AI Gateway 0.4 to 1.1
(`internal/controller/ai_gateway_route.go`), Dynamo 0.8 to 1.6 (`deploy/operator`), CloudNativePG (documentation,
Connecting from an application), Gateway API (GEP-1762), Kubernetes (StatefulSet), KEDA (`controllers/keda/hpa.go`),
Prometheus operator (`prometheus-operated`), Strimzi, ECK and RabbitMQ (documentation).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cached_property

from vsr_compiler.verify.manifest import Manifest, as_mappings, as_string, value_at
from vsr_compiler.verify.manifest_index import ManifestIndex

_OWN = ("{}", "{}-*")
_WORKLOAD = "Service Deployment StatefulSet ServiceAccount ConfigMap Secret PersistentVolumeClaim"
ANY = "*"


@dataclass(frozen=True, slots=True)
class Creator:
    """A kind whose controller creates objects.

    Attributes:
        group: API group.
        kinds: The kinds, separated by blanks.
        created: Kinds of the created objects, separated by blanks; `*` for every kind.
        names: Patterns of their names.
        fields: Paths of fields that have the name of a created object.
        pods: Whether it creates pods, with labels that manifests do not tell.
    """

    group: str
    kinds: str
    created: str
    names: tuple[str, ...] = _OWN
    fields: tuple[tuple[str, ...], ...] = ()
    pods: bool = True


CREATORS = (
    Creator("aigateway.envoyproxy.io", "AIGatewayRoute", "HTTPRoute HTTPRouteFilter", pods=False),
    Creator("aigateway.envoyproxy.io", "MCPRoute", "HTTPRoute HTTPRouteFilter Backend", ("*{}*",), pods=False),
    Creator("gateway.networking.k8s.io", "Gateway", f"{_WORKLOAD} HorizontalPodAutoscaler", pods=False),
    Creator("apps", "StatefulSet", "PersistentVolumeClaim Pod", ("*-{}-*", "{}-*"), pods=False),
    Creator(
        "serving.kserve.io",
        "LLMInferenceService InferenceService InferenceGraph ServingRuntime",
        f"{_WORKLOAD} InferencePool InferenceObjective InferenceModel HTTPRoute Gateway Role RoleBinding Ingress "
        "VirtualService DestinationRule HorizontalPodAutoscaler",
    ),
    Creator(
        "nvidia.com",
        "DynamoGraphDeployment DynamoComponentDeployment DynamoGraphDeploymentRequest NIMService NIMCache",
        f"{_WORKLOAD} InferencePool HTTPRoute Ingress VirtualService Role RoleBinding",
    ),
    Creator("apps.nvidia.com", "NIMService NIMCache NIMPipeline", f"{_WORKLOAD} Ingress HTTPRoute"),
    Creator("production-stack.vllm.ai", "VLLMRouter VLLMRuntime CacheServer", _WORKLOAD),
    Creator("inference.llmkube.dev", "ModelRouter InferenceService Model", _WORKLOAD),
    Creator("gateway.agentic-layer.ai", "ModelRouter", _WORKLOAD),
    Creator("kaito.sh", "Workspace RAGEngine InferenceSet", f"{_WORKLOAD} InferencePool"),
    Creator("ray.io", "RayCluster RayService RayJob", _WORKLOAD),
    Creator("leaderworkerset.x-k8s.io", "LeaderWorkerSet", "Service StatefulSet", pods=False),
    Creator("jobset.x-k8s.io", "JobSet", "Service Job"),
    Creator("serving.knative.dev", "Service", "Service Deployment"),
    Creator("flagger.app", "Canary", "Service Deployment VirtualService DestinationRule HTTPRoute", ("{}", "{}-*")),
    Creator(
        "keda.sh",
        "ScaledObject",
        "HorizontalPodAutoscaler",
        ("keda-hpa-{}",),
        (("spec", "advanced", "horizontalPodAutoscalerConfig", "name"),),
        pods=False,
    ),
    Creator("postgresql.cnpg.io", "Cluster Pooler", _WORKLOAD),
    Creator("acid.zalan.do", "postgresql", "Service Secret", ("{}", "{}-*", "*.{}.credentials*")),
    Creator("postgres-operator.crunchydata.com", "PostgresCluster", _WORKLOAD),
    Creator("kafka.strimzi.io", "Kafka KafkaUser KafkaConnect", _WORKLOAD),
    Creator("rabbitmq.com", "RabbitmqCluster", _WORKLOAD),
    Creator("elasticsearch.k8s.elastic.co", "Elasticsearch", _WORKLOAD),
    Creator("kibana.k8s.elastic.co", "Kibana", _WORKLOAD),
    Creator("redis.redis.opstreelabs.in", "Redis RedisCluster RedisReplication RedisSentinel", _WORKLOAD),
    Creator("mongodbcommunity.mongodb.com", "MongoDBCommunity", _WORKLOAD),
    Creator("minio.min.io", "Tenant", _WORKLOAD, ("{}", "{}-*", "minio")),
    Creator("milvus.io", "Milvus", _WORKLOAD),
    Creator("k8s.keycloak.org", "Keycloak", _WORKLOAD),
    Creator("monitoring.coreos.com", "Prometheus", _WORKLOAD, ("prometheus-operated", "prometheus-{}", "{}-*")),
    Creator("monitoring.coreos.com", "Alertmanager", _WORKLOAD, ("alertmanager-operated", "alertmanager-{}", "{}-*")),
    Creator("monitoring.coreos.com", "ThanosRuler", _WORKLOAD, ("thanos-ruler-operated", "thanos-ruler-{}")),
    Creator("grafana.integreatly.org", "Grafana", _WORKLOAD),
    Creator("opentelemetry.io", "OpenTelemetryCollector", _WORKLOAD),
    Creator("jaegertracing.io", "Jaeger", _WORKLOAD),
    Creator("cert-manager.io", "Certificate", "Secret", (), (("spec", "secretName"),), pods=False),
    Creator(
        "cert-manager.io",
        "Issuer ClusterIssuer",
        "Secret",
        (),
        (("spec", "acme", "privateKeySecretRef", "name"),),
        pods=False,
    ),
    Creator("trust.cert-manager.io", "Bundle", "ConfigMap Secret", ("{}",), pods=False),
    Creator("external-secrets.io", "ExternalSecret", "Secret", ("{}",), (("spec", "target", "name"),), pods=False),
    Creator("bitnami.com", "SealedSecret", "Secret", ("{}",), (("spec", "template", "metadata", "name"),), pods=False),
    Creator(
        "secrets.hashicorp.com",
        "VaultStaticSecret VaultDynamicSecret VaultPKISecret",
        "Secret",
        ("{}",),
        (("spec", "destination", "name"),),
        pods=False,
    ),
    Creator("onepassword.com", "OnePasswordItem", "Secret", ("{}",), pods=False),
    Creator("helm.toolkit.fluxcd.io", "HelmRelease", ANY, (ANY,)),
    Creator("helm.cattle.io", "HelmChart", ANY, (ANY,)),
    Creator("argoproj.io", "Application ApplicationSet", ANY, (ANY,)),
)
"""The table of controllers."""
_TARGET_NAMESPACES = (
    ("spec", "targetNamespace"),
    ("spec", "destination", "namespace"),
    ("spec", "template", "spec", "destination", "namespace"),
)
_QUIET_GROUPS = (
    "gateway.networking.k8s.io",
    "gateway.networking.x-k8s.io",
    "inference.networking.k8s.io",
    "inference.networking.x-k8s.io",
    "gateway.envoyproxy.io",
    "aigateway.envoyproxy.io",
    "agentgateway.dev",
    "llm-d.ai",
    "istio.io",
    "monitoring.coreos.com",
    "cert-manager.io",
    "keda.sh",
    "fluxcd.io",
    "argoproj.io",
    "kustomize.config.k8s.io",
)
"""Groups of custom kinds that create no objects, except those in the table."""


@dataclass(eq=False)
class CreatedObjects:
    """What controllers create for the objects of a check."""

    index: ManifestIndex

    def creator_of(self, kind: str, namespace: str, name: str, *, travels: bool = False) -> Manifest | None:
        """Return the object whose controller creates an object, or may create it; None if there is none.

        Args:
            kind: Kind of the object.
            namespace: Its namespace.
            name: Its name.
            travels: Whether the object belongs to the one that refers to it, so that a chart beside both of them
                contains it only if it has the name of the release or the chart.
        """
        for prefix in _prefixes(name):
            for owner, creator in self._by_name.get((namespace, prefix), ()):
                if _creates(creator, kind) and any(_matches(pattern, owner, name) for pattern in creator.names):
                    return owner
            for unknown in self._unknown.get((namespace, prefix), ()):
                return unknown
        if (namespace, kind, name) in self._by_field:
            return self._by_field[namespace, kind, name]
        for owner, creator in self._by_pattern.get(namespace, ()):
            if _creates(creator, kind) and any(_matches(pattern, owner, name) for pattern in creator.names):
                return owner
        for chart in [*self._charts.get(namespace, []), *self._charts.get(ANY, [])] if kind != "HelmRelease" else ():
            if not travels or any(word in name for word in _chart_names(chart)):
                return chart
        return None

    def makes_pods(self, namespace: str) -> Manifest | None:
        """Return an object whose controller creates pods in a namespace with labels that manifests do not tell."""
        charts = [*self._charts.get(namespace, []), *self._charts.get(ANY, [])]
        return self._with_pods.get(namespace) or (charts[0] if charts else None)

    @cached_property
    def _owners(self) -> list[tuple[Manifest, Creator]]:
        by_kind = {(creator.group, kind): creator for creator in CREATORS for kind in creator.kinds.split()}
        pairs = [(manifest, by_kind.get((manifest.group, manifest.kind))) for manifest in self.index.manifests]
        return [(manifest, creator) for manifest, creator in pairs if creator is not None]

    @cached_property
    def _by_name(self) -> dict[tuple[str, str], list[tuple[Manifest, Creator]]]:
        owners: dict[tuple[str, str], list[tuple[Manifest, Creator]]] = defaultdict(list)
        for owner, creator in self._owners:
            if any(pattern.startswith("{}") for pattern in creator.names):
                owners[owner.namespace, owner.name].append((owner, creator))
        return owners

    @cached_property
    def _by_pattern(self) -> dict[str, list[tuple[Manifest, Creator]]]:
        """Owners whose names do not begin those of created objects: the first of each namespace, bounded."""
        owners: dict[str, list[tuple[Manifest, Creator]]] = defaultdict(list)
        for owner, creator in self._owners:
            by_pattern = creator.created != ANY and any(not pattern.startswith("{}") for pattern in creator.names)
            if by_pattern and len(owners[owner.namespace]) < _MOST_PATTERNS:
                owners[owner.namespace].append((owner, creator))
        return owners

    @cached_property
    def _by_field(self) -> dict[tuple[str, str, str], Manifest]:
        owners: dict[tuple[str, str, str], Manifest] = {}
        for owner, creator in self._owners:
            for path in creator.fields:
                for kind in creator.created.split():
                    owners.setdefault((owner.namespace, kind, as_string(owner.at(*path))), owner)
        return owners

    @cached_property
    def _charts(self) -> dict[str, list[Manifest]]:
        """Objects that install charts, by the namespace into which they do, a bounded number of each."""
        owners: dict[str, list[Manifest]] = defaultdict(list)
        for owner, creator in self._owners:
            if creator.created == ANY and (owner.group != _ARGO or _chart_names(owner)[1:]):
                written = [as_string(owner.at(*path)) for path in _TARGET_NAMESPACES]
                own = "" if owner.group == _ARGO else owner.namespace
                target = next((name for name in written if name), own) or ANY
                target = ANY if "{" in target else target
                if len(owners[target]) < _MOST_PATTERNS:
                    owners[target].append(owner)
        return owners

    @cached_property
    def _with_pods(self) -> dict[str, Manifest]:
        owners: dict[str, Manifest] = {}
        for owner, creator in self._owners:
            if creator.pods and creator.created != ANY:
                owners.setdefault(owner.namespace, owner)
        for (namespace, _), unknown in self._unknown.items():
            owners.setdefault(namespace, unknown[0])
        return owners

    @cached_property
    def _unknown(self) -> dict[tuple[str, str], list[Manifest]]:
        """Objects of custom kinds that are not in the table: their controllers may create objects of their names."""
        known = {(creator.group, kind) for creator in CREATORS for kind in creator.kinds.split()}
        owners: dict[tuple[str, str], list[Manifest]] = defaultdict(list)
        for manifest in self.index.manifests:
            is_custom = "." in manifest.group and not manifest.group.endswith((".k8s.io", *_QUIET_GROUPS))
            if is_custom and (manifest.group, manifest.kind) not in known and isinstance(manifest.spec, dict):
                owners[manifest.namespace, manifest.name].append(manifest)
        return owners


_MOST_PATTERNS = 64
_ARGO = "argoproj.io"


def _chart_names(owner: Manifest) -> list[str]:
    """Return the name of a release, and those of the charts that it installs: an Application may install a folder."""
    sources = [owner.at(*path, "source") for path in (("spec",), ("spec", "template", "spec"))]
    for path in (("spec",), ("spec", "template", "spec")):
        sources += as_mappings(owner.at(*path, "sources"))
    charts = [value_at(source, "chart") for source in sources]
    charts += [
        owner.at("spec", "chart"),
        owner.at("spec", "chart", "spec", "chart"),
        owner.at("spec", "chartRef", "name"),
    ]
    named = [as_string(chart).rpartition("/")[2] for chart in charts if as_string(chart)]
    return [owner.name, *named]


def created_objects(index: ManifestIndex) -> CreatedObjects:
    """Return what controllers create for the objects of an index."""
    return index.cached("created objects", lambda: CreatedObjects(index))


def _creates(creator: Creator, kind: str) -> bool:
    return creator.created == ANY or kind in creator.created.split()


def _matches(pattern: str, owner: Manifest, name: str) -> bool:
    return fnmatchcase(name, pattern.replace("{}", owner.name.replace("[", "[[]"))) if pattern != ANY else True


def _prefixes(name: str) -> Iterator[str]:
    """Yield a name and its beginnings at each `-`, the longest first."""
    yield name
    parts = name.split("-")[:_MOST_PARTS]
    for count in range(len(parts) - 1, 0, -1):
        yield "-".join(parts[:count])


_MOST_PARTS = 32
