"""The reference graph: which object refers to which, in which field, and how the namespace is determined."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from vsr_compiler.verify.manifest import Manifest, Path, as_mapping, as_string, value_at
from vsr_compiler.verify.manifest_index import AI, ENVOY, GATEWAY_API, INFERENCE, RBAC, ManifestIndex, cached_per_index


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
    """

    source: Manifest
    path: Path
    group: str
    kind: str
    namespace: str
    name: str
    port: int | str | None = None
    granted: bool = False


@cached_per_index
def references(index: ManifestIndex) -> Iterator[Reference]:
    """Return the references of all kinds in ``_READERS``, and those of pod templates."""
    for manifest in index.manifests:
        reader = _READERS.get((manifest.group, manifest.kind))
        if reader is not None:
            yield from reader(manifest)
    for workload in index.workloads:
        yield from _pod_references(workload.owner, (*workload.path, "spec"))


def _ref(
    source: Manifest, path: Path, *, group: str = "", kind: str = "", granted: bool = False, local: bool = False
) -> Iterator[Reference]:
    """Return a reference in the form of the Gateway API, with its defaults."""
    body = source.at(*path)
    name = as_string(value_at(body, "name"))
    if not isinstance(body, dict) or not name:
        return
    group = body["group"] if isinstance(body.get("group"), str) else group
    kind = as_string(body.get("kind")) or kind
    namespace = source.namespace if local else as_string(body.get("namespace")) or source.namespace
    port = body.get("port") if kind == "Service" else None
    yield Reference(source, path, group, kind, namespace, name, port if isinstance(port, int | str) else None, granted)


def _refs(source: Manifest, *path: str | int, kind: str, group: str, granted: bool = False) -> Iterator[Reference]:
    for item_path, _ in source.entries(*path):
        yield from _ref(source, item_path, kind=kind, group=group, granted=granted)


def _gateway(manifest: Manifest) -> Iterator[Reference]:
    name = as_string(manifest.spec.get("gatewayClassName"))
    if name:
        yield Reference(manifest, ("spec", "gatewayClassName"), GATEWAY_API, "GatewayClass", "", name)
    yield from _ref(manifest, ("spec", "infrastructure", "parametersRef"), local=True)
    for path, _ in manifest.entries("spec", "listeners"):
        yield from _refs(manifest, *path, "tls", "certificateRefs", kind="Secret", group="", granted=True)


def _gateway_class(manifest: Manifest) -> Iterator[Reference]:
    yield from _ref(manifest, ("spec", "parametersRef"))


def _route(manifest: Manifest) -> Iterator[Reference]:
    yield from _refs(manifest, "spec", "parentRefs", kind="Gateway", group=GATEWAY_API)
    kind, group = ("AIServiceBackend", AI) if manifest.group == AI else ("Service", "")
    for path, _ in manifest.entries("spec", "rules"):
        yield from _refs(manifest, *path, "backendRefs", kind=kind, group=group, granted=True)
        for item_path, _ in manifest.entries(*path, "filters"):
            yield from _ref(manifest, (*item_path, "requestMirror", "backendRef"), kind="Service", granted=True)
            yield from _ref(manifest, (*item_path, "extensionRef"), local=True)


def _target(manifest: Manifest) -> Iterator[Reference]:
    """Return the targets of a policy, which are in the policy's namespace."""
    yield from _ref(manifest, ("spec", "targetRef"), local=True)
    for path, _ in manifest.entries("spec", "targetRefs"):
        yield from _ref(manifest, path, local=True)


def _security_policy(manifest: Manifest) -> Iterator[Reference]:
    """Return targets and Secrets. AI Gateway reads Secrets from the policy's namespace and ignores another one."""
    yield from _target(manifest)
    for field in ("apiKey", "azureAPIKey", "anthropicAPIKey"):
        yield from _ref(manifest, ("spec", field, "secretRef"), kind="Secret", local=True)


def _extension(manifest: Manifest) -> Iterator[Reference]:
    yield from _target(manifest)
    for path, _ in manifest.entries("spec", "extProc"):
        yield from _refs(manifest, *path, "backendRefs", kind="Service", group="", granted=True)


def _agentgateway(manifest: Manifest) -> Iterator[Reference]:
    yield from _target(manifest)
    yield from _ref(manifest, ("spec", "traffic", "extProc", "backendRef"), kind="Service", granted=True)


def _ai_backend(manifest: Manifest) -> Iterator[Reference]:
    yield from _ref(manifest, ("spec", "backendRef"), kind="Backend", group=ENVOY)


def _pool(manifest: Manifest) -> Iterator[Reference]:
    path: Path = ("spec", "endpointPickerRef") if "endpointPickerRef" in manifest.spec else ("spec", "extensionRef")
    for reference in _ref(manifest, path, kind="Service", local=True):
        port = value_at(manifest.at(*path), "port", "number") or value_at(manifest.at(*path), "portNumber")
        kept = port if isinstance(port, int) else None
        yield Reference(manifest, path, reference.group, reference.kind, reference.namespace, reference.name, kept)


def _pool_ref(manifest: Manifest) -> Iterator[Reference]:
    yield from _ref(manifest, ("spec", "poolRef"), kind="InferencePool", group=INFERENCE, local=True)


def _binding(manifest: Manifest) -> Iterator[Reference]:
    role = as_mapping(manifest.body.get("roleRef"))
    kind, name = as_string(role.get("kind")), as_string(role.get("name"))
    if name:
        yield Reference(manifest, ("roleRef",), RBAC, kind, manifest.namespace if kind == "Role" else "", name)
    for path, subject in manifest.entries("subjects"):
        if subject.get("kind") == "ServiceAccount" and as_string(subject.get("name")):
            # L15 reports a ClusterRoleBinding's subject without a namespace.
            namespace = as_string(subject.get("namespace")) or manifest.namespace
            if namespace or manifest.kind == "RoleBinding":
                yield Reference(manifest, path, "", "ServiceAccount", namespace, as_string(subject.get("name")))


def _scaler(manifest: Manifest) -> Iterator[Reference]:
    target = as_mapping(manifest.spec.get("scaleTargetRef"))
    group = as_string(target.get("apiVersion")).rpartition("/")[0]
    if as_string(target.get("name")):
        path = ("spec", "scaleTargetRef")
        yield Reference(
            manifest, path, group, as_string(target.get("kind")), manifest.namespace, as_string(target.get("name"))
        )


def _pod_references(owner: Manifest, path: Path) -> Iterator[Reference]:
    """Return the objects that pods mount, read and run as, without optional ConfigMaps and Secrets."""
    namespace = owner.namespace

    def named(item_path: Path, kind: str, body: object, key: str = "name") -> Iterator[Reference]:
        name = as_string(value_at(body, key))
        if name and value_at(body, "optional") is not True:
            yield Reference(owner, item_path, "", kind, namespace, name)

    spec = owner.at(*path)
    yield from named((*path, "serviceAccountName"), "ServiceAccount", spec, "serviceAccountName")
    for item_path, body in owner.entries(*path, "imagePullSecrets"):
        yield from named(item_path, "Secret", body)
    for item_path, body in owner.entries(*path, "volumes"):
        sources = [body, *(item for _, item in owner.entries(*item_path, "projected", "sources"))]
        for source in sources:
            yield from named(item_path, "ConfigMap", source.get("configMap"))
            key = "secretName" if source is body else "name"
            yield from named(item_path, "Secret", source.get("secret"), key)
        yield from named(item_path, "PersistentVolumeClaim", body.get("persistentVolumeClaim"), "claimName")
    for group in ("containers", "initContainers"):
        for item_path, _ in owner.entries(*path, group):
            yield from _container_references(owner, item_path, named)


def _container_references(
    owner: Manifest, container_path: Path, named: Callable[[Path, str, object], Iterator[Reference]]
) -> Iterator[Reference]:
    for item_path, body in owner.entries(*container_path, "env"):
        yield from named(item_path, "ConfigMap", value_at(body, "valueFrom", "configMapKeyRef"))
        yield from named(item_path, "Secret", value_at(body, "valueFrom", "secretKeyRef"))
    for item_path, body in owner.entries(*container_path, "envFrom"):
        yield from named(item_path, "ConfigMap", body.get("configMapRef"))
        yield from named(item_path, "Secret", body.get("secretRef"))


_READERS: dict[tuple[str, str], Callable[[Manifest], Iterator[Reference]]] = {
    (GATEWAY_API, "Gateway"): _gateway,
    (GATEWAY_API, "GatewayClass"): _gateway_class,
    (GATEWAY_API, "HTTPRoute"): _route,
    (GATEWAY_API, "GRPCRoute"): _route,
    (AI, "AIGatewayRoute"): _route,
    (GATEWAY_API, "BackendTLSPolicy"): _target,
    (AI, "AIServiceBackend"): _ai_backend,
    (AI, "BackendSecurityPolicy"): _security_policy,
    (ENVOY, "BackendTrafficPolicy"): _target,
    (ENVOY, "ClientTrafficPolicy"): _target,
    (ENVOY, "EnvoyExtensionPolicy"): _extension,
    (ENVOY, "EnvoyPatchPolicy"): _target,
    (ENVOY, "SecurityPolicy"): _target,
    ("agentgateway.dev", "AgentgatewayPolicy"): _agentgateway,
    ("autoscaling", "HorizontalPodAutoscaler"): _scaler,
    ("inference.networking.k8s.io", "InferencePool"): _pool,
    ("inference.networking.x-k8s.io", "InferencePool"): _pool,
    ("inference.networking.x-k8s.io", "InferenceObjective"): _pool_ref,
    ("inference.networking.x-k8s.io", "InferenceModelRewrite"): _pool_ref,
    ("llm-d.ai", "InferenceObjective"): _pool_ref,
    ("llm-d.ai", "InferenceModelRewrite"): _pool_ref,
    ("networking.istio.io", "EnvoyFilter"): _target,
    (RBAC, "ClusterRoleBinding"): _binding,
    (RBAC, "RoleBinding"): _binding,
}
