"""Rate limits of Envoy Gateway and quotas of AI Gateway: which routes they apply to, and what responses cost there."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from vsr_compiler.verify.manifest import Body, Manifest, Path, as_mapping, as_mappings, as_string, value_at
from vsr_compiler.verify.manifest_index import AI, ENVOY, GATEWAY_API, ManifestIndex, cached_per_index
from vsr_compiler.verify.policy_targets import policies_on

COSTS = "io.envoy.ai_gateway"
"""The metadata namespace of the costs of AI Gateway."""


@dataclass(frozen=True, slots=True, eq=False)
class LimitRule:
    """One rule of a rate limit, with its path in the policy."""

    policy: Manifest
    scope: str
    path: Path
    body: Body

    @property
    def cost(self) -> Body:
        """The response cost; empty without one."""
        return as_mapping(value_at(self.body, "cost", "response"))

    @property
    def cost_key(self) -> str:
        """The key of AI Gateway's cost that it reads; empty for any other."""
        metadata = as_mapping(self.cost.get("metadata"))
        return as_string(metadata.get("key")) if metadata.get("namespace") == COSTS else ""


@cached_per_index
def limit_rules(index: ManifestIndex) -> Iterator[LimitRule]:
    """Yield the rules of all rate limits."""
    for policy in index.of_kind("BackendTrafficPolicy", ENVOY):
        for scope in ("global", "local"):
            for path, body in policy.entries("spec", "rateLimit", scope, "rules"):
                yield LimitRule(policy, scope, path, body)


def limited_routes(index: ManifestIndex) -> dict[int, list[Manifest]]:
    """Return the AIGatewayRoutes that a BackendTrafficPolicy applies to, by the id of the policy."""

    def compute() -> dict[int, list[Manifest]]:
        found: dict[int, list[Manifest]] = defaultdict(list)
        if not index.of_kind("BackendTrafficPolicy", ENVOY):
            return found
        for route in index.of_kind("AIGatewayRoute", AI):
            gateways = [index.find(GATEWAY_API, "Gateway", *key) for key in index.gateways_of(route)]
            for target in (route, *(gateway for gateway in gateways if gateway is not None)):
                for policy in policies_on(index, "BackendTrafficPolicy", target):
                    if route not in found[id(policy)]:
                        found[id(policy)].append(route)
        return found

    return index.cached(("limited routes",), compute)


def cost_keys(index: ManifestIndex, route: Manifest) -> set[str]:
    """Return the keys of the costs of a route: its own, and those of GatewayConfigs."""
    own = {as_string(cost.get("metadataKey")) for cost in as_mappings(route.spec.get("llmRequestCosts"))}
    common = {
        as_string(cost.get("metadataKey"))
        for config in index.of_kind("GatewayConfig", AI)
        for cost in as_mappings(config.spec.get("globalLLMRequestCosts"))
    }
    return own | common
