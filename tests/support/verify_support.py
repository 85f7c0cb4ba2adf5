"""Small manifests that tests put together: each is right by itself and goes with the others."""

from __future__ import annotations

from vsr_compiler.diagnostics import Diagnostic
from vsr_compiler.verify import Assumptions, check_links
from vsr_compiler.verify.stream import Budget, read_stream
from vsr_schemas.headers import STRIPPED

GATEWAY = """\
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: edge, namespace: prod}
spec:
  gatewayClassName: istio
  listeners: [{name: http, port: 80, protocol: HTTP}]
"""
EG_GATEWAY = GATEWAY.replace("istio", "eg")
ROUTE = """\
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: big, namespace: prod}
spec:
  parentRefs: [{group: gateway.networking.k8s.io, kind: Gateway, name: edge}]
  rules:
  - matches:
    - path: {type: PathPrefix, value: /}
      headers: [{name: x-selected-model, type: Exact, value: big}]
    backendRefs: [{group: "", kind: Service, name: big, port: 80, weight: 1}]
    timeouts: {request: 300s}
"""
POOL_ROUTE = ROUTE.replace(
    '{group: "", kind: Service, name: big, port: 80, weight: 1}',
    "{group: inference.networking.k8s.io, kind: InferencePool, name: big, weight: 1}",
)
SERVICE = """\
apiVersion: v1
kind: Service
metadata: {name: big, namespace: prod}
spec: {selector: {app: big}, ports: [{name: http, port: 80, targetPort: 8000}]}
"""
SERVER = """\
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
        image: vllm/vllm-openai:v0.17.0
        args: [--model=example/big, --served-model-name, big]
        ports: [{containerPort: 8000}]
"""
POOL = """\
apiVersion: inference.networking.k8s.io/v1
kind: InferencePool
metadata: {name: big, namespace: prod}
spec:
  selector: {matchLabels: {app: big}}
  targetPorts: [{number: 8000}]
  endpointPickerRef: {name: big-epp, port: {number: 9002}}
"""
EPP_SERVICE = """\
apiVersion: v1
kind: Service
metadata: {name: big-epp, namespace: prod}
spec: {selector: {app: big-epp}, ports: [{name: grpc, port: 9002, appProtocol: http2}]}
"""
EPP = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: big-epp, namespace: prod}
spec:
  selector: {matchLabels: {app: big-epp}}
  template:
    metadata: {labels: {app: big-epp}}
    spec:
      serviceAccountName: big-epp
      containers:
      - name: epp
        image: ghcr.io/llm-d/llm-d-router-endpoint-picker:v0.10.0
        command: [/epp, --grpc-max-recv-msg-size=8454144]
        args: [--pool-name=big, --pool-namespace=prod, --grpc-port=9002, --metrics-endpoint-auth=false]
        ports: [{name: grpc, containerPort: 9002}]
"""
EPP_RIGHTS = """\
apiVersion: v1
kind: ServiceAccount
metadata: {name: big-epp, namespace: prod}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: big-epp, namespace: prod}
rules:
- {apiGroups: [""], resources: [pods], verbs: [get, list, watch]}
- {apiGroups: [inference.networking.k8s.io], resources: [inferencepools], verbs: [get, list, watch]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: big-epp, namespace: prod}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: big-epp}
subjects: [{kind: ServiceAccount, name: big-epp}]
"""
EPP_RULE = """\
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: big-epp, namespace: prod}
spec:
  host: big-epp.prod.svc.cluster.local
  trafficPolicy: {tls: {mode: SIMPLE, insecureSkipVerify: true}}
"""
ROUTER_SERVICE = """\
apiVersion: v1
kind: Service
metadata: {name: router, namespace: prod}
spec: {ports: [{name: grpc, port: 50051}]}
"""
FILTER = """\
apiVersion: networking.istio.io/v1alpha3
kind: EnvoyFilter
metadata: {name: router, namespace: prod}
spec:
  targetRefs: [{group: gateway.networking.k8s.io, kind: Gateway, name: edge}]
  configPatches:
  - applyTo: LISTENER
    match: {context: GATEWAY}
    patch: {operation: MERGE, value: {per_connection_buffer_limit_bytes: 8388608}}
  - applyTo: NETWORK_FILTER
    match: {context: GATEWAY}
    patch:
      operation: MERGE
      value:
        typed_config:
          "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
          early_header_mutation_extensions:
          - name: strip
            typed_config:
              "@type": type.googleapis.com/envoy.extensions.http.early_header_mutation.header_mutation.v3.HeaderMutation
              mutations: [{remove: x-selected-model}, OBEYED]
  - applyTo: HTTP_FILTER
    match: {context: GATEWAY}
    patch:
      operation: INSERT_FIRST
      value:
        name: vsr.ext_proc
        typed_config:
          "@type": type.googleapis.com/envoy.extensions.filters.http.ext_proc.v3.ExternalProcessor
          failure_mode_allow: false
          grpc_service: {envoy_grpc: {cluster_name: outbound|50051||router.prod.svc.cluster.local}}
          message_timeout: 5s
          processing_mode: {request_body_mode: BUFFERED, response_body_mode: NONE}
""".replace("OBEYED", ", ".join(f"{{remove: {name}}}" for name in STRIPPED if name != "x-selected-model"))
PATCH = """\
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: EnvoyPatchPolicy
metadata: {name: router, namespace: prod}
spec:
  type: JSONPatch
  targetRef: {group: gateway.networking.k8s.io, kind: Gateway, name: edge}
  jsonPatches:
  - type: type.googleapis.com/envoy.config.listener.v3.Listener
    name: prod/edge/http
    operation:
      op: add
      path: /default_filter_chain/filters/0/typed_config/http_filters/0
      value:
        name: vsr.ext_proc
        typedConfig:
          "@type": type.googleapis.com/envoy.extensions.filters.http.ext_proc.v3.ExternalProcessor
          grpcService: {envoyGrpc: {clusterName: router}}
          messageTimeout: 5s
          processingMode: {requestBodyMode: BUFFERED}
  - type: type.googleapis.com/envoy.config.cluster.v3.Cluster
    name: router
    operation: {op: add, path: "", value: {name: router}}
"""
CLIENT = """\
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: ClientTrafficPolicy
metadata: {name: edge, namespace: prod}
spec:
  targetRefs: [{group: gateway.networking.k8s.io, kind: Gateway, name: edge}]
  connection: {bufferLimit: 8Mi}
  http2: {initialStreamWindowSize: 8Mi}
  headers: {earlyRequestHeaders: {remove: [x-selected-model, OBEYED]}}
""".replace("OBEYED", ", ".join(name for name in STRIPPED if name != "x-selected-model"))
AI_ROUTE = """\
apiVersion: aigateway.envoyproxy.io/v1beta1
kind: AIGatewayRoute
metadata: {name: big, namespace: prod}
spec:
  parentRefs: [{group: gateway.networking.k8s.io, kind: Gateway, name: edge}]
  rules:
  - matches: [{headers: [{name: x-ai-eg-model, type: Exact, value: big}]}]
    backendRefs: [{name: big}]
"""
AI_BACKEND = """\
apiVersion: aigateway.envoyproxy.io/v1beta1
kind: AIServiceBackend
metadata: {name: big, namespace: prod}
spec: {schema: {name: OpenAI}, backendRef: {group: gateway.envoyproxy.io, kind: Backend, name: big}}
---
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: Backend
metadata: {name: big, namespace: prod}
spec: {endpoints: [{fqdn: {hostname: big.prod.svc.cluster.local, port: 80}}]}
"""
CONFIG = """\
apiVersion: v1
kind: ConfigMap
metadata: {name: router, namespace: prod}
data:
  config.yaml: |
    providers: {defaults: {model: big}, models: [{name: big}]}
    routing: {decisions: [{name: all, modelRefs: [{model: big}]}]}
"""
ISTIO = [GATEWAY, ROUTE, SERVICE, SERVER, ROUTER_SERVICE, FILTER, CONFIG]
POOLED = [GATEWAY, POOL_ROUTE, SERVER, POOL, EPP_SERVICE, EPP, EPP_RIGHTS, EPP_RULE, ROUTER_SERVICE, FILTER, CONFIG]
ENVOY = [EG_GATEWAY, ROUTE, SERVICE, SERVER, CLIENT, PATCH, CONFIG]
AI = [EG_GATEWAY, AI_ROUTE, AI_BACKEND, SERVICE, SERVER, CLIENT, PATCH, CONFIG]


def pilot(tag: str) -> str:
    """The Deployment of istiod at a release."""
    return f"""\
apiVersion: apps/v1
kind: Deployment
metadata: {{name: istiod, namespace: istio-system}}
spec:
  selector: {{matchLabels: {{app: istiod}}}}
  template:
    metadata: {{labels: {{app: istiod}}}}
    spec:
      containers:
      - name: discovery
        image: docker.io/istio/pilot:{tag}
        env: [{{name: ENABLE_GATEWAY_API_INFERENCE_EXTENSION, value: "true"}}]
"""


def joined(*parts: str) -> str:
    """Parts as one stream."""
    return "---\n".join(part if part.endswith("\n") else f"{part}\n" for part in parts)


def found(text: str, *assume: str) -> list[Diagnostic]:
    """What is wrong with a stream."""
    problems: list[Diagnostic] = []
    manifests = read_stream(text.encode(), "m.yaml", Budget(), problems)
    return sorted([*problems, *check_links(manifests, Assumptions.parse(assume))], key=lambda item: item.order)
