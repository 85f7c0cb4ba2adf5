"""L20: namespaces and defaults that the manifest leaves to the API server."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator

from vsr_compiler.diagnostics import Diagnostic, Severity
from vsr_compiler.verify.manifest import Body, Manifest, as_mappings
from vsr_compiler.verify.manifest_index import ManifestIndex
from vsr_compiler.verify.reference_table import FLUX_KUSTOMIZE
from vsr_compiler.verify.rules.rule import LinkRule
from vsr_compiler.verify.scopes import is_cluster_scoped

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
    yield from _unwritten_namespaces(index)
    for route in index.of_kind("HTTPRoute"):
        missing = sorted(set(_missing_defaults(route)))
        if missing:
            message = f"{route.title} omits {', '.join(missing)}, which the API server adds"
            hint = "Write the defaults, so that the stored object equals the one in git."
            yield Diagnostic("VSR420", message, route.span("spec"), hint, Severity.NOTE)


def _unwritten_namespaces(index: ManifestIndex) -> Iterator[Diagnostic]:
    """Report objects without a namespace once: as a warning if most objects of their file or folder have one."""
    unwritten = [
        manifest
        for manifest in index.manifests
        if not manifest.writes_namespace and not is_cluster_scoped(manifest.group, manifest.kind)
        if _is_namespaced(manifest)
    ]
    if not unwritten or index.assumptions.namespace_is_given:
        return
    first = next(filter(_exceptions(index, unwritten), unwritten), unwritten[0])
    written = {manifest.namespace for manifest in index.manifests if manifest.writes_namespace}
    others = sorted(written - {first.namespace})
    more = f", as have {len(unwritten) - 1} more objects" if len(unwritten) > 1 else ""
    assumed = f"; `{first.namespace}` is assumed" if first.namespace else ""
    message = f"{first.title} has no namespace{more}: it lands in whatever namespace it is applied to{assumed}"
    examples = f", such as {', '.join(others[:3])}" if others else ""
    hint = f"Set metadata.namespace{examples}, or pass the namespace of `kubectl apply -n` as `-n NAMESPACE`."
    is_exception = _exceptions(index, unwritten)(first)
    is_exception &= not any(item.spec.get("targetNamespace") for item in index.of_kind("Kustomization", FLUX_KUSTOMIZE))
    level = Severity.WARNING if is_exception or not first.namespace else Severity.NOTE
    yield Diagnostic("VSR420", message, first.span("metadata"), hint, level)


def _exceptions(index: ManifestIndex, unwritten: list[Manifest]) -> Callable[[Manifest], bool]:
    """Return whether an object without a namespace is among those that write the same one, in its file or folder."""
    without = Counter(place for manifest in unwritten for place in _places(manifest))
    written: dict[str, Counter[str]] = defaultdict(Counter)
    for manifest in index.manifests:
        if manifest.writes_namespace:
            for place in _places(manifest):
                written[place][manifest.namespace] += 1
    mixed = {
        place
        for place, count in without.items()
        if (names := written.get(place)) is not None and len(names) == 1 and names.total() >= count
    }
    return lambda manifest: not mixed.isdisjoint(_places(manifest))


def _places(manifest: Manifest) -> tuple[str, str]:
    file = manifest.span("kind").file
    return file, file.rpartition("/")[0]


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
