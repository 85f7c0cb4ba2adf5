"""Whether an object that is not among the checked ones is missing, or may exist elsewhere.

A repository seldom contains everything: Secrets, classes and shared Gateways come from elsewhere. An object counts as
missing if there is evidence that its kind belongs to the checked objects: others of its kind or family are there, or
one of its name in another namespace or API group, or the source cannot be applied without it.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from vsr_compiler.diagnostics.suggestions import nearest
from vsr_compiler.verify.created_objects import created_objects
from vsr_compiler.verify.manifest import Manifest, as_string
from vsr_compiler.verify.manifest_index import AI, ENVOY, GATEWAY_API, ISTIO, RBAC, ManifestIndex
from vsr_compiler.verify.reference_table import FLUX_KUSTOMIZE
from vsr_compiler.verify.references import Reference, references
from vsr_compiler.verify.replaced_words import is_replaced

COMPARED, _AFFIX, _END = 50, 4, 3
"""Names that are compared with a missing one at most, by how many characters one that contains it may differ, and the
length of the beginning or end that they have in common.
"""
_AGREEING = 3
"""Files that refer to a missing object, in which its name is hardly the same mistake."""
_PLAIN = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._:/")
_ROLES = ("admin", "cluster-admin", "edit", "view", "system:")
_PODS = ("Deployment", "StatefulSet", "DaemonSet", "Pod", "Job", "CronJob", "ReplicaSet", "Rollout", "LeaderWorkerSet")
_ROUTES = ("HTTPRoute", "GRPCRoute", "TLSRoute", "TCPRoute", "UDPRoute", "AIGatewayRoute", "MCPRoute")
_BACKENDS = ("Service", "AIServiceBackend", "Backend", *_PODS)
FAMILIES: Mapping[tuple[str, str], tuple[str, ...]] = MappingProxyType(
    {
        ("", "Service"): ("Service", *_PODS),
        ("", "ServiceAccount"): ("ServiceAccount", *_PODS),
        **{("apps", kind): _PODS for kind in _PODS},
        **{(GATEWAY_API, kind): _ROUTES for kind in _ROUTES},
        ("inference.networking.k8s.io", "InferencePool"): ("InferencePool", *_PODS),
        ("inference.networking.x-k8s.io", "InferencePool"): ("InferencePool", *_PODS),
        (AI, "AIServiceBackend"): ("AIServiceBackend", *_BACKENDS),
        (ENVOY, "Backend"): _BACKENDS,
    }
)
"""Kinds that come together: one of them in the file and namespace says that the others belong there too."""
_SHARED = frozenset({(GATEWAY_API, "Gateway"), (ISTIO, "Gateway")})
"""Kinds that many applications share."""
_FROM_CLUSTER: Mapping[tuple[str, str], str] = MappingProxyType(
    {
        (GATEWAY_API, "GatewayClass"): "the gateway's control plane provides it",
        ("networking.k8s.io", "IngressClass"): "the ingress controller provides it",
        ("storage.k8s.io", "StorageClass"): "the cluster provides it",
        ("scheduling.k8s.io", "PriorityClass"): "the cluster provides it",
        ("node.k8s.io", "RuntimeClass"): "the cluster provides it",
        ("argoproj.io", "AppProject"): "the project is set up beside Argo CD",
        ("cert-manager.io", "ClusterIssuer"): "the cluster provides it",
    }
)
_BUILT_IN = frozenset(
    {
        ("", "ServiceAccount", "default"),
        ("", "ConfigMap", "kube-root-ca.crt"),
        ("", "ConfigMap", "istio-ca-root-cert"),
        ("", "ConfigMap", "openshift-service-ca.crt"),
        ("argoproj.io", "AppProject", "default"),
        ("scheduling.k8s.io", "PriorityClass", "system-cluster-critical"),
        ("scheduling.k8s.io", "PriorityClass", "system-node-critical"),
        ("", "Service", "kubernetes"),
        ("", "Service", "istiod"),
        ("rbac.authorization.k8s.io", "Role", "extension-apiserver-authentication-reader"),
        ("rbac.authorization.k8s.io", "Role", "system:controller:bootstrap-signer"),
        ("rbac.authorization.k8s.io", "Role", "system::leader-locking-kube-controller-manager"),
        ("rbac.authorization.k8s.io", "Role", "system::leader-locking-kube-scheduler"),
        ("", "Service", "istio-ingressgateway"),
        ("", "Service", "istio-egressgateway"),
        ("", "Service", "istio-eastwestgateway"),
    }
)


def is_built_in(ref: Reference) -> bool:
    """Whether every cluster, or every namespace, has the object."""
    return (ref.group, ref.kind, ref.name) in _BUILT_IN


def provider(index: ManifestIndex, ref: Reference) -> str:
    """Return why an object that is not among the checked ones may exist; empty if it is missing."""
    if found := _from_cluster(index, ref):
        return found
    owner = created_objects(index).creator_of(ref.kind, ref.namespace, ref.name, travels=ref.travels)
    if owner is not None and owner is not ref.source:
        return f"the controller of {owner.title} creates or may create it"
    if index.assumptions.is_complete:
        return ""
    same_name = index.named(ref.kind, ref.name)
    if any(map(is_template, (ref.name, *index.names_of_kind.get((ref.kind, ref.namespace), ())[:COMPARED]))):
        why = "names of its kind are placeholders"
    elif _lands_there(index, ref):
        why = "one of its name writes no namespace, so `kubectl apply -n` decides where it lands"
    elif any(other.group == ref.group for other in same_name) or (same_name and ref.kind == "InferencePool"):
        why = ""
    else:
        why = "" if (ref.group, ref.kind) == (ISTIO, "Hostname") else _incompleteness(index, ref)
    return why


def _lands_there(index: ManifestIndex, ref: Reference) -> bool:
    """Whether an object that writes no namespace may be the one to which a reference leads: `kubectl apply -n` decides.

    Beside an object of its file that writes one, it has forgotten its own.
    """
    if index.assumptions.namespace_is_given or not ref.namespace:
        return False
    if (ref.kind, ref.name) in index.assumptions.unplaced or _is_moved(index, ref):
        return True
    file = ref.source.span("kind").file
    return any(
        other.group == ref.group
        and not other.writes_namespace
        # Subjects of bindings must write the namespace, also where nothing else does.
        and (not ref.source.writes_namespace or ref.source.group == RBAC or other.span("kind").file != file)
        for other in index.named(ref.kind, ref.name)[:COMPARED]
    )


def _is_moved(index: ManifestIndex, ref: Reference) -> bool:
    """Whether a Kustomization of Flux moves what is beside the source into the namespace of a reference."""

    def compute() -> list[tuple[str, str]]:
        flux = index.of_kind("Kustomization", FLUX_KUSTOMIZE)
        pairs = [(as_string(item.spec.get("path")).strip("./"), item.spec.get("targetNamespace")) for item in flux]
        return [(path, namespace) for path, namespace in pairs if path and isinstance(namespace, str)]

    folder = folder_of(ref.source)
    moved = index.cached("folders of Flux", compute)
    if not any(namespace == ref.namespace and f"/{folder}/".find(f"/{path}/") >= 0 for path, namespace in moved):
        return False
    return any(folder_of(other) == folder for other in index.named(ref.kind, ref.name)[:COMPARED])


def _users(index: ManifestIndex) -> Mapping[tuple[str, str, str, str], set[str]]:
    """Return the files that refer to each object."""

    def compute() -> dict[tuple[str, str, str, str], set[str]]:
        users: dict[tuple[str, str, str, str], set[str]] = {}
        for ref in references(index):
            users.setdefault((ref.group, ref.kind, ref.namespace, ref.name), set()).add(ref.source.span("kind").file)
        return users

    return index.cached("users of objects", compute)


def _incompleteness(index: ManifestIndex, ref: Reference) -> str:
    """Return why the checked objects are only a part of those among which an object is; empty if they are all."""
    if is_misspelt_unplaced(index, ref):
        return ""
    if ref.namespace and ref.namespace not in index.namespaces:
        return f"no checked object is in the namespace `{ref.namespace}`"
    if len(_users(index).get((ref.group, ref.kind, ref.namespace, ref.name), ())) >= _AGREEING:
        return "several files refer to it, so it is set up elsewhere"
    if ref.travels or _has_similar_name(index, ref) or _is_complete(index, ref):
        return ""
    return f"no {ref.kind} of its namespace is checked" if ref.namespace else f"no {ref.kind} is checked"


def is_misspelt_unplaced(index: ManifestIndex, ref: Reference) -> bool:
    """Whether a reference has nearly the name of an object in its file that writes no namespace."""
    if not ref.namespace or index.assumptions.namespace_is_given or ref.namespace in index.kinds_by_namespace:
        return False
    file = ref.source.span("kind").file
    beside = (
        other.name
        for other in index.of_kind(ref.kind, ref.group)[:COMPARED]
        if not other.writes_namespace and other.span("kind").file == file
    )
    return nearest(ref.name, beside) is not None


def _from_cluster(index: ManifestIndex, ref: Reference) -> str:
    """Return who provides an object outside of an application's manifests; empty if unknown."""
    key = (ref.group, ref.kind)
    if key == ("", "Secret"):
        return "create the Secret in the cluster before you apply the manifests"
    if ref.group == RBAC and ref.kind == "ClusterRole" and ref.name.startswith(_ROLES):
        return "Kubernetes provides it"
    if key in _FROM_CLUSTER and nearest(ref.name, _candidates(index, ref)) is None:
        return _FROM_CLUSTER[key]
    return ""


def _has_similar_name(index: ManifestIndex, ref: Reference) -> bool:
    """Whether an object of the kind and namespace has nearly the name that a reference uses."""
    return bool(similar_names(index, ref))


def similar_names(index: ManifestIndex, ref: Reference) -> list[str]:
    """Return the names of objects of the kind and namespace that are nearly the one that a reference uses."""
    names = _candidates(index, ref)
    contained = [
        name for name in names if (ref.name in name or name in ref.name) and abs(len(name) - len(ref.name)) <= _AFFIX
    ]
    closest = nearest(ref.name, names)
    return contained if closest is None else [closest, *contained]


def _candidates(index: ManifestIndex, ref: Reference) -> list[str]:
    """Return names of the kind and namespace that begin or end as the name of a reference, a bounded number."""

    def compute() -> dict[str, list[str]]:
        by_end: dict[str, list[str]] = {}
        for name in index.names_of_kind.get((ref.kind, ref.namespace), []):
            for end in _ends(name) if name else ():
                by_end.setdefault(end, []).append(name)
        return by_end

    by_end = index.cached(("names by their ends", ref.kind, ref.namespace), compute)
    return [name for end in _ends(ref.name) for name in by_end.get(end, [])[:COMPARED]]


def _ends(name: str) -> tuple[str, str]:
    return f"{name[:_END]}-", f"-{name[-_END:]}"


def is_template(name: str) -> bool:
    """Whether a name has a placeholder of a template, so that it may be any name."""
    return not _PLAIN.issuperset(name) or (not name.islower() and is_replaced(name))


def _is_complete(index: ManifestIndex, ref: Reference) -> bool:
    """Whether the checked objects contain others of a family."""
    key, file = (ref.group, ref.kind), ref.source.span("kind").file
    if key in _SHARED:
        # Gateways are shared: others beside the source say that its own is checked too.
        return folder_of(ref.source) in index.cached(("folders of", key), lambda: _folders(index, ref))
    if not ref.namespace:
        return bool(index.of_kind(ref.kind, ref.group))
    beside = index.kinds_by_file.get(file, set())
    return ref.kind in index.kinds_by_namespace.get(ref.namespace, ()) or any(
        (ref.namespace, kind) in beside for kind in FAMILIES.get(key, ())
    )


def folder_of(manifest: Manifest) -> str:
    """Return the folder of the file of an object."""
    return manifest.span("kind").file.rpartition("/")[0]


def _folders(index: ManifestIndex, ref: Reference) -> frozenset[str]:
    return frozenset(map(folder_of, index.of_kind(ref.kind, ref.group)))
