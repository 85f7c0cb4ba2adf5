"""What an endpoint picker may read: its pool and pods, and who asks for its metrics. Derived from its release."""

from __future__ import annotations

from collections.abc import Iterator

from vsr_compiler import ir
from vsr_compiler.manifests.objects import Body, Object, make
from vsr_compiler.releases.pickers import Picker
from vsr_compiler.targets.common.pools import GROUP, picker_service, settings

RBAC = "rbac.authorization.k8s.io"


def emit(endpoint: ir.Endpoint, release: Picker) -> Iterator[Object]:
    """The account, its Role in the pool's namespace, and the ClusterRole by which it checks who reads its metrics."""
    service, origin = picker_service(endpoint), settings(endpoint).span
    name, namespace = service.name, service.namespace
    # Names of cluster-scoped objects carry the namespace, so that two of one name cannot take each other's subjects.
    wide = f"{namespace}-{name}-metrics-auth"
    yield make("v1", "ServiceAccount", name, origin, namespace=namespace, automountServiceAccountToken=True)
    yield make(f"{RBAC}/v1", "Role", name, origin, namespace=namespace, rules=_rules(endpoint, release))
    yield make(f"{RBAC}/v1", "RoleBinding", name, origin, namespace=namespace, **_binding("Role", name, service))
    yield make(f"{RBAC}/v1", "ClusterRole", wide, origin, rules=METRICS_AUTH)
    yield make(f"{RBAC}/v1", "ClusterRoleBinding", wide, origin, **_binding("ClusterRole", wide, service))


METRICS_AUTH: list[Body] = [
    {"apiGroups": ["authentication.k8s.io"], "resources": ["tokenreviews"], "verbs": ["create"]},
    {"apiGroups": ["authorization.k8s.io"], "resources": ["subjectaccessreviews"], "verbs": ["create"]},
]


def _rules(endpoint: ir.Endpoint, release: Picker) -> list[Body]:
    rules = [_reads("", ["pods"]), _reads(GROUP, ["inferencepools"])]
    rules += [_reads(group, list(kinds)) for group, kinds in release.watches.items()]
    if settings(endpoint).picker.replicas > 1:
        rules.append(
            {
                "apiGroups": ["coordination.k8s.io"],
                "resources": ["leases"],
                "verbs": ["create", "get", "list", "patch", "update", "watch"],
            }
        )
        rules.append({"apiGroups": [""], "resources": ["events"], "verbs": ["create", "patch"]})
    return rules


def _reads(group: str, kinds: list[str]) -> Body:
    return {"apiGroups": [group], "resources": kinds, "verbs": ["get", "list", "watch"]}


def _binding(kind: str, role: str, service: ir.ServiceRef) -> Body:
    return {
        "roleRef": {"apiGroup": RBAC, "kind": kind, "name": role},
        "subjects": [{"kind": "ServiceAccount", "name": service.name, "namespace": service.namespace}],
    }
