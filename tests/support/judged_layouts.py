"""Our own re-creations of layouts that are common in public repositories, as files by path."""

from __future__ import annotations

SERVER = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: NAME}
spec:
  replicas: 1
  selector: {matchLabels: {app: NAME}}
  template:
    metadata: {labels: {app: NAME}}
    spec:
      containers:
      - name: NAME
        image: registry.example/NAME:1.4.2
        ports: [{name: http, containerPort: 8080}]
---
apiVersion: v1
kind: Service
metadata: {name: NAME, labels: {app: NAME}}
spec: {selector: {app: NAME}, ports: [{name: http, port: 80, targetPort: http}]}
"""
EXAMPLE = """\
apiVersion: gateway.networking.k8s.io/v1
kind: GatewayClass
metadata: {name: ai-example}
spec: {controllerName: gateway.envoyproxy.io/gatewayclass-controller}
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: ai-example, namespace: default}
spec: {gatewayClassName: ai-example, listeners: [{name: http, protocol: HTTP, port: 80}]}
---
apiVersion: aigateway.envoyproxy.io/v1alpha1
kind: AIGatewayRoute
metadata: {name: ai-example, namespace: default}
spec:
  parentRefs: [{name: ai-example, kind: Gateway, group: gateway.networking.k8s.io}]
  rules:
  - matches: [{headers: [{type: Exact, name: x-ai-eg-model, value: MODEL}]}]
    backendRefs: [{name: provider}]
---
apiVersion: aigateway.envoyproxy.io/v1alpha1
kind: AIServiceBackend
metadata: {name: provider, namespace: default}
spec:
  schema: {name: OpenAI}
  backendRef: {name: provider, kind: Backend, group: gateway.envoyproxy.io}
---
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: Backend
metadata: {name: provider, namespace: default}
spec: {endpoints: [{fqdn: {hostname: HOST, port: 443}}]}
---
apiVersion: gateway.networking.k8s.io/v1
kind: BackendTLSPolicy
metadata: {name: provider-tls, namespace: default}
spec:
  targetRefs: [{group: gateway.envoyproxy.io, kind: Backend, name: provider}]
  validation: {wellKnownCACertificates: System, hostname: HOST}
"""
REDIRECT = """\
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: web, namespace: edge}
spec:
  gatewayClassName: istio
  listeners:
  - {name: http, port: 80, protocol: HTTP, allowedRoutes: {namespaces: {from: Same}}}
  - name: https
    port: 443
    protocol: HTTPS
    hostname: "*.example.com"
    tls: {mode: Terminate, certificateRefs: [{kind: Secret, name: web-cert}]}
    allowedRoutes: {namespaces: {from: All}}
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: to-https, namespace: edge}
spec:
  parentRefs: [{name: web, sectionName: http}]
  rules: [{filters: [{type: RequestRedirect, requestRedirect: {scheme: https, statusCode: 301}}]}]
"""
SHOP = """\
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: shop, namespace: shop}
spec:
  parentRefs: [{name: web, namespace: edge, sectionName: https}]
  hostnames: [shop.example.com]
  rules: [{backendRefs: [{name: shop, port: 80}]}]
"""
MESH = """\
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: front}
spec:
  selector: {istio: ingressgateway}
  servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: ["*"]}]
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: reviews}
spec:
  hosts: ["*"]
  gateways: [front]
  http:
  - match: [{uri: {prefix: /reviews}}]
    route: [{destination: {host: reviews, subset: v1, port: {number: 80}}}]
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: reviews}
spec:
  host: reviews
  subsets: [{name: v1, labels: {app: reviews}}]
"""
FLUX = """\
apiVersion: source.toolkit.fluxcd.io/v1
kind: HelmRepository
metadata: {name: charts, namespace: flux-system}
spec: {interval: 1h, url: "https://charts.example"}
---
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {name: llm, namespace: apps}
spec:
  interval: 10m
  chart: {spec: {chart: llm, version: "1.x", sourceRef: {kind: HelmRepository, name: charts, namespace: flux-system}}}
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: llm, namespace: apps}
spec:
  parentRefs: [{name: shared, namespace: infra}]
  rules: [{backendRefs: [{name: llm, port: 80}]}]
"""
KSERVE = """\
apiVersion: serving.kserve.io/v1alpha1
kind: LLMInferenceService
metadata: {name: small}
spec:
  model: {uri: "hf://example/small", name: example/small}
  replicas: 2
  router: {route: {}, gateway: {}, scheduler: {}}
  template: {containers: [{name: main, image: "vllm/vllm-openai:v0.11.0"}]}
"""


def named(name: str) -> str:
    """A server with its Service."""
    return SERVER.replace("NAME", name)


def example(model: str, host: str) -> str:
    """A self-contained example."""
    return EXAMPLE.replace("MODEL", model).replace("HOST", host)


LAYOUTS: dict[str, dict[str, str]] = {
    "AI Gateway: one example for each file": {
        "examples/openai.yaml": example("gpt-4o-mini", "api.openai.com"),
        "examples/other.yaml": example("m-large", "api.other.example"),
        "examples/README.md": "# Examples",
    },
    "Gateway API: redirect to HTTPS, a route from another namespace": {
        "gateway.yaml": REDIRECT,
        "shop/route.yaml": SHOP,
        "shop/shop.yaml": named("shop").replace("{name: shop", "{name: shop, namespace: shop"),
    },
    "Istio: samples without namespaces": {"mesh/routing.yaml": MESH, "mesh/reviews.yaml": named("reviews")},
    "kustomize: a base and overlays": {
        "base/kustomization.yaml": "resources: [web.yaml]\nconfigMapGenerator: [{name: web, literals: [a=b]}]\n",
        "base/web.yaml": named("web").replace(
            "        ports:", "        envFrom: [{configMapRef: {name: web}}]\n        ports:"
        ),
        "overlays/dev/kustomization.yaml": "namespace: dev\nresources: [../../base]\n",
        "overlays/prod/kustomization.yaml": "namespace: prod\nnamePrefix: p-\nresources: [../../base]\n"
        "replicas: [{name: web, count: 4}]\npatches: [{path: limits.yaml}]\n",
        "overlays/prod/limits.yaml": "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec:\n"
        "  template:\n    spec:\n      containers: [{name: web, resources: {limits: {memory: 1Gi}}}]\n",
        ".github/workflows/ci.yaml": "on: push\njobs: {}\n",
        "values.yaml": "a: 1\n",
    },
    "Flux: a release and a route to what it installs": {"apps/llm.yaml": FLUX},
    "KServe: what the controller creates": {"samples/small.yaml": KSERVE},
    "templates: envsubst and Helm": {
        "deploy/web.yaml": named("web").replace("registry.example/web:1.4.2", "${REGISTRY}/web:${TAG}"),
        "chart/Chart.yaml": "apiVersion: v2\nname: web\n",
        "chart/values.yaml": "a: 1\n",
        "chart/templates/web.yaml": "{{- if .Values.a }}\nkind: X\n{{- end }}\n",
    },
}
LAYOUTS["a quick start with what its readers should not copy"] = {
    "vllm.yaml": named("vllm")
    .replace("registry.example/vllm:1.4.2", "vllm/vllm-openai:latest")
    .replace(
        "        ports:",
        '        env: [{name: HF_TOKEN, value: "hf_abcdefghijklmnopqrstuvwxyz"}]\n        ports:',
    ),
    "route.yaml": REDIRECT
    + "---\n"
    + SHOP.replace("namespace: shop", "namespace: edge").replace("80}", "8080}")
    + "---\n"
    + named("shop").replace("{name: shop", "{name: shop, namespace: edge"),
}
FAULTS: dict[str, tuple[str, str, str, str, str]] = {
    "a backend that does not exist": (
        "AI Gateway: one example for each file",
        "examples/openai.yaml",
        "backendRef: {name: provider",
        "backendRef: {name: provided",
        "VSR402",
    ),
    "a policy for a Backend that does not exist": (
        "AI Gateway: one example for each file",
        "examples/other.yaml",
        "kind: Backend, name: provider}]",
        "kind: Backend, name: provides}]",
        "VSR402",
    ),
    "a listener that does not exist": (
        "Gateway API: redirect to HTTPS, a route from another namespace",
        "gateway.yaml",
        "sectionName: http}",
        "sectionName: web}",
        "VSR417",
    ),
    "a Service of another namespace without a grant": (
        "Gateway API: redirect to HTTPS, a route from another namespace",
        "shop/route.yaml",
        "{name: shop, port: 80}",
        "{name: shop, namespace: edge, port: 80}",
        "VSR40",
    ),
    "a port that the Service lacks": (
        "Gateway API: redirect to HTTPS, a route from another namespace",
        "shop/route.yaml",
        "port: 80}",
        "port: 8080}",
        "VSR402",
    ),
    "a hostname that the listener refuses": (
        "Gateway API: redirect to HTTPS, a route from another namespace",
        "shop/route.yaml",
        "shop.example.com",
        "shop.example.org",
        "VSR",
    ),
    "a selector that selects nothing": (
        "Istio: samples without namespaces",
        "mesh/reviews.yaml",
        "spec: {selector: {app: reviews}",
        "spec: {selector: {app: review}",
        "VSR405",
    ),
    "a subset that does not exist": (
        "Istio: samples without namespaces",
        "mesh/routing.yaml",
        "subset: v1, port",
        "subset: v2, port",
        "VSR402",
    ),
    "a target port without a container port": (
        "Istio: samples without namespaces",
        "mesh/reviews.yaml",
        "targetPort: http",
        "targetPort: web",
        "VSR40",
    ),
    "an unknown field in a base": (
        "kustomize: a base and overlays",
        "base/web.yaml",
        "  replicas: 1",
        "  replica: 1",
        "VSR441",
    ),
    "an unknown field in a patch": (
        "kustomize: a base and overlays",
        "overlays/prod/limits.yaml",
        "limits: {memory",
        "limit: {memory",
        "VSR441",
    ),
    "a patch for nothing": (
        "kustomize: a base and overlays",
        "overlays/prod/limits.yaml",
        "metadata: {name: web}",
        "metadata: {name: wep}",
        "VSR482",
    ),
    "replicas of nothing": (
        "kustomize: a base and overlays",
        "overlays/prod/kustomization.yaml",
        "{name: web, count",
        "{name: wep, count",
        "VSR482",
    ),
    "a ConfigMap that is not generated": (
        "kustomize: a base and overlays",
        "base/web.yaml",
        "configMapRef: {name: web}",
        "configMapRef: {name: wep}",
        "VSR402",
    ),
    "a resource that does not exist": (
        "kustomize: a base and overlays",
        "base/kustomization.yaml",
        "[web.yaml]",
        "[wep.yaml]",
        "VSR001",
    ),
    "a wrong type": ("Istio: samples without namespaces", "mesh/reviews.yaml", "replicas: 1", "replicas: one", "VSR44"),
    "the same object twice": (
        "Istio: samples without namespaces",
        "mesh/routing.yaml",
        "kind: DestinationRule\nmetadata: {name: reviews}",
        "kind: VirtualService\nmetadata: {name: reviews}",
        "VSR401",
    ),
}
"""Faults: layout, file, text, its replacement, and the code or its beginning."""
