"""Which kinds are cluster-scoped, as far as it is known without a CustomResourceDefinition."""

from __future__ import annotations

from vsr_compiler.manifests.kinds import KINDS

CLUSTER_SCOPED = frozenset(key for key, kind in KINDS.items() if not kind.namespaced) | {
    ("admissionregistration.k8s.io", "ValidatingAdmissionPolicy"),
    ("admissionregistration.k8s.io", "ValidatingAdmissionPolicyBinding"),
    ("certificates.k8s.io", "CertificateSigningRequest"),
    ("flowcontrol.apiserver.k8s.io", "FlowSchema"),
    ("flowcontrol.apiserver.k8s.io", "PriorityLevelConfiguration"),
    ("gateway.networking.x-k8s.io", "XMesh"),
    ("karpenter.k8s.aws", "EC2NodeClass"),
    ("karpenter.sh", "NodePool"),
    ("kueue.x-k8s.io", "AdmissionCheck"),
    ("kueue.x-k8s.io", "Cohort"),
    ("kueue.x-k8s.io", "ResourceFlavor"),
    ("kueue.x-k8s.io", "Topology"),
    ("kueue.x-k8s.io", "WorkloadPriorityClass"),
    ("mellanox.com", "NicClusterPolicy"),
    ("metallb.io", "ServiceBGPStatus"),
    ("networking.k8s.io", "IPAddress"),
    ("networking.k8s.io", "IngressClass"),
    ("networking.k8s.io", "ServiceCIDR"),
    ("node.k8s.io", "RuntimeClass"),
    ("nvidia.com", "NVIDIADriver"),
    ("operator.tigera.io", "Installation"),
    ("policy.networking.k8s.io", "AdminNetworkPolicy"),
    ("policy.networking.k8s.io", "BaselineAdminNetworkPolicy"),
    ("resource.k8s.io", "DeviceClass"),
    ("resource.k8s.io", "ResourceSlice"),
    ("snapshot.storage.k8s.io", "VolumeSnapshotClass"),
    ("snapshot.storage.k8s.io", "VolumeSnapshotContent"),
    ("storage.k8s.io", "CSIDriver"),
    ("storage.k8s.io", "CSINode"),
    ("storage.k8s.io", "VolumeAttachment"),
    ("storage.k8s.io", "VolumeAttributesClass"),
}
"""Cluster-scoped kinds by API group: Kubernetes' own, and those of projects that run beside gateways."""

_NAMESPACED = frozenset({"Cluster", "ClusterClass", "ClusterResourceSet", "ClusterServiceVersion"})
"""Namespaced kinds whose name looks cluster-scoped: of Cluster API, of database operators, of OLM."""


def is_cluster_scoped(group: str, kind: str) -> bool:
    """Whether objects of a kind have no namespace. Unknown kinds are by convention if their name says `Cluster…`."""
    if (group, kind) in CLUSTER_SCOPED:
        return True
    return kind.startswith("Cluster") and kind not in _NAMESPACED and "." in group
