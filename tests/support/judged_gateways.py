"""Our own re-creations of public layouts: gateways, meshes and ingresses, with a fault for most of them."""

from __future__ import annotations

from support.judged_layouts import named

GATEWAY = """\
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: edge}
spec: {gatewayClassName: CLASS, listeners: [{name: http, port: 80, protocol: HTTP}]}
"""
ROUTE = """\
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: shop}
spec:
  parentRefs: [{name: edge}]
  rules: [{backendRefs: [{name: shop, port: 80}]}]
"""
LISTENERS = """\
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: shared, namespace: infra}
spec:
  gatewayClassName: istio
  allowedListeners: {namespaces: {from: All}}
  listeners: [{name: http, port: 80, protocol: HTTP}]
---
apiVersion: gateway.networking.k8s.io/v1
kind: ListenerSet
metadata: {name: team, namespace: team}
spec:
  parentRef: {name: shared, namespace: infra}
  listeners: [{name: team, port: 8080, protocol: HTTP, hostname: "*.team.example"}]
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: app, namespace: team}
spec:
  parentRefs: [{group: gateway.networking.k8s.io, kind: ListenerSet, name: team, sectionName: team}]
  hostnames: [app.team.example]
  rules: [{backendRefs: [{name: app, port: 80}]}]
"""
MESH = """\
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: producer, namespace: shop}
spec:
  parentRefs: [{group: "", kind: Service, name: shop, port: 80}]
  rules:
  - backendRefs: [{name: shop, port: 80, weight: 9}, {name: shop-next, namespace: canary, port: 80, weight: 1}]
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: consumer, namespace: web}
spec:
  parentRefs: [{group: "", kind: Service, name: shop, namespace: shop}]
  rules: [{backendRefs: [{name: shop, namespace: shop, port: 80}], timeouts: {request: 5s}}]
"""
AMBIENT = """\
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: waypoint, namespace: shop, labels: {istio.io/waypoint-for: service}}
spec: {gatewayClassName: istio-waypoint, listeners: [{name: mesh, port: 15008, protocol: HBONE}]}
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: readers, namespace: shop}
spec:
  targetRefs: [{group: "", kind: Service, name: shop}]
  rules: [{from: [{source: {principals: [cluster.local/ns/web/sa/web]}}]}]
"""
ENTRY = """\
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: models, namespace: shop}
spec: {hosts: [api.models.example], ports: [{number: 443, name: https, protocol: HTTPS}], resolution: DNS}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: models, namespace: shop}
spec:
  hosts: [api.models.example]
  http: [{route: [{destination: {host: api.models.example, port: {number: 443}}}]}]
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: models, namespace: shop}
spec: {host: api.models.example, trafficPolicy: {tls: {mode: SIMPLE}}}
"""
DELEGATION = """\
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: root, namespace: infra}
spec:
  parentRefs: [{name: edge}]
  rules:
  - matches: [{path: {type: PathPrefix, value: /a}}]
    backendRefs: [{group: gateway.networking.k8s.io, kind: HTTPRoute, name: "*", namespace: team}]
  - matches: [{path: {type: PathPrefix, value: /b}}]
    backendRefs: [{group: delegation.gateway.solo.io, kind: label, name: team-b, namespace: team}]
"""
SECURITY = """\
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: SecurityPolicy
metadata: {name: login}
spec:
  targetRefs: [{group: gateway.networking.k8s.io, kind: HTTPRoute, name: shop}]
  oidc:
    provider: {issuer: "https://id.example"}
    clientID: shop
    clientSecret: {name: shop-oidc}
    redirectURL: "https://shop.example/oauth2/callback"
---
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: BackendTrafficPolicy
metadata: {name: retries}
spec:
  targetRefs: [{group: gateway.networking.k8s.io, kind: Gateway, name: edge}]
  retry: {numRetries: 2}
"""
TLS = """\
apiVersion: trust.cert-manager.io/v1alpha1
kind: Bundle
metadata: {name: shop-ca}
spec: {sources: [{useDefaultCAs: true}], target: {configMap: {key: ca.crt}}}
---
apiVersion: gateway.networking.k8s.io/v1
kind: BackendTLSPolicy
metadata: {name: shop}
spec:
  targetRefs: [{group: GROUP, kind: Service, name: shop}]
  validation: {wellKnownCACertificates: System, hostname: shop.example}
"""
ALB = """\
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: shop
  annotations:
    alb.ingress.kubernetes.io/actions.blue-green: '{"type":"forward"}'
spec:
  ingressClassName: alb
  rules:
  - http:
      paths:
      - {path: /a, pathType: Prefix, backend: {service: {name: blue-green, port: {name: use-annotation}}}}
      - {path: /b, pathType: Prefix, backend: {service: {name: shop, port: {number: 80}}}}
"""
CERTIFIED = """\
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: shop, annotations: {cert-manager.io/cluster-issuer: letsencrypt}}
spec:
  ingressClassName: nginx
  tls: [{hosts: [shop.example], secretName: shop-tls}]
  rules:
  - host: shop.example
    http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: shop, port: {name: http}}}}]}
"""
SESSION = ROUTE.replace(
    "rules: [{backendRefs", "rules: [{sessionPersistence: {type: Cookie, sessionName: s}, backendRefs"
)
PASSTHROUGH = """\
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: edge}
spec:
  gatewayClassName: cilium
  listeners:
  - {name: tls, port: 443, protocol: TLS, hostname: "*.example", tls: {mode: Passthrough}}
  - {name: grpc, port: 80, protocol: HTTP}
---
apiVersion: gateway.networking.k8s.io/v1
kind: TLSRoute
metadata: {name: shop}
spec:
  parentRefs: [{name: edge, sectionName: tls}]
  hostnames: [shop.example]
  rules: [{backendRefs: [{name: shop, port: 80}]}]
---
apiVersion: gateway.networking.k8s.io/v1
kind: GRPCRoute
metadata: {name: shop}
spec:
  parentRefs: [{name: edge, sectionName: grpc}]
  rules: [{matches: [{method: {service: shop.Shop}}], backendRefs: [{name: shop, port: 80}]}]
"""
AGENT = """\
apiVersion: agentgateway.dev/v1alpha1
kind: AgentgatewayPolicy
metadata: {name: router}
spec:
  targetRefs: [{group: gateway.networking.k8s.io, kind: Gateway, name: edge}]
  traffic: {phase: PreRouting, extProc: {backendRef: {name: shop, port: 80}}}
"""
GRANT = """\
apiVersion: gateway.networking.k8s.io/v1beta1
kind: ReferenceGrant
metadata: {name: to-certs, namespace: certs}
spec:
  from: [{group: gateway.networking.k8s.io, kind: Gateway, namespace: infra}]
  to: [{group: "", kind: Secret, name: wildcard}]
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: edge, namespace: infra}
spec:
  gatewayClassName: istio
  listeners:
  - name: https
    port: 443
    protocol: HTTPS
    tls: {certificateRefs: [{name: wildcard, namespace: certs}]}
"""


def gateway(name: str) -> str:
    """A Gateway of a class."""
    return GATEWAY.replace("CLASS", name)


def joined(*parts: str) -> str:
    """Documents of one file."""
    return "---\n".join(parts)


def placed(text: str, namespace: str) -> str:
    """Objects whose names are followed by their namespace."""
    return text.replace("metadata: {name: ", f"metadata: {{namespace: {namespace}, name: ")


LAYOUTS: dict[str, dict[str, str]] = {
    "GKE: a Gateway for each class": {
        **{f"gateway/{name}.yaml": gateway(name) for name in ("gke-l7-global-external-managed", "gke-l7-rilb")},
        "app/route.yaml": ROUTE,
        "app/shop.yaml": named("shop"),
    },
    "ListenerSet: teams add listeners": {"all.yaml": joined(LISTENERS, placed(named("app"), "team"))},
    "Gateway API for meshes: producer and consumer": {
        "routes.yaml": MESH,
        "shop.yaml": placed(named("shop"), "shop"),
        "next.yaml": placed(named("shop-next"), "canary"),
    },
    "Istio ambient: a waypoint and its policy": {"all.yaml": joined(AMBIENT, placed(named("shop"), "shop"))},
    "Istio: models outside of the cluster": {"egress.yaml": ENTRY, "shop.yaml": placed(named("shop"), "shop")},
    "kgateway: delegation by wildcard and label": {
        "root.yaml": joined(placed(gateway("kgateway"), "infra"), DELEGATION),
    },
    "Envoy Gateway: login and retries": {"all.yaml": joined(gateway("eg"), ROUTE, SECURITY, named("shop"))},
    "TLS to backends: the core group in words": {"all.yaml": joined(TLS.replace("GROUP", "core"), named("shop"))},
    "AWS: an action beside a Service": {"ingress.yaml": joined(ALB, named("shop"))},
    "Ingress: a certificate by annotation": {"ingress.yaml": joined(CERTIFIED, named("shop"))},
    "Gateway API: a field of the release before": {"all.yaml": joined(gateway("nginx"), SESSION, named("shop"))},
    "Gateway API: TLS passthrough and gRPC": {"all.yaml": joined(PASSTHROUGH, named("shop"))},
    "agentgateway: a policy before routing": {"all.yaml": joined(gateway("agentgateway"), ROUTE, AGENT, named("shop"))},
    "Gateway API: a certificate of another namespace": {"all.yaml": GRANT},
    "examples that have nothing in common": {
        "gateway.yaml": gateway("istio"),
        "examples/one/all.yaml": joined(ROUTE, named("shop")),
        "examples/two/all.yaml": joined(ROUTE.replace("shop", "cart"), named("cart")),
    },
    "a controller's manifest with its class": {
        "deploy.yaml": joined(
            "apiVersion: gateway.networking.k8s.io/v1\nkind: GatewayClass\nmetadata: {name: own}\n"
            "spec: {controllerName: example.org/own}\n",
            "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {name: own}\n"
            "rules: [{apiGroups: [''], resources: [services], verbs: [list]}]\n",
            named("controller"),
        )
    },
}
_MESH, _LISTENERS = "Gateway API for meshes: producer and consumer", "ListenerSet: teams add listeners"
_EG, _TLS = "Envoy Gateway: login and retries", "TLS to backends: the core group in words"
_PASS, _ALB = "Gateway API: TLS passthrough and gRPC", "AWS: an action beside a Service"
_AMBIENT, _GRANT = "Istio ambient: a waypoint and its policy", "Gateway API: a certificate of another namespace"
FAULTS: dict[str, tuple[str, str, str, str, str]] = {
    "a mesh route that a Gateway has as well": (
        _MESH,
        "routes.yaml",
        "parentRefs: [",
        "parentRefs: [{name: x}, ",
        "VSR4",
    ),
    "a canary that does not exist": (_MESH, "routes.yaml", "name: shop-next", "name: shop-nxt", "VSR402"),
    "a set of listeners that does not exist": (
        _LISTENERS,
        "all.yaml",
        "ListenerSet, name: team",
        "ListenerSet, name: teams",
        "VSR402",
    ),
    "a hostname outside of the listeners": (_LISTENERS, "all.yaml", "[app.team.example]", "[app.example.com]", "VSR4"),
    "a policy for a route that does not exist": (
        _EG,
        "all.yaml",
        "kind: HTTPRoute, name: shop",
        "kind: HTTPRoute, name: shopp",
        "VSR402",
    ),
    "a policy for a Gateway that does not exist": (
        _EG,
        "all.yaml",
        "kind: Gateway, name: edge",
        "kind: Gateway, name: edges",
        "VSR402",
    ),
    "an unknown field of a policy": (_EG, "all.yaml", "numRetries", "retries", "VSR441"),
    "a TLS policy for a Service that does not exist": (
        _TLS,
        "all.yaml",
        "kind: Service, name: shop",
        "kind: Service, name: shops",
        "VSR402",
    ),
    "a route to a listener of another protocol": (_PASS, "all.yaml", "sectionName: tls", "sectionName: grpc", "VSR417"),
    "a listener that TLSRoute does not find": (_PASS, "all.yaml", "sectionName: tls", "sectionName: tsl", "VSR4"),
    "a port of a TLSRoute that the Service lacks": (
        _PASS,
        "all.yaml",
        "port: 80}]}]\n---\napiVersion: gateway.networking.k8s.io/v1\nkind: GRPCRoute",
        "port: 81}]}]\n---\napiVersion: gateway.networking.k8s.io/v1\nkind: GRPCRoute",
        "VSR402",
    ),
    "an Ingress to a port that the Service lacks": (
        _ALB,
        "ingress.yaml",
        "port: {number: 80}",
        "port: {number: 8080}",
        "VSR402",
    ),
    "an Ingress to a port by a wrong name": (
        "Ingress: a certificate by annotation",
        "ingress.yaml",
        "port: {name: http}",
        "port: {name: web}",
        "VSR402",
    ),
    "a mesh policy for a Service that does not exist": (
        _AMBIENT,
        "all.yaml",
        "kind: Service, name: shop",
        "kind: Service, name: shpo",
        "VSR402",
    ),
    "a grant for another Secret": (
        _GRANT,
        "all.yaml",
        "kind: Secret, name: wildcard",
        "kind: Secret, name: other",
        "VSR403",
    ),
    "a grant that lacks": (
        _GRANT,
        "all.yaml",
        "kind: Gateway, namespace: infra}]",
        "kind: Gateway, namespace: web}]",
        "VSR403",
    ),
    "an extension that does not exist": (
        "agentgateway: a policy before routing",
        "all.yaml",
        "backendRef: {name: shop",
        "backendRef: {name: shpo",
        "VSR402",
    ),
    "an unknown field beside one of the release before": (
        "Gateway API: a field of the release before",
        "all.yaml",
        "sessionName: s}",
        "sessionName: s, sessionNme: t}",
        "VSR4",
    ),
    "an example with a wrong port": (
        "examples that have nothing in common",
        "examples/two/all.yaml",
        "name: cart, port: 80",
        "name: cart, port: 81",
        "VSR402",
    ),
    "an egress without a host": (
        "Istio: models outside of the cluster",
        "egress.yaml",
        "protocol: HTTPS}",
        "protocol: HTTPSX, tagetPort: 1}",
        "VSR44",
    ),
}
"""Faults: layout, file, text, its replacement, and the code or its beginning."""
