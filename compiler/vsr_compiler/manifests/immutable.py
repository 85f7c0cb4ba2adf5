"""Which fields of an existing object an API server refuses to change, and how the change is made nevertheless.

The sources are files of kubernetes/kubernetes at v1.35 unless they name another project. A CustomResourceDefinition
states such a rule as a transition rule (`oldSelf`); of those that this project knows, only GatewayClass has one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from types import MappingProxyType
from typing import Any, TypeAlias

from vsr_compiler.manifests.kinds import GATEWAY_GROUP, RBAC_GROUP, GroupKind
from vsr_schemas.quantities import amount

Body: TypeAlias = Mapping[str, Any]


class Remedy(Enum):
    """How an object gets a value that it cannot change to."""

    DELETE = "delete"
    """Delete it; the next apply creates it again. It is missing in between."""
    KEEP_PODS = "keep pods"
    """Delete it without its pods, which serve on; the next apply creates it again."""
    RELEASE = "release"
    """Delete it while no pod uses it: until then a deleted claim stays Terminating."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """A change that an API server refuses. `path` is the field; a value is None if the field is not set."""

    path: str
    old: Any
    new: Any
    remedy: Remedy


Changes: TypeAlias = Iterator[tuple[str, Any, Any]]


@dataclass(frozen=True, slots=True)
class Immutable:
    """The rules of one kind.

    Attributes:
        source: Where the rules are.
        remedy: How the change is made nevertheless.
        fields: Paths of fields that never change.
        mutable: Keys of `spec` that may change, if all others may not; None if `fields` lists what may not.
        defaults: What the API server sets if a field is missing, by path.
        rule: Further rules, as a function of both objects.
    """

    source: str
    remedy: Remedy = Remedy.DELETE
    fields: tuple[str, ...] = ()
    mutable: frozenset[str] | None = None
    defaults: Mapping[str, Any] = field(default_factory=dict)
    rule: Callable[[Body, Body], Changes] | None = None


def refusals(old: Body, new: Body) -> Iterator[Refusal]:
    """Yield the changes of an object that an API server refuses."""
    rules = IMMUTABLE.get(group_kind(new))
    if rules is None or group_kind(old) != group_kind(new):
        return
    for path in rules.fields:
        default = rules.defaults.get(path)
        before, after = _get(old, path, default), _get(new, path, default)
        if before != after:
            yield Refusal(path, before, after, rules.remedy)
    if rules.mutable is not None:
        before, after = _get(old, "spec", {}), _get(new, "spec", {})
        keys = sorted((before.keys() | after.keys()) - rules.mutable) if _are_mappings(before, after) else []
        for key in keys:
            path = f"spec.{key}"
            default = rules.defaults.get(path)
            if before.get(key, default) != after.get(key, default):
                yield Refusal(path, before.get(key, default), after.get(key, default), rules.remedy)
    if rules.rule is not None:
        yield from (Refusal(path, before, after, rules.remedy) for path, before, after in rules.rule(old, new))


def group_kind(body: Body) -> GroupKind:
    """Return the API group, empty for the core API, and the kind of an object of any form."""
    return (str(body.get("apiVersion", "")).rpartition("/")[0], str(body.get("kind")))


def _get(body: Any, path: str, default: Any = None) -> Any:  # noqa: ANN401 - any JSON
    for key in path.split("."):
        if not isinstance(body, Mapping) or key not in body:
            return default
        body = body[key]
    return default if body is None else body


def _are_mappings(*values: Any) -> bool:  # noqa: ANN401 - any JSON
    return all(isinstance(value, Mapping) for value in values)


def _service(old: Body, new: Body) -> Changes:
    """Addresses stay, except of and for an ExternalName. A missing `clusterIP` keeps what the Service has."""
    if "ExternalName" in (_get(old, "spec.type"), _get(new, "spec.type")):
        return
    before, after = _get(old, "spec.clusterIP", ""), _get(new, "spec.clusterIP", "")
    if before != after and "None" in (before, after):
        yield "spec.clusterIP", before or None, after or None
    elif before and after and before != after:
        yield "spec.clusterIP", before, after
    families = [_get(body, "spec.ipFamilies", []) for body in (old, new)]
    if all(isinstance(value, list) and value for value in families) and families[0][0] != families[1][0]:
        yield "spec.ipFamilies[0]", families[0][0], families[1][0]


def _claim(old: Body, new: Body) -> Changes:
    """A claim grows and never shrinks."""
    path = "spec.resources.requests.storage"
    before, after = _get(old, path), _get(new, path)
    if (amount(str(before)) or 0) > (amount(str(after)) or 0):
        yield path, before, after


def _frozen(old: Body, new: Body) -> Changes:
    """The content of an immutable ConfigMap or Secret, which also stays immutable."""
    if old.get("immutable") is True:
        for key in ("data", "binaryData", "immutable"):
            if (old.get(key) or {}) != (new.get(key) or {}):
                yield key, old.get(key), new.get(key)


def _secret(old: Body, new: Body) -> Changes:
    before, after = old.get("type", "Opaque"), new.get("type", "Opaque")
    if before != after:
        yield "type", before, after
    yield from _frozen(old, new)


def _job(old: Body, new: Body) -> Changes:
    """The number of completions changes for indexed Jobs only, together with `parallelism`."""
    before, after = _get(old, "spec.completions"), _get(new, "spec.completions")
    if before != after and _get(new, "spec.completionMode") != "Indexed":
        yield "spec.completions", before, after


def _pod(old: Body, new: Body) -> Changes:
    """Only images change, and a few keys that `mutable` names."""
    for key in ("containers", "initContainers"):
        lists = [_get(body, f"spec.{key}", []) for body in (old, new)]
        without_images = [
            [{name: value for name, value in item.items() if name != "image"} for item in items if _are_mappings(item)]
            for items in lists
            if isinstance(items, list)
        ]
        if without_images[:1] != without_images[1:]:
            yield f"spec.{key}", lists[0], lists[1]


_VALIDATION = "pkg/apis/{}/validation/validation.go"
_ROLE_BINDING = Immutable(_VALIDATION.format("rbac"), fields=("roleRef",), defaults={"roleRef": None})
_SELECTOR = Immutable("pkg/registry/apps/deployment/strategy.go", Remedy.KEEP_PODS, ("spec.selector",))
IMMUTABLE: Mapping[GroupKind, Immutable] = MappingProxyType(
    {
        ("apps", "Deployment"): _SELECTOR,
        ("apps", "DaemonSet"): Immutable(
            "pkg/registry/apps/daemonset/strategy.go", Remedy.KEEP_PODS, ("spec.selector",)
        ),
        ("apps", "ReplicaSet"): Immutable(
            "pkg/registry/apps/replicaset/strategy.go", Remedy.KEEP_PODS, ("spec.selector",)
        ),
        ("apps", "StatefulSet"): Immutable(
            _VALIDATION.format("apps"),
            Remedy.KEEP_PODS,
            mutable=frozenset(
                {
                    "replicas",
                    "ordinals",
                    "template",
                    "updateStrategy",
                    "revisionHistoryLimit",
                    "persistentVolumeClaimRetentionPolicy",
                    "minReadySeconds",
                }
            ),
            defaults={"spec.podManagementPolicy": "OrderedReady"},
        ),
        ("batch", "Job"): Immutable(
            _VALIDATION.format("batch"),
            fields=(
                "spec.selector",
                "spec.template",
                "spec.completionMode",
                "spec.podFailurePolicy",
                "spec.successPolicy",
                "spec.backoffLimitPerIndex",
                "spec.managedBy",
            ),
            defaults={"spec.completionMode": "NonIndexed"},
            rule=_job,
        ),
        ("", "Pod"): Immutable(
            _VALIDATION.format("core"),
            mutable=frozenset(
                {"containers", "initContainers", "activeDeadlineSeconds", "tolerations", "schedulingGates"}
            ),
            rule=_pod,
        ),
        ("", "Service"): Immutable(_VALIDATION.format("core"), rule=_service),
        ("", "ConfigMap"): Immutable(_VALIDATION.format("core"), rule=_frozen),
        ("", "Secret"): Immutable(_VALIDATION.format("core"), rule=_secret),
        ("", "PersistentVolumeClaim"): Immutable(
            _VALIDATION.format("core"),
            Remedy.RELEASE,
            mutable=frozenset({"resources", "volumeAttributesClassName"}),
            defaults={"spec.volumeMode": "Filesystem"},
            rule=_claim,
        ),
        ("", "PersistentVolume"): Immutable(
            _VALIDATION.format("core"),
            mutable=frozenset(
                {
                    "accessModes",
                    "capacity",
                    "claimRef",
                    "mountOptions",
                    "persistentVolumeReclaimPolicy",
                    "storageClassName",
                    "volumeAttributesClassName",
                }
            ),
            defaults={"spec.volumeMode": "Filesystem"},
        ),
        (RBAC_GROUP, "RoleBinding"): _ROLE_BINDING,
        (RBAC_GROUP, "ClusterRoleBinding"): _ROLE_BINDING,
        ("scheduling.k8s.io", "PriorityClass"): Immutable(
            _VALIDATION.format("scheduling"),
            fields=("value", "preemptionPolicy"),
            defaults={"preemptionPolicy": "PreemptLowerPriority"},
        ),
        ("storage.k8s.io", "StorageClass"): Immutable(
            _VALIDATION.format("storage"),
            fields=("provisioner", "parameters", "reclaimPolicy", "volumeBindingMode"),
            defaults={"parameters": {}, "reclaimPolicy": "Delete", "volumeBindingMode": "Immediate"},
        ),
        ("networking.k8s.io", "IngressClass"): Immutable(_VALIDATION.format("networking"), fields=("spec.controller",)),
        ("node.k8s.io", "RuntimeClass"): Immutable(_VALIDATION.format("node"), fields=("handler",)),
        ("discovery.k8s.io", "EndpointSlice"): Immutable(_VALIDATION.format("discovery"), fields=("addressType",)),
        ("apiextensions.k8s.io", "CustomResourceDefinition"): Immutable(
            "staging/src/k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/validation/validation.go",
            fields=("spec.group", "spec.scope", "spec.names.kind", "spec.names.plural"),
        ),
        (GATEWAY_GROUP, "GatewayClass"): Immutable(
            "kubernetes-sigs/gateway-api v1.5.1, config/crd/standard/gateway.networking.k8s.io_gatewayclasses.yaml",
            fields=("spec.controllerName",),
        ),
    }
)
"""The rules by API group and kind. Objects of other kinds may change in every field."""
