"""Objects that a release breaks: for each change of ``releases.breakages`` at least one case, and its repair."""

from __future__ import annotations

from typing import NamedTuple


class Case(NamedTuple):
    """Objects that are right with one release and broken by a later one.

    Attributes:
        name: What breaks, as a sentence.
        code: The code that reports it.
        component: The project.
        before: A release with which nothing is reported.
        after: A release with which it is reported.
        objects: The objects.
        repair: The part of the objects to replace, and what replaces it, so that nothing is reported.
        others: Releases of other projects that matter.
    """

    name: str
    code: str
    component: str
    before: str
    after: str
    objects: str
    repair: tuple[str, str]
    others: tuple[tuple[str, str], ...] = ()


def server(arguments: str, image: str = "registry.example/team/vllm-openai:custom") -> str:
    """Return a model server with arguments. The tag of its image tells no release."""
    return f"""\
apiVersion: apps/v1
kind: Deployment
metadata: {{name: big, namespace: prod}}
spec:
  selector: {{matchLabels: {{app: big}}}}
  template:
    metadata: {{labels: {{app: big}}}}
    spec:
      containers:
      - name: vllm
        image: {image}
        args: {arguments}
"""


def pod(image: str, arguments: str, *, init: bool = False, labels: str = "app: big") -> str:
    """Return a pod with one container, or one sidecar."""
    listed = "initContainers" if init else "containers"
    return f"""\
apiVersion: v1
kind: Pod
metadata: {{name: big, namespace: prod, labels: {{{labels}}}}}
spec: {{{listed}: [{{name: main, image: "{image}", args: {arguments}}}]}}
"""


def picker_config(body: str) -> str:
    """Return a ConfigMap with the configuration of an endpoint picker."""
    lines = "\n".join(f"    {line}" for line in body.splitlines())
    return f"""\
apiVersion: v1
kind: ConfigMap
metadata: {{name: picker, namespace: prod}}
data:
  config.yaml: |
    apiVersion: llm-d.ai/v1alpha1
    kind: EndpointPickerConfig
{lines}
"""


def patch(kind: str, operation: str, name: str = "httproute/prod/big/rule/0") -> str:
    """Return an EnvoyPatchPolicy with one operation."""
    return f"""\
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: EnvoyPatchPolicy
metadata: {{name: patch, namespace: prod}}
spec:
  targetRef: {{group: gateway.networking.k8s.io, kind: Gateway, name: edge}}
  type: JSONPatch
  jsonPatches:
  - type: type.googleapis.com/envoy.{kind}
    name: {name}
    operation: {operation}
"""


def envoy_policy(kind: str, spec: str, target: str = "Gateway") -> str:
    """Return a policy of Envoy Gateway."""
    return f"""\
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: {kind}
metadata: {{name: policy, namespace: prod}}
spec:
  targetRefs: [{{group: gateway.networking.k8s.io, kind: {target}, name: edge}}]
  {spec}
"""


def route(kind: str, version: str, rules: str, gateway: str = "") -> str:
    """Return a route of the Gateway API, with its Gateway if a class is given."""
    own = f"""\
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {{name: edge, namespace: prod}}
spec: {{gatewayClassName: {gateway}, listeners: [{{name: http, port: 80, protocol: HTTP}}]}}
"""
    return f"""\
apiVersion: gateway.networking.k8s.io/{version}
kind: {kind}
metadata: {{name: big, namespace: prod}}
spec:
  parentRefs: [{{group: gateway.networking.k8s.io, kind: Gateway, name: edge}}]
  rules: {rules}
{own if gateway else ""}"""


CLUSTER, LISTENER = "config.cluster.v3.Cluster", "config.listener.v3.Listener"
ROUTES = "config.route.v3.RouteConfiguration"
CERTIFICATES = "extensions.transport_sockets.tls.v3.Secret"
SIDECAR = "ghcr.io/llm-d/llm-d-router-disagg-sidecar:latest"
FILTER = "/default_filter_chain/filters/0/typed_config/http_filters/0/typed_config"
TLS_RULE = """\
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: big, namespace: prod}
spec: {host: big.prod.svc.cluster.local, trafficPolicy: {tls: {mode: SIMPLE}}}
---
apiVersion: gateway.networking.k8s.io/v1
kind: BackendTLSPolicy
metadata: {name: big, namespace: prod}
spec:
  targetRefs: [{group: "", kind: Service, name: big}]
  validation: {hostname: big.example.com, wellKnownCACertificates: System}
"""
OUTLIERS = """\
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: big, namespace: prod}
spec: {host: big, trafficPolicy: {outlierDetection: {consecutive5xxErrors: 3}}}
"""
ISTIOD = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: istiod, namespace: istio-system}
spec:
  selector: {matchLabels: {app: istiod}}
  template:
    metadata: {labels: {app: istiod}}
    spec:
      containers:
      - name: discovery
        image: registry.example/pilot:custom
        env: [{name: PILOT_SPAWN_UPSTREAM_SPAN_FOR_GATEWAY, value: "false"}]
"""
EXTERNAL = """\
---
apiVersion: v1
kind: Service
metadata: {name: big, namespace: prod}
spec: {type: ExternalName, externalName: models.example.com}
"""
DEFINITION = """\
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata:
  name: httproutes.gateway.networking.k8s.io
  annotations:
    api-approved.kubernetes.io: https://github.com/kubernetes-sigs/gateway-api/pull/1
    gateway.networking.k8s.io/bundle-version: v1.5.1
spec:
  group: gateway.networking.k8s.io
  names: {kind: HTTPRoute, plural: httproutes}
  scope: Namespaced
  versions: [{name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object}}}]
"""
ENVOY_PROXY = """\
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: EnvoyProxy
metadata: {name: proxy, namespace: prod}
spec: {telemetry: {tracing: {samplingRate: 1, provider: {type: OpenTelemetry, host: otel.prod, port: 4317}}}}
"""
PROVIDER = """\
apiVersion: aigateway.envoyproxy.io/v1beta1
kind: AIServiceBackend
metadata: {name: provider, namespace: prod}
spec:
  schema: {name: OpenAI}
  backendRef: {group: gateway.envoyproxy.io, kind: Backend, name: provider, namespace: egress}
"""
ATTRIBUTES = """\
plugins:
- {type: endpoint-attribute-scorer, parameters: {attribute: Load/dcgm-extractor}}
"""
RULE = """\
apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata: {name: rules, namespace: prod}
spec: {groups: [{name: rules, rules: [{record: rate, expr: 'sum(rate(NAME{pool="a"}[5m]))'}]}]}
"""
SCALER = """\
apiVersion: keda.sh/v1alpha1
kind: ScaledObject
metadata: {name: big, namespace: prod}
spec:
  scaleTargetRef: {name: big}
  triggers: [{type: prometheus, metadata: {serverAddress: "http://prom", threshold: "5", query: "avg(NAME)"}}]
"""
DASHBOARD = """\
apiVersion: v1
kind: ConfigMap
metadata: {name: board, namespace: prod, labels: {grafana_dashboard: "1"}}
data: {board.json: '{"panels": [{"targets": [{"expr": "rate(NAME[1m])"}]}]}'}
"""
OLD_KIND = "apiVersion: inference.networking.x-k8s.io/v1alpha2\nmetadata: {name: a, namespace: b}\n"
SESSION = "[{sessionPersistence: {type: Cookie, idleTimeout: 1h}, backendRefs: [{name: big, port: 80}]}]"
TRAFFIC_POLICY = """\
apiVersion: gateway.networking.x-k8s.io/v1alpha1
kind: XBackendTrafficPolicy
metadata: {name: big, namespace: prod}
spec:
  targetRefs: [{group: "", kind: Service, name: big}]
  sessionPersistence: {type: Cookie, FIELD}
"""


ROUTER_CHART = """\
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {name: router, namespace: prod}
spec:
  interval: 1h
  chart: {spec: {chart: llm-d-router-gateway, version: v0.10.0, sourceRef: {kind: HelmRepository, name: llm-d}}}
  values: {provider: {name: gke}}
"""
STACK_CHART = """\
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: {name: stack, namespace: argocd}
spec:
  source:
    chart: vllm-stack
    helm:
      valuesObject:
        servingEngineSpec:
          modelSpec:
          - {name: big, repository: vllm/vllm-openai, vllmConfig: {extraArgs: ["--max-long-partial-prefills=1"]}}
"""
ENVOY_CHART = """\
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {name: eg, namespace: envoy-gateway-system}
spec: {interval: 1h, chart: {spec: {chart: gateway-helm, version: v1.8.3, sourceRef: {kind: HelmRepository, name: eg}}}}
"""
SERVICE_OF_KSERVE = """\
apiVersion: serving.kserve.io/v1alpha1
kind: LLMInferenceService
metadata: {name: big, namespace: prod}
spec:
  template:
    containers: [{name: main, image: "vllm/vllm-openai:latest", args: [a/b, --max-long-partial-prefills=1]}]
  router:
    scheduler:
      config: {inline: {kind: EndpointPickerConfig, plugins: [{type: by-label}]}}
"""


def _metric(template: str, name: str) -> str:
    return template.replace("NAME", name)


_VLLM, _ROUTER, _EG, _API, _GIE = "vllm", "llm-d-router", "envoy-gateway", "gateway-api", "inference-extension"

CASES = (
    Case("model by flag", "VSR640", _VLLM, "0.17.0", "0.20.0", server("[--model=a/b]"), ("--model=a/b", "a/b")),
    Case(
        "model by flag in a shell",
        "VSR640",
        _VLLM,
        "0.17.0",
        "0.20.0",
        server('["vllm serve --model a/b"]', "registry.example/own:1"),
        ("vllm serve", "python3 -m vllm.entrypoints.openai.api_server"),
    ),
    Case(
        "partial prefills in a shell",
        "VSR640",
        _VLLM,
        "0.26.1",
        "0.33.0",
        server('[sh, -c, "exec vllm serve a/b --max_num_partial_prefills 2 --port 8000"]', "registry.example/own:1"),
        ("--max_num_partial_prefills 2 ", ""),
    ),
    Case(
        "attention dtype",
        "VSR640",
        _VLLM,
        "0.27.1",
        "v0.28.0",
        server("[a/b, --override-attention-dtype, bfloat16]"),
        ("--override-attention-dtype, bfloat16", "--dtype=bfloat16"),
    ),
    Case(
        "bitsandbytes",
        "VSR640",
        _VLLM,
        "0.27.0",
        "0.29.0",
        server("[a/b, -q, bitsandbytes]"),
        ("bitsandbytes", "fp8"),
    ),
    Case(
        "gauge of the KV cache",
        "VSR642",
        _VLLM,
        "0.9.2",
        "0.17.0",
        _metric(SCALER, "vllm:gpu_cache_usage_perc"),
        ("gpu_cache", "kv_cache"),
    ),
    Case(
        "flags of the sidecar",
        "VSR640",
        _ROUTER,
        "0.9.0",
        "0.10.0",
        pod(SIDECAR, "[--connector=nixlv2]", init=True),
        ("--connector", "--kv-connector"),
    ),
    Case(
        "vLLM's port of the sidecar",
        "VSR640",
        _ROUTER,
        "0.11.0",
        "0.12.0",
        pod(SIDECAR, "[--vllm-port, '8000']"),
        ("--vllm-port", "--model-server-port"),
    ),
    Case(
        "queue without a time to live",
        "VSR641",
        _ROUTER,
        "0.9.0",
        "0.10.0",
        picker_config("featureGates: [flowControl]\nflowControl: {}\n"),
        ("flowControl: {}", "flowControl: {defaultRequestTTL: 0s}"),
    ),
    *(
        Case(
            f"plugin {name}",
            "VSR641",
            _ROUTER,
            "0.10.0",
            "0.11.0",
            picker_config(f"plugins: [{{type: {name}}}]"),
            (name, new),
        )
        for name, new in (("pd-profile-handler", "disagg-profile-handler"), ("tokenizer", "token-producer"))
    ),
    Case(
        "flat parameters",
        "VSR641",
        _ROUTER,
        "0.10.0",
        "0.11.0",
        picker_config("plugins: [{type: disagg-profile-handler, parameters: {prefillDeciderPluginName: pd}}]"),
        ("prefillDeciderPluginName: pd", "deciders: {prefill: pd}"),
    ),
    Case(
        "decay of fairness",
        "VSR641",
        _ROUTER,
        "0.10.0",
        "0.11.0",
        picker_config("plugins: [{type: program-aware-fairness, parameters: {lasDecayFactor: 0.9}}]"),
        ("lasDecayFactor: 0.9", "lasHalfLifeSeconds: 60"),
    ),
    Case(
        "attribute with its producer",
        "VSR641",
        _ROUTER,
        "0.10.0",
        "0.11.0",
        picker_config(ATTRIBUTES),
        ("attribute: Load/dcgm-extractor", "attribute: Load, producer: dcgm-extractor"),
    ),
    Case(
        "role of pods",
        "VSR641",
        _ROUTER,
        "0.10.0",
        "0.11.0",
        pod("vllm/vllm-openai:v0.17.0", "[a/b]", labels="llm-d.ai/role: both"),
        ("role: both", "role: prefill-decode"),
    ),
    Case(
        "metric of the KV cache index",
        "VSR642",
        _ROUTER,
        "0.10.0",
        "0.11.0",
        _metric(RULE, "llm_d_router_epp_kv_cache_index_lookup_hits_total"),
        ("llm_d_router_epp_", "llm_d_epp_"),
    ),
    Case(
        "metric of an unreleased picker",
        "VSR642",
        _ROUTER,
        "0.8.0",
        "0.10.0",
        _metric(DASHBOARD, "llm_d_router_epp_request_total"),
        ("llm_d_router_epp_", "llm_d_epp_"),
    ),
    *(
        Case(
            f"metric {name}",
            "VSR642",
            _ROUTER,
            "0.10.0",
            "0.11.0",
            _metric(DASHBOARD, name),
            (name, "llm_d_epp_disagg_decision_total"),
        )
        for name in ("llm_d_epp_pd_decision_total", "llm_d_inference_scheduler_pd_decision_total")
    ),
    Case(
        "monitoring of a chart",
        "VSR646",
        _ROUTER,
        "0.10.0",
        "0.11.0",
        ROUTER_CHART,
        ("provider: {name: gke}", "provider: {name: gke}, router: {monitoring: {provider: {name: gmp}}}"),
    ),
    Case(
        "configuration in values of a chart",
        "VSR641",
        _ROUTER,
        "0.10.0",
        "0.11.0",
        ROUTER_CHART.replace(
            "provider: {name: gke}", 'config: "kind: EndpointPickerConfig\\nplugins: [{type: by-label}]"'
        ),
        ("by-label", "label-selector-filter"),
    ),
    Case(
        "configuration in a custom resource",
        "VSR641",
        _ROUTER,
        "0.10.0",
        "0.11.0",
        SERVICE_OF_KSERVE,
        ("by-label", "label-selector-filter"),
    ),
    Case(
        "arguments in a custom resource",
        "VSR640",
        _VLLM,
        "0.26.0",
        "0.27.0",
        SERVICE_OF_KSERVE,
        ("--max-long-partial-prefills=1", "--max-model-len=1"),
    ),
    Case(
        "arguments in values of a chart",
        "VSR640",
        _VLLM,
        "0.26.0",
        "0.27.0",
        STACK_CHART,
        ("--max-long-partial-prefills=1", "--max-model-len=1"),
    ),
    Case(
        "TLS of a host outside of the cluster",
        "VSR646",
        "istio",
        "1.30.3",
        "1.31.0",
        TLS_RULE.replace("big.prod.svc.cluster.local", "big.example.org").replace(
            '{group: "", kind: Service, name: big}',
            "{group: networking.istio.io, kind: Hostname, name: big.example.org}",
        ),
        ("kind: Hostname, name: big.", "kind: Hostname, name: other."),
    ),
    Case(
        "definitions in a chart",
        "VSR646",
        _API,
        "1.5.1",
        "1.6.0",
        ENVOY_CHART,
        ("interval: 1h", "interval: 1h, install: {crds: Skip}"),
    ),
    Case(
        "picker of the inference extension",
        "VSR640",
        _GIE,
        "1.5.0",
        "1.6.2",
        pod("registry.k8s.io/gateway-api-inference-extension/epp:v1.5.0", "[--pool-name=big]"),
        (
            "registry.k8s.io/gateway-api-inference-extension/epp:v1.5.0",
            "ghcr.io/llm-d/llm-d-router-endpoint-picker:v0.10.0",
        ),
    ),
    Case(
        "objectives",
        "VSR644",
        _GIE,
        "1.5.0",
        "1.6.0",
        f"{OLD_KIND}kind: InferenceObjective\n",
        ("inference.networking.x-k8s.io", "llm-d.ai"),
    ),
    Case(
        "pools of the first version",
        "VSR644",
        _GIE,
        "1.4.0",
        "1.5.0",
        f"{OLD_KIND}kind: InferencePool\n",
        ("inference.networking.x-k8s.io/v1alpha2", "inference.networking.k8s.io/v1"),
    ),
    Case(
        "no rules",
        "VSR643",
        _API,
        "1.4.1",
        "1.5.0",
        route("HTTPRoute", "v1", "[]"),
        ("rules: []", "hostnames: [a.example]"),
    ),
    Case(
        "rule of a TCPRoute without backends",
        "VSR643",
        _API,
        "1.3.0",
        "1.4.0",
        route("TCPRoute", "v1alpha2", "[{name: a}]"),
        ("{name: a}", "{backendRefs: [{name: big, port: 80}]}"),
    ),
    Case(
        "idle timeout of sessions",
        "VSR643",
        _API,
        "1.5.1",
        "1.6.1",
        route("HTTPRoute", "v1", SESSION),
        (", idleTimeout: 1h", ""),
    ),
    *(
        Case(
            f"sessions of a policy: {field}",
            "VSR643",
            _API,
            before,
            after,
            TRAFFIC_POLICY.replace("FIELD", field),
            (f", {field}", ""),
        )
        for field, before, after in (
            ("idleTimeout: 1h", "1.5.1", "1.6.0"),
            ("sessionName: s", "1.6.3", "1.7.0"),
            ("cookieConfig: {lifetimeType: Session}", "1.6.3", "1.7.0"),
        )
    ),
    Case(
        "alpha version of TCPRoutes",
        "VSR644",
        _API,
        "1.5.1",
        "1.6.0",
        route("TCPRoute", "v1alpha2", "[{backendRefs: [{name: big, port: 80}]}]"),
        ("v1alpha2", "v1"),
    ),
    Case(
        "policy of load balancing",
        "VSR644",
        _API,
        "1.2.1",
        "1.3.0",
        "apiVersion: gateway.networking.k8s.io/v1alpha2\nkind: BackendLBPolicy\nmetadata: {name: a, namespace: b}\n",
        (
            "gateway.networking.k8s.io/v1alpha2\nkind: BackendLBPolicy",
            "gateway.networking.x-k8s.io/v1alpha1\nkind: XBackendTrafficPolicy",
        ),
    ),
    Case("older definitions", "VSR646", _API, "1.5.1", "1.6.0", DEFINITION, ("v1.5.1", "v1.6.0")),
    Case(
        "addresses of DNS clusters",
        "VSR645",
        _EG,
        "1.8.3",
        "1.9.0",
        patch(CLUSTER, "{op: replace, path: /dns_lookup_family, value: V4_ONLY}"),
        ("/dns_lookup_family", "/cluster_type/typed_config/dns_lookup_family"),
    ),
    Case(
        "type of DNS clusters",
        "VSR645",
        _EG,
        "1.8.3",
        "1.9.0",
        patch(CLUSTER, "{op: replace, path: /type, value: LOGICAL_DNS}"),
        ("LOGICAL_DNS", "EDS"),
    ),
    Case(
        "certificates of the system",
        "VSR645",
        _EG,
        "1.8.3",
        "1.9.2",
        patch(CERTIFICATES, "{op: add, path: /validation_context/trusted_ca, value: {}}", "tls/prod-ca"),
        ("tls/prod-ca", "own-certificates"),
    ),
    Case(
        "reference to certificates of the system",
        "VSR645",
        _EG,
        "1.8.3",
        "1.9.0",
        patch(CLUSTER, "{op: add, jsonPath: '$..validationContextSdsSecretConfig', path: name, value: own}"),
        ("validationContextSdsSecretConfig", "upstreamConnectionOptions"),
    ),
    Case(
        "limits that routes share",
        "VSR645",
        _EG,
        "1.8.3",
        "1.9.0",
        patch(ROUTES, "{op: add, path: /virtual_hosts/0/routes/0/route/rate_limits/0/stage, value: 1}"),
        ("/routes/0/route/rate_limits/0/stage", "/rate_limits/0/stage"),
    ),
    Case(
        "names of JWT providers",
        "VSR645",
        _EG,
        "1.8.3",
        "1.9.0",
        patch(LISTENER, f"{{op: replace, path: {FILTER}/providers/httproute~1prod~1big/forward, value: true}}"),
        ("/providers/httproute~1prod~1big/forward", "/bypass_cors_preflight"),
    ),
    Case(
        "removed JWT provider",
        "VSR645",
        _EG,
        "1.8.3",
        "1.9.0",
        patch(LISTENER, f"{{op: remove, path: {FILTER}/requirement_map/first}}"),
        ("op: remove", "op: add"),
    ),
    Case(
        "names of Lua filters",
        "VSR645",
        _EG,
        "1.8.3",
        "1.9.0",
        patch(ROUTES, "{op: remove, path: /virtual_hosts/0/typed_per_filter_config/envoy.filters.http.lua~10}"),
        ("envoy.filters.http.lua~10", "envoy.filters.http.cors"),
    ),
    Case(
        "names of listeners",
        "VSR646",
        _EG,
        "1.9.2",
        "1.10.0",
        patch(LISTENER, "{op: add, path: /enable_mptcp, value: true}", "prod/edge/http"),
        ("prod/edge/http", "tcp-80"),
    ),
    Case(
        "detection of addresses",
        "VSR643",
        _EG,
        "1.8.3",
        "1.9.0",
        envoy_policy("ClientTrafficPolicy", "clientIPDetection: {}"),
        ("{}\n", "{xForwardedFor: {numTrustedHops: 1}}\n"),
    ),
    Case(
        "merged policies of a Gateway",
        "VSR643",
        _EG,
        "1.8.3",
        "1.9.0",
        envoy_policy("BackendTrafficPolicy", "mergeType: StrategicMerge"),
        ("kind: Gateway", "kind: HTTPRoute"),
    ),
    Case(
        "keys from nowhere",
        "VSR643",
        _EG,
        "1.8.3",
        "1.9.0",
        envoy_policy("SecurityPolicy", "apiKeyAuth: {credentialRefs: [{name: keys}], extractFrom: []}", "HTTPRoute"),
        ("extractFrom: []", "extractFrom: [{headers: [x-api-key]}]"),
    ),
    Case(
        "Lua",
        "VSR646",
        _EG,
        "1.8.3",
        "1.9.0",
        envoy_policy("EnvoyExtensionPolicy", 'lua: [{type: Inline, inline: "--"}]'),
        ('lua: [{type: Inline, inline: "--"}]', "wasm: []"),
    ),
    Case(
        "traces that clients ask for",
        "VSR646",
        _EG,
        "1.8.3",
        "1.9.0",
        ENVOY_PROXY,
        ("samplingRate: 1", "samplingRate: 1, clientSamplingFraction: {numerator: 1}"),
    ),
    Case(
        "names outside of the cluster",
        "VSR646",
        _EG,
        "1.8.3",
        "1.9.0",
        route("HTTPRoute", "v1", "[{backendRefs: [{name: big, port: 80}]}]", "eg") + EXTERNAL,
        ("gatewayClassName: eg", "gatewayClassName: istio"),
    ),
    Case(
        "TCPRoutes of an older API",
        "VSR646",
        _EG,
        "1.8.3",
        "1.9.0",
        route("TCPRoute", "v1alpha2", "[{backendRefs: [{name: big, port: 80}]}]", "eg"),
        ("TCPRoute", "TLSRoute"),
        (("gateway-api", "1.5.1"),),
    ),
    Case(
        "backend in another namespace",
        "VSR646",
        "envoy-ai-gateway",
        "1.1.0",
        "1.2.0",
        PROVIDER,
        (", namespace: egress", ""),
    ),
    Case(
        "route without backends: 404",
        "VSR646",
        "istio",
        "1.29.6",
        "1.30.3",
        route("HTTPRoute", "v1", "[{name: none}]", "istio"),
        ("{name: none}", "{name: none, filters: [{type: RequestRedirect, requestRedirect: {scheme: https}}]}"),
    ),
    Case(
        "route without backends: 500",
        "VSR646",
        "istio",
        "1.29.6",
        "1.31.4",
        route("HTTPRoute", "v1", "[{backendRefs: []}]", "istio"),
        ("gatewayClassName: istio", "gatewayClassName: eg"),
    ),
    Case(
        "two policies for TLS",
        "VSR646",
        "istio",
        "1.30.3",
        "1.31.0",
        TLS_RULE,
        ("tls: {mode: SIMPLE}", "connectionPool: {}"),
    ),
    Case(
        "unhealthy endpoints",
        "VSR646",
        "istio",
        "1.30.3",
        "1.32.0",
        OUTLIERS,
        ("{consecutive5xxErrors: 3}", "{consecutive5xxErrors: 3, minHealthPercent: 10}"),
    ),
    Case(
        "variable of istiod",
        "VSR640",
        "istio",
        "1.30.3",
        "1.31.0",
        ISTIOD,
        ("PILOT_SPAWN_UPSTREAM_SPAN_FOR_GATEWAY", "PILOT_TRACE_SAMPLING"),
    ),
)
"""The cases, in the order of the table of the field's breakages: model servers, pickers, APIs, gateways."""
