"""The reference graph: who names whom, in which field, and by which rule the namespace is found."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from vsr_compiler.verify.manifest import Manifest, Path, dig, table, text
from vsr_compiler.verify.manifest_index import AI, ENVOY, GATEWAY_API, INFERENCE, RBAC, World, shared


@dataclass(frozen=True, slots=True, eq=False)
class Reference:
    """One object naming another.

    Attributes:
        source: Who names.
        path: Where in it.
        group: API group of what is named.
        kind: Its kind.
        namespace: Its namespace; empty for cluster-scoped kinds.
        name: Its name.
        port: The port of a Service that must be there, by number or name.
        granted: Whether crossing namespaces takes a ReferenceGrant.
    """

    source: Manifest
    path: Path
    group: str
    kind: str
    namespace: str
    name: str
    port: int | str | None = None
    granted: bool = False


@shared
def references(world: World) -> Iterator[Reference]:
    """Every reference in the objects that we know how to read."""
    for each in world.manifests:
        reader = _READERS.get((each.group, each.kind))
        if reader is not None:
            yield from reader(each)
    for pods in world.pods:
        yield from _of_pods(pods.owner, (*pods.path, "spec"))


def _ref(
    source: Manifest, path: Path, *, group: str = "", kind: str = "", granted: bool = False, local: bool = False
) -> Iterator[Reference]:
    """A reference of the Gateway API's form; what it leaves out has a default."""
    body = source.at(*path)
    name = text(dig(body, "name"))
    if not isinstance(body, dict) or not name:
        return
    group = body["group"] if isinstance(body.get("group"), str) else group
    kind = text(body.get("kind")) or kind
    namespace = source.namespace if local else text(body.get("namespace")) or source.namespace
    port = body.get("port") if kind == "Service" else None
    yield Reference(source, path, group, kind, namespace, name, port if isinstance(port, int | str) else None, granted)


def _each(source: Manifest, *path: str | int, kind: str, group: str, granted: bool = False) -> Iterator[Reference]:
    for where, _ in source.each(*path):
        yield from _ref(source, where, kind=kind, group=group, granted=granted)


def _gateway(each: Manifest) -> Iterator[Reference]:
    name = text(each.spec.get("gatewayClassName"))
    if name:
        yield Reference(each, ("spec", "gatewayClassName"), GATEWAY_API, "GatewayClass", "", name)
    yield from _ref(each, ("spec", "infrastructure", "parametersRef"), local=True)
    for path, _ in each.each("spec", "listeners"):
        yield from _each(each, *path, "tls", "certificateRefs", kind="Secret", group="", granted=True)


def _gateway_class(each: Manifest) -> Iterator[Reference]:
    yield from _ref(each, ("spec", "parametersRef"))


def _route(each: Manifest) -> Iterator[Reference]:
    yield from _each(each, "spec", "parentRefs", kind="Gateway", group=GATEWAY_API)
    kind, group = ("AIServiceBackend", AI) if each.group == AI else ("Service", "")
    for path, _ in each.each("spec", "rules"):
        yield from _each(each, *path, "backendRefs", kind=kind, group=group, granted=True)
        for where, _ in each.each(*path, "filters"):
            yield from _ref(each, (*where, "requestMirror", "backendRef"), kind="Service", granted=True)
            yield from _ref(each, (*where, "extensionRef"), local=True)


def _target(each: Manifest) -> Iterator[Reference]:
    """Policies that attach to something in their own namespace."""
    yield from _ref(each, ("spec", "targetRef"), local=True)
    for path, _ in each.each("spec", "targetRefs"):
        yield from _ref(each, path, local=True)


def _key(each: Manifest) -> Iterator[Reference]:
    """AI Gateway looks for the Secret beside the policy, whatever namespace is written."""
    yield from _target(each)
    for field in ("apiKey", "azureAPIKey", "anthropicAPIKey"):
        yield from _ref(each, ("spec", field, "secretRef"), kind="Secret", local=True)


def _extension(each: Manifest) -> Iterator[Reference]:
    yield from _target(each)
    for path, _ in each.each("spec", "extProc"):
        yield from _each(each, *path, "backendRefs", kind="Service", group="", granted=True)


def _agentgateway(each: Manifest) -> Iterator[Reference]:
    yield from _target(each)
    yield from _ref(each, ("spec", "traffic", "extProc", "backendRef"), kind="Service", granted=True)


def _ai_backend(each: Manifest) -> Iterator[Reference]:
    yield from _ref(each, ("spec", "backendRef"), kind="Backend", group=ENVOY)


def _pool(each: Manifest) -> Iterator[Reference]:
    path: Path = ("spec", "endpointPickerRef") if "endpointPickerRef" in each.spec else ("spec", "extensionRef")
    for found in _ref(each, path, kind="Service", local=True):
        port = dig(each.at(*path), "port", "number") or dig(each.at(*path), "portNumber")
        kept = port if isinstance(port, int) else None
        yield Reference(each, path, found.group, found.kind, found.namespace, found.name, kept)


def _of_pool(each: Manifest) -> Iterator[Reference]:
    yield from _ref(each, ("spec", "poolRef"), kind="InferencePool", group=INFERENCE, local=True)


def _binding(each: Manifest) -> Iterator[Reference]:
    role = table(each.body.get("roleRef"))
    kind, name = text(role.get("kind")), text(role.get("name"))
    if name:
        yield Reference(each, ("roleRef",), RBAC, kind, each.namespace if kind == "Role" else "", name)
    for path, subject in each.each("subjects"):
        if subject.get("kind") == "ServiceAccount" and text(subject.get("name")):
            # A ClusterRoleBinding's subject without a namespace is a finding of its own.
            namespace = text(subject.get("namespace")) or each.namespace
            if namespace or each.kind == "RoleBinding":
                yield Reference(each, path, "", "ServiceAccount", namespace, text(subject.get("name")))


def _scaler(each: Manifest) -> Iterator[Reference]:
    target = table(each.spec.get("scaleTargetRef"))
    group = text(target.get("apiVersion")).rpartition("/")[0]
    if text(target.get("name")):
        path = ("spec", "scaleTargetRef")
        yield Reference(each, path, group, text(target.get("kind")), each.namespace, text(target.get("name")))


def _of_pods(owner: Manifest, path: Path) -> Iterator[Reference]:
    """What pods mount, read and run as. Optional ConfigMaps and Secrets may be missing."""
    namespace = owner.namespace

    def one(where: Path, kind: str, body: object, key: str = "name") -> Iterator[Reference]:
        name = text(dig(body, key))
        if name and dig(body, "optional") is not True:
            yield Reference(owner, where, "", kind, namespace, name)

    spec = owner.at(*path)
    yield from one((*path, "serviceAccountName"), "ServiceAccount", spec, "serviceAccountName")
    for where, body in owner.each(*path, "imagePullSecrets"):
        yield from one(where, "Secret", body)
    for where, body in owner.each(*path, "volumes"):
        sources = [body, *(item for _, item in owner.each(*where, "projected", "sources"))]
        for source in sources:
            yield from one(where, "ConfigMap", source.get("configMap"))
            key = "secretName" if source is body else "name"
            yield from one(where, "Secret", source.get("secret"), key)
        yield from one(where, "PersistentVolumeClaim", body.get("persistentVolumeClaim"), "claimName")
    for group in ("containers", "initContainers"):
        for where, _ in owner.each(*path, group):
            yield from _of_container(owner, where, one)


def _of_container(
    owner: Manifest, where: Path, one: Callable[[Path, str, object], Iterator[Reference]]
) -> Iterator[Reference]:
    for place, body in owner.each(*where, "env"):
        yield from one(place, "ConfigMap", dig(body, "valueFrom", "configMapKeyRef"))
        yield from one(place, "Secret", dig(body, "valueFrom", "secretKeyRef"))
    for place, body in owner.each(*where, "envFrom"):
        yield from one(place, "ConfigMap", body.get("configMapRef"))
        yield from one(place, "Secret", body.get("secretRef"))


_READERS: dict[tuple[str, str], Callable[[Manifest], Iterator[Reference]]] = {
    (GATEWAY_API, "Gateway"): _gateway,
    (GATEWAY_API, "GatewayClass"): _gateway_class,
    (GATEWAY_API, "HTTPRoute"): _route,
    (GATEWAY_API, "GRPCRoute"): _route,
    (AI, "AIGatewayRoute"): _route,
    (GATEWAY_API, "BackendTLSPolicy"): _target,
    (AI, "AIServiceBackend"): _ai_backend,
    (AI, "BackendSecurityPolicy"): _key,
    (ENVOY, "BackendTrafficPolicy"): _target,
    (ENVOY, "ClientTrafficPolicy"): _target,
    (ENVOY, "EnvoyExtensionPolicy"): _extension,
    (ENVOY, "EnvoyPatchPolicy"): _target,
    (ENVOY, "SecurityPolicy"): _target,
    ("agentgateway.dev", "AgentgatewayPolicy"): _agentgateway,
    ("autoscaling", "HorizontalPodAutoscaler"): _scaler,
    ("inference.networking.k8s.io", "InferencePool"): _pool,
    ("inference.networking.x-k8s.io", "InferencePool"): _pool,
    ("inference.networking.x-k8s.io", "InferenceObjective"): _of_pool,
    ("inference.networking.x-k8s.io", "InferenceModelRewrite"): _of_pool,
    ("llm-d.ai", "InferenceObjective"): _of_pool,
    ("llm-d.ai", "InferenceModelRewrite"): _of_pool,
    ("networking.istio.io", "EnvoyFilter"): _target,
    (RBAC, "ClusterRoleBinding"): _binding,
    (RBAC, "RoleBinding"): _binding,
}
