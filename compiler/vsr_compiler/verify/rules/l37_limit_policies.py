"""L37: rate limits of a policy that does not apply."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from vsr_compiler.diagnostics import Diagnostic, Severity
from vsr_compiler.verify.manifest import Manifest, as_mapping, as_mappings, as_string
from vsr_compiler.verify.manifest_index import ENVOY, GATEWAY_API, ManifestIndex
from vsr_compiler.verify.policy_targets import policies_on
from vsr_compiler.verify.rules.rule import LinkRule

_KIND = "BackendTrafficPolicy"


def _check(index: ManifestIndex) -> Iterator[Diagnostic]:
    policies = index.of_kind(_KIND, ENVOY)
    if not any(_limits(policy) for policy in policies):
        return
    yield from _conflicts(policies)
    yield from _replaced(index)


def _limits(policy: Manifest) -> bool:
    return bool(as_mapping(policy.spec.get("rateLimit")))


def _conflicts(policies: list[Manifest]) -> Iterator[Diagnostic]:
    """Of two policies with one target, the older applies."""
    by_target: dict[tuple[str, ...], list[Manifest]] = defaultdict(list)
    for policy in policies:
        refs = [*as_mappings(policy.spec.get("targetRefs")), as_mapping(policy.spec.get("targetRef"))]
        names = [tuple(as_string(ref.get(key)) for key in ("kind", "name", "sectionName")) for ref in refs if ref]
        for target in dict.fromkeys(names):
            by_target[policy.namespace, *target].append(policy)
    for (namespace, kind, name, _), several in by_target.items():
        different = list({policy.identity: policy for policy in several}.values())
        for policy in different[1:]:
            if _limits(policy) or _limits(different[0]):
                message = (
                    f"{policy.title} and {different[0].title} both target {kind} `{namespace}/{name}`: "
                    "only the older one applies, and a limit of the other is lost"
                )
                hint = "Put the settings into one policy."
                yield Diagnostic("VSR637", message, policy.span("spec"), hint)


def _replaced(index: ManifestIndex) -> Iterator[Diagnostic]:
    """A policy on a route replaces the limits of the Gateway's, unless it is merged."""
    seen: set[tuple[int, int]] = set()
    for route in index.routes:
        own = [policy for policy in policies_on(index, _KIND, route) if not policy.spec.get("mergeType")]
        if not own or any(_limits(policy) for policy in own):
            continue
        for key in index.gateways_of(route):
            gateway = index.find(GATEWAY_API, "Gateway", *key)
            for parent in [] if gateway is None else policies_on(index, _KIND, gateway):
                if _limits(parent) and (id(own[0]), id(parent)) not in seen:
                    seen.add((id(own[0]), id(parent)))
                    message = f"{own[0].title} replaces {parent.title} for {route.title}, and does not limit it"
                    hint = "Set `mergeType: StrategicMerge` in the policy of the route, or repeat the limits there."
                    yield Diagnostic("VSR637", message, own[0].span("spec"), hint, Severity.WARNING)


RULE = LinkRule(
    name="L37",
    code="VSR637",
    purpose="No two BackendTrafficPolicies with rate limits have one target, and a policy on a route does not replace "
    "the limits of the Gateway's.",
    check=_check,
)
