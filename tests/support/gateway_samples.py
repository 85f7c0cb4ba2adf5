"""A router's configuration and the manifests of its gateway and servers, for tests of their import together."""

from __future__ import annotations

ROUTER = """\
version: v0.3
listeners: [{name: http, address: 0.0.0.0, port: 8899}]
providers:
  defaults: {default_model: qwen}
  models:
    - name: qwen
      backend_refs: [{name: qwen, endpoint: "127.0.0.1:8000", protocol: http}]
    - name: granite
      backend_refs: [{name: granite, endpoint: "127.0.0.1:8001", protocol: http}]
routing:
  modelCards: [{name: qwen}, {name: granite}]
  signals:
    keywords: [{name: urgent, operator: OR, keywords: [urgent]}]
  decisions:
    - name: urgent
      priority: 10
      rules: {operator: AND, conditions: [{type: keyword, name: urgent}]}
      modelRefs: [{model: granite}]
"""
GATEWAY = """\
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: edge, namespace: ingress}
spec:
  gatewayClassName: istio
  listeners:
    - {name: https, port: 443, protocol: HTTPS, hostname: llm.example.com, tls: {certificateRefs: [{name: llm-tls}]}}
"""


def route(name: str, model: str, backend: str, header: str = "x-selected-model", namespace: str = "models") -> str:
    """Return an HTTPRoute that leads a model to a backend, which is an object in YAML."""
    return f"""\
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {{name: {name}, namespace: {namespace}}}
spec:
  parentRefs: [{{name: edge, namespace: ingress}}]
  rules:
    - matches: [{{headers: [{{name: {header}, value: {model}}}]}}]
      backendRefs: [{backend}]
      timeouts: {{request: 120s}}
"""


def server(name: str, served: str, *, labels: str = "", namespace: str = "models", args: str = "") -> str:
    """Return a Deployment of vLLM."""
    own = labels or f"app: {name}"
    return f"""\
apiVersion: apps/v1
kind: Deployment
metadata: {{name: {name}, namespace: {namespace}}}
spec:
  selector: {{matchLabels: {{{own}}}}}
  template:
    metadata: {{labels: {{{own}}}}}
    spec:
      containers:
        - name: vllm
          image: vllm/vllm-openai:v0.17.0
          args: ["--model", "Qwen/Qwen3-8B", "--served-model-name={served}"{args}]
          ports: [{{containerPort: 8000}}]
"""


def service(name: str, labels: str = "", namespace: str = "models") -> str:
    """Return a Service."""
    own = labels or f"app: {name}"
    return f"""\
apiVersion: v1
kind: Service
metadata: {{name: {name}, namespace: {namespace}}}
spec: {{selector: {{{own}}}, ports: [{{port: 8000}}]}}
"""


def pool(name: str, labels: str = "", *, version: str = "v1", picker: str = "qwen-epp") -> str:
    """Return an InferencePool of a version of its API."""
    own = labels or f"app: {name}"
    if version == "v1":
        return f"""\
apiVersion: inference.networking.k8s.io/v1
kind: InferencePool
metadata: {{name: {name}, namespace: models}}
spec:
  selector: {{matchLabels: {{{own}}}}}
  targetPorts: [{{number: 8000}}]
  endpointPickerRef: {{name: {picker}, port: {{number: 9002}}}}
"""
    return f"""\
apiVersion: inference.networking.x-k8s.io/v1alpha2
kind: InferencePool
metadata: {{name: {name}, namespace: models}}
spec:
  selector: {{{own}}}
  targetPortNumber: 8000
  extensionRef: {{name: {picker}}}
"""


def joined(*documents: str) -> str:
    """Return documents as one file."""
    return "---\n".join(documents)
