"""L20: what the API server would add is written, and so is the namespace."""

from __future__ import annotations

from collections.abc import Iterator

from vsr_compiler.diagnostics import Diagnostic, Severity
from vsr_compiler.verify.manifest import Body, Manifest, rows
from vsr_compiler.verify.manifest_index import CLUSTER_SCOPED, World

_REF = ("group", "kind", "weight")


def rule(world: World) -> Iterator[Diagnostic]:
    """Objects have a namespace, and HTTPRoutes write the defaults that the API server adds inside lists, without which
    Argo CD shows them out of sync for ever. Defaults of other kinds are not asked for.
    """  # noqa: D205 - the whole of it is what users read
    named = {each.namespace for each in world.manifests if each.namespace}
    for each in world.manifests:
        if not each.namespace and (each.group, each.kind) not in CLUSTER_SCOPED and _namespaced(each):
            message = f"{each.title} has no namespace, so it lands wherever it is applied"
            hint = f"Write it; others here are in {', '.join(sorted(named)[:3])}." if named else "Write it."
            yield Diagnostic("VSR420", message, each.span("metadata"), hint, Severity.WARNING)
    for route in world.of("HTTPRoute"):
        missing = sorted(set(_missing(route)))
        if missing:
            message = f"{route.title} leaves out {', '.join(missing)}, which the API server adds"
            hint = "Write the defaults, so that what is stored is what is in git."
            yield Diagnostic("VSR420", message, route.span("spec"), hint, Severity.NOTE)


def _namespaced(each: Manifest) -> bool:
    """Whether we know the kind as one that has a namespace; of kinds that we do not know, we say nothing."""
    core = {"ConfigMap", "PersistentVolumeClaim", "Pod", "Secret", "Service", "ServiceAccount"}
    groups = ("apps", "batch", "gateway.networking.k8s.io", "inference.networking", "networking.istio.io", "policy")
    others = ("gateway.envoyproxy.io", "aigateway.envoyproxy.io", "llm-d.ai", "agentgateway.dev")
    if each.group == "":
        return each.kind in core
    return each.group.startswith((*groups, *others)) or each.kind in {"Role", "RoleBinding"}


def _missing(route: Manifest) -> Iterator[str]:
    for ref in rows(route.spec.get("parentRefs")):
        yield from _left_out(ref, "parentRefs", ("group", "kind"))
    for _, body in route.each("spec", "rules"):
        if not rows(body.get("matches")):
            yield "matches"
        for match in rows(body.get("matches")):
            yield from _left_out(match, "matches", ("path",))
            for header in rows(match.get("headers")):
                yield from _left_out(header, "headers", ("type",))
        for ref in rows(body.get("backendRefs")):
            yield from _left_out(ref, "backendRefs", _REF)


def _left_out(body: Body, where: str, keys: tuple[str, ...]) -> Iterator[str]:
    yield from (f"{where}[].{key}" for key in keys if key not in body)
