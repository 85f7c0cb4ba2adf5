"""Kubernetes' own validation of quotas, limits, priorities, spread, claims of sets and the speed of autoscalers."""

from __future__ import annotations

from typing import Any

import pytest

import support.schema_support as s

LIMITS = """\
apiVersion: v1
kind: LimitRange
metadata: {name: limits, namespace: prod}
spec:
  limits:
  - type: Container
    min: {cpu: 50m}
    max: {cpu: "4", memory: 8Gi}
    default: {cpu: 500m, memory: 512Mi}
    defaultRequest: {cpu: 100m, memory: 512Mi}
    maxLimitRequestRatio: {cpu: 10}
  - {type: Pod, max: {memory: 16Gi}}
  - {type: PersistentVolumeClaim, max: {storage: 1Ti}}
"""
QUOTA = """\
apiVersion: v1
kind: ResourceQuota
metadata: {name: team, namespace: prod}
spec:
  hard:
    pods: "50"
    requests.cpu: 20500m
    limits.memory: 100Gi
    requests.nvidia.com/gpu: 8
    count/jobs.batch: "5"
    fast.storageclass.storage.k8s.io/requests.storage: 1Ti
    hugepages-2Mi: 1Gi
    services.loadbalancers: 2
  scopes: [NotTerminating]
"""
PRIORITY = "apiVersion: scheduling.k8s.io/v1\nkind: PriorityClass\nmetadata: {name: high}\nvalue: 1000000\n"
SET = """\
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: db, namespace: prod}
spec:
  serviceName: db
  selector: {matchLabels: {app: db}}
  template:
    metadata: {labels: {app: db}}
    spec:
      containers: [{name: db, image: "postgres:17"}]
      topologySpreadConstraints:
      - maxSkew: 1
        topologyKey: topology.kubernetes.io/zone
        whenUnsatisfiable: DoNotSchedule
        minDomains: 2
        nodeTaintsPolicy: Honor
        labelSelector: {matchLabels: {app: db}}
        matchLabelKeys: [pod-template-hash]
      - {maxSkew: 2, topologyKey: topology.kubernetes.io/zone, whenUnsatisfiable: ScheduleAnyway}
  volumeClaimTemplates:
  - metadata: {name: data}
    spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 10Gi}}}
"""
SCALER = """\
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: big, namespace: prod}
spec:
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: big}
  maxReplicas: 4
  metrics: [{type: Resource, resource: {name: cpu, target: {type: Utilization, averageUtilization: 70}}}]
  behavior:
    scaleUp: {stabilizationWindowSeconds: 0, policies: [{type: Percent, value: 100, periodSeconds: 15}]}
    scaleDown: {stabilizationWindowSeconds: 3600, selectPolicy: Disabled}
"""
OBJECTS = {"limits": LIMITS, "quota": QUOTA, "priority": PRIORITY, "set": SET, "scaler": SCALER}
SPREAD = "spec/template/spec/topologySpreadConstraints/0"
CLAIM = "spec/volumeClaimTemplates/0"
UP = "spec/behavior/scaleUp"
REFUSED: tuple[tuple[str, str, Any, str], ...] = (
    ("limits", "spec/limits/1/type", "Container", "another entry has the type Container"),
    ("limits", "spec/limits/0/type", "Node", "not a type of limits"),
    ("limits", "spec/limits/0/min/cpu", "5", "is more than `max`"),
    ("limits", "spec/limits/0/default/memory", "9Gi", "is more than `max`"),
    ("limits", "spec/limits/0/defaultRequest/cpu", "600m", "is more than `default`"),
    ("limits", "spec/limits/0/maxLimitRequestRatio/cpu", "100", "more than `max` divided by `min`"),
    ("limits", "spec/limits/1/default", {"cpu": "1"}, "not allowed with the type Pod"),
    ("limits", "spec/limits/2/max", {"cpu": "1"}, "needs `storage`"),
    ("quota", "spec/hard/gpus", "8", "not a resource of quotas"),
    ("quota", "spec/hard/pods", "1.5", "not a whole number"),
    ("quota", "spec/hard/requests.cpu", "-1", "is negative"),
    ("quota", "spec/scopes/0", "Ending", "not a scope"),
    ("quota", "spec/scopes", ["Terminating", "NotTerminating"], "exclude each other"),
    ("priority", "value", 1_000_000_001, "too large"),
    ("priority", "metadata/name", "system-mine", "Kubernetes' own"),
    ("priority", "preemptionPolicy", "Always", "not a policy"),
    ("set", f"{SPREAD}/maxSkew", 0, "0 is too small"),
    ("set", f"{SPREAD}/topologyKey", "", "is empty"),
    ("set", f"{SPREAD}/whenUnsatisfiable", "Never", "not an action"),
    ("set", f"{SPREAD}/minDomains", 0, "0 is too small"),
    ("set", f"{SPREAD}/whenUnsatisfiable", "ScheduleAnyway", "needs `whenUnsatisfiable: DoNotSchedule`"),
    ("set", f"{SPREAD}/whenUnsatisfiable", "ScheduleAnyway", "another constraint has the same"),
    ("set", f"{SPREAD}/nodeTaintsPolicy", "Maybe", "Use Honor or Ignore"),
    ("set", f"{SPREAD}/matchLabelKeys", ["app"], "is in the labelSelector too"),
    ("set", f"{SPREAD}/labelSelector", s.GONE, "needs a labelSelector"),
    ("set", f"{CLAIM}/spec/accessModes", ["ReadWrite"], "is not an access mode, so no pod can be created"),
    ("set", f"{CLAIM}/spec/resources", s.GONE, "needs `resources.requests.storage`"),
    ("set", f"{CLAIM}/metadata", {}, "has no name"),
    ("scaler", f"{UP}/stabilizationWindowSeconds", 3601, "not within 0 to 3,600"),
    ("scaler", f"{UP}/selectPolicy", "Most", "not a choice"),
    ("scaler", f"{UP}/policies", [], "is empty"),
    ("scaler", f"{UP}/policies/0/type", "Nodes", "Use Pods or Percent"),
    ("scaler", f"{UP}/policies/0/value", 0, "0 is too small"),
    ("scaler", f"{UP}/policies/0/periodSeconds", 1801, "not within 1 to 1,800"),
)


def findings(text: str) -> list[str]:
    """Messages and remedies of the findings."""
    return [f"{item.message} {item.hint}" for item in s.found(text)]


@pytest.mark.parametrize("name", OBJECTS)
def test_ordinary_object_of_a_namespace_is_accepted(name: str) -> None:
    """With unusual values that API servers accept."""
    assert findings(OBJECTS[name]) == []


@pytest.mark.parametrize(("name", "path", "value", "reason"), REFUSED)
def test_object_that_breaks_a_limit_of_kubernetes_is_reported(name: str, path: str, value: Any, reason: str) -> None:
    """One change of an ordinary object."""
    found = findings(s.changed(OBJECTS[name], path, value))
    assert any(reason in message for message in found), found


@pytest.mark.parametrize("name", OBJECTS)
def test_wrong_type_of_any_part_of_a_kind_of_a_namespace_is_reported(name: str) -> None:
    """Every one."""
    assert s.missed_types(OBJECTS[name]) == []
