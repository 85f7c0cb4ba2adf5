"""Kinds whose controllers create objects: the table, with the source of each row.

Names are patterns of the owner's name `{}`; `*` stands for anything. Names change between releases and with settings,
so most patterns say no more than that the names of created objects begin with the owner's.
"""

from __future__ import annotations

from dataclasses import dataclass

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
        source: Where names and kinds were read: a path in the project's repository, or its documentation.
        names: Patterns of their names.
        fields: Paths of fields that have the name of a created object; `[]` stands for every item of a list.
        bases: Paths of fields whose value stands for `{}` too.
        pods: Whether it creates pods, with labels that manifests do not tell.
        anywhere: Whether the owner has no namespace, and creates objects in any.
    """

    group: str
    kinds: str
    created: str
    source: str
    names: tuple[str, ...] = _OWN
    fields: tuple[str, ...] = ()
    bases: tuple[str, ...] = ()
    pods: bool = True
    anywhere: bool = False


_DOCS = "documentation of the operator"
CREATORS = (
    # Read in the code of the projects, December 2026.
    Creator(
        "aigateway.envoyproxy.io",
        "AIGatewayRoute",
        "HTTPRoute HTTPRouteFilter",
        "Envoy AI Gateway 0.4 to 1.1: internal/controller/ai_gateway_route.go",
        ("{}", "{}-*", "ai-eg-*-{}"),
        pods=False,
    ),
    Creator(
        "aigateway.envoyproxy.io",
        "MCPRoute",
        "HTTPRoute HTTPRouteFilter Backend Secret",
        "Envoy AI Gateway 1.1: internal/controller/mcp_route.go",
        ("*{}*",),
        pods=False,
    ),
    Creator(
        "gateway.networking.k8s.io",
        "Gateway",
        f"{_WORKLOAD} HorizontalPodAutoscaler PodDisruptionBudget",
        "Gateway API: GEP-1762; Istio: pilot/pkg/config/kube/gateway/deploymentcontroller.go",
        pods=False,
    ),
    Creator(
        "apps",
        "StatefulSet",
        "PersistentVolumeClaim Pod",
        "Kubernetes: documentation of StatefulSets",
        ("*-{}-*", "{}-*"),
        pods=False,
    ),
    Creator(
        "serving.kserve.io",
        "LLMInferenceService InferenceService InferenceGraph ServingRuntime",
        f"{_WORKLOAD} InferencePool InferenceObjective InferenceModel HTTPRoute Gateway Role RoleBinding Ingress "
        "VirtualService DestinationRule HorizontalPodAutoscaler ScaledObject LeaderWorkerSet OpenTelemetryCollector "
        "ResourceClaimTemplate",
        "KServe 0.20: pkg/controller/v1alpha2/llmisvc (names begin with the owner's), v1beta1/inferenceservice",
    ),
    Creator(
        "production-stack.vllm.ai",
        "VLLMRouter VLLMRuntime CacheServer LoraAdapter",
        _WORKLOAD,
        "vLLM production stack: operator/internal/controller",
    ),
    Creator(
        "ray.io",
        "RayCluster RayService RayJob RayCronJob",
        f"{_WORKLOAD} Ingress Job Role RoleBinding RayCluster RayJob",
        "KubeRay: ray-operator/controllers/ray/utils/util.go (head-svc, serve-svc), apis/ray/v1",
        fields=("spec.headGroupSpec.headService.metadata.name", "spec.serveService.metadata.name"),
    ),
    Creator(
        "leaderworkerset.x-k8s.io",
        "LeaderWorkerSet",
        "Service StatefulSet",
        "LeaderWorkerSet: pkg/controllers/leaderworkerset_controller.go, pod_controller.go",
        pods=False,
    ),
    Creator(
        "jobset.x-k8s.io",
        "JobSet",
        "Service Job",
        "JobSet: pkg/controllers/jobset_controller.go (GetSubdomain)",
        fields=("spec.network.subdomain",),
    ),
    Creator(
        "flagger.app",
        "Canary",
        f"{_WORKLOAD} DaemonSet VirtualService DestinationRule HTTPRoute Ingress HorizontalPodAutoscaler ScaledObject",
        "Flagger 1.44: pkg/apis/flagger/v1beta1/canary.go (GetServiceNames)",
        bases=("spec.targetRef.name", "spec.service.name"),
    ),
    Creator(
        "keda.sh",
        "ScaledObject",
        "HorizontalPodAutoscaler",
        "KEDA 2: controllers/keda/hpa.go (getHPAName)",
        ("keda-hpa-{}",),
        ("spec.advanced.horizontalPodAutoscalerConfig.name",),
        pods=False,
    ),
    Creator("keda.sh", "ScaledJob", "Job", "KEDA 2: documentation of ScaledJobs"),
    Creator(
        "autoscaling.aibrix.ai",
        "PodAutoscaler",
        "HorizontalPodAutoscaler",
        "AIBrix: pkg/controller/podautoscaler/hpa_resources.go",
        ("{}-hpa",),
        pods=False,
    ),
    Creator(
        "orchestration.aibrix.ai",
        "StormService RoleSet RayClusterFleet RayClusterReplicaSet",
        f"{_WORKLOAD} Pod",
        "AIBrix: pkg/controller/stormservice/rolesetoperations.go",
    ),
    Creator(
        "kubeai.org",
        "Model",
        "Pod ConfigMap PersistentVolumeClaim",
        "KubeAI: internal/modelcontroller/pod_plan.go, files.go, cache.go",
        ("model-{}-*", "model-cache-{}-*"),
    ),
    Creator(
        "cert-manager.io",
        "Certificate",
        "Secret",
        "cert-manager 1.21: pkg/apis/certmanager/v1/types_certificate.go",
        (),
        ("spec.secretName",),
        pods=False,
    ),
    Creator(
        "cert-manager.io",
        "Issuer",
        "Secret",
        "cert-manager 1.21: pkg/apis/acme/v1/types_issuer.go",
        (),
        ("spec.acme.privateKeySecretRef.name",),
        pods=False,
    ),
    Creator(
        "cert-manager.io",
        "ClusterIssuer",
        "Secret",
        "cert-manager 1.21: pkg/apis/acme/v1/types_issuer.go",
        (),
        ("spec.acme.privateKeySecretRef.name",),
        pods=False,
        anywhere=True,
    ),
    Creator(
        "external-secrets.io",
        "ClusterExternalSecret",
        "ExternalSecret Secret",
        "External Secrets: apis/externalsecrets/v1beta1/clusterexternalsecret_types.go",
        ("{}",),
        ("spec.externalSecretName", "spec.externalSecretSpec.target.name"),
        pods=False,
        anywhere=True,
    ),
    Creator(
        "external-secrets.io",
        "ExternalSecret",
        "Secret",
        "External Secrets: apis/externalsecrets/v1beta1/externalsecret_types.go",
        ("{}",),
        ("spec.target.name",),
        pods=False,
    ),
    Creator(
        "bitnami.com",
        "SealedSecret",
        "Secret",
        "Sealed Secrets: sealedsecret_expansion.go (Unseal sets the SealedSecret's own name)",
        ("{}",),
        pods=False,
    ),
    # Read in the documentation of the projects, not in their code.
    Creator(
        "nvidia.com",
        "DynamoGraphDeployment DynamoComponentDeployment DynamoGraphDeploymentRequest NIMService NIMCache",
        f"{_WORKLOAD} InferencePool HTTPRoute Ingress VirtualService Role RoleBinding",
        "Dynamo 0.8 to 1.6: documentation of the operator",
    ),
    Creator("apps.nvidia.com", "NIMService NIMCache NIMPipeline", f"{_WORKLOAD} Ingress HTTPRoute", _DOCS),
    Creator("llm-d.ai", "ModelService", f"{_WORKLOAD} InferencePool InferenceModel HTTPRoute", "llm-d 0.1: guide"),
    Creator("inference.llmkube.dev", "ModelRouter InferenceService Model", _WORKLOAD, _DOCS),
    Creator("gateway.agentic-layer.ai", "ModelRouter", _WORKLOAD, _DOCS),
    Creator("kaito.sh", "Workspace RAGEngine InferenceSet", f"{_WORKLOAD} InferencePool", _DOCS),
    Creator("workload.serving.volcano.sh", "ModelServing ModelBooster", f"{_WORKLOAD} Pod ModelServer", _DOCS),
    Creator(
        "serving.knative.dev",
        "Service",
        "Service Deployment Configuration Route Revision Ingress",
        "Knative Serving: documentation of Services",
    ),
    Creator("postgresql.cnpg.io", "Cluster Pooler", _WORKLOAD, "CloudNativePG: Connecting from an application"),
    Creator("acid.zalan.do", "postgresql", "Service Secret", _DOCS, ("{}", "{}-*", "*.{}.credentials*")),
    Creator("postgres-operator.crunchydata.com", "PostgresCluster", _WORKLOAD, _DOCS),
    Creator("kafka.strimzi.io", "Kafka KafkaUser KafkaConnect", _WORKLOAD, _DOCS),
    Creator("rabbitmq.com", "RabbitmqCluster", _WORKLOAD, _DOCS),
    Creator("elasticsearch.k8s.elastic.co", "Elasticsearch", _WORKLOAD, _DOCS),
    Creator("kibana.k8s.elastic.co", "Kibana", _WORKLOAD, _DOCS),
    Creator("redis.redis.opstreelabs.in", "Redis RedisCluster RedisReplication RedisSentinel", _WORKLOAD, _DOCS),
    Creator("mongodbcommunity.mongodb.com", "MongoDBCommunity", _WORKLOAD, _DOCS),
    Creator("minio.min.io", "Tenant", _WORKLOAD, _DOCS, ("{}", "{}-*", "minio")),
    Creator("milvus.io", "Milvus", _WORKLOAD, _DOCS),
    Creator("k8s.keycloak.org", "Keycloak", _WORKLOAD, _DOCS),
    Creator("monitoring.coreos.com", "Prometheus", _WORKLOAD, _DOCS, ("prometheus-operated", "prometheus-{}", "{}-*")),
    Creator(
        "monitoring.coreos.com",
        "Alertmanager",
        _WORKLOAD,
        _DOCS,
        ("alertmanager-operated", "alertmanager-{}", "{}-*"),
    ),
    Creator("monitoring.coreos.com", "ThanosRuler", _WORKLOAD, _DOCS, ("thanos-ruler-operated", "thanos-ruler-{}")),
    Creator("grafana.integreatly.org", "Grafana", _WORKLOAD, _DOCS),
    Creator("opentelemetry.io", "OpenTelemetryCollector", _WORKLOAD, _DOCS),
    Creator("jaegertracing.io", "Jaeger", _WORKLOAD, _DOCS),
    Creator(
        "trust.cert-manager.io",
        "Bundle",
        "ConfigMap Secret",
        "trust-manager: documentation of Bundles",
        ("{}",),
        pods=False,
        anywhere=True,
    ),
    Creator(
        "secrets-store.csi.x-k8s.io",
        "SecretProviderClass",
        "Secret",
        "Secrets Store CSI driver: Sync as Kubernetes Secret",
        (),
        ("spec.secretObjects[].secretName",),
        pods=False,
    ),
    Creator(
        "secrets.hashicorp.com",
        "VaultStaticSecret VaultDynamicSecret VaultPKISecret",
        "Secret",
        "Vault Secrets Operator: API reference",
        ("{}",),
        ("spec.destination.name",),
        pods=False,
    ),
    Creator("onepassword.com", "OnePasswordItem", "Secret", _DOCS, ("{}",), pods=False),
    Creator("helm.toolkit.fluxcd.io", "HelmRelease", ANY, "Flux: helm-controller", (ANY,)),
    Creator("helm.cattle.io", "HelmChart", ANY, "K3s: Helm controller", (ANY,)),
    Creator("argoproj.io", "Application ApplicationSet", ANY, "Argo CD 3.5: user guide", (ANY,)),
)
"""The table of controllers."""
QUIET_GROUPS = (
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
