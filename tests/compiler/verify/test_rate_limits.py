"""Rate limits and quotas of others: what does not apply, counts something else, or cannot be counted."""

from __future__ import annotations

import pytest

import support.verify_support as m
from vsr_compiler.diagnostics import Severity

COSTED = m.AI_ROUTE.replace(
    "spec:\n", "spec:\n  llmRequestCosts: [{metadataKey: llm_total_token, type: TotalToken}]\n"
).replace("backendRefs: [{name: big}]", "backendRefs: [{name: big, modelNameOverride: vendor-big}]")
LIMIT = """\
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: BackendTrafficPolicy
metadata: {name: limits, namespace: prod}
spec:
  targetRefs: [{group: gateway.networking.k8s.io, kind: TARGET}]
  rateLimit:
    type: Global
    global:
      rules:
      - clientSelectors: [{headers: [{name: x-user-id, type: Distinct}, {name: x-ai-eg-model, value: big}]}]
        limit: {requests: 10000, unit: Hour}
        cost:
          request: {from: Number, number: 0}
          response: {from: Metadata, metadata: {namespace: io.envoy.ai_gateway, key: llm_total_token}}
"""
GATEWAY = LIMIT.replace("TARGET", "Gateway, name: edge")
ROUTE = LIMIT.replace("TARGET", "HTTPRoute, name: big")
OTHER = """\
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: BackendTrafficPolicy
metadata: {name: other, namespace: prod}
spec: {targetRefs: [{group: gateway.networking.k8s.io, kind: TARGET}], retry: {numRetries: 1}}
"""
QUOTA = """\
apiVersion: aigateway.envoyproxy.io/v1alpha1
kind: QuotaPolicy
metadata: {name: quota, namespace: prod}
spec:
  targetRefs: [{group: aigateway.envoyproxy.io, kind: AIServiceBackend, name: big}]
  perModelQuotas: [{modelName: vendor-big, quota: {mode: Shared, defaultBucket: {limit: 10000, duration: 1h}}}]
"""
CONFIG = """\
apiVersion: v1
kind: ConfigMap
metadata: {name: envoy-gateway-config, namespace: envoy-gateway-system}
data:
  envoy-gateway.yaml: |
    apiVersion: gateway.envoyproxy.io/v1alpha1
    kind: EnvoyGateway
    provider: {type: Kubernetes}
    rateLimit: {backend: {type: Redis, redis: {url: "redis.cache:6379"}}}
"""
HELM = """\
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {name: eg, namespace: envoy-gateway-system}
spec:
  interval: 1h
  chart: {spec: {chart: gateway-helm, sourceRef: {kind: HelmRepository, name: envoy}}}
  values: {config: {envoyGateway: {rateLimit: {backend: {type: Redis, redis: {url: "redis.cache:6379"}}}}}}
"""
REST = [m.EG_GATEWAY, m.AI_BACKEND, m.SERVICE, m.SERVER, m.CLIENT, m.PATCH, m.CONFIG]


def found(*parts: str, route: str = COSTED) -> list[tuple[str, Severity, str]]:
    """What is said about limits."""
    codes = {"VSR637", "VSR638", "VSR639"}
    return [
        (item.code, item.level, item.message) for item in m.found(m.joined(*REST, route, *parts)) if item.code in codes
    ]


@pytest.mark.parametrize("limit", [GATEWAY, ROUTE])
def test_limits_as_their_projects_document_them_have_no_findings(limit: str) -> None:
    """On the route and on the Gateway, with a quota and both forms of configuration."""
    assert found(limit, QUOTA, CONFIG, HELM) == []


CASES = {
    "two policies on a Gateway": (
        [GATEWAY, OTHER.replace("TARGET", "Gateway, name: edge")],
        "VSR637",
        "only the older",
    ),
    "two policies on a route": ([ROUTE, OTHER.replace("TARGET", "HTTPRoute, name: big")], "VSR637", "only the older"),
    "a policy on a route in the place of the Gateway's": (
        [GATEWAY, OTHER.replace("TARGET", "HTTPRoute, name: big")],
        "VSR637",
        "does not limit it",
    ),
    "a quota by the name that clients use": ([QUOTA.replace("vendor-big", "big")], "VSR638", "`modelNameOverride`"),
    "a limit by the name that the backend has": (
        [ROUTE.replace("value: big", "value: vendor-big")],
        "VSR638",
        "calls it",
    ),
    "a cost that no route writes": ([ROUTE.replace("llm_total_token", "llm_tokens")], "VSR638", "does not have"),
    "a cost besides each request": (
        [ROUTE.replace("          request: {from: Number, number: 0}\n", "")],
        "VSR638",
        "as one besides",
    ),
    "tokens as requests": ([ROUTE.split("        cost:")[0]], "VSR638", "counts requests"),
    "a unit that there is not": ([ROUTE.replace("unit: Hour", "unit: Week")], "VSR639", "limits by `Week`"),
    "a window that there is not": ([QUOTA.replace("duration: 1h", "duration: 30d")], "VSR639", "for `30d`"),
    "more than can be counted": ([ROUTE.replace("requests: 10000", "requests: 10000000000")], "VSR639", "counts to"),
    "costs in a local limit": (
        [ROUTE.replace("type: Global", "type: Local").replace("    global:", "    local:")],
        "VSR639",
        "only a global",
    ),
    "no Redis in the configuration": ([ROUTE, CONFIG.replace("    rateLimit", "    other")], "VSR639", "without Redis"),
    "no Redis in the values of the chart": ([ROUTE, HELM.replace("rateLimit:", "other:")], "VSR639", "without Redis"),
    "a quota and no Redis": ([QUOTA, CONFIG.replace("    rateLimit", "    other")], "VSR639", "without Redis"),
}


@pytest.mark.parametrize("name", CASES)
def test_limit_that_does_not_hold_is_reported(name: str) -> None:
    """With the rule of its kind, and nothing else."""
    parts, code, message = CASES[name]
    result = found(*parts)
    assert {item[0] for item in result} == {code}, result
    assert any(message in item[2] for item in result), result


def test_cost_of_a_route_without_any_is_an_error() -> None:
    """Nothing would ever be counted."""
    assert [(code, level) for code, level, _ in found(ROUTE, route=m.AI_ROUTE)] == [("VSR638", Severity.ERROR)]


def test_more_rules_than_the_api_takes_are_counted() -> None:
    """Once for the policy."""
    rule = "      - {limit: {requests: 10, unit: Hour}}\n"
    text = ROUTE.split("      - clientSelectors")[0]
    assert found(text + rule * 256) == []
    assert ["257 rules" in message for _, _, message in found(text + rule * 257)] == [True]


def test_merged_policy_keeps_the_limits_of_the_gateway() -> None:
    """It says so."""
    merged = OTHER.replace("TARGET", "HTTPRoute, name: big").replace("retry:", "mergeType: StrategicMerge, retry:")
    assert found(GATEWAY, merged) == []


def test_policies_of_two_sections_do_not_conflict() -> None:
    """Each has a listener of its own."""
    one = OTHER.replace("TARGET", "Gateway, name: edge, sectionName: https")
    assert found(GATEWAY.replace("name: edge", "name: edge, sectionName: http"), one) == []


def test_costs_of_a_gateway_config_count() -> None:
    """They are common to all routes."""
    config = (
        "apiVersion: aigateway.envoyproxy.io/v1beta1\nkind: GatewayConfig\nmetadata: {name: all, namespace: prod}\n"
        "spec: {globalLLMRequestCosts: [{metadataKey: llm_total_token, type: TotalToken}]}\n"
    )
    assert found(ROUTE, config, route=m.AI_ROUTE) == []


def test_values_that_are_elsewhere_say_nothing() -> None:
    """A release with `valuesFrom` may have Redis there."""
    elsewhere = HELM.replace("  values: ", "  valuesFrom: [{kind: ConfigMap, name: v}]\n  other: ")
    assert found(ROUTE, elsewhere) == []
