"""Codes about rate limits and quotas in manifests."""

from __future__ import annotations

from vsr_compiler.diagnostics.codes.model import Code, Example, Kind, Stage

CODES = {
    "VSR637": Code(
        title="rate limit that does not apply",
        severity="error",
        stage=Stage.VERIFY,
        rule="L37",
        meaning="Another BackendTrafficPolicy applies in the place of one with rate limits, for some routes at least.",
        reason="Nothing is limited there, and the policy's status is the only place that says so.",
        fix="Put the settings into one policy, or merge the one on the route with `mergeType`.",
        example=Example(
            """\
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: BackendTrafficPolicy
metadata: {name: retries, namespace: prod}
spec: {targetRefs: [{group: gateway.networking.k8s.io, kind: Gateway, name: edge}], retry: {numRetries: 1}}
---
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: BackendTrafficPolicy
metadata: {name: limits, namespace: prod}
spec:
  targetRefs: [{group: gateway.networking.k8s.io, kind: Gateway, name: edge}]
  rateLimit: {type: Global, global: {rules: [{limit: {requests: 100, unit: Hour}}]}}
""",
            Kind.MANIFESTS,
        ),
    ),
    "VSR638": Code(
        title="limit that counts something else",
        severity="error",
        stage=Stage.VERIFY,
        rule="L38",
        meaning=(
            "A limit reads a cost that no route writes, counts requests besides tokens or in their place, or names a "
            "model as the gateway does not call it there."
        ),
        reason="The limit is never reached, or much too soon.",
        fix="Add the cost to `llmRequestCosts`, or use the name of the model that the gateway compares.",
        example=Example(
            """\
apiVersion: aigateway.envoyproxy.io/v1beta1
kind: AIGatewayRoute
metadata: {name: big, namespace: prod}
spec:
  parentRefs: [{group: gateway.networking.k8s.io, kind: Gateway, name: edge}]
  rules:
  - matches: [{headers: [{name: x-ai-eg-model, type: Exact, value: big}]}]
    backendRefs: [{name: big}]
---
apiVersion: aigateway.envoyproxy.io/v1alpha1
kind: QuotaPolicy
metadata: {name: big, namespace: prod}
spec:
  targetRefs: [{group: aigateway.envoyproxy.io, kind: AIServiceBackend, name: big}]
  perModelQuotas: [{modelName: big, quota: {defaultBucket: {limit: 10000, duration: 1h}}}]
""",
            Kind.MANIFESTS,
        ),
    ),
    "VSR639": Code(
        title="limit that cannot be counted",
        severity="error",
        stage=Stage.VERIFY,
        rule="L39",
        meaning="A limit has a unit, an amount or more rules than its API takes, or nothing to be counted in.",
        reason="The API server or the gateway rejects it, or requests pass or fail as if the limit were not there.",
        fix="Use a unit of the API, fewer rules, or a global limit with Redis in the configuration of Envoy Gateway.",
        example=Example(
            """\
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: BackendTrafficPolicy
metadata: {name: limits, namespace: prod}
spec:
  targetRefs: [{group: gateway.networking.k8s.io, kind: Gateway, name: edge}]
  rateLimit: {type: Global, global: {rules: [{limit: {requests: 100, unit: Hour}}]}}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: envoy-gateway-config, namespace: envoy-gateway-system}
data:
  envoy-gateway.yaml: |
    apiVersion: gateway.envoyproxy.io/v1alpha1
    kind: EnvoyGateway
    provider: {type: Kubernetes}
""",
            Kind.MANIFESTS,
        ),
    ),
}
