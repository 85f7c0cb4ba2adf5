"""The table of Kubernetes kinds: sync wave, scope, health and other facts, each stated once.

This module holds the kinds that Kubernetes, the Gateway API, cert-manager and the Prometheus operator define. A stack
adds its own kinds by `Target.kinds`; `vsr_compiler.targets.kinds()` returns both.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import IntEnum
from types import MappingProxyType
from typing import TypeAlias

GroupKind = tuple[str, str]
"""API group and kind. The group of the core API is empty."""

RBAC_GROUP = "rbac.authorization.k8s.io"
GATEWAY_GROUP = "gateway.networking.k8s.io"
MONITORING_GROUP = "monitoring.coreos.com"
CERT_MANAGER_GROUP = "cert-manager.io"


class Wave(IntEnum):
    """The Argo CD sync waves, in the order in which they are applied.

    Argo CD starts a wave when every object of the wave before is healthy, and prunes removed objects after the last
    one. When it deletes an Application, the order is reversed. So an object that becomes healthy only through another
    one belongs to the same wave as that one, or to a later one.

    The order of a change: what the router may select exists before the router selects it, and is removed after the
    router has stopped. So the router comes after the routes, and the routes after their servers. Routes match headers
    that the router's filter sets, so the filter comes before them.
    """

    NAMESPACE = -5
    """Namespaces and CustomResourceDefinitions."""
    REFERENCED = -3
    """Objects that others refer to and that are healthy by themselves: configuration, Services, accounts."""
    WORKLOAD = 0
    """Pods and their volumes: a volume is bound when its first pod is scheduled. Argo CD's default wave."""
    GATEWAY = 1
    FILTER = 2
    """Filters and policies of a gateway: a controller accepts them when the Gateway exists."""
    PATCH = 3
    """Patches of a proxy's configuration: they apply once it has the filters that policies of the Gateway bring."""
    ROUTE = 4
    """Routes, and policies that attach to routes."""
    LATE_PATCH = 5
    """Patches of a proxy whose filters exist only with the routes."""
    ROUTER = 6
    """The router and its configuration."""
    OBSERVER = 9
    """Autoscalers and monitors, for which nothing waits. Argo CD counts an autoscaler without metrics as degraded, and
    a degraded object fails the sync before the waves after it."""


@dataclass(frozen=True, slots=True)
class BuiltInHealth:
    """Argo CD knows the health of the kind itself."""


@dataclass(frozen=True, slots=True)
class AlwaysHealthy:
    """The kind has no status, so an object is healthy when it exists."""


@dataclass(frozen=True, slots=True)
class HealthyUnlessRejected:
    """Healthy unless the condition `Accepted` is false.

    For kinds that controllers look at only once a later wave refers to them: to wait for acceptance would never end.
    """


@dataclass(frozen=True, slots=True)
class HealthyUnlessParentRejects:
    """As `HealthyUnlessRejected`, for a kind whose conditions are listed per parent, as those of an InferencePool."""


@dataclass(frozen=True, slots=True)
class HealthyByConditions:
    """Healthy when the first of these conditions is true and none of them is false."""

    conditions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class HealthyByAncestors:
    """Healthy when the conditions hold for every ancestor (Gateway or route) that the object is attached to.

    Attributes:
        conditions: They are true for every ancestor; the object waits for the first.
        faults: They are true for no ancestor.
    """

    conditions: tuple[str, ...]
    faults: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class HealthyWhenAttached:
    """Healthy when every ancestor has accepted all of the object, and it is attached to each.

    For kinds whose controller accepts an object of which parts are not in force, and lists one that is attached to
    nothing yet as such: both are waited for. Only a refusal is a fault.

    Attributes:
        accepted: The condition of acceptance.
        attached: The condition of attachment.
        partly: The reason of an acceptance of parts.
    """

    accepted: str
    attached: str
    partly: str


Health: TypeAlias = (
    BuiltInHealth
    | AlwaysHealthy
    | HealthyUnlessRejected
    | HealthyUnlessParentRejects
    | HealthyByConditions
    | HealthyByAncestors
    | HealthyWhenAttached
)
"""How Argo CD determines whether an object of a kind is healthy."""

BUILT_IN_HEALTH = BuiltInHealth()


@dataclass(frozen=True, slots=True)
class Kind:
    """The facts of one kind.

    Attributes:
        group: API group; empty for the core API.
        name: The kind, such as `Deployment`.
        wave: The sync wave of its objects.
        health: How Argo CD determines their health.
        namespaced: Whether objects have a namespace; otherwise they are cluster-scoped.
        kept: Whether a sync leaves an object in the cluster when it disappears from the repository. For kinds that
            hold data which the compiler did not write: a namespace with its Secrets, a volume with weights.
        scaled: Whether `replicas`, `images` and `resources` of an environment change its objects.
        pod_template: The path of the pod template or pod in an object; None if the kind has none.
        emitted: Whether a target emits objects of the kind. The others are known for manifests of users.
    """

    group: str
    name: str
    wave: Wave = Wave.WORKLOAD
    health: Health = BUILT_IN_HEALTH
    namespaced: bool = True
    kept: bool = False
    scaled: bool = False
    pod_template: tuple[str, ...] | None = None
    emitted: bool = True

    @property
    def group_kind(self) -> GroupKind:
        """The key of the kind in a table."""
        return (self.group, self.name)


def kinds_of(
    group: str,
    names: str,
    wave: Wave,
    health: Health = BUILT_IN_HEALTH,
    *,
    namespaced: bool = True,
    emitted: bool = True,
) -> tuple[Kind, ...]:
    """Return several kinds of one group with the same facts.

    Args:
        group: API group.
        names: The kinds, separated by blanks.
        wave: Their sync wave.
        health: How Argo CD determines their health.
        namespaced: Whether their objects have a namespace.
        emitted: Whether a target emits objects of them.
    """
    return tuple(Kind(group, name, wave, health, namespaced=namespaced, emitted=emitted) for name in names.split())


def table(kinds: Iterable[Kind]) -> Mapping[GroupKind, Kind]:
    """Return kinds by group and name.

    Raises:
        ValueError: Two of them state different facts about one kind.
    """
    by_key: dict[GroupKind, Kind] = {}
    for kind in kinds:
        if by_key.setdefault(kind.group_kind, kind) != kind:
            raise ValueError(f"two definitions of the kind {kind.name} in the group {kind.group!r} differ")
    return MappingProxyType(by_key)


_TEMPLATE = ("spec", "template")
KEDA_GROUP = "keda.sh"
ARGO_GROUP = "argoproj.io"

KINDS: Mapping[GroupKind, Kind] = table(
    (
        Kind("", "Namespace", Wave.NAMESPACE, namespaced=False, kept=True),
        *kinds_of("apiextensions.k8s.io", "CustomResourceDefinition", Wave.NAMESPACE, namespaced=False, emitted=False),
        *kinds_of("", "ConfigMap Secret Service ServiceAccount", Wave.REFERENCED),
        *kinds_of("networking.k8s.io", "NetworkPolicy", Wave.REFERENCED),
        *kinds_of(RBAC_GROUP, "Role RoleBinding", Wave.REFERENCED),
        *kinds_of(RBAC_GROUP, "ClusterRole ClusterRoleBinding", Wave.REFERENCED, namespaced=False),
        *kinds_of(GATEWAY_GROUP, "GatewayClass", Wave.REFERENCED, namespaced=False),
        *kinds_of(GATEWAY_GROUP, "ReferenceGrant", Wave.REFERENCED, AlwaysHealthy()),
        Kind("", "PersistentVolumeClaim", kept=True, scaled=True),
        Kind("", "Pod", pod_template=(), emitted=False),
        Kind("apps", "Deployment", scaled=True, pod_template=_TEMPLATE),
        Kind("apps", "StatefulSet", pod_template=_TEMPLATE, emitted=False),
        Kind("apps", "DaemonSet", pod_template=_TEMPLATE, emitted=False),
        Kind("apps", "ReplicaSet", pod_template=_TEMPLATE, emitted=False),
        Kind("batch", "Job", pod_template=_TEMPLATE, emitted=False),
        Kind("batch", "CronJob", pod_template=("spec", "jobTemplate", "spec", "template"), emitted=False),
        Kind("autoscaling", "HorizontalPodAutoscaler", Wave.OBSERVER),
        Kind(KEDA_GROUP, "ScaledObject", Wave.OBSERVER),
        Kind(ARGO_GROUP, "Rollout", Wave.ROUTER, scaled=True, pod_template=_TEMPLATE),
        # Argo CD has no check of its health, so it is healthy once it exists.
        Kind(ARGO_GROUP, "AnalysisTemplate", Wave.REFERENCED),
        Kind("policy", "PodDisruptionBudget", scaled=True),
        *kinds_of("", "Node PersistentVolume", Wave.WORKLOAD, namespaced=False, emitted=False),
        *kinds_of(
            "admissionregistration.k8s.io",
            "MutatingWebhookConfiguration ValidatingWebhookConfiguration",
            Wave.WORKLOAD,
            namespaced=False,
            emitted=False,
        ),
        *kinds_of("apiregistration.k8s.io", "APIService", Wave.WORKLOAD, namespaced=False, emitted=False),
        *kinds_of("scheduling.k8s.io", "PriorityClass", Wave.WORKLOAD, namespaced=False, emitted=False),
        *kinds_of("storage.k8s.io", "StorageClass", Wave.WORKLOAD, namespaced=False, emitted=False),
        Kind(GATEWAY_GROUP, "Gateway", Wave.GATEWAY),
        # An issuer may need the Gateway, which is programmed before its certificates exist.
        Kind(CERT_MANAGER_GROUP, "Certificate", Wave.GATEWAY),
        *kinds_of(GATEWAY_GROUP, "HTTPRoute", Wave.ROUTE),
        *kinds_of(GATEWAY_GROUP, "BackendTLSPolicy GRPCRoute", Wave.ROUTE, emitted=False),
        *kinds_of(MONITORING_GROUP, "PodMonitor PrometheusRule ServiceMonitor", Wave.OBSERVER),
    )
)
"""The kinds that no single stack defines, by API group and name."""
