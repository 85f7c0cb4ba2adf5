"""References between resources of a build, which follow the names that kustomize changes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from vsr_compiler.verify.kustomization.resource import Resource, put
from vsr_compiler.verify.manifest import Body, Path, as_mapping, as_mappings, as_string, value_at
from vsr_compiler.verify.scopes import is_cluster_scoped

_TEMPLATES: dict[str, Path] = {
    **dict.fromkeys(("Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Job"), ("spec", "template", "spec")),
    "CronJob": ("spec", "jobTemplate", "spec", "template", "spec"),
    "Pod": ("spec",),
}
_Ref = tuple[str, Path, Path | None]
"""Kind of the other object, path of its name, and path of its namespace if the reference has one."""


def follow_names(resources: list[Resource]) -> None:
    """Update the references to resources whose names have changed."""
    by_name: dict[tuple[str, str], list[Resource]] = defaultdict(list)
    for resource in resources:
        if resource.names:
            for name in {name for _, name in resource.known_names}:
                by_name[resource.known_kind or resource.kind, name].append(resource)
    if not by_name:
        return
    for resource in resources:
        for kind, path, namespace_path in list(_references(resource)):
            _follow(resource, by_name, kind, path, namespace_path)


def _follow(
    source: Resource,
    by_name: dict[tuple[str, str], list[Resource]],
    kind: str,
    path: Path,
    namespace_path: Path | None,
) -> None:
    name = as_string(value_at(source.value, *path))
    namespace = as_string(value_at(source.value, *namespace_path)) if namespace_path else ""
    candidates = by_name.get((kind, name), [])
    if namespace:
        candidates = [
            item for item in candidates if namespace in {before or "default" for before, _ in item.known_names}
        ]
    chosen = [item for item in candidates if _is_in_reach(source, item)]
    if len({(item.namespace, item.name) for item in chosen}) != 1:
        return
    target = chosen[0]
    if target.name != name:
        put(source.pair, path, target.name)
    if namespace_path and target.namespace and target.namespace != namespace and (namespace or kind != "Service"):
        put(source.pair, namespace_path, target.namespace)


def _is_in_reach(source: Resource, target: Resource) -> bool:
    """Whether kustomize takes a reference as one to a resource: it is in the same namespace, or in none."""
    if is_cluster_scoped(source.group, source.kind) or is_cluster_scoped(target.group, target.kind):
        return True
    # A RoleBinding may refer to accounts of other namespaces.
    return target.kind == "ServiceAccount" or (source.namespace or "default") == (target.namespace or "default")


def _references(resource: Resource) -> Iterator[_Ref]:
    """Return the references that kustomize knows (its `nameReference` table)."""
    value, kind = resource.value, resource.kind
    if kind in _TEMPLATES:
        yield from _of_pods(value, _TEMPLATES[kind])
    for other, path in _FIELDS.get(kind, ()):
        yield other, path, None
    if kind in _OWN:
        yield from _OWN[kind](value)


_FIELDS: dict[str, tuple[tuple[str, Path], ...]] = {
    "StatefulSet": (("Service", ("spec", "serviceName")),),
    "PersistentVolumeClaim": (
        ("PersistentVolume", ("spec", "volumeName")),
        ("StorageClass", ("spec", "storageClassName")),
    ),
}


def _of_scaler(value: Body) -> Iterator[_Ref]:
    target = as_mapping(value_at(value, "spec", "scaleTargetRef"))
    yield as_string(target.get("kind")), ("spec", "scaleTargetRef", "name"), None


def _of_binding(value: Body) -> Iterator[_Ref]:
    yield as_string(value_at(value, "roleRef", "kind")), ("roleRef", "name"), None
    for number, subject in enumerate(as_mappings(value.get("subjects"))):
        if subject.get("kind") == "ServiceAccount":
            yield "ServiceAccount", ("subjects", number, "name"), ("subjects", number, "namespace")


def _of_account(value: Body) -> Iterator[_Ref]:
    for field in ("imagePullSecrets", "secrets"):
        for number, _ in enumerate(as_mappings(value.get(field))):
            yield "Secret", (field, number, "name"), None


def _of_webhooks(value: Body) -> Iterator[_Ref]:
    for number, _ in enumerate(as_mappings(value.get("webhooks"))):
        path: Path = ("webhooks", number, "clientConfig", "service")
        yield "Service", (*path, "name"), (*path, "namespace")


def _of_api(_value: Body) -> Iterator[_Ref]:
    yield "Service", ("spec", "service", "name"), ("spec", "service", "namespace")


def _of_ingress(value: Body) -> Iterator[_Ref]:
    yield "Service", ("spec", "defaultBackend", "service", "name"), None
    for number, _ in enumerate(as_mappings(value_at(value, "spec", "tls"))):
        yield "Secret", ("spec", "tls", number, "secretName"), None
    for number, rule in enumerate(as_mappings(value_at(value, "spec", "rules"))):
        for at, _ in enumerate(as_mappings(value_at(rule, "http", "paths"))):
            yield "Service", ("spec", "rules", number, "http", "paths", at, "backend", "service", "name"), None


def _of_pods(value: Body, path: Path) -> Iterator[_Ref]:
    spec = as_mapping(value_at(value, *path))
    yield "ServiceAccount", (*path, "serviceAccountName"), None
    yield "PriorityClass", (*path, "priorityClassName"), None
    for number, _ in enumerate(as_mappings(spec.get("imagePullSecrets"))):
        yield "Secret", (*path, "imagePullSecrets", number, "name"), None
    for number, volume in enumerate(as_mappings(spec.get("volumes"))):
        at: Path = (*path, "volumes", number)
        yield "ConfigMap", (*at, "configMap", "name"), None
        yield "Secret", (*at, "secret", "secretName"), None
        yield "PersistentVolumeClaim", (*at, "persistentVolumeClaim", "claimName"), None
        for index, _ in enumerate(as_mappings(value_at(volume, "projected", "sources"))):
            yield "ConfigMap", (*at, "projected", "sources", index, "configMap", "name"), None
            yield "Secret", (*at, "projected", "sources", index, "secret", "name"), None
    for field in ("containers", "initContainers"):
        for number, container in enumerate(as_mappings(spec.get(field))):
            inside: Path = (*path, field, number)
            for index, _ in enumerate(as_mappings(container.get("env"))):
                source = (*inside, "env", index, "valueFrom")
                yield "ConfigMap", (*source, "configMapKeyRef", "name"), None
                yield "Secret", (*source, "secretKeyRef", "name"), None
            for index, _ in enumerate(as_mappings(container.get("envFrom"))):
                yield "ConfigMap", (*inside, "envFrom", index, "configMapRef", "name"), None
                yield "Secret", (*inside, "envFrom", index, "secretRef", "name"), None


_OWN = {
    "APIService": _of_api,
    "ClusterRoleBinding": _of_binding,
    "HorizontalPodAutoscaler": _of_scaler,
    "Ingress": _of_ingress,
    "MutatingWebhookConfiguration": _of_webhooks,
    "RoleBinding": _of_binding,
    "ServiceAccount": _of_account,
    "ValidatingWebhookConfiguration": _of_webhooks,
}
