"""Codes about manifests that a release of another project breaks."""

from __future__ import annotations

from vsr_compiler.diagnostics.codes.model import Code, Example, Kind, Stage

_ENVOY_GATEWAY = """\
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {name: eg, namespace: envoy-gateway-system}
spec:
  interval: 1h
  chart: {spec: {chart: gateway-helm, version: VERSION, sourceRef: {kind: HelmRepository, name: envoy}}}
---
apiVersion: source.toolkit.fluxcd.io/v1
kind: HelmRepository
metadata: {name: envoy, namespace: envoy-gateway-system}
spec: {type: oci, interval: 1h, url: "oci://docker.io/envoyproxy"}
"""
_PICKER = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: picker, namespace: prod}
spec:
  selector: {matchLabels: {app: picker}}
  template:
    metadata: {labels: {app: picker}}
    spec:
      containers: [{name: epp, image: "ghcr.io/llm-d/llm-d-router-endpoint-picker:v0.11.0"}]
"""
CODES = {
    "VSR640": Code(
        title="argument that the release does not have",
        severity="error",
        stage=Stage.VERIFY,
        rule="L40",
        meaning="A container has an argument, a variable or an image that its project removed or deprecated.",
        reason="The program rejects unknown arguments and does not start.",
        fix="Remove the argument, or use what replaces it.",
        example=Example(
            """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: big, namespace: prod}
spec:
  selector: {matchLabels: {app: big}}
  template:
    metadata: {labels: {app: big}}
    spec:
      containers:
      - name: vllm
        image: vllm/vllm-openai:v0.28.0
        args: [example/big, --calculate-kv-scales]
""",
            Kind.MANIFESTS,
        ),
    ),
    "VSR641": Code(
        title="configuration of a picker that the release does not read",
        severity="error",
        stage=Stage.VERIFY,
        rule="L41",
        meaning="A plugin, a parameter or a role in the configuration of llm-d's endpoint picker was removed.",
        reason="A picker with an unknown plugin does not start, and its pool's requests fail.",
        fix="Use what replaces it.",
        example=Example(
            f"""\
apiVersion: v1
kind: ConfigMap
metadata: {{name: picker, namespace: prod}}
data:
  config.yaml: |
    apiVersion: llm-d.ai/v1alpha1
    kind: EndpointPickerConfig
    plugins: [{{type: by-label, parameters: {{label: tier, validValues: [gold]}}}}]
    schedulingProfiles: [{{name: default, plugins: [{{pluginRef: by-label}}]}}]
---
{_PICKER}""",
            Kind.MANIFESTS,
        ),
    ),
    "VSR642": Code(
        title="query of a renamed metric",
        severity="error",
        stage=Stage.VERIFY,
        rule="L42",
        meaning="A rule, dashboard or autoscaler queries a metric by a name that the release does not export.",
        reason="The query is empty: an alert never fires, and an autoscaler does not scale.",
        fix="Use the name of the release, or both names with `or` while you upgrade.",
        example=Example(
            f"""\
apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata: {{name: picker, namespace: prod}}
spec:
  groups:
  - name: picker
    rules: [{{alert: NoHits, expr: "rate(llm_d_router_epp_kv_cache_index_lookup_hits_total[5m]) == 0"}}]
---
{_PICKER}""",
            Kind.MANIFESTS,
        ),
    ),
    "VSR643": Code(
        title="field that the release rejects",
        severity="error",
        stage=Stage.VERIFY,
        rule="L43",
        meaning="A release of an API removed a field, or rejects a value that earlier releases accepted.",
        reason="The API server rejects the object when it is applied again, or drops the field.",
        fix="Remove the field, or change its value.",
        example=Example(
            f"""\
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: ClientTrafficPolicy
metadata: {{name: clients, namespace: prod}}
spec:
  targetRefs: [{{group: gateway.networking.k8s.io, kind: Gateway, name: edge}}]
  clientIPDetection: {{}}
---
{_ENVOY_GATEWAY.replace("VERSION", "v1.9.0")}""",
            Kind.MANIFESTS,
        ),
    ),
    "VSR644": Code(
        title="kind that the release does not have",
        severity="error",
        stage=Stage.VERIFY,
        rule="L44",
        meaning="An object is of a kind, or of a version of a kind, that its project removed.",
        reason="The API server rejects it once the new definitions are installed.",
        fix="Use what replaces it.",
        example=Example(
            """\
apiVersion: inference.networking.x-k8s.io/v1alpha2
kind: InferenceObjective
metadata: {name: urgent, namespace: prod}
spec: {priority: 10, poolRef: {name: big}}
---
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata:
  name: inferencepools.inference.networking.k8s.io
  annotations:
    api-approved.kubernetes.io: https://github.com/kubernetes-sigs/gateway-api-inference-extension/pull/1173
    inference.networking.k8s.io/bundle-version: v1.6.0
spec:
  group: inference.networking.k8s.io
  names: {kind: InferencePool, plural: inferencepools}
  scope: Namespaced
  versions: [{name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object}}}]
""",
            Kind.MANIFESTS,
        ),
    ),
    "VSR645": Code(
        title="patch of a place that the release does not generate",
        severity="error",
        stage=Stage.VERIFY,
        rule="L45",
        meaning="An EnvoyPatchPolicy patches a field or a name that Envoy Gateway generates in another way.",
        reason="The patch fails or has no effect, and with it what it was for.",
        fix="Patch the new place, or use a policy of Envoy Gateway.",
        example=Example(
            f"""\
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: EnvoyPatchPolicy
metadata: {{name: dns, namespace: prod}}
spec:
  targetRef: {{group: gateway.networking.k8s.io, kind: Gateway, name: edge}}
  type: JSONPatch
  jsonPatches:
  - type: type.googleapis.com/envoy.config.cluster.v3.Cluster
    name: httproute/prod/big/rule/0
    operation: {{op: replace, path: /dns_lookup_family, value: V4_ONLY}}
---
{_ENVOY_GATEWAY.replace("VERSION", "v1.9.0")}""",
            Kind.MANIFESTS,
        ),
    ),
    "VSR646": Code(
        title="other behaviour with the release",
        severity="error",
        stage=Stage.VERIFY,
        rule="L46",
        meaning="Objects that are valid as before mean something else, or are refused, with a release.",
        reason="Nothing reports it but a status or a changed answer.",
        fix="Follow the hint of the message.",
        example=Example(
            f"""\
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: EnvoyExtensionPolicy
metadata: {{name: lua, namespace: prod}}
spec:
  targetRefs: [{{group: gateway.networking.k8s.io, kind: Gateway, name: edge}}]
  lua: [{{type: Inline, inline: "function envoy_on_request(handle) end"}}]
---
{_ENVOY_GATEWAY.replace("VERSION", "v1.9.0")}""",
            Kind.MANIFESTS,
        ),
    ),
    "VSR647": Code(
        title="releases that do not fit",
        severity="error",
        stage=Stage.VERIFY,
        rule="L47",
        meaning="The release of one component needs a later release of another one.",
        reason="It ignores objects, or its pods do not become ready.",
        fix="Upgrade the components in the order that `vsr-compile upgrade` prints.",
        example=Example(
            f"""\
{_ENVOY_GATEWAY.replace("VERSION", "v1.8.3")}---
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {{name: aieg, namespace: envoy-gateway-system}}
spec:
  interval: 1h
  chart: {{spec: {{chart: ai-gateway-helm, version: v1.2.0, sourceRef: {{kind: HelmRepository, name: envoy}}}}}}
""",
            Kind.MANIFESTS,
        ),
    ),
}
