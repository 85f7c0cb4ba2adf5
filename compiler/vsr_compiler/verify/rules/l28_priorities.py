"""L28: retries that never reach the backends of the next priority."""

from __future__ import annotations

from collections.abc import Iterator

from vsr_compiler.diagnostics import Diagnostic, Severity
from vsr_compiler.verify.manifest import Manifest, as_mapping, as_string, value_at
from vsr_compiler.verify.manifest_index import ENVOY, ManifestIndex
from vsr_compiler.verify.policy_targets import policies_on
from vsr_compiler.verify.rules.rule import LinkRule


def _check(index: ManifestIndex) -> Iterator[Diagnostic]:
    if not index.of_kind("BackendTrafficPolicy", ENVOY):
        return
    for route in index.routes:
        if not _has_priorities(index, route):
            continue
        for policy in policies_on(index, "BackendTrafficPolicy", route):
            retry = as_mapping(policy.spec.get("retry"))
            checked = as_mapping(policy.spec.get("healthCheck"))
            if retry and not retry.get("numAttemptsPerPriority") and not checked:
                message = f"{policy.title} retries at the same priority only, so {route.title} never uses its fallback"
                hint = "Set retry.numAttemptsPerPriority: 1, or a health check that takes failing backends out."
                yield Diagnostic("VSR628", message, policy.span("spec", "retry"), hint, Severity.WARNING)


def _has_priorities(index: ManifestIndex, route: Manifest) -> bool:
    """Whether a rule of a route has backends of different priorities."""
    for path, _ in route.entries("spec", "rules"):
        priorities = set()
        for _, ref in route.entries(*path, "backendRefs"):
            namespace = as_string(ref.get("namespace")) or route.namespace
            backend = index.find(ENVOY, "Backend", namespace, as_string(ref.get("name")))
            is_fallback = backend is not None and value_at(backend.spec, "fallback") is True
            priorities.add(1 if is_fallback else ref.get("priority") or 0)
        if len(priorities) > 1:
            return True
    return False


RULE = LinkRule(
    name="L28",
    code="VSR628",
    purpose="A BackendTrafficPolicy that retries requests of a route with fallback backends says after how many "
    "attempts the next priority is tried, or checks the health of the backends.",
    check=_check,
)
