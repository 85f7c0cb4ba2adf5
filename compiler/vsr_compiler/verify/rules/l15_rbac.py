"""L15: RBAC rules that are missing or have no effect."""

from __future__ import annotations

from collections.abc import Iterator

from vsr_compiler.diagnostics import Diagnostic, Severity
from vsr_compiler.verify.manifest import Body, Manifest, as_mapping, as_mappings, as_string, as_strings
from vsr_compiler.verify.manifest_index import INFERENCE, POOL_GROUPS, RBAC, ManifestIndex
from vsr_compiler.verify.pickers import Picker, extension_release, pickers
from vsr_compiler.verify.rules.rule import LinkRule

_CLUSTER_SCOPED = frozenset(
    {
        "clusterrolebindings",
        "clusterroles",
        "customresourcedefinitions",
        "gatewayclasses",
        "namespaces",
        "nodes",
        "persistentvolumes",
        "selfsubjectaccessreviews",
        "storageclasses",
        "subjectaccessreviews",
        "tokenreviews",
    }
)
_PODS = ("", "pods")
_OTHER_GROUPS = ("inferenceobjectives", "inferencemodels", "inferencemodelrewrites")
_METRICS = ("authentication.k8s.io", "tokenreviews")
_OBJECTIVES = ("inference.networking.x-k8s.io", "inferenceobjectives")
_MODELS = ("inference.networking.x-k8s.io", "inferencemodels")
_REWRITES = ("inference.networking.x-k8s.io", "inferencemodelrewrites")

_WATCHED = (((0, 0), (1, 0), _MODELS), ((1, 0), (1, 9), _OBJECTIVES), ((1, 3), (1, 9), _REWRITES))
"""What pickers watch besides pods and pools: from a release on, and up to one. Without it they never become ready.

Source: the informers of each release of the inference extension, `pkg/epp/controller`.
"""


def _check(index: ManifestIndex) -> Iterator[Diagnostic]:
    for binding in index.of_kind("ClusterRoleBinding", RBAC):
        for path, subject in binding.entries("subjects"):
            if subject.get("kind") == "ServiceAccount" and not as_string(subject.get("namespace")):
                message = f"a subject of {binding.title} has no namespace; the API server rejects it"
                yield Diagnostic("VSR415", message, binding.span(*path), "Add the ServiceAccount's namespace.")
    for role in index.of_kind("Role", RBAC):
        yield from _cluster_scoped_resources(role)
    for role in [*index.of_kind("Role", RBAC), *index.of_kind("ClusterRole", RBAC)]:
        for path, body in role.entries("rules"):
            wrong = [name for name in as_strings(body.get("resources")) if name in _OTHER_GROUPS]
            if wrong and as_strings(body.get("apiGroups")) == [INFERENCE]:
                message = f"`{wrong[0]}` is not a resource of the API group `{INFERENCE}`"
                hint = "Use the API group inference.networking.x-k8s.io or llm-d.ai."
                yield Diagnostic("VSR415", message, role.span(*path), hint, Severity.WARNING)
    checked: set[tuple[str, str]] = set()
    for picker in pickers(index):
        key = (picker.owner.namespace, picker.owner.name)
        if key not in checked:
            checked.add(key)
            yield from _picker(index, picker)


def _cluster_scoped_resources(role: Manifest) -> Iterator[Diagnostic]:
    for path, body in role.entries("rules"):
        names = as_strings(body.get("resources"))
        cluster_scoped = sorted(name for name in names if name.partition("/")[0] in _CLUSTER_SCOPED)
        if cluster_scoped or body.get("nonResourceURLs"):
            resources = ", ".join(cluster_scoped) or "URLs"
            message = f"{role.title} grants access to {resources}, which has no effect in a Role: no namespace has them"
            hint = "Move the rule to a ClusterRole."
            yield Diagnostic("VSR415", message, role.span(*path), hint, Severity.WARNING)


def _picker(index: ManifestIndex, picker: Picker) -> Iterator[Diagnostic]:
    account = as_string(picker.workload.spec.get("serviceAccountName")) or "default"
    namespace = picker.owner.namespace
    if index.assumes("ServiceAccount", namespace, account):
        return
    granted = list(_granted_rules(index, account, namespace, picker.pool.namespace))
    required = [_PODS]
    if not any(_allows(granted, group, "inferencepools", "list") for group in POOL_GROUPS):
        required.append((picker.pool.group, "inferencepools"))
    release = extension_release(as_string(picker.container.get("image")))
    if release is not None:
        required += [watched for since, until, watched in _WATCHED if since <= release < until]
    span = picker.owner.span(*picker.workload.path, "spec", "serviceAccountName")
    for group, resource in required:
        if not _allows(granted, group, resource, "list"):
            message = f"{picker.owner.title} has no permission to list {resource}, so it never becomes ready"
            hint = f"Bind a Role with get, list and watch on {resource} to ServiceAccount `{account}`."
            yield Diagnostic("VSR415", message, span, hint)
    cluster_wide = list(_granted_rules(index, account, namespace, None))
    if picker.is_on("metrics-endpoint-auth", default=True) and not _allows(cluster_wide, *_METRICS, "create"):
        message = f"{picker.owner.title} protects its metrics but has no permission to check tokens: every scrape fails"
        hint = (
            "Bind a ClusterRole that creates tokenreviews and subjectaccessreviews, or --metrics-endpoint-auth=false."
        )
        yield Diagnostic("VSR415", message, span, hint, Severity.WARNING)


def _granted_rules(index: ManifestIndex, account: str, namespace: str, where: str | None) -> Iterator[Body]:
    """Return the rules that a ServiceAccount has in the namespace ``where``; None stands for the whole cluster."""
    for binding in _bindings(index).get((namespace, account), ()):
        if binding.kind == "RoleBinding" and (where is None or binding.namespace != where):
            continue
        ref = as_mapping(binding.body.get("roleRef"))
        role_namespace = binding.namespace if ref.get("kind") == "Role" else ""
        role = index.find(RBAC, as_string(ref.get("kind")), role_namespace, as_string(ref.get("name")))
        yield from as_mappings(role.body.get("rules")) if role else ()


def _bindings(index: ManifestIndex) -> dict[tuple[str, str], list[Manifest]]:
    """Return the bindings of each ServiceAccount, by namespace and name."""

    def compute() -> dict[tuple[str, str], list[Manifest]]:
        bindings: dict[tuple[str, str], list[Manifest]] = {}
        for kind in ("ClusterRoleBinding", "RoleBinding"):
            for binding in index.of_kind(kind, RBAC):
                for account in dict.fromkeys(_accounts(binding)):
                    bindings.setdefault(account, []).append(binding)
        return bindings

    return index.cached("bindings by account", compute)


def _accounts(binding: Manifest) -> Iterator[tuple[str, str]]:
    default = binding.namespace if binding.kind == "RoleBinding" else ""
    for subject in as_mappings(binding.body.get("subjects")):
        if subject.get("kind") == "ServiceAccount":
            yield as_string(subject.get("namespace")) or default, as_string(subject.get("name"))


def _allows(rules: list[Body], group: str, resource: str, verb: str) -> bool:
    return any(
        {group, "*"} & set(as_strings(rule.get("apiGroups")))
        and {resource, "*"} & set(as_strings(rule.get("resources")))
        and {verb, "*"} & set(as_strings(rule.get("verbs")))
        for rule in rules
    )


RULE = LinkRule(
    name="L15",
    code="VSR415",
    purpose="ServiceAccounts in a ClusterRoleBinding have a namespace, and only ClusterRoles grant access to "
    "cluster-scoped resources. An endpoint picker may read its pool, the pods and what its release watches, and may "
    "check tokens if it protects its metrics.",
    check=_check,
)
