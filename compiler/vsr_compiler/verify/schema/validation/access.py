"""Roles and their bindings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from vsr_compiler.verify.manifest import Body, as_mapping, as_mappings
from vsr_compiler.verify.schema.validation.faults import Fault, Rule


def _rules(body: Body, *, namespaced: bool) -> Iterator[Fault]:
    for number, rule in enumerate(as_mappings(body.get("rules"))):
        at = ("rules", number)
        if not rule.get("verbs"):
            yield at, "allows no action", "Set verbs: [get, list, watch], or others."
        resources, paths = rule.get("resources"), rule.get("nonResourceURLs")
        if paths:
            if namespaced:
                yield (*at, "nonResourceURLs"), "is not allowed in a Role", "Use a ClusterRole."
            if resources or rule.get("apiGroups") or rule.get("resourceNames"):
                yield at, "has resources and `nonResourceURLs`", "Split it into two rules."
        else:
            if not rule.get("apiGroups"):
                yield at, "has no apiGroups", 'Set `apiGroups`; `""` is the core group.'
            if not resources:
                yield at, "has no resources", "Set `resources`."


def _role(body: Body) -> Iterator[Fault]:
    yield from _rules(body, namespaced=True)


def _cluster_role(body: Body) -> Iterator[Fault]:
    yield from _rules(body, namespaced=False)


def _binding(body: Body, *, namespaced: bool) -> Iterator[Fault]:
    role = as_mapping(body.get("roleRef"))
    if not namespaced and role.get("kind") == "Role":
        yield ("roleRef", "kind"), "must be ClusterRole in a ClusterRoleBinding", "Use a ClusterRole."
    group = role.get("apiGroup")
    if isinstance(group, str) and group not in {"", "rbac.authorization.k8s.io"}:
        yield ("roleRef", "apiGroup"), f"`{group[:80]}` has no roles", "Use rbac.authorization.k8s.io."
    for number, subject in enumerate(as_mappings(body.get("subjects"))):
        at = ("subjects", number)
        if subject.get("kind") == "ServiceAccount":
            if not namespaced and not subject.get("namespace"):
                yield at, "a ServiceAccount needs a namespace", "Set `namespace`."
            if subject.get("apiGroup"):
                yield (*at, "apiGroup"), "must be empty for a ServiceAccount", "Remove it."


def _role_binding(body: Body) -> Iterator[Fault]:
    yield from _binding(body, namespaced=True)


def _cluster_role_binding(body: Body) -> Iterator[Fault]:
    yield from _binding(body, namespaced=False)


_GROUP = "rbac.authorization.k8s.io"
RULES: Mapping[tuple[str, str], Rule] = {
    (_GROUP, "Role"): _role,
    (_GROUP, "ClusterRole"): _cluster_role,
    (_GROUP, "RoleBinding"): _role_binding,
    (_GROUP, "ClusterRoleBinding"): _cluster_role_binding,
}
