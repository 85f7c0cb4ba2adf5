"""What the API server fills into core objects that leave it out: a table of defaults, by kind, and their application.

Source: the defaulting functions of Kubernetes 1.32 (core/v1, apps/v1, policy/v1, rbac/v1, networking/v1,
autoscaling/v2), for the fields of the kinds that we emit. Fields that the server *allocates*, such as a Service's
clusterIP, are no defaults: nobody else owns them, and Argo CD's diff on the server's side knows them.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

Body = dict[str, Any]
Kind = tuple[str, str]
PROBE = {"failureThreshold": 3, "periodSeconds": 10, "successThreshold": 1, "timeoutSeconds": 1}
PROBES = ("livenessProbe", "readinessProbe", "startupProbe")
VOLUMES = ("configMap", "secret", "projected", "downwardAPI")


def defaulted(body: Body) -> Body:
    """The object as the API server stores it. Raises KeyError for a kind that the table does not know."""
    body = copy.deepcopy(body)
    TABLE[(body["apiVersion"], body["kind"])](body)
    return body


def _nothing(body: Body) -> None:
    del body


def _service(body: Body) -> None:
    spec = body.setdefault("spec", {})
    _fill(spec, {"type": "ClusterIP", "sessionAffinity": "None", "internalTrafficPolicy": "Cluster"})
    spec.setdefault("ipFamilyPolicy", "SingleStack")
    for port in spec.get("ports", []):
        port.setdefault("protocol", "TCP")
        port.setdefault("targetPort", port["port"])


def _deployment(body: Body) -> None:
    spec = body["spec"]
    _fill(spec, {"replicas": 1, "revisionHistoryLimit": 10, "progressDeadlineSeconds": 600})
    strategy = spec.setdefault("strategy", {})
    strategy.setdefault("type", "RollingUpdate")
    if strategy["type"] == "RollingUpdate":
        _fill(strategy.setdefault("rollingUpdate", {}), {"maxSurge": "25%", "maxUnavailable": "25%"})
    _pod(spec["template"]["spec"])


def _pod(spec: Body) -> None:
    plain = {"dnsPolicy": "ClusterFirst", "restartPolicy": "Always", "schedulerName": "default-scheduler"}
    _fill(spec, plain | {"terminationGracePeriodSeconds": 30})
    spec.setdefault("securityContext", {})
    if "serviceAccountName" in spec:
        spec.setdefault("serviceAccount", spec["serviceAccountName"])
    for container in (*spec.get("initContainers", []), *spec["containers"]):
        _container(container)
    for volume in spec.get("volumes", []):
        for kind in VOLUMES:
            if kind in volume:
                volume[kind].setdefault("defaultMode", 0o644)
        if "hostPath" in volume:
            volume["hostPath"].setdefault("type", "")


def _container(container: Body) -> None:
    tag = container["image"].rpartition("/")[2]
    always = ":" not in tag or tag.endswith(":latest")
    container.setdefault("imagePullPolicy", "Always" if always and "@" not in tag else "IfNotPresent")
    _fill(container, {"terminationMessagePath": "/dev/termination-log", "terminationMessagePolicy": "File"})
    container.setdefault("resources", {})
    for port in container.get("ports", []):
        port.setdefault("protocol", "TCP")
    for probe in (container[name] for name in PROBES if name in container):
        _fill(probe, PROBE)
        if "httpGet" in probe:
            _fill(probe["httpGet"], {"path": "/", "scheme": "HTTP"})
        if "grpc" in probe:
            probe["grpc"].setdefault("service", "")
    for variable in container.get("env", []):
        field = variable.get("valueFrom", {}).get("fieldRef")
        if field is not None:
            field.setdefault("apiVersion", "v1")
    limits = container["resources"].get("limits", {})
    for name, amount in limits.items():
        container["resources"].setdefault("requests", {}).setdefault(name, amount)


def _claim(body: Body) -> None:
    body["spec"].setdefault("volumeMode", "Filesystem")


def _binding(body: Body) -> None:
    body["roleRef"].setdefault("apiGroup", "rbac.authorization.k8s.io")
    for subject in body.get("subjects", []):
        subject.setdefault("apiGroup", "" if subject["kind"] == "ServiceAccount" else "rbac.authorization.k8s.io")
        if subject["apiGroup"] == "":
            del subject["apiGroup"]


def _network_policy(body: Body) -> None:
    spec = body["spec"]
    spec.setdefault("policyTypes", ["Ingress", *(["Egress"] if spec.get("egress") else [])])
    for rule in (*spec.get("ingress", []), *spec.get("egress", [])):
        for port in rule.get("ports", []):
            port.setdefault("protocol", "TCP")


def _autoscaler(body: Body) -> None:
    spec = body["spec"]
    spec.setdefault("minReplicas", 1)
    cpu = {"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 80}}}
    spec.setdefault("metrics", [cpu])


def _fill(target: Body, defaults: Body) -> None:
    for key, value in defaults.items():
        target.setdefault(key, value)


RBAC = "rbac.authorization.k8s.io/v1"
TABLE: dict[Kind, Callable[[Body], None]] = {
    ("v1", "ConfigMap"): _nothing,
    ("v1", "Namespace"): _nothing,
    ("v1", "PersistentVolumeClaim"): _claim,
    ("v1", "Secret"): lambda body: _fill(body, {"type": "Opaque"}),
    ("v1", "Service"): _service,
    ("v1", "ServiceAccount"): _nothing,
    ("apps/v1", "Deployment"): _deployment,
    ("autoscaling/v2", "HorizontalPodAutoscaler"): _autoscaler,
    ("networking.k8s.io/v1", "NetworkPolicy"): _network_policy,
    ("policy/v1", "PodDisruptionBudget"): _nothing,
    (RBAC, "ClusterRole"): _nothing,
    (RBAC, "ClusterRoleBinding"): _binding,
    (RBAC, "Role"): _nothing,
    (RBAC, "RoleBinding"): _binding,
}
"""Defaulting by apiVersion and kind."""
