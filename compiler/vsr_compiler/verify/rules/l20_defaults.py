"""L20: namespaces and defaults that the manifest leaves to the API server."""

from __future__ import annotations

from collections.abc import Iterator

from vsr_compiler.diagnostics import Diagnostic, Severity
from vsr_compiler.verify.manifest import Body, Manifest, as_mappings
from vsr_compiler.verify.manifest_index import CLUSTER_SCOPED, ManifestIndex
from vsr_compiler.verify.rules.rule import LinkRule

_CORE_KINDS = frozenset({"ConfigMap", "PersistentVolumeClaim", "Pod", "Secret", "Service", "ServiceAccount"})
_NAMESPACED_GROUPS = (
    "agentgateway.dev",
    "aigateway.envoyproxy.io",
    "apps",
    "batch",
    "gateway.envoyproxy.io",
    "gateway.networking.k8s.io",
    "inference.networking",
    "llm-d.ai",
    "networking.istio.io",
    "policy",
)


def _check(index: ManifestIndex) -> Iterator[Diagnostic]:
    namespaces = {manifest.namespace for manifest in index.manifests if manifest.namespace}
    for manifest in index.manifests:
        cluster_scoped = (manifest.group, manifest.kind) in CLUSTER_SCOPED
        if not manifest.namespace and not cluster_scoped and _is_namespaced(manifest):
            message = f"{manifest.title} has no namespace, so it lands in whatever namespace it is applied to"
            examples = f", such as {', '.join(sorted(namespaces)[:3])}" if namespaces else ""
            hint = f"Set metadata.namespace{examples}."
            yield Diagnostic("VSR420", message, manifest.span("metadata"), hint, Severity.WARNING)
    for route in index.of_kind("HTTPRoute"):
        missing = sorted(set(_missing_defaults(route)))
        if missing:
            message = f"{route.title} omits {', '.join(missing)}, which the API server adds"
            hint = "Write the defaults, so that the stored object equals the one in git."
            yield Diagnostic("VSR420", message, route.span("spec"), hint, Severity.NOTE)


def _is_namespaced(manifest: Manifest) -> bool:
    """Whether a kind is known to be namespaced; unknown kinds are not reported."""
    if manifest.group == "":
        return manifest.kind in _CORE_KINDS
    return manifest.group.startswith(_NAMESPACED_GROUPS) or manifest.kind in {"Role", "RoleBinding"}


def _missing_defaults(route: Manifest) -> Iterator[str]:
    for ref in as_mappings(route.spec.get("parentRefs")):
        yield from _missing_keys(ref, "parentRefs", ("group", "kind"))
    for _, body in route.entries("spec", "rules"):
        if not as_mappings(body.get("matches")):
            yield "matches"
        for match in as_mappings(body.get("matches")):
            yield from _missing_keys(match, "matches", ("path",))
            for header in as_mappings(match.get("headers")):
                yield from _missing_keys(header, "headers", ("type",))
        for ref in as_mappings(body.get("backendRefs")):
            yield from _missing_keys(ref, "backendRefs", ("group", "kind", "weight"))


def _missing_keys(body: Body, field: str, keys: tuple[str, ...]) -> Iterator[str]:
    yield from (f"{field}[].{key}" for key in keys if key not in body)


RULE = LinkRule(
    name="L20",
    code="VSR420",
    purpose="Objects have a namespace, and HTTPRoutes write the defaults that the API server adds inside lists. "
    "Defaults of other kinds are not checked.",
    check=_check,
)
