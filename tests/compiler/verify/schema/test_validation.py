"""Kubernetes' own validation: each rule with an object that it refuses, and ordinary objects that it accepts."""

from __future__ import annotations

from typing import Any

import pytest

import support.schema_support as s
from support.common import reference

DEPLOYMENT = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: big, namespace: prod}
spec:
  replicas: 2
  selector: {matchLabels: {app: big}}
  strategy: {type: RollingUpdate, rollingUpdate: {maxSurge: 1, maxUnavailable: 0}}
  template:
    metadata: {labels: {app: big, role: server}}
    spec:
      restartPolicy: Always
      initContainers:
      - {name: fetch, image: "busybox:1", volumeMounts: [{name: models, mountPath: /models}]}
      - {name: sidecar, image: "busybox:1", restartPolicy: Always, readinessProbe: {exec: {command: [ls]}}}
      containers:
      - name: vllm
        image: vllm/vllm-openai:v0.17.0
        ports: [{name: http, containerPort: 8000}, {name: metrics, containerPort: 9000, hostPort: 9000}]
        env:
        - {name: A.b-c, value: ""}
        - {name: HF_TOKEN, valueFrom: {secretKeyRef: {name: hf, key: token}}}
        - {name: EMPTY, value: "", valueFrom: {fieldRef: {fieldPath: metadata.name}}}
        resources:
          requests: {cpu: "2", memory: 16Gi, nvidia.com/gpu: 1, ephemeral-storage: 1Gi}
          limits: {memory: 16384Mi, nvidia.com/gpu: "1"}
        livenessProbe: {httpGet: {path: /health, port: http}, successThreshold: 1}
        readinessProbe: {tcpSocket: {port: 8000}, successThreshold: 2}
        volumeMounts: [{name: models, mountPath: /models, subPath: a/b}]
      volumes: [{name: models, emptyDir: {}}, {name: other}, {name: shm, emptyDir: {medium: Memory}, hostPath: null}]
      tolerations: [{operator: Exists}, {key: nvidia.com/gpu, operator: Exists, effect: NoSchedule}, {key: a, value: b}]
"""
SERVICE = """\
apiVersion: v1
kind: Service
metadata: {name: big, namespace: prod}
spec:
  type: NodePort
  selector: {app: big}
  ports: [{name: http, port: 80, targetPort: http, nodePort: 30080}, {name: metrics, port: 81, targetPort: 9000}]
"""
AUTOSCALER = """\
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: big, namespace: prod}
spec:
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: big}
  minReplicas: 1
  maxReplicas: 4
  metrics:
  - {type: Resource, resource: {name: cpu, target: {type: Utilization, averageUtilization: 70}}}
  - {type: Pods, pods: {metric: {name: waiting}, target: {type: AverageValue, averageValue: "5"}}}
"""
BUDGET = """\
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {name: big, namespace: prod}
spec: {minAvailable: 50%, selector: {matchLabels: {app: big}}}
"""
CLAIM = """\
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: big, namespace: prod}
spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 100Gi}}}
"""
INGRESS = """\
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: big, namespace: prod}
spec:
  rules:
  - host: "*.example.com"
    http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: big, port: {name: http}}}}]}
"""
NETWORK = """\
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: big, namespace: prod}
spec:
  podSelector: {}
  ingress:
  - from: [{podSelector: {}, namespaceSelector: {}}, {ipBlock: {cidr: 10.0.0.0/8, except: [10.1.0.0/16]}}]
    ports: [{port: 8000, endPort: 8010}, {port: http}]
"""
ROLE = """\
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: "system:big"}
rules:
- {apiGroups: [""], resources: [pods], verbs: [get]}
- {nonResourceURLs: [/metrics], verbs: [get]}
"""
CRON = """\
apiVersion: batch/v1
kind: CronJob
metadata: {name: big, namespace: prod}
spec:
  schedule: "*/5 0-6,22 ? JAN-mar mon"
  jobTemplate:
    spec:
      template:
        spec: {restartPolicy: OnFailure, containers: [{name: a, image: "busybox:1"}]}
"""
CREDENTIALS = """\
apiVersion: v1
kind: Secret
metadata: {name: big, namespace: prod}
type: kubernetes.io/tls
data: {tls.crt: YQ==}
stringData: {tls.key: a}
"""
OBJECTS = {
    "deployment": DEPLOYMENT,
    "service": SERVICE,
    "autoscaler": AUTOSCALER,
    "budget": BUDGET,
    "claim": CLAIM,
    "ingress": INGRESS,
    "network": NETWORK,
    "role": ROLE,
    "cron": CRON,
    "secret": CREDENTIALS,
}
POD = "spec/template/spec"
BOX = f"{POD}/containers/0"
REFUSED: tuple[tuple[str, str, Any, str], ...] = (
    ("deployment", "spec/replicas", -1, "-1 is too small"),
    ("deployment", "spec/strategy", {"type": "Recreate", "rollingUpdate": {"maxSurge": 1}}, "with the type Recreate"),
    ("deployment", "spec/strategy/rollingUpdate/maxSurge", "0%", "both 0"),
    ("deployment", "spec/strategy/rollingUpdate/maxSurge", "1", "not a percentage"),
    ("deployment", "spec/progressDeadlineSeconds", 0, "must be more than minReadySeconds"),
    ("deployment", "spec/selector/matchLabels", {"app": "other"}, "does not match the labels of the template"),
    ("deployment", "spec/selector", {}, "is empty"),
    ("deployment", "spec/selector/matchExpressions", [{"key": "app", "operator": "In", "values": []}], "needs values"),
    ("deployment", f"{POD}/restartPolicy", "Never", "restartPolicy is `Never`"),
    ("deployment", f"{POD}/containers", [], "has no containers"),
    ("deployment", f"{POD}/initContainers/0/name", "vllm", "another container has the name"),
    ("deployment", f"{POD}/initContainers/0/readinessProbe", {"exec": {"command": ["ls"]}}, "has no probes"),
    ("deployment", f"{POD}/volumes/0/hostPath", {"path": "/x"}, "has `emptyDir` and `hostPath`"),
    ("deployment", f"{POD}/tolerations/0", {"value": "x"}, "has no key"),
    ("deployment", f"{POD}/tolerations/1/tolerationSeconds", 5, "needs the effect NoExecute"),
    ("deployment", f"{POD}/nodeSelector", {"a b": "c"}, "not a valid key of a label"),
    ("deployment", f"{POD}/dnsPolicy", "None", "needs `dnsConfig.nameservers`"),
    ("deployment", f"{BOX}/name", "C_bad", "not a valid name of a container"),
    ("deployment", f"{BOX}/image", "", "has no image"),
    ("deployment", f"{BOX}/image", " a:1", "white space"),
    ("deployment", f"{BOX}/ports/0/name", "openai-http-server-port", "not the name of a port"),
    ("deployment", f"{BOX}/ports/0/name", "80", "not the name of a port"),
    ("deployment", f"{BOX}/ports/0/name", "metrics", "another port has the name"),
    ("deployment", f"{BOX}/ports/0/hostPort", 9000, "taken already"),
    ("deployment", f"{BOX}/env/0/name", "1 BAD=", "not a valid name of a variable"),
    ("deployment", f"{BOX}/env/1/value", "x", "has `value` and `valueFrom`"),
    ("deployment", f"{BOX}/env/1/valueFrom/fieldRef", {"fieldPath": "metadata.name"}, "has 2 sources"),
    ("deployment", f"{BOX}/resources/requests/memory", "17Gi", "is more than the limit"),
    ("deployment", f"{BOX}/resources/requests/nvidia.com~gpu", 0.5, "not a whole number"),
    ("deployment", f"{BOX}/resources/limits/nvidia.com~gpu", 2, "must equal the limit"),
    ("deployment", f"{BOX}/resources/limits", {"memory": "16Gi"}, "needs a limit"),
    ("deployment", f"{BOX}/resources/limits/gpu", 1, "not a resource of a container"),
    ("deployment", f"{BOX}/resources/limits/cpu", "-1", "is negative"),
    ("deployment", f"{BOX}/livenessProbe/tcpSocket", {"port": 80}, "has `httpGet` and `tcpSocket`"),
    ("deployment", f"{BOX}/livenessProbe/httpGet", s.GONE, "has no handler"),
    ("deployment", f"{BOX}/livenessProbe/httpGet/port", "8000", "not the name of a port"),
    ("deployment", f"{BOX}/livenessProbe/successThreshold", 2, "must be 1 in a livenessProbe"),
    ("deployment", f"{BOX}/readinessProbe/periodSeconds", -1, "too small"),
    ("deployment", f"{BOX}/volumeMounts/0/subPath", "../x", "leaves the volume"),
    ("service", "spec/ports/0/name", s.GONE, "needs a name"),
    ("service", "spec/ports/0/name", "metrics", "another port has the name"),
    ("service", "spec/ports/0/nodePort", 80, "not in the range of node ports"),
    ("service", "spec/ports/1/nodePort", 30080, "another port has the node port"),
    ("service", "spec/ports/0/targetPort", "8000", "not the name of a port"),
    ("service", "spec/type", "ClusterIP", "is not allowed with the type ClusterIP"),
    ("service", "spec/type", "ExternalName", "must be a DNS name"),
    ("service", "spec/ports", [], "has no ports"),
    ("service", "spec/clusterIP", "None", "must not be None"),
    ("service", "spec/clusterIP", "10.0.0", "not an IP address"),
    ("autoscaler", "spec/minReplicas", 5, "less than minReplicas"),
    ("autoscaler", "spec/minReplicas", 0, "too small"),
    ("autoscaler", "spec/maxReplicas", 0, "too small"),
    ("autoscaler", "spec/metrics/0/type", "Pods", "must have `pods`"),
    ("autoscaler", "spec/metrics/0/resource/target/averageUtilization", s.GONE, "needs `averageUtilization`"),
    ("budget", "spec/maxUnavailable", 1, "has `minAvailable` and `maxUnavailable`"),
    ("claim", "spec/accessModes", [], "needs an access mode"),
    ("claim", "spec/accessModes", ["ReadWriteAlways"], "not an access mode"),
    ("claim", "spec/resources", s.GONE, "needs `resources.requests.storage`"),
    ("ingress", "spec/rules/0/http/paths/0/path", "nolead", "not an absolute path"),
    ("ingress", "spec/rules/0/http/paths/0/path", "/a//b", "must not contain"),
    ("ingress", "spec/rules/0/http/paths/0/backend/service/port/number", 80, "either `number` or `name`"),
    ("ingress", "spec/rules/0/host", "10.0.0.1", "not a DNS name"),
    ("ingress", "spec/rules", s.GONE, "neither `rules` nor `defaultBackend`"),
    ("network", "spec/ingress/0/from/0/ipBlock", {"cidr": "10.0.0.0/8"}, "has `ipBlock` and `podSelector`"),
    ("network", "spec/ingress/0/from/1/ipBlock/cidr", "10.0.0.0", "not a CIDR"),
    ("network", "spec/ingress/0/from/1/ipBlock/except", ["11.0.0.0/8"], "not a strict part"),
    ("network", "spec/ingress/0/ports/0/endPort", 10, "less than port"),
    ("role", "rules/0/verbs", s.GONE, "missing field"),
    ("role", "rules/0/verbs", [], "allows no action"),
    ("role", "rules/0/apiGroups", s.GONE, "has no apiGroups"),
    ("role", "rules/1/resources", ["pods"], "resources and `nonResourceURLs`"),
    ("cron", "spec/schedule", "61 * * * *", "minute: 61 is not within 0 to 59"),
    ("cron", "spec/schedule", "* * * *", "has 4 fields"),
    ("cron", "spec/schedule", "*/0 * * * *", "a step of 0"),
    ("cron", "spec/schedule", "* * * * 7", "day of week"),
    ("cron", "spec/schedule", "@everyday", "not a known word"),
    ("cron", "spec/schedule", "TZ=UTC * * * * *", "time zone"),
    ("cron", "spec/jobTemplate/spec/template/spec/restartPolicy", "Always", "restartPolicy is `Always`"),
    ("cron", "spec/jobTemplate/spec/template/spec/restartPolicy", s.GONE, "`Always` by default"),
    ("cron", "metadata/name", "a" * 53, "at most 52 characters"),
    ("secret", "stringData", s.GONE, "needs the key `tls.key`"),
    ("secret", "data/a b", "YQ==", "not a valid key"),
)


def messages(text: str) -> list[str]:
    """Return the messages of the findings."""
    return [item.message for item in s.found(text)]


@pytest.mark.parametrize("name", OBJECTS)
def test_ordinary_object_is_accepted(name: str) -> None:
    """With unusual values that API servers accept."""
    assert messages(OBJECTS[name]) == []


@pytest.mark.parametrize(("name", "path", "value", "reason"), REFUSED)
def test_object_that_an_api_server_refuses_is_reported(name: str, path: str, value: Any, reason: str) -> None:
    """One change of an ordinary object."""
    found = messages(s.changed(OBJECTS[name], path, value))
    assert any(reason in message for message in found), found


@pytest.mark.parametrize("schedule", ["@hourly", "@every 1h30m", "0 0 1,15 * 1-5", "5/10 * * * *", "0 0 * * SUN"])
def test_ordinary_schedules_are_accepted(schedule: str) -> None:
    """As robfig/cron parses them."""
    assert messages(s.changed(CRON, "spec/schedule", schedule)) == []


def test_sizes_are_limited() -> None:
    """Annotations in all, data, and whole objects."""

    def config(field: str, size: int) -> str:
        return f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: a, namespace: b}}\n{field}: {{big: {'x' * size}}}\n"

    assert messages(config("data", 2**20)) == []
    assert messages(config("data", 2**20 + 1)) == [
        "ConfigMap `b/a`, `data`: the data has 1,048,577 bytes, more than 1,048,576"
    ]
    text = config("data", 1).replace("namespace: b", f"namespace: b, annotations: {{c: {'x' * 2**18}}}")
    assert messages(text) == [
        "ConfigMap `b/a`, `metadata.annotations`: the annotations have 262,145 bytes, more than 262,144"
    ]
    widget = "apiVersion: example.com/v1\nkind: Widget\nmetadata: {name: a, namespace: b}\nspec: {x: SIZE}\n"
    widget = widget.replace("SIZE", "y" * 1_600_000)
    assert any("the object has" in message for message in messages(widget))


def test_cases_of_the_reference_are_refused() -> None:
    """Every fault that they name."""
    root = reference() / "data/cases"
    case = root / "verify/11-kubernetes-validation"
    text = "\n---\n".join((case / name).read_text(encoding="utf-8") for name in ("k8svalid.yaml", "cron.yaml"))
    found = "\n".join(messages(text))
    for reason in (
        "-1 is too small",
        "with the type Recreate",
        "restartPolicy is `Never`",
        "restartPolicy is `Always`",
        "`C_bad`",
        "has no image",
        "is more than the limit",
        "has `httpGet` and `tcpSocket`",
        "not a valid name of a variable",
        "needs a name",
        "not in the range of node ports",
        "not an absolute path",
        "either `number` or `name`",
        "has `minAvailable` and `maxUnavailable`",
        "less than minReplicas",
        "needs an access mode",
        "has `ipBlock` and `podSelector`",
        "minute: 61",
    ):
        assert reason in found
    text = (root / "bugs/10-verify-passes-what-an-api-server-refuses/manifests.yaml").read_text(encoding="utf-8")
    found = "\n".join(messages(text))
    for reason in (
        "must equal the limit",
        "is more than the limit",
        "less than minReplicas",
        "whole number",
        "needs a limit",
    ):
        assert reason in found


@pytest.mark.parametrize("name", OBJECTS)
def test_wrong_type_of_any_part_of_a_kind_of_kubernetes_is_reported(name: str) -> None:
    """Every one."""
    assert s.missed_types(OBJECTS[name]) == []
