"""Our own re-creations of public layouts: model servers, pickers, operators of models and their scaling."""

from __future__ import annotations

from support.judged_gateways import ROUTE, gateway, joined
from support.judged_layouts import named

POOL = """\
apiVersion: inference.networking.k8s.io/v1
kind: InferencePool
metadata: {name: small}
spec:
  selector: {matchLabels: {app: small}}
  targetPorts: [{number: 8080}]
  endpointPickerRef: {name: small-epp, port: {number: 9002}}
---
apiVersion: v1
kind: Service
metadata: {name: small-epp}
spec: {selector: {app: small-epp}, ports: [{name: grpc, port: 9002, appProtocol: http2}]}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: small-epp}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: small-epp}
rules:
- {apiGroups: [""], resources: [pods], verbs: [get, list, watch]}
- {apiGroups: [inference.networking.k8s.io], resources: [inferencepools], verbs: [get, list, watch]}
- apiGroups: [inference.networking.x-k8s.io]
  resources: [inferenceobjectives, inferencemodelrewrites]
  verbs: [get, list, watch]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: small-epp}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: small-epp}
subjects: [{kind: ServiceAccount, name: small-epp}]
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: small-epp}
spec:
  selector: {matchLabels: {app: small-epp}}
  template:
    metadata: {labels: {app: small-epp}}
    spec:
      serviceAccountName: small-epp
      containers:
      - name: epp
        image: registry.example/epp:v0.10.0
        args: [--pool-name=small, --pool-namespace=default, --grpc-port=9002, --metrics-endpoint-auth=false]
        ports: [{name: grpc, containerPort: 9002}]
"""
TO_POOL = """\
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: small}
spec:
  parentRefs: [{name: edge}]
  rules: [{backendRefs: [{group: inference.networking.k8s.io, kind: InferencePool, name: small}]}]
"""
CREATED = {
    "KServe: a generated Service": (
        "serving.kserve.io/v1beta1",
        "InferenceService",
        "chat-predictor",
        "spec: {predictor: {model: {modelFormat: {name: huggingface}}}}",
    ),
    "Dynamo: a graph and its frontend": (
        "nvidia.com/v1alpha1",
        "DynamoGraphDeployment",
        "chat-frontend",
        "spec: {services: {Frontend: {replicas: 1}}}",
    ),
    "KubeRay: a service and its head": ("ray.io/v1", "RayService", "chat-head-svc", "spec: {serveConfigV2: 'a: 1'}"),
    "NIM: a service of the operator": ("apps.nvidia.com/v1alpha1", "NIMService", "chat", "spec: {replicas: 1}"),
    "KAITO: a workspace": ("kaito.sh/v1beta1", "Workspace", "chat", "resource: {instanceType: a}"),
    "an operator that nobody knows": ("models.example.org/v1", "Model", "chat-main", "spec: {size: 1}"),
}
SCALED = """\
apiVersion: keda.sh/v1alpha1
kind: ScaledObject
metadata: {name: small}
spec:
  scaleTargetRef: {name: small}
  triggers:
  - type: prometheus
    metadata: {serverAddress: "http://prometheus:9090", query: up, threshold: "1"}
    authenticationRef: {name: metrics}
---
apiVersion: keda.sh/v1alpha1
kind: TriggerAuthentication
metadata: {name: metrics}
spec: {secretTargetRef: [{parameter: token, name: metrics-token, key: token}]}
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {name: small}
spec: {minAvailable: 1, selector: {matchLabels: {app: small}}}
"""
STACK = """\
apiVersion: v1
kind: ServiceAccount
metadata: {name: router}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: pod-reader}
rules: [{apiGroups: [""], resources: [pods], verbs: [get, list, watch]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: router}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: pod-reader}
subjects: [{kind: ServiceAccount, name: router}]
"""
VOLUMES = """\
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: models}
spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 50Gi}}}
"""
MOUNTED = named("small").replace(
    "        ports:",
    "        volumeMounts: [{name: models, mountPath: /models}]\n"
    "        env: [{name: HF_TOKEN, valueFrom: {secretKeyRef: {name: hf-token, key: token}}}]\n        ports:",
)
MOUNTED = MOUNTED.replace(
    "      containers:",
    "      volumes: [{name: models, persistentVolumeClaim: {claimName: models}}]\n      containers:",
)
GROUPED = """\
apiVersion: leaderworkerset.x-k8s.io/v1
kind: LeaderWorkerSet
metadata: {name: big}
spec:
  replicas: 1
  leaderWorkerTemplate:
    size: 2
    volumeClaimTemplates:
    - metadata: {name: cache}
      spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 5Gi}}}
    leaderTemplate:
      metadata: {labels: {role: leader}}
      spec:
        containers:
        - name: vllm
          image: vllm/vllm-openai:v0.11.0
          ports: [{containerPort: 8080}]
          volumeMounts: [{name: cache, mountPath: /cache}]
    workerTemplate:
      spec: {containers: [{name: vllm, image: "vllm/vllm-openai:v0.11.0"}]}
---
apiVersion: v1
kind: Service
metadata: {name: big}
spec: {selector: {role: leader}, ports: [{name: http, port: 8080, targetPort: 8080}]}
"""
CHART = """\
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: chat}
spec:
  parentRefs: [{name: edge}]
  rules: [{backendRefs: [{name: NAME, port: 80}]}]
"""
UI = named("ui").replace("        ports:", "        env: [{name: OPENAI_API_KEY, value: not-needed}]\n        ports:")


def created(name: str) -> dict[str, str]:
    """A route to a Service that an operator creates."""
    version, kind, service, rest = CREATED[name]
    owner = f"apiVersion: {version}\nkind: {kind}\nmetadata: {{name: chat}}\n{rest}\n"
    return {"all.yaml": joined(gateway("istio"), owner, CHART.replace("NAME", service), named("ui"))}


LAYOUTS: dict[str, dict[str, str]] = {
    "llm-d: a pool with its picker": {"all.yaml": joined(gateway("istio"), POOL, TO_POOL, named("small"))},
    **{name: created(name) for name in CREATED},
    "KEDA: scaling by a metric": {"scaling.yaml": joined(SCALED, named("small"))},
    "production stack: a router that finds pods": {
        "router.yaml": joined(
            STACK, named("router").replace("      containers", "      serviceAccountName: router\n      containers", 1)
        ),
        "vllm.yaml": named("vllm"),
    },
    "a server with a volume and a token by hand": {"vllm.yaml": joined(VOLUMES, MOUNTED)},
    "LeaderWorkerSet: a server of several nodes": {"lws.yaml": GROUPED},
    "a chat window beside a model server": {
        "ui.yaml": UI,
        "route.yaml": joined(gateway("istio"), ROUTE.replace("shop", "ui")),
    },
    "AIBrix: a route by hand in the controller's namespace": {
        "model.yaml": joined(
            named("chat").replace("{name: chat", "{namespace: models, name: chat"),
            CHART.replace("{name: chat}", "{name: chat, namespace: aibrix-system}")
            .replace("{name: edge}", "{name: aibrix-eg, namespace: aibrix-system}")
            .replace("{name: NAME, port", "{name: chat, namespace: models, port"),
        )
    },
}
_POOL, _KEDA = "llm-d: a pool with its picker", "KEDA: scaling by a metric"
_VOLUME = "a server with a volume and a token by hand"
FAULTS: dict[str, tuple[str, str, str, str, str]] = {
    "a pool without a picker": (
        _POOL,
        "all.yaml",
        "endpointPickerRef: {name: small-epp",
        "endpointPickerRef: {name: small-ep",
        "VSR402",
    ),
    "a picker at another port": (_POOL, "all.yaml", "port: {number: 9002}", "port: {number: 9003}", "VSR4"),
    "a pool of another port": (
        _POOL,
        "all.yaml",
        "targetPorts: [{number: 8080}]",
        "targetPorts: [{number: 8000}]",
        "VSR405",
    ),
    "a picker without permission": (_POOL, "all.yaml", "resources: [pods]", "resources: [services]", "VSR415"),
    "a picker of another pool": (_POOL, "all.yaml", "--pool-name=small", "--pool-name=smal", "VSR406"),
    "a route to a pool that does not exist": (
        _POOL,
        "all.yaml",
        "kind: InferencePool, name: small}",
        "kind: InferencePool, name: smal}",
        "VSR402",
    ),
    "a scaled server that does not exist": (
        _KEDA,
        "scaling.yaml",
        "scaleTargetRef: {name: small}",
        "scaleTargetRef: {name: smalls}",
        "VSR402",
    ),
    "an authentication that does not exist": (
        _KEDA,
        "scaling.yaml",
        "authenticationRef: {name: metrics}",
        "authenticationRef: {name: metric}",
        "VSR402",
    ),
    "a budget that selects nothing": (
        _KEDA,
        "scaling.yaml",
        "selector: {matchLabels: {app: small}}}",
        "selector: {matchLabels: {app: smal}}}",
        "VSR405",
    ),
    "a claim that does not exist": (_VOLUME, "vllm.yaml", "claimName: models", "claimName: model", "VSR402"),
    "a mount without a volume": (
        _VOLUME,
        "vllm.yaml",
        "volumeMounts: [{name: models",
        "volumeMounts: [{name: model",
        "VSR627",
    ),
    "a role of a router that does not exist": (
        "production stack: a router that finds pods",
        "router.yaml",
        "kind: Role, name: pod-reader",
        "kind: Role, name: pods-reader",
        "VSR402",
    ),
    "an account that does not exist": (
        "production stack: a router that finds pods",
        "router.yaml",
        "serviceAccountName: router",
        "serviceAccountName: routers",
        "VSR402",
    ),
    "a Service of a group at another port": (
        "LeaderWorkerSet: a server of several nodes",
        "lws.yaml",
        "targetPort: 8080",
        "targetPort: http",
        "VSR405",
    ),
    "a key in plain text": (
        "a chat window beside a model server",
        "ui.yaml",
        "not-needed",
        "sk-proj-9f8e7d6c5b4a",
        "VSR418",
    ),
    "a route to no window": (
        "a chat window beside a model server",
        "route.yaml",
        "{name: ui, port",
        "{name: iu, port",
        "VSR402",
    ),
}
"""Faults: layout, file, text, its replacement, and the code or its beginning."""
