"""Which fields of which kinds refer to other objects: one row for each field.

A path names fields; `[]` behind a name stands for every item of the list. The value there is either a name or a mapping
with the name, and may have `group` (or the group in `apiVersion` or `apiGroup`), `kind`, `namespace` and `port`.

Sources: the API types of Kubernetes 1.34, Gateway API 1.5, Inference Extension 1.5, Envoy Gateway 1.8, Envoy AI Gateway
1.1, Istio 1.30, agentgateway 1.4, KEDA 2.20, cert-manager 1.21, Flux 2.9, Argo CD 3.5, Argo Rollouts 1.9, Flagger 1.44
and KServe 0.20. A test holds every path against the definitions of these releases.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from types import MappingProxyType

GATEWAY_API, ISTIO, INFERENCE = "gateway.networking.k8s.io", "networking.istio.io", "inference.networking.k8s.io"
OLD_GATEWAY, OLD_INFERENCE = "gateway.networking.x-k8s.io", "inference.networking.x-k8s.io"
ENVOY, AI, AGENT, LLM_D = "gateway.envoyproxy.io", "aigateway.envoyproxy.io", "agentgateway.dev", "llm-d.ai"
RBAC, SECURITY, TELEMETRY = "rbac.authorization.k8s.io", "security.istio.io", "telemetry.istio.io"
KEDA, ARGO, CERTS = "keda.sh", "argoproj.io", "cert-manager.io"
FLUX, FLUX_SOURCE = "helm.toolkit.fluxcd.io", "source.toolkit.fluxcd.io"
FLUX_KUSTOMIZE = "kustomize.toolkit.fluxcd.io"
FLAGGER, KSERVE = "flagger.app", "serving.kserve.io"
STORAGE, SCHEDULING = "storage.k8s.io", "scheduling.k8s.io"


class Form(Enum):
    """How a value names an object."""

    OBJECT = "a name, or a mapping with a name"
    HOST = "a host, which is a Service's if it has its form"
    GATEWAY = "a name with an optional namespace and slash, or `mesh`"


@dataclass(frozen=True, slots=True)
class Row:
    """A field that refers to objects.

    Attributes:
        path: The field, from the root of the object, or from the spec of the pods.
        kind: The default kind.
        group: The API group of the default kind; for an explicit kind, the group that is written, or this one.
        name: The field of a mapping that has the name.
        port: Path of the port within a mapping.
        keys: Path of the keys of a ConfigMap or Secret, within a mapping.
        granted: Whether a reference into another namespace requires a ReferenceGrant.
        local: Whether the object is always in the namespace of the source.
        section: Whether `sectionName` names a part of the object: a listener, a rule, or a port of a Service.
        travels: Whether the object belongs to the source, so that it is missing if it is not beside it.
        form: How the value names the object.
        only: The only kind that counts, if the field may name kinds that are no objects of the cluster.
        mild: Whether the source works without the object in part, so that its absence is a warning.
    """

    path: str
    kind: str = ""
    group: str = ""
    name: str = "name"
    port: str = "port"
    keys: str = ""
    granted: bool = False
    local: bool = False
    section: bool = False
    travels: bool = False
    form: Form = Form.OBJECT
    only: str = ""
    mild: bool = False


def _ca(path: str, *, granted: bool = False) -> Row:
    return Row(path, "ConfigMap", granted=granted, local=not granted)


def _secret(path: str, name: str = "name", *, granted: bool = False) -> Row:
    return Row(path, "Secret", name=name, granted=granted)


def _parts(*entries: tuple[str, str, tuple[Row, ...]]) -> Mapping[tuple[str, str], tuple[Row, ...]]:
    rows: dict[tuple[str, str], list[Row]] = defaultdict(list)
    for group, kinds, added in entries:
        for kind in kinds.split():
            rows[group, kind] += added
    return MappingProxyType({key: tuple(items) for key, items in rows.items()})


_PARENTS = Row("spec.parentRefs[]", "Gateway", GATEWAY_API)
_TARGETS = (Row("spec.targetRef", local=True, section=True), Row("spec.targetRefs[]", local=True, section=True))
_TARGET_LIST = Row("spec.targetRefs[]", local=True, section=True)
_BACKENDS = Row("spec.rules[].backendRefs[]", "Service", granted=True)
_EXTENSION = Row("spec.rules[].filters[].extensionRef", local=True, travels=True)
_MIRROR = Row("spec.rules[].filters[].requestMirror.backendRef", "Service", granted=True)
_WEBHOOK = Row("webhooks[].clientConfig.service", "Service")
_INGRESS_PORT = "port.number|port.name"
_WORKLOADS = "apps"

ROWS: Mapping[tuple[str, str], tuple[Row, ...]] = _parts(
    # Gateway API
    (
        GATEWAY_API,
        "Gateway",
        (
            Row("spec.gatewayClassName", "GatewayClass", GATEWAY_API),
            Row("spec.infrastructure.parametersRef", local=True, travels=True),
            _secret("spec.tls.backend.clientCertificateRef", granted=True),
            _ca("spec.tls.frontend.default.validation.caCertificateRefs[]", granted=True),
            _ca("spec.tls.frontend.perPort[].tls.validation.caCertificateRefs[]", granted=True),
            _ca("spec.listeners[].tls.frontendValidation.caCertificateRefs[]", granted=True),
        ),
    ),
    (GATEWAY_API, "Gateway ListenerSet", (_secret("spec.listeners[].tls.certificateRefs[]", granted=True),)),
    (OLD_GATEWAY, "XListenerSet", (_secret("spec.listeners[].tls.certificateRefs[]", granted=True),)),
    (GATEWAY_API, "ListenerSet", (Row("spec.parentRef", "Gateway", GATEWAY_API),)),
    (OLD_GATEWAY, "XListenerSet", (Row("spec.parentRef", "Gateway", GATEWAY_API),)),
    (GATEWAY_API, "GatewayClass", (Row("spec.parametersRef"),)),
    (GATEWAY_API, "HTTPRoute GRPCRoute TLSRoute TCPRoute UDPRoute", (_PARENTS, _BACKENDS)),
    (
        GATEWAY_API,
        "HTTPRoute GRPCRoute",
        (
            _MIRROR,
            _EXTENSION,
            Row("spec.rules[].backendRefs[].filters[].extensionRef", local=True, travels=True),
            Row("spec.rules[].backendRefs[].filters[].requestMirror.backendRef", "Service", granted=True),
        ),
    ),
    (
        GATEWAY_API,
        "HTTPRoute",
        (Row("spec.rules[].filters[].externalAuth.backendRef", "Service", granted=True),),
    ),
    (GATEWAY_API, "BackendTLSPolicy", (*_TARGETS, _ca("spec.validation.caCertificateRefs[]"))),
    # Envoy Gateway
    (
        ENVOY,
        "BackendTrafficPolicy ClientTrafficPolicy EnvoyExtensionPolicy SecurityPolicy",
        _TARGETS,
    ),
    (ENVOY, "EnvoyPatchPolicy", _TARGETS[:1]),
    (ENVOY, "BackendTrafficPolicy", (_ca("spec.responseOverride[].response.body.valueRef"),)),
    (ENVOY, "ClientTrafficPolicy", (_ca("spec.tls.clientValidation.caCertificateRefs[]", granted=True),)),
    (
        ENVOY,
        "EnvoyExtensionPolicy",
        (
            Row("spec.extProc[].backendRefs[]", "Service", granted=True),
            Row("spec.lua[].valueRef", "ConfigMap", local=True),
            _secret("spec.wasm[].code.image.pullSecretRef"),
        ),
    ),
    (
        ENVOY,
        "SecurityPolicy",
        (
            Row("spec.extAuth.grpc.backendRefs[]", "Service", granted=True),
            Row("spec.extAuth.http.backendRefs[]", "Service", granted=True),
            Row("spec.extAuth.grpc.backendRef", "Service", granted=True),
            Row("spec.extAuth.http.backendRef", "Service", granted=True),
            Row("spec.jwt.providers[].remoteJWKS.backendRefs[]", "Service", granted=True),
            Row("spec.jwt.providers[].localJWKS.valueRef", "ConfigMap", local=True),
            Row("spec.oidc.provider.backendRefs[]", "Service", granted=True),
            _secret("spec.oidc.clientSecret", granted=True),
            _secret("spec.basicAuth.users"),
            _secret("spec.apiKeyAuth.credentialRefs[]", granted=True),
        ),
    ),
    (ENVOY, "Backend", (_ca("spec.tls.caCertificateRefs[]"), _secret("spec.tls.clientCertificateRef"))),
    (
        ENVOY,
        "HTTPRouteFilter",
        (_ca("spec.directResponse.body.valueRef"), _secret("spec.credentialInjection.credential.valueRef")),
    ),
    # Envoy AI Gateway
    (AI, "AIGatewayRoute", (_PARENTS, Row("spec.rules[].backendRefs[]", "AIServiceBackend", AI, granted=True))),
    (AI, "MCPRoute", (_PARENTS,)),
    (AI, "AIServiceBackend", (Row("spec.backendRef", "Backend", ENVOY),)),
    (
        AI,
        "BackendSecurityPolicy",
        (
            _TARGET_LIST,
            # AI Gateway reads Secrets from the policy's namespace and ignores another one.
            *(
                Row(f"spec.{key}.secretRef", "Secret", local=True)
                for key in ("apiKey", "azureAPIKey", "anthropicAPIKey")
            ),
        ),
    ),
    # agentgateway
    (
        AGENT,
        "AgentgatewayPolicy",
        (
            _TARGET_LIST,
            Row("spec.traffic.extProc.backendRef", "Service", granted=True),
            Row("spec.traffic.extAuth.backendRef", "Service", granted=True),
            Row("spec.traffic.jwtAuthentication.providers[].jwks.remote.backendRef", "Service", granted=True),
        ),
    ),
    (AGENT, "AgentgatewayModel", (_PARENTS, _secret("spec.policies.auth.secretRef"))),
    (AGENT, "AgentgatewayBackend", (_secret("spec.policies.auth.secretRef"),)),
    # Inference Extension
    (INFERENCE, "InferencePool", (Row("spec.endpointPickerRef", "Service", local=True, port="port.number"),)),
    (
        OLD_INFERENCE,
        "InferencePool",
        (Row("spec.extensionRef", "Service", local=True, port="portNumber"),),
    ),
    (
        OLD_INFERENCE,
        "InferenceObjective InferenceModelRewrite",
        (Row("spec.poolRef", "InferencePool", INFERENCE, local=True),),
    ),
    (OLD_INFERENCE, "InferenceModel", (Row("spec.poolRef", "InferencePool", OLD_INFERENCE, local=True),)),
    (
        LLM_D,
        "InferenceObjective InferenceModelRewrite",
        (Row("spec.poolRef", "InferencePool", INFERENCE, local=True),),
    ),
    # Istio
    (
        ISTIO,
        "VirtualService",
        (
            Row("spec.gateways[]", "Gateway", ISTIO, form=Form.GATEWAY),
            Row("spec.http[].match[].gateways[]", "Gateway", ISTIO, form=Form.GATEWAY),
            *(
                Row(f"spec.{part}[].route[].destination", "Service", name="host", port="port.number", form=Form.HOST)
                for part in ("http", "tcp", "tls")
            ),
            Row("spec.http[].mirror", "Service", name="host", port="port.number", form=Form.HOST),
            Row("spec.http[].mirrors[].destination", "Service", name="host", port="port.number", form=Form.HOST),
        ),
    ),
    (ISTIO, "Gateway", (_secret("spec.servers[].tls.credentialName"),)),
    (ISTIO, "EnvoyFilter", (_TARGET_LIST,)),
    (SECURITY, "AuthorizationPolicy RequestAuthentication", _TARGETS),
    (TELEMETRY, "Telemetry", _TARGETS),
    ("extensions.istio.io", "WasmPlugin", _TARGETS),
    # Kubernetes
    ("autoscaling", "HorizontalPodAutoscaler", (Row("spec.scaleTargetRef", local=True),)),
    ("autoscaling.k8s.io", "VerticalPodAutoscaler", (Row("spec.targetRef", local=True),)),
    (
        "networking.k8s.io",
        "Ingress",
        (
            Row("spec.ingressClassName", "IngressClass", "networking.k8s.io"),
            Row("spec.defaultBackend.service", "Service", local=True, port=_INGRESS_PORT),
            Row("spec.rules[].http.paths[].backend.service", "Service", local=True, port=_INGRESS_PORT),
            _secret("spec.tls[]", "secretName"),
        ),
    ),
    (
        _WORKLOADS,
        "StatefulSet",
        (
            Row("spec.serviceName", "Service", local=True, travels=True, mild=True),
            Row("spec.volumeClaimTemplates[].spec.storageClassName", "StorageClass", STORAGE),
        ),
    ),
    ("", "PersistentVolumeClaim", (Row("spec.storageClassName", "StorageClass", STORAGE),)),
    (
        "admissionregistration.k8s.io",
        "MutatingWebhookConfiguration ValidatingWebhookConfiguration",
        (_WEBHOOK,),
    ),
    ("apiregistration.k8s.io", "APIService", (Row("spec.service", "Service"),)),
    (
        "apiextensions.k8s.io",
        "CustomResourceDefinition",
        (Row("spec.conversion.webhook.clientConfig.service", "Service"),),
    ),
    (RBAC, "RoleBinding ClusterRoleBinding", (Row("roleRef", group=RBAC, travels=True),)),
    (RBAC, "RoleBinding ClusterRoleBinding", (Row("subjects[]", "", only="ServiceAccount"),)),
    # Controllers of delivery, scaling and certificates
    (
        KEDA,
        "ScaledObject",
        (
            Row("spec.scaleTargetRef", "Deployment", "apps", local=True),
            Row("spec.triggers[].authenticationRef", "TriggerAuthentication", KEDA, local=True, travels=True),
        ),
    ),
    (KEDA, "TriggerAuthentication", (Row("spec.secretTargetRef[]", "Secret", local=True, keys="key"),)),
    (ARGO, "Application", (Row("spec.project", "AppProject", ARGO, local=True),)),
    (ARGO, "ApplicationSet", (Row("spec.template.spec.project", "AppProject", ARGO, local=True),)),
    (
        FLUX_KUSTOMIZE,
        "Kustomization",
        (
            Row("spec.sourceRef", "", FLUX_SOURCE),
            Row("spec.dependsOn[]", "Kustomization", FLUX_KUSTOMIZE, mild=True),
            Row("spec.postBuild.substituteFrom[]", "", local=True, mild=True),
            Row("spec.decryption.secretRef", "Secret", local=True),
        ),
    ),
    (FLUX_KUSTOMIZE, "Kustomization", (Row("spec.kubeConfig.secretRef", "Secret", local=True),)),
    (FLUX, "HelmRelease", (Row("spec.kubeConfig.secretRef", "Secret", local=True),)),
    (FLUX, "HelmRelease", (Row("spec.dependsOn[]", "HelmRelease", FLUX, mild=True),)),
    (FLUX_SOURCE, "GitRepository OCIRepository HelmRepository", (Row("spec.secretRef", "Secret", local=True),)),
    (FLUX_SOURCE, "OCIRepository HelmRepository", (Row("spec.certSecretRef", "Secret", local=True),)),
    (
        FLUX,
        "HelmRelease",
        (
            Row("spec.chart.spec.sourceRef", "", FLUX_SOURCE),
            Row("spec.chartRef", "", FLUX_SOURCE),
            Row("spec.valuesFrom[]", "", local=True),
        ),
    ),
    (CERTS, "Certificate", (Row("spec.issuerRef", "Issuer", CERTS),)),
    # Progressive delivery
    (
        ARGO,
        "Rollout",
        (
            Row("spec.workloadRef", "Deployment", "apps", local=True, travels=True),
            *(
                Row(f"spec.strategy.{path}", "Service", local=True, travels=True, mild=True)
                for path in (
                    "blueGreen.activeService",
                    "blueGreen.previewService",
                    "canary.stableService",
                    "canary.canaryService",
                    "canary.pingPong.pingService",
                    "canary.pingPong.pongService",
                )
            ),
        ),
    ),
    (
        FLAGGER,
        "Canary",
        (
            Row("spec.targetRef", "Deployment", "apps", local=True, travels=True),
            Row("spec.autoscalerRef", "HorizontalPodAutoscaler", "autoscaling", local=True),
            Row("spec.ingressRef", "Ingress", "networking.k8s.io", local=True),
            Row("spec.service.gatewayRefs[]", "Gateway", GATEWAY_API),
            Row("spec.analysis.metrics[].templateRef", "MetricTemplate", FLAGGER),
            Row("spec.analysis.alerts[].providerRef", "AlertProvider", FLAGGER, mild=True),
        ),
    ),
    # KServe
    (
        KSERVE,
        "LLMInferenceService LLMInferenceServiceConfig",
        (
            Row("spec.router.gateway.refs[]", "Gateway", GATEWAY_API),
            Row("spec.router.route.http.refs[]", "HTTPRoute", GATEWAY_API, local=True),
            Row("spec.router.scheduler.pool.ref", "InferencePool", INFERENCE, local=True),
        ),
    ),
)
"""The references of objects, by API group and kind."""


_CONTAINERS = ("containers", "initContainers")

POD_ROWS: tuple[Row, ...] = (
    Row("serviceAccountName", "ServiceAccount", local=True, travels=True),
    Row("priorityClassName", "PriorityClass", SCHEDULING),
    Row("runtimeClassName", "RuntimeClass", "node.k8s.io"),
    Row("imagePullSecrets[]", "Secret", local=True),
    Row("volumes[].configMap", "ConfigMap", local=True, travels=True, keys="items[].key"),
    Row("volumes[].secret", "Secret", name="secretName", local=True, keys="items[].key"),
    Row("volumes[].projected.sources[].configMap", "ConfigMap", local=True, travels=True, keys="items[].key"),
    Row("volumes[].projected.sources[].secret", "Secret", local=True, keys="items[].key"),
    Row("volumes[].persistentVolumeClaim", "PersistentVolumeClaim", name="claimName", local=True, travels=True),
    Row("volumes[].csi.nodePublishSecretRef", "Secret", local=True),
    *(
        row
        for part in _CONTAINERS
        for row in (
            Row(f"{part}[].env[].valueFrom.configMapKeyRef", "ConfigMap", local=True, travels=True, keys="key"),
            Row(f"{part}[].env[].valueFrom.secretKeyRef", "Secret", local=True, keys="key"),
            Row(f"{part}[].envFrom[].configMapRef", "ConfigMap", local=True, travels=True),
            Row(f"{part}[].envFrom[].secretRef", "Secret", local=True),
        )
    ),
)
"""The references of pods, from their spec."""
