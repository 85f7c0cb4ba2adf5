"""Applies a placement to a pod: the only place where its words become fields of Kubernetes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import assert_never

from vsr_compiler.ir.placement import (
    Affinity,
    Claim,
    EmptyDir,
    KeyReference,
    Mounted,
    NearbyPods,
    Placement,
    Requirement,
    Spread,
    Toleration,
    Variable,
    Volume,
)
from vsr_compiler.manifests.expansion import escape_references
from vsr_compiler.manifests.objects import Body

READABLE, PRIVATE = 0o444, 0o440
"""Modes of files of ConfigMaps and Secrets. A Secret's are readable by the pod's group."""


def place(pod: Body, placement: Placement, labels: Mapping[str, str], tolerations: Sequence[Toleration] = ()) -> Body:
    """Return a pod spec with a placement.

    Args:
        pod: The pod spec. Variables and volumes go to its first container.
        placement: The placement. What it does not say stays as it is.
        labels: The labels of the pods themselves, for how they are spread and kept apart.
        tolerations: Further tolerations, which the pod's hardware needs.
    """
    fields = scheduling(placement, labels, tolerations)
    if placement.spread is not None:
        fields["topologySpreadConstraints"] = [_spread(item, labels) for item in placement.spread]
    if placement.runtime_class is not None:
        fields["runtimeClassName"] = placement.runtime_class
    if placement.priority_class is not None:
        fields["priorityClassName"] = placement.priority_class
    if placement.pull_secrets:
        fields["imagePullSecrets"] = [{"name": name} for name in placement.pull_secrets]
    if placement.env or placement.volumes:
        first, *others = pod["containers"]
        fields["containers"] = [_filled(first, placement), *others]
    if placement.volumes:
        fields["volumes"] = [*pod.get("volumes", []), *volumes(placement)]
    return pod | fields if fields else pod


def scheduling(placement: Placement, labels: Mapping[str, str], tolerations: Sequence[Toleration] = ()) -> Body:
    """Return the fields that choose nodes: nodeSelector, tolerations and affinity."""
    fields: Body = {}
    if placement.node_selector:
        fields["nodeSelector"] = dict(placement.node_selector)
    tolerated = tolerated_taints(placement, tolerations)
    if tolerated:
        fields["tolerations"] = tolerated
    if placement.affinity is not None and (body := affinity(placement.affinity, labels)):
        fields["affinity"] = body
    return fields


def tolerated_taints(placement: Placement, others: Sequence[Toleration] = ()) -> list[Body]:
    """Return the tolerations of a placement, and further ones, each once."""
    return [_toleration(item) for item in dict.fromkeys((*others, *(placement.tolerations or ())))]


def variables(placement: Placement) -> list[Body]:
    """Return the environment variables of a placement."""
    return [_variable(item) for item in placement.env or ()]


def volumes(placement: Placement) -> list[Body]:
    """Return the volumes of a placement."""
    return [_volume(item) for item in placement.volumes or ()]


def mounts(placement: Placement) -> list[Body]:
    """Return where a container mounts the volumes of a placement."""
    return [_mount(item) for item in placement.volumes or ()]


def without(variables: Sequence[Body], placement: Placement) -> list[Body]:
    """Return the variables that a placement does not set itself."""
    own = {item.name for item in placement.env or ()}
    return [item for item in variables if item["name"] not in own]


def affinity(body: Affinity, labels: Mapping[str, str]) -> Body:
    """Return the affinity of a pod."""
    fields: Body = {}
    nodes: Body = {}
    if body.required:
        term = {"matchExpressions": [_requirement(item) for item in body.required]}
        nodes["requiredDuringSchedulingIgnoredDuringExecution"] = {"nodeSelectorTerms": [term]}
    if body.preferred:
        nodes["preferredDuringSchedulingIgnoredDuringExecution"] = [
            {"weight": weight, "preference": {"matchExpressions": [_requirement(item) for item in match]}}
            for weight, match in body.preferred
        ]
    if nodes:
        fields["nodeAffinity"] = nodes
    for key, pods in (("podAffinity", body.near), ("podAntiAffinity", body.apart)):
        if pods:
            fields[key] = _nearby(pods, labels)
    return fields


def _nearby(pods: Sequence[NearbyPods], labels: Mapping[str, str]) -> Body:
    fields: Body = {}
    for item in pods:
        term = {"labelSelector": {"matchLabels": dict(item.labels or labels)}, "topologyKey": item.topology}
        if item.weight is None:
            fields.setdefault("requiredDuringSchedulingIgnoredDuringExecution", []).append(term)
        else:
            preferred = {"weight": item.weight, "podAffinityTerm": term}
            fields.setdefault("preferredDuringSchedulingIgnoredDuringExecution", []).append(preferred)
    return fields


def _requirement(item: Requirement) -> Body:
    body: Body = {"key": item.key, "operator": item.operator}
    return body | ({"values": list(item.values)} if item.values else {})


def _toleration(item: Toleration) -> Body:
    fields = {
        "key": item.key,
        "operator": item.operator,
        "value": item.value,
        "effect": item.effect,
        "tolerationSeconds": item.seconds,
    }
    return {name: value for name, value in fields.items() if value is not None}


def _spread(item: Spread, labels: Mapping[str, str]) -> Body:
    return {
        "labelSelector": {"matchLabels": dict(labels)},
        "maxSkew": item.max_skew,
        "topologyKey": item.topology,
        "whenUnsatisfiable": item.unsatisfiable,
    }


def _filled(container: Body, placement: Placement) -> Body:
    """Return a container with the variables and mounts of a placement."""
    filled = dict(container)
    if placement.env:
        filled["env"] = [*without(container.get("env", []), placement), *variables(placement)]
    if placement.volumes:
        filled["volumeMounts"] = [*container.get("volumeMounts", []), *mounts(placement)]
    return filled


def _variable(item: Variable) -> Body:
    if not isinstance(item.value, KeyReference):
        return {"name": item.name, "value": escape_references(item.value)}
    reference: Body = {"name": item.value.name, "key": item.value.key}
    if item.value.optional:
        reference["optional"] = True
    return {"name": item.name, "valueFrom": {f"{item.value.kind}KeyRef": reference}}


def _mount(item: Volume) -> Body:
    body: Body = {"name": item.name, "mountPath": item.mount}
    if item.sub_path is not None:
        body["subPath"] = item.sub_path
    return body | ({"readOnly": True} if item.read_only or isinstance(item.source, Mounted) else {})


def _volume(item: Volume) -> Body:
    source = item.source
    match source:
        case Claim(name):
            read_only = {"readOnly": True} if item.read_only else {}
            return {"name": item.name, "persistentVolumeClaim": {"claimName": name} | read_only}
        case EmptyDir(size, memory):
            folder: Body = {"medium": "Memory"} if memory else {}
            return {"name": item.name, "emptyDir": folder | ({"sizeLimit": size} if size else {})}
        case Mounted("secret", name):
            return {"name": item.name, "secret": {"secretName": name, "defaultMode": PRIVATE}}
        case Mounted(_, name):
            return {"name": item.name, "configMap": {"name": name, "defaultMode": READABLE}}
    assert_never(source)
