"""Our own re-creations of public layouts: Argo CD, Flux, kustomize, controllers, templates and secrets."""

from __future__ import annotations

from support.judged_gateways import ROUTE, gateway, joined, placed
from support.judged_layouts import named

APPLICATION = """\
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: {name: NAME, namespace: argocd}
spec:
  project: default
  source: {repoURL: "https://git.example/apps", path: NAME, targetRevision: main}
  destination: {server: "https://kubernetes.default.svc", namespace: NAME}
"""
CHART = APPLICATION.replace("path: NAME", "chart: NAME").replace("targetRevision: main", "targetRevision: 1.2.3")
ROLLOUT = """\
apiVersion: argoproj.io/v1alpha1
kind: Rollout
metadata: {name: shop}
spec:
  selector: {matchLabels: {app: shop}}
  strategy: {canary: {canaryService: shop-canary, stableService: shop, steps: [{setWeight: 20}]}}
  template:
    metadata: {labels: {app: shop}}
    spec: {containers: [{name: shop, image: "registry.example/shop:1.4.2", ports: [{name: http, containerPort: 8080}]}]}
---
apiVersion: v1
kind: Service
metadata: {name: shop}
spec: {selector: {app: shop}, ports: [{port: 80, targetPort: http}]}
---
apiVersion: v1
kind: Service
metadata: {name: shop-canary}
spec: {selector: {app: shop}, ports: [{port: 80, targetPort: http}]}
"""
FLUX = """\
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {name: apps, namespace: flux-system}
spec:
  interval: 1h
  path: ./apps
  prune: true
  targetNamespace: apps
  sourceRef: {kind: GitRepository, name: fleet}
---
apiVersion: source.toolkit.fluxcd.io/v1
kind: GitRepository
metadata: {name: fleet, namespace: flux-system}
spec: {interval: 1h, url: "https://git.example/fleet", ref: {branch: main}}
"""
SOURCE = """\
apiVersion: source.toolkit.fluxcd.io/v1
kind: OCIRepository
metadata: {name: template, namespace: other}
spec: {interval: 1h, url: "oci://registry.example/template", ref: {tag: 1.0.0}}
"""
RELEASE = """\
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {name: web, namespace: apps}
spec: {interval: 1h, chartRef: {kind: OCIRepository, name: template, namespace: apps}}
"""
GRANTED = """\
apiVersion: gateway.networking.k8s.io/v1beta1
kind: ReferenceGrant
metadata: {name: login, namespace: login}
spec:
  from: [{group: gateway.envoyproxy.io, kind: SecurityPolicy, namespace: apps}]
  to: [{group: "", kind: Service}]
"""
LOGIN = """\
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: SecurityPolicy
metadata: {name: login}
spec: {targetRefs: [{group: gateway.networking.k8s.io, kind: HTTPRoute, name: web}]}
"""
TUNNEL = """\
apiVersion: v1
kind: Service
metadata: {name: tunnel, namespace: apps}
spec: {type: ExternalName, externalName: "${TUNNEL_ID}.tunnels.example"}
"""
PARENT = """\
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {name: cluster, namespace: flux-system}
spec:
  interval: 1h
  path: ./apps
  prune: true
  sourceRef: {kind: GitRepository, name: fleet}
  patches:
  - target: {group: kustomize.toolkit.fluxcd.io, kind: Kustomization}
    patch: |
      apiVersion: kustomize.toolkit.fluxcd.io/v1
      kind: Kustomization
      metadata: {name: any}
      spec: {interval: 1h, prune: true, sourceRef: {kind: GitRepository, name: fleet}}
"""
CHILD = """\
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {name: web, namespace: flux-system}
spec: {path: ./web}
"""
HOOK = """\
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: hook}
spec:
  parentRefs: [{name: edge, namespace: network}]
  rules: [{backendRefs: [{name: webhook-receiver, namespace: flux-system, port: 80}]}]
"""
RECEIVER = placed(named("webhook-receiver"), "flux-system")
ENCRYPTED = """\
apiVersion: v1
kind: Secret
metadata: {name: shop, namespace: shop}
stringData:
  password: ENC[AES256_GCM,data:paxkHhaZ,iv:YWJj,tag:ZGVm,type:str]
sops: {mac: "ENC[AES256_GCM,data:abc,iv:YWJj,tag:ZGVm,type:str]", lastmodified: "2026-01-01T00:00:00Z", version: 3.9.0}
"""
EXTERNAL = """\
apiVersion: external-secrets.io/v1
kind: ExternalSecret
metadata: {name: shop}
spec: {secretStoreRef: {name: vault, kind: ClusterSecretStore}, target: {name: shop-token}}
"""
OLD = "apiVersion: helm.toolkit.fluxcd.io/v2beta1\nkind: HelmRelease\nmetadata: {name: NAME, namespace: media}\n"
RBAC = """\
apiVersion: v1
kind: ServiceAccount
metadata: {name: agent}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: agent}
rules: [{apiGroups: [""], resources: [pods], verbs: [list]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: agent}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: agent}
subjects: [{kind: ServiceAccount, name: agent, namespace: agents}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: agent-metrics, namespace: kube-system}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: extension-apiserver-authentication-reader}
subjects: [{kind: ServiceAccount, name: agent, namespace: agents}]
"""
CRD = """\
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: things.example.org}
spec:
  group: example.org
  scope: Namespaced
  names: {kind: Thing, plural: things}
  versions:
  - name: v1
    served: true
    storage: true
    schema:
      openAPIV3Schema: {type: object, properties: {spec: {type: object, properties: {size: {type: integer}}}}}
"""
CRD_PATCH = (
    "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: things.example.org}\n"
)
THING = "apiVersion: example.org/v1\nkind: Thing\nmetadata: {name: a}\nspec: {size: 1}\n"
WEBHOOK = """\
apiVersion: cert-manager.io/v1
kind: Certificate
metadata: {name: hook, namespace: system}
spec: {secretName: hook-cert, dnsNames: [hook.system.svc], issuerRef: {name: own}}
---
apiVersion: cert-manager.io/v1
kind: Issuer
metadata: {name: own, namespace: system}
spec: {selfSigned: {}}
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingWebhookConfiguration
metadata: {name: hook, annotations: {cert-manager.io/inject-ca-from: system/hook}}
webhooks:
- name: hook.example.org
  admissionReviewVersions: [v1]
  sideEffects: None
  clientConfig: {service: {name: hook, namespace: system, path: /validate}}
"""
HOOKED = """\
apiVersion: admissionregistration.k8s.io/v1
kind: MutatingWebhookConfiguration
metadata: {name: things}
webhooks:
- name: things.example.org
  admissionReviewVersions: [v1]
  sideEffects: None
  clientConfig: {url: "https://hook.example"}
  rules: [{apiGroups: [example.org], apiVersions: [v1], operations: [CREATE], resources: [things]}]
"""
NEEDS = named("shop").replace("        ports:", "        envFrom: [{secretRef: {name: shop-token}}]\n        ports:")
REMOTE = "resources: ['https://github.com/example/base//deploy?ref=v1', web.yaml]\n"
PATCH = "patches: [{patch: '{apiVersion: v1, kind: ConfigMap, metadata: {name: NAME}}'}]\n"
GENERATED = "configMapGenerator: [{name: shop, envs: [shop.env]}]\nresources: [web.yaml]\n" + PATCH
PLUGIN = "apiVersion: builtin\nkind: PatchTransformer\nmetadata: {name: a}\npatch: '[]'\n"

LAYOUTS: dict[str, dict[str, str]] = {
    "Argo CD: an application of applications": {
        "root.yaml": APPLICATION.replace("NAME", "root"),
        **{f"apps/{name}.yaml": APPLICATION.replace("NAME", name) for name in ("shop", "cart")},
    },
    "Argo CD: a chart and a route to it": {
        "chart.yaml": CHART.replace("NAME", "shop"),
        "route.yaml": placed(joined(gateway("istio"), ROUTE), "shop"),
    },
    "Argo Rollouts: a canary with two Services": {"rollout.yaml": ROLLOUT},
    "Flux: a folder that lands in a namespace": {"flux.yaml": joined(FLUX, RECEIVER), "apps/hook.yaml": HOOK},
    "Flux: encrypted Secrets": {"secret.sops.yaml": ENCRYPTED, "shop.yaml": placed(named("shop"), "shop")},
    "Flux: encrypted Secrets in a kustomization": {
        "kustomization.yaml": "resources: [secret.sops.yaml, shop.yaml]\n",
        "secret.sops.yaml": ENCRYPTED,
        "shop.yaml": placed(named("shop"), "shop"),
    },
    "Flux: releases for an older Flux": {f"{name}.yaml": OLD.replace("NAME", name) for name in ("a", "b", "c")},
    "Flux: a parent that completes its children": {
        "cluster.yaml": joined(FLUX, PARENT),
        "apps/child.yaml": CHILD,
    },
    "Flux: a folder that moves to another namespace": {
        "flux.yaml": FLUX.replace("path: ./apps", "path: ./clusters/apps"),
        "clusters/apps/chart.yaml": SOURCE,
        "clusters/apps/release.yaml": RELEASE,
        "namespace.yaml": "apiVersion: v1\nkind: Namespace\nmetadata: {name: _}\n",
        "tunnel.yaml": TUNNEL,
        "grant.yaml": GRANTED,
        "apps/policy.yaml": LOGIN,
        "gateway.yaml": named("edge").replace("image: registry.example/edge:1.4.2", "image: auto"),
        "talos.yaml": "apiVersion: v1alpha1\nkind: WatchdogTimerConfig\ndevice: /dev/watchdog0\n",
    },
    "External Secrets: what the controller creates": {"shop.yaml": joined(EXTERNAL, NEEDS)},
    "kustomize: a remote base with a patch": {
        "kustomization.yaml": REMOTE + PATCH.replace("NAME", "remote"),
        "web.yaml": named("web"),
    },
    "kustomize: a file that is generated before the build": {
        "base/kustomization.yaml": GENERATED.replace("NAME", "shop"),
        "base/web.yaml": named("web"),
        "prod/kustomization.yaml": "resources: [../base]\n" + PATCH.replace("NAME", "shop"),
    },
    "kustomize: a file of another folder": {
        "render/web.yaml": named("web"),
        "render/more.yaml": named("more"),
        "variant/kustomization.yaml": "resources: [../render/web.yaml, ../render/more.yaml]\n",
    },
    "kustomize: a component's settings": {"web.yaml": named("web"), "transformer.yaml": PLUGIN},
    "kubebuilder: a controller's configuration": {
        "config/crd/kustomization.yaml": "resources: [bases/things.yaml]\n",
        "config/crd/bases/things.yaml": CRD,
        "config/crd/patches/cainjection_in_things.yaml": CRD_PATCH,
        "config/samples/thing.yaml": THING,
        "internal/testdata/thing.yaml": THING.replace("size: 1", "size: one"),
    },
    "a controller with its definitions, once and in parts": {
        "deploy/all.yaml": joined(CRD, RBAC, named("agent")),
        "crds/things.yaml": CRD,
    },
    "kubectl -n: an installation without namespaces": {"install.yaml": joined(RBAC, named("agent"))},
    "a chart's output: cluster roles with a namespace": {
        "rendered.yaml": placed(RBAC.replace(", namespace: kube-system", ""), "agents")
        .replace("extension-apiserver-authentication-reader", "agent")
        .replace("kind: Role, name", "kind: ClusterRole, name")
    },
    "an operator whose webhook fills in fields": {
        "crd.yaml": CRD.replace("properties: {size", "required: [size, name], properties: {name: {type: string}, size"),
        "webhook.yaml": HOOKED,
        "sample.yaml": THING,
    },
    "an interface of a newer Kubernetes": {
        "group.yaml": "apiVersion: scheduling.k8s.io/v1alpha9\nkind: PodGroup\nmetadata: {name: a}\n",
        "web.yaml": named("web"),
    },
    "kustomize: patches beside unused ones": {
        "kustomization.yaml": "resources: [web.yaml]\n",
        "web.yaml": named("web"),
        "deployment.patch.yaml": "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: b}\nspec: {replicas: 2}\n",
    },
    "cert-manager: a webhook and its certificate": {
        "webhook.yaml": joined(WEBHOOK, placed(named("hook"), "system").replace("port: 80,", "port: 443,"))
    },
    "one policy for each plug-in": {
        f"{name}.yaml": "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: deny}\n"
        f"spec: {{podSelector: {{}}, policyTypes: [{kind}]}}\n"
        for name, kind in (("calico", "Ingress"), ("cilium", "Egress"))
    },
    "templates: a reader replaces words": {
        "shop.yaml": named("shop").replace("metadata: {name: shop", "metadata: {name: SHOP_NAME"),
        "volume.yaml": named("data").replace("replicas: 1", "replicas: REPLICAS"),
        "route.yaml": joined(gateway("CLASS_NAME"), ROUTE.replace("name: shop, port", "name: <your service>, port")),
    },
    "templates: Python, sed and the shell": {
        "format.yaml": "apiVersion: v1\nkind: Pod\nmetadata:\n  name: {name}-web\n",
        "sed.yaml": named("shop").replace("metadata: {name: shop", "metadata: {name: app-$$name$$"),
        "list.yaml": "apiVersion: v1\nkind: Secret\nmetadata: {name: account}\ndata:\n  key: [ACCOUNT_KEY]\n",
        "env.yaml": named("env").replace(
            "        ports:", "        env: [{name: HF_TOKEN, value: $HF_TOKEN}]\n        ports:"
        ),
        "vars.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: $(app-name)}\ndata: {}\n",
        "shell.yaml": "apiVersion: v1\nkind: Secret\nmetadata: {name: token}\ndata:\n  token: $TOKEN\n",
        "ok.yaml": named("ok"),
    },
    "settings of other programs beside manifests": {
        "web.yaml": named("web"),
        "grafana/datasources.yaml": "apiVersion: 1\ndatasources: [{name: a, type: prometheus}]\n",
        "chart_schema.yaml": "name: str()\napiVersion: str()\n",
        "agent.yaml": "kind: Agent\nmetadata: {name: a}\ncommands: {}\n",
        "old.yaml": "apiVersion: please-use-the-chart\nkind: Deprecated\n",
    },
    "a quick start with a database": {
        "db.yaml": named("db").replace(
            "        ports:", "        env: [{name: POSTGRES_PASSWORD, value: postgres}]\n        ports:"
        )
    },
    "an old dashboard": {
        "old.yaml": "apiVersion: extensions/v1beta1\nkind: Deployment\nmetadata: {name: old}\nspec: {}\n"
    },
}
_ROLLOUT, _FLUX = "Argo Rollouts: a canary with two Services", "Flux: a folder that lands in a namespace"
_KUBEBUILDER, _HOOK = "kubebuilder: a controller's configuration", "cert-manager: a webhook and its certificate"
_RBAC = "kubectl -n: an installation without namespaces"
FAULTS: dict[str, tuple[str, str, str, str, str]] = {
    "a port that a rollout does not name": (
        _ROLLOUT,
        "rollout.yaml",
        "name: http, containerPort",
        "name: web, containerPort",
        "VSR405",
    ),
    "a rollout whose selector misses its pods": (
        _ROLLOUT,
        "rollout.yaml",
        "matchLabels: {app: shop}",
        "matchLabels: {app: shp}",
        "VSR405",
    ),
    "a source that does not exist": (
        _FLUX,
        "flux.yaml",
        "GitRepository, name: fleet",
        "GitRepository, name: fleets",
        "VSR402",
    ),
    "a child of Flux without what a parent completes": (
        "Flux: a parent that completes its children",
        "cluster.yaml",
        PARENT[PARENT.index("  patches:") :],
        "",
        "VSR442",
    ),
    "a source of another namespace": (
        "Flux: a folder that moves to another namespace",
        "flux.yaml",
        "targetNamespace: apps",
        "targetNamespace: web",
        "VSR402",
    ),
    "a sample with a field that its kind lacks": (
        _KUBEBUILDER,
        "config/samples/thing.yaml",
        "size: 1",
        "sizes: 1",
        "VSR441",
    ),
    "a sample with a wrong type": (_KUBEBUILDER, "config/samples/thing.yaml", "size: 1", "size: one", "VSR443"),
    "a webhook without a Service": (_HOOK, "webhook.yaml", "service: {name: hook", "service: {name: hooks", "VSR402"),
    "an issuer that does not exist": (
        _HOOK,
        "webhook.yaml",
        "issuerRef: {name: own}",
        "issuerRef: {name: owm}",
        "VSR402",
    ),
    "a role that does not exist": (
        _RBAC,
        "install.yaml",
        "kind: ClusterRole, name: agent",
        "kind: ClusterRole, name: agents",
        "VSR402",
    ),
    "a subject that does not exist": (
        _RBAC,
        "install.yaml",
        "kind: ServiceAccount, name: agent,",
        "kind: ServiceAccount, name: agemt,",
        "VSR402",
    ),
    "broken YAML beside templates": (
        "templates: Python, sed and the shell",
        "ok.yaml",
        "kind: Deployment",
        "kind: Deployment: x",
        "VSR002",
    ),
    "an object without a kind": (
        "settings of other programs beside manifests",
        "web.yaml",
        "kind: Deployment\n",
        "",
        "VSR431",
    ),
    "a field twice": (
        "a quick start with a database",
        "db.yaml",
        "replicas: 1",
        "replicas: 1\n  replicas: 2",
        "VSR003",
    ),
    "a wrong value in an encrypted file": (
        "Flux: encrypted Secrets",
        "shop.yaml",
        "replicas: 1",
        "replicas: one",
        "VSR443",
    ),
    "an unknown field beside a remote base": (
        "kustomize: a remote base with a patch",
        "web.yaml",
        "replicas: 1",
        "replica: 1",
        "VSR441",
    ),
    "a chart's route with a wrong listener": (
        "Argo CD: a chart and a route to it",
        "route.yaml",
        "parentRefs: [{name: edge}]",
        "parentRefs: [{name: edge, sectionName: https}]",
        "VSR417",
    ),
}
"""Faults: layout, file, text, its replacement, and the code or its beginning."""
