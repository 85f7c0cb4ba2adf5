"""Facts about built-in kinds that the client's models lack. Source: Kubernetes API reference, 1.32."""

from __future__ import annotations

from collections.abc import Mapping

from vsr_compiler.verify.schema.metadata import METADATA as _METADATA_NODE

GROUPS = frozenset(
    {
        "",
        "apps",
        "autoscaling",
        "batch",
        "extensions",
        "policy",
        "admissionregistration.k8s.io",
        "apiextensions.k8s.io",
        "apiregistration.k8s.io",
        "authentication.k8s.io",
        "authorization.k8s.io",
        "certificates.k8s.io",
        "coordination.k8s.io",
        "discovery.k8s.io",
        "events.k8s.io",
        "flowcontrol.apiserver.k8s.io",
        "networking.k8s.io",
        "node.k8s.io",
        "rbac.authorization.k8s.io",
        "resource.k8s.io",
        "scheduling.k8s.io",
        "storage.k8s.io",
    }
)
"""API groups that are part of every API server."""
METADATA = _METADATA_NODE.raw
OPEN = frozenset({"V1JSONSchemaProps"})
"""Models that lack fields of the API."""
AMOUNTS = frozenset(
    [
        "limits",
        "requests",
        "capacity",
        "allocatable",
        "hard",
        "used",
        "overhead",
        "default",
        "default_request",
        "max",
        "min",
        "max_limit_request_ratio",
        "allocated_resources",
    ]
)
"""Fields whose values are mappings to quantities."""
QUANTITIES = frozenset(
    {
        ("V1EmptyDirVolumeSource", "size_limit"),
        ("V1ResourceFieldSelector", "divisor"),
        ("V2MetricTarget", "average_value"),
        ("V2MetricTarget", "value"),
        ("V2MetricValueStatus", "average_value"),
        ("V2MetricValueStatus", "value"),
    }
)
INT_OR_STRING = frozenset({"target_port", "max_unavailable", "max_surge", "min_available", "port"})
_PROTOCOLS = ["TCP", "UDP", "SCTP"]
CHOICES: Mapping[tuple[str, str], list[str]] = {
    ("V1ContainerPort", "protocol"): _PROTOCOLS,
    ("V1ServicePort", "protocol"): _PROTOCOLS,
    ("V1NetworkPolicyPort", "protocol"): _PROTOCOLS,
    ("V1ServiceSpec", "type"): ["ClusterIP", "NodePort", "LoadBalancer", "ExternalName"],
    ("V1ServiceSpec", "session_affinity"): ["None", "ClientIP"],
    ("V1ServiceSpec", "internal_traffic_policy"): ["Cluster", "Local"],
    ("V1ServiceSpec", "external_traffic_policy"): ["Cluster", "Local"],
    ("V1Container", "image_pull_policy"): ["Always", "IfNotPresent", "Never"],
    ("V1PodSpec", "restart_policy"): ["Always", "OnFailure", "Never"],
    ("V1PodSpec", "dns_policy"): ["ClusterFirst", "ClusterFirstWithHostNet", "Default", "None"],
    ("V1DeploymentStrategy", "type"): ["Recreate", "RollingUpdate"],
    ("V1HTTPGetAction", "scheme"): ["HTTP", "HTTPS"],
    ("V1Toleration", "operator"): ["Exists", "Equal", "Lt", "Gt"],
    ("V1Toleration", "effect"): ["NoSchedule", "PreferNoSchedule", "NoExecute"],
    ("V1LabelSelectorRequirement", "operator"): ["In", "NotIn", "Exists", "DoesNotExist"],
    ("V1PersistentVolumeClaimSpec", "volume_mode"): ["Filesystem", "Block"],
    ("V2MetricTarget", "type"): ["Utilization", "Value", "AverageValue"],
    ("V2MetricSpec", "type"): ["ContainerResource", "External", "Object", "Pods", "Resource"],
    ("V1HTTPIngressPath", "path_type"): ["Exact", "Prefix", "ImplementationSpecific"],
    ("RbacV1Subject", "kind"): ["User", "Group", "ServiceAccount"],
    ("V1RoleRef", "kind"): ["Role", "ClusterRole"],
}
"""Allowed values of string fields."""
KEYS: Mapping[tuple[str, str], list[str]] = {
    ("V1PodSpec", "containers"): ["name"],
    ("V1PodSpec", "init_containers"): ["name"],
    ("V1PodSpec", "volumes"): ["name"],
    ("V1Container", "volume_mounts"): ["mountPath"],
    ("V1Container", "env"): ["name"],
    ("V1ServiceSpec", "ports"): ["port", "protocol"],
}
"""Fields that identify the items of a list."""
PORTS = frozenset({("V1ContainerPort", "container_port"), ("V1ServicePort", "port"), ("V1GRPCAction", "port")})
"""Fields with port numbers."""
