"""What Argo CD is told on the objects themselves: which kinds it applies before which, and which it never deletes.

Argo CD goes on to the next wave when everything in a wave is healthy, and deletes an Application in reverse. So what
gets healthy only through something else stands in the same wave as that or later: a volume is bound when its first pod
is scheduled, an attached policy is accepted when its Gateway or route is there. Routes come last, after the guard is in
front of them, and leave first.

Two kinds hold what is not the compiler's: a namespace its Secrets and whatever others run there, a volume the weights
and adapters that somebody put on it. When the policy no longer has them, they stay.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from vsr_compiler.manifests.objects import Object

ANNOTATION = "argocd.argoproj.io/sync-wave"

_KINDS: dict[int, dict[str, str]] = {
    -5: {"": "Namespace", "apiextensions.k8s.io": "CustomResourceDefinition"},
    -3: {
        "": "ConfigMap Secret Service ServiceAccount",
        "rbac.authorization.k8s.io": "ClusterRole ClusterRoleBinding Role RoleBinding",
        "networking.k8s.io": "NetworkPolicy",
        "networking.istio.io": "DestinationRule ServiceEntry Sidecar",
        "security.istio.io": "PeerAuthentication",
        "gateway.networking.k8s.io": "GatewayClass ReferenceGrant",
        "gateway.envoyproxy.io": "Backend EnvoyProxy",
        "aigateway.envoyproxy.io": "AIServiceBackend BackendSecurityPolicy GatewayConfig",
        "inference.networking.k8s.io": "InferencePool",
        "inference.networking.x-k8s.io": "InferenceModelRewrite InferenceObjective",
        "llm-d.ai": "InferenceModelRewrite InferenceObjective",
    },
    0: {
        "": "PersistentVolumeClaim",
        "apps": "Deployment StatefulSet",
        "autoscaling": "HorizontalPodAutoscaler",
        "policy": "PodDisruptionBudget",
    },
    1: {"gateway.networking.k8s.io": "Gateway"},
    2: {
        "networking.istio.io": "EnvoyFilter",
        "security.istio.io": "AuthorizationPolicy RequestAuthentication",
        "telemetry.istio.io": "Telemetry",
        "gateway.envoyproxy.io": "ClientTrafficPolicy EnvoyExtensionPolicy EnvoyPatchPolicy",
    },
    3: {
        "gateway.networking.k8s.io": "BackendTLSPolicy GRPCRoute HTTPRoute",
        "gateway.envoyproxy.io": "BackendTrafficPolicy SecurityPolicy",
        "aigateway.envoyproxy.io": "AIGatewayRoute",
        "monitoring.coreos.com": "PodMonitor PrometheusRule ServiceMonitor",
    },
}

WAVES: Mapping[tuple[str, str], int] = MappingProxyType(
    {
        (group, kind): wave
        for wave, groups in _KINDS.items()
        for group, kinds in groups.items()
        for kind in kinds.split()
    }
)
"""Waves by group and kind. Wave 0, Argo CD's default, is written nowhere; a kind that is not here is in it."""


KEPT = frozenset({("", "Namespace"), ("", "PersistentVolumeClaim")})
"""Kinds that a sync leaves alone when they are gone from the repository, and that an Application's end leaves too."""
KEEPING: Mapping[str, str] = MappingProxyType(
    {
        "argocd.argoproj.io/compare-options": "IgnoreExtraneous",
        "argocd.argoproj.io/sync-options": "Delete=false,Prune=false",
    }
)
"""How Argo CD is told so. One that stayed is no difference: it may be in use by others for ever."""


def group_kind(item: Object) -> tuple[str, str]:
    """An object's API group and kind."""
    group, slash, _ = str(item.body["apiVersion"]).rpartition("/")
    return (group if slash else "", item.kind)


def waved(found: Iterable[Object]) -> list[Object]:
    """The objects, each with its wave and, where it is to stay, with the words for that."""
    return [_annotated(item) for item in found]


def _annotated(item: Object) -> Object:
    wave = WAVES.get(group_kind(item), 0)
    more = {ANNOTATION: str(wave)} if wave else {}
    if group_kind(item) in KEPT:
        more |= KEEPING
    if not more:
        return item
    metadata = item.body["metadata"]
    annotations = {**metadata.get("annotations", {}), **more}
    return Object({**item.body, "metadata": {**metadata, "annotations": annotations}}, item.origin)
