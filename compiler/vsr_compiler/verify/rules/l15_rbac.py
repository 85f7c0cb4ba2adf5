"""L15: rights are where they work, and a picker has those that it needs."""

from __future__ import annotations

from collections.abc import Iterator

from vsr_compiler.diagnostics import Diagnostic, Severity
from vsr_compiler.verify.manifest import Body, Manifest, rows, text, texts
from vsr_compiler.verify.manifest_index import INFERENCE, RBAC, World
from vsr_compiler.verify.pickers import Picker, pickers
from vsr_compiler.verify.rules.l14_releases import release

_CLUSTER = frozenset(
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
_NOT_THERE = ("inferenceobjectives", "inferencemodels", "inferencemodelrewrites")
_METRICS = ("authentication.k8s.io", "tokenreviews")
_REWRITES = ("inference.networking.x-k8s.io", "inferencemodelrewrites")


def rule(world: World) -> Iterator[Diagnostic]:
    """A ClusterRoleBinding's ServiceAccounts have a namespace, cluster-scoped resources stand in ClusterRoles only, and
    a picker may read its pool, the pods and what its release watches, and may check tokens where it guards its metrics.
    """  # noqa: D205 - the whole of it is what users read
    for binding in world.of("ClusterRoleBinding", RBAC):
        for path, subject in binding.each("subjects"):
            if subject.get("kind") == "ServiceAccount" and not text(subject.get("namespace")):
                message = f"a subject of {binding.title} has no namespace, and the API server refuses it"
                yield Diagnostic("VSR415", message, binding.span(*path), "Add the ServiceAccount's namespace.")
    for role in world.of("Role", RBAC):
        yield from _role(role)
    for role in [*world.of("Role", RBAC), *world.of("ClusterRole", RBAC)]:
        for path, body in role.each("rules"):
            wrong = [name for name in texts(body.get("resources")) if name in _NOT_THERE]
            if wrong and texts(body.get("apiGroups")) == [INFERENCE]:
                message = f"`{wrong[0]}` is no resource of the group `{INFERENCE}`"
                hint = "It is in inference.networking.x-k8s.io or llm-d.ai."
                yield Diagnostic("VSR415", message, role.span(*path), hint, Severity.WARNING)
    told: set[tuple[str, str]] = set()
    for picker in pickers(world):
        key = (picker.owner.namespace, picker.owner.name)
        if key not in told:
            told.add(key)
            yield from _picker(world, picker)


def _role(role: Manifest) -> Iterator[Diagnostic]:
    for path, body in role.each("rules"):
        wide = sorted(name for name in texts(body.get("resources")) if name.partition("/")[0] in _CLUSTER)
        if wide or body.get("nonResourceURLs"):
            what = ", ".join(wide) or "URLs"
            message = f"{role.title} grants {what}, which have no namespace: in a Role that has no effect"
            yield Diagnostic("VSR415", message, role.span(*path), "Move the rule to a ClusterRole.")


def _picker(world: World, picker: Picker) -> Iterator[Diagnostic]:
    account = text(picker.pods.spec.get("serviceAccountName")) or "default"
    namespace = picker.owner.namespace
    if world.assumes("ServiceAccount", namespace, account):
        return
    granted = list(_granted(world, account, namespace, picker.pool.namespace))
    wanted = [_PODS, (picker.pool.group, "inferencepools")]
    base = release(text(picker.container.get("image")))
    if base is not None and base >= (1, 3) and base < (1, 9):
        wanted.append(_REWRITES)
    place = picker.owner.span(*picker.pods.path, "spec", "serviceAccountName")
    for wanted_group, resource in wanted:
        if not _may(granted, wanted_group, resource, "list"):
            message = f"{picker.owner.title} may not read {resource}, and never becomes ready"
            hint = f"Bind a Role with get, list and watch on {resource} to ServiceAccount `{account}`."
            yield Diagnostic("VSR415", message, place, hint)
    wide = list(_granted(world, account, namespace, None))
    if picker.is_on("metrics-endpoint-auth", default=True) and not _may(wide, *_METRICS, "create"):
        message = f"{picker.owner.title} guards its metrics and may not check tokens: every scrape is refused"
        hint = (
            "Bind a ClusterRole that creates tokenreviews and subjectaccessreviews, or --metrics-endpoint-auth=false."
        )
        yield Diagnostic("VSR415", message, place, hint, Severity.WARNING)


def _granted(world: World, account: str, namespace: str, where: str | None) -> Iterator[Body]:
    """The rules that a ServiceAccount has in a namespace; with None, those that it has in the whole cluster."""
    for kind in ("ClusterRoleBinding", "RoleBinding"):
        for binding in world.of(kind, RBAC):
            if kind == "RoleBinding" and (where is None or binding.namespace != where):
                continue
            if not any(_is(subject, binding, account, namespace) for subject in rows(binding.body.get("subjects"))):
                continue
            ref = binding.body.get("roleRef")
            ref = ref if isinstance(ref, dict) else {}
            scope = binding.namespace if ref.get("kind") == "Role" else ""
            role = world.find(RBAC, text(ref.get("kind")), scope, text(ref.get("name")))
            yield from rows(role.body.get("rules")) if role else ()


def _is(subject: Body, binding: Manifest, account: str, namespace: str) -> bool:
    own = text(subject.get("namespace")) or (binding.namespace if binding.kind == "RoleBinding" else "")
    return (subject.get("kind"), subject.get("name"), own) == ("ServiceAccount", account, namespace)


def _may(granted: list[Body], group: str, resource: str, verb: str) -> bool:
    return any(
        {group, "*"} & set(texts(each.get("apiGroups")))
        and {resource, "*"} & set(texts(each.get("resources")))
        and {verb, "*"} & set(texts(each.get("verbs")))
        for each in granted
    )
