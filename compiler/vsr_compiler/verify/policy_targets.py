"""Policies of Envoy Gateway: what they target, and which of several applies.

A policy on a rule of a route replaces one on the route, that one on the listener, and that one on the Gateway, as a
whole; with `mergeType` a policy on a route is merged into its parent's. Of two policies with one target the older
applies, which manifests do not tell. Source: Envoy Gateway 1.8.3, `internal/gatewayapi/securitypolicy.go`,
`backendtrafficpolicy.go` and `clienttrafficpolicy.go`.
"""

from __future__ import annotations

from dataclasses import dataclass

from vsr_compiler.verify.listeners import Listener, matches_selector
from vsr_compiler.verify.manifest import Body, Manifest, as_mapping, as_mappings, as_string, as_string_map
from vsr_compiler.verify.manifest_index import ENVOY, ManifestIndex


@dataclass(frozen=True, slots=True, eq=False)
class EffectivePolicy:
    """The settings that may apply to a listener or a rule of a route.

    Attributes:
        source: The policy; None if none applies.
        settings: Its spec, merged with its parents' where it says so.
    """

    source: Manifest | None
    settings: Body


def targets(policy: Manifest, target: Manifest, section: str | None = None) -> bool:
    """Whether a policy targets an object: without a section as a whole, with one that section of it."""
    if policy.namespace != target.namespace:
        return False
    kind = "HTTPRoute" if target.kind == "AIGatewayRoute" else target.kind
    refs = [*as_mappings(policy.spec.get("targetRefs")), as_mapping(policy.spec.get("targetRef"))]
    if any(
        ref.get("kind") == kind
        and ref.get("name") == target.name
        and as_string(ref.get("sectionName")) == (section or "")
        for ref in refs
    ):
        return True
    labels = as_string_map(target.at("metadata", "labels"))
    return section is None and any(
        selector.get("kind") == kind and matches_selector(selector, labels, complete=True)
        for selector in as_mappings(policy.spec.get("targetSelectors"))
    )


def policies_on(index: ManifestIndex, kind: str, target: Manifest, section: str | None = None) -> list[Manifest]:
    """Return the policies of a kind that target an object or a section of it, in their order."""

    def compute() -> dict[tuple[str, str, str], list[tuple[int, Manifest]]]:
        by_target: dict[tuple[str, str, str], list[tuple[int, Manifest]]] = {}
        for number, policy in enumerate(index.of_kind(kind, ENVOY)):
            refs = [*as_mappings(policy.spec.get("targetRefs")), as_mapping(policy.spec.get("targetRef"))]
            keys = [(policy.namespace, as_string(ref.get("kind")), as_string(ref.get("name"))) for ref in refs if ref]
            if as_mappings(policy.spec.get("targetSelectors")):
                keys.append((policy.namespace, "", ""))
            for key in dict.fromkeys(keys):
                by_target.setdefault(key, []).append((number, policy))
        return by_target

    by_target = index.cached(("policies by target", kind), compute)
    target_kind = "HTTPRoute" if target.kind == "AIGatewayRoute" else target.kind
    named = by_target.get((target.namespace, target_kind, target.name), ())
    candidates = dict([*named, *by_target.get((target.namespace, "", ""), ())])
    return [
        policy
        for _, policy in sorted(candidates.items(), key=lambda entry: entry[0])
        if targets(policy, target, section)
    ]


def effective_policies(
    index: ManifestIndex, kind: str, listener: Listener, route: Manifest | None = None, rule: str = ""
) -> list[EffectivePolicy]:
    """Return the policies of a kind of which one applies: several only if they have the same target."""
    levels: list[list[Manifest]] = []
    if route is not None:
        if rule:
            levels.append(policies_on(index, kind, route, rule))
        levels.append(policies_on(index, kind, route))
    levels.append(policies_on(index, kind, listener.gateway, listener.name))
    levels.append(policies_on(index, kind, listener.gateway))
    return _effective([level for level in levels if level])


def _effective(levels: list[list[Manifest]]) -> list[EffectivePolicy]:
    if not levels:
        return [EffectivePolicy(None, {})]
    first, *parents = levels
    merged: list[EffectivePolicy] = []
    for policy in first:
        if policy.spec.get("mergeType"):
            merged += [EffectivePolicy(policy, parent.settings | policy.spec) for parent in _effective(parents)]
        else:
            merged.append(EffectivePolicy(policy, policy.spec))
    return merged
