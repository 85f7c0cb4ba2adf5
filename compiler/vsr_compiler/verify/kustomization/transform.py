"""Transformers of a kustomization: namespace, names, labels, annotations, images and replicas."""

from __future__ import annotations

import re
from collections.abc import Iterator

from vsr_compiler.verify.kustomization.resource import BuildError, Pair, Resource, opened, put
from vsr_compiler.verify.manifest import Body, Path, as_mapping, as_mappings, as_string
from vsr_compiler.verify.scopes import is_cluster_scoped

_KEEP_NAME = frozenset({"CustomResourceDefinition", "APIService", "Namespace"})
_WORKLOADS = frozenset({"Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Job"})
_SELECTED = frozenset({"Deployment", "StatefulSet", "DaemonSet", "ReplicaSet"})
_SCALED = frozenset({"Deployment", "StatefulSet", "ReplicaSet", "ReplicationController"})
_TEMPLATE: Path = ("spec", "template")
_CRON: Path = ("spec", "jobTemplate", "spec", "template")


_AFFINITY = tuple(
    ("spec", "template", "spec", "affinity", kind, when, *term, "labelSelector", "matchLabels")
    for kind in ("podAffinity", "podAntiAffinity")
    for when, term in (
        ("preferredDuringSchedulingIgnoredDuringExecution", ("podAffinityTerm",)),
        ("requiredDuringSchedulingIgnoredDuringExecution", ()),
    )
)
_SPREAD = ("spec", "template", "spec", "topologySpreadConstraints", "labelSelector", "matchLabels")
_EXISTING: dict[str, tuple[tuple[str, ...], ...]] = {
    "Deployment": (*_AFFINITY, _SPREAD),
    "StatefulSet": (*_AFFINITY, _SPREAD),
    "CronJob": (("spec", "jobTemplate", "spec", "selector", "matchLabels"),),
    "NetworkPolicy": (
        ("spec", "podSelector", "matchLabels"),
        ("spec", "ingress", "from", "podSelector", "matchLabels"),
        ("spec", "egress", "to", "podSelector", "matchLabels"),
    ),
}
"""Selectors that get common labels only where they exist (kustomize's `commonLabels` with `create: false`)."""


def set_namespace(resources: list[Resource], namespace: str) -> None:
    """Set the namespace of all namespaced resources, and of the subjects named `default`."""
    for resource in resources:
        if resource.kind == "Namespace" and resource.group == "":
            resource.rename(name=namespace)
        elif not is_cluster_scoped(resource.group, resource.kind):
            resource.rename(namespace=namespace)
        if resource.kind in {"RoleBinding", "ClusterRoleBinding"}:
            for number, subject in enumerate(as_mappings(resource.value.get("subjects"))):
                if subject.get("kind") == "ServiceAccount" and subject.get("name") == "default":
                    put(resource.pair, ("subjects", number, "namespace"), namespace)


def add_affixes(resources: list[Resource], prefix: str, suffix: str) -> None:
    """Add a prefix and a suffix to the names."""
    for resource in resources:
        if resource.kind not in _KEEP_NAME and (prefix or suffix):
            resource.rename(name=f"{prefix}{resource.name}{suffix}")


def add_labels(resource: Resource, labels: Body, *, selectors: bool, templates: bool) -> None:
    """Add labels to metadata, and as wanted to selectors and pod templates."""
    paths: list[Path] = [("metadata", "labels")]
    template = _CRON if resource.kind == "CronJob" else _TEMPLATE
    if (selectors or templates) and (resource.kind in _WORKLOADS or resource.kind == "CronJob"):
        paths.append((*template, "metadata", "labels"))
    if selectors:
        paths += _selectors(resource)
    for path in paths:
        for key, label in labels.items():
            put(resource.pair, (*path, key), label)
    if selectors and resource.kind == "StatefulSet":
        for number, _ in enumerate(as_mappings(resource.value["spec"].get("volumeClaimTemplates"))):
            for key, label in labels.items():
                put(resource.pair, ("spec", "volumeClaimTemplates", number, "metadata", "labels", key), label)


def _selectors(resource: Resource) -> Iterator[Path]:
    spec = as_mapping(resource.value.get("spec"))
    if resource.kind in {"Service", "ReplicationController"} and resource.group == "":
        # Kustomize creates no selector in a Service that has none.
        if resource.kind != "Service" or "selector" in spec or spec.get("type") != "ExternalName":
            yield ("spec", "selector")
    elif resource.kind in _SELECTED or (resource.kind in {"PodDisruptionBudget", "Job"} and "selector" in spec):
        yield ("spec", "selector", "matchLabels")
    for pattern in _EXISTING.get(resource.kind, ()):
        yield from _matching(resource.value, (), pattern)


def _matching(value: object, path: Path, pattern: tuple[str, ...]) -> Iterator[Path]:
    """Return the paths of the mappings that exist at a pattern, in every item of the lists on the way."""
    if isinstance(value, list):
        for number, item in enumerate(value):
            yield from _matching(item, (*path, number), pattern)
    elif isinstance(value, dict) and not pattern:
        yield path
    elif isinstance(value, dict) and pattern[0] in value:
        yield from _matching(value[pattern[0]], (*path, pattern[0]), pattern[1:])


def add_annotations(resource: Resource, annotations: Body) -> None:
    """Add annotations to metadata and to pod templates."""
    paths: list[Path] = [("metadata", "annotations")]
    if resource.kind in _WORKLOADS or resource.kind == "ReplicationController":
        paths.append((*_TEMPLATE, "metadata", "annotations"))
    elif resource.kind == "CronJob":
        paths += [("spec", "jobTemplate", "metadata", "annotations"), (*_CRON, "metadata", "annotations")]
    for path in paths:
        for key, text in annotations.items():
            put(resource.pair, (*path, key), text)


def set_replicas(resources: list[Resource], entry: Body) -> None:
    """Set the replicas of the workloads with a name.

    Raises:
        BuildError: There is none.
    """
    found = [
        resource
        for resource in resources
        if resource.kind in _SCALED and entry.get("name") in {name for _, name in resource.known_names}
    ]
    if not found:
        raise BuildError(f"no workload has the name `{entry.get('name')}` of `replicas`")
    for resource in found:
        put(resource.pair, ("spec", "replicas"), entry.get("count", 0))


def set_image(resource: Resource, entry: Body) -> None:
    """Set name, tag or digest of the images of containers."""
    name = as_string(entry.get("name"))
    matches = re.compile(re.escape(name) + r"(?::([A-Za-z0-9_.{}-]*))?(?:@(sha256:[A-Za-z0-9_.{}-]*))?")
    for pair in _containers(resource.pair):
        found = matches.fullmatch(as_string(pair[0].get("image")))
        if not found:
            continue
        new, tag, digest = as_string(entry.get("newName")) or name, found[1], found[2]
        if entry.get("newTag") not in (None, "") or entry.get("digest"):
            tag, digest = entry.get("newTag"), entry.get("digest")
        if entry.get("tagSuffix") and tag:
            tag = f"{tag}{entry['tagSuffix']}"
        image = f"{new}{f':{tag}' if tag else ''}{f'@{digest}' if digest else ''}"
        put(pair, ("image",), image)


def _containers(pair: Pair) -> Iterator[Pair]:
    """Return the containers anywhere in a resource, as kustomize looks for them."""
    stack = [pair]
    while stack:
        value, places = stack.pop()
        at = opened(places)
        if isinstance(value, list):
            stack += list(zip(value, at[1], strict=True))
        elif isinstance(value, dict):
            for key, item in value.items():
                inner = at[1][key][1]
                if key in {"containers", "initContainers"} and isinstance(item, list):
                    listed = zip(item, opened(inner)[1], strict=True)
                    yield from ((each, place) for each, place in listed if isinstance(each, dict))
                else:
                    stack.append((item, inner))
