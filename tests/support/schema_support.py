"""Objects that their projects' definitions take, and ways to spoil them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from support.schema_mutations import applied, retyped
from vsr_compiler.diagnostics import Diagnostic, Severity, Span
from vsr_compiler.targets import profiles
from vsr_compiler.verify.manifest import Manifest
from vsr_compiler.verify.schema import Catalog, check_schemas
from vsr_compiler.verify.stream import Budget, read_stream

CURRENT = profiles()["current"]
GONE = "<gone>"
"""Stands for the removal of a field."""

GOOD = {
    "Gateway": """\
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: edge, namespace: prod}
spec:
  gatewayClassName: istio
  listeners:
  - {name: http, port: 80, protocol: HTTP}
  - {name: https, port: 443, protocol: HTTPS, tls: {mode: Terminate, certificateRefs: [{name: cert}]}}
""",
    "HTTPRoute": """\
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: big, namespace: prod}
spec:
  parentRefs: [{name: edge, sectionName: http}]
  rules:
  - matches:
    - path: {type: PathPrefix, value: /v1}
      headers: [{name: x-selected-model, value: big}]
    filters:
    - type: URLRewrite
      urlRewrite: {hostname: models.example, path: {type: ReplacePrefixMatch, replacePrefixMatch: /}}
    backendRefs: [{name: big, port: 80}]
    timeouts: {request: 300s, backendRequest: 100s}
""",
    "ReferenceGrant": """\
apiVersion: gateway.networking.k8s.io/v1beta1
kind: ReferenceGrant
metadata: {name: routes, namespace: models}
spec:
  from: [{group: gateway.networking.k8s.io, kind: HTTPRoute, namespace: prod}]
  to: [{group: "", kind: Service, name: big}]
""",
    "BackendTLSPolicy": """\
apiVersion: gateway.networking.k8s.io/v1
kind: BackendTLSPolicy
metadata: {name: provider, namespace: prod}
spec:
  targetRefs: [{group: gateway.envoyproxy.io, kind: Backend, name: provider}]
  validation: {hostname: api.example.com, wellKnownCACertificates: System}
""",
    "InferencePool": """\
apiVersion: inference.networking.k8s.io/v1
kind: InferencePool
metadata: {name: big, namespace: prod}
spec:
  selector: {matchLabels: {app: big}}
  targetPorts: [{number: 8000}]
  endpointPickerRef: {name: big-epp, port: {number: 9002}}
""",
    "DestinationRule": """\
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: big-epp, namespace: prod}
spec:
  host: big-epp.prod.svc.cluster.local
  trafficPolicy:
    tls: {mode: SIMPLE, insecureSkipVerify: true}
    connectionPool: {http: {http2MaxRequests: 1000, idleTimeout: 1h}}
""",
    "EnvoyFilter": """\
apiVersion: networking.istio.io/v1alpha3
kind: EnvoyFilter
metadata: {name: router, namespace: prod}
spec:
  targetRefs: [{group: gateway.networking.k8s.io, kind: Gateway, name: edge}]
  configPatches:
  - applyTo: HTTP_FILTER
    match: {context: GATEWAY}
    patch: {operation: INSERT_FIRST, value: {name: vsr.ext_proc}}
""",
    "ServiceEntry": """\
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: provider, namespace: prod}
spec:
  hosts: [api.example.com]
  location: MESH_EXTERNAL
  resolution: DNS
  ports: [{number: 443, name: tls, protocol: TLS}]
""",
    "ClientTrafficPolicy": """\
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: ClientTrafficPolicy
metadata: {name: edge, namespace: prod}
spec:
  targetRefs: [{group: gateway.networking.k8s.io, kind: Gateway, name: edge}]
  connection: {bufferLimit: 8Mi}
  tls: {minVersion: "1.2", maxVersion: "1.3"}
""",
    "BackendTrafficPolicy": """\
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: BackendTrafficPolicy
metadata: {name: big, namespace: prod}
spec:
  targetRefs: [{group: gateway.networking.k8s.io, kind: HTTPRoute, name: big}]
  loadBalancer: {type: ConsistentHash, consistentHash: {type: SourceIP}}
""",
    "EnvoyPatchPolicy": """\
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: EnvoyPatchPolicy
metadata: {name: router, namespace: prod}
spec:
  type: JSONPatch
  targetRef: {group: gateway.networking.k8s.io, kind: Gateway, name: edge}
  jsonPatches:
  - type: type.googleapis.com/envoy.config.cluster.v3.Cluster
    name: router
    operation: {op: add, path: "", value: {name: router}}
""",
    "EnvoyExtensionPolicy": """\
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: EnvoyExtensionPolicy
metadata: {name: router, namespace: prod}
spec:
  targetRefs: [{group: gateway.networking.k8s.io, kind: Gateway, name: edge}]
  extProc:
  - backendRefs: [{name: router, port: 50051}]
    processingMode: {request: {body: Buffered}}
""",
    "SecurityPolicy": """\
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: SecurityPolicy
metadata: {name: edge, namespace: prod}
spec:
  targetRefs: [{group: gateway.networking.k8s.io, kind: Gateway, name: edge}]
  apiKeyAuth: {credentialRefs: [{name: keys}], extractFrom: [{headers: [x-api-key]}]}
""",
    "Backend": """\
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: Backend
metadata: {name: provider, namespace: prod}
spec: {endpoints: [{fqdn: {hostname: api.example.com, port: 443}}]}
""",
    "AIGatewayRoute": """\
apiVersion: aigateway.envoyproxy.io/v1beta1
kind: AIGatewayRoute
metadata: {name: big, namespace: prod}
spec:
  parentRefs: [{group: gateway.networking.k8s.io, kind: Gateway, name: edge}]
  rules:
  - matches: [{headers: [{name: x-ai-eg-model, value: big}]}]
    backendRefs: [{name: big}]
""",
    "AIServiceBackend": """\
apiVersion: aigateway.envoyproxy.io/v1beta1
kind: AIServiceBackend
metadata: {name: big, namespace: prod}
spec: {schema: {name: OpenAI}, backendRef: {group: gateway.envoyproxy.io, kind: Backend, name: big}}
""",
    "BackendSecurityPolicy": """\
apiVersion: aigateway.envoyproxy.io/v1beta1
kind: BackendSecurityPolicy
metadata: {name: provider, namespace: prod}
spec:
  type: APIKey
  apiKey: {secretRef: {name: provider-key}}
  targetRefs: [{group: aigateway.envoyproxy.io, kind: AIServiceBackend, name: provider}]
""",
    "PodMonitor": """\
apiVersion: monitoring.coreos.com/v1
kind: PodMonitor
metadata: {name: big, namespace: prod}
spec:
  selector: {matchLabels: {app: big}}
  podMetricsEndpoints: [{port: metrics, path: /metrics, interval: 15s}]
""",
    "Application": """\
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: {name: llm, namespace: argocd}
spec:
  project: default
  source: {repoURL: "https://git.example/llm.git", path: out, targetRevision: main}
  destination: {server: "https://kubernetes.default.svc", namespace: prod}
  syncPolicy: {automated: {prune: true}, syncOptions: [ServerSideApply=true]}
""",
    "AgentgatewayPolicy": """\
apiVersion: agentgateway.dev/v1alpha1
kind: AgentgatewayPolicy
metadata: {name: router, namespace: prod}
spec:
  targetRefs: [{group: gateway.networking.k8s.io, kind: Gateway, name: edge}]
  traffic:
    phase: PreRouting
    extProc: {backendRef: {name: router, port: 50051}}
""",
}
"""A good object of each kind that our targets emit or come with."""


def changed(text: str, path: str, value: Any) -> str:
    """A manifest in which one field has another value, or is gone. Steps are split by `/`; `~` is a slash."""
    body = YAML(typ="safe").load(text)
    at = body
    *steps, last = [int(step) if step.isdecimal() else step.replace("~", "/") for step in path.split("/")]
    for step in steps:
        at = at.setdefault(step, {}) if isinstance(at, dict) else at[step]
    if value == GONE:
        del at[last]
    elif isinstance(at, list) and last == len(at):
        at.append(value)
    else:
        at[last] = value
    return json.dumps(body, indent=1)


def found(text: str, *crds: Path, releases: Any = CURRENT) -> list[Diagnostic]:
    """What the schemas say of a stream."""
    problems: list[Diagnostic] = []
    manifests = read_stream(text.encode(), "m.yaml", Budget(), problems)
    return [*problems, *check_schemas(manifests, Catalog((crds,) if crds else ()), lambda _file: releases)]


BUNDLE = Catalog((), with_bundle=True)
"""The definitions that come with the package."""


def refused(body: dict[str, Any]) -> bool:
    """Whether an error is reported about an object."""
    manifest = Manifest(body, lambda _path, _key: Span("a.yaml", 1, 1), "default")
    found = check_schemas([manifest], BUNDLE, lambda _file: CURRENT)
    return any(item.level is Severity.ERROR for item in found)


def missed_types(text: str) -> list[tuple[str | int, ...]]:
    """Return the parts of an object that can have a wrong type without an error."""
    body = YAML(typ="safe").load(text)
    changes = [item for item in retyped(body) if item[0][0] not in {"apiVersion", "kind", "metadata"}]
    return [path for path, value, _ in changes if not refused(applied(body, path, value))]
