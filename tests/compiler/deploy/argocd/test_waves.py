"""Sync waves: every kind has its place, and nothing waits for what comes after it."""

from __future__ import annotations

import pytest

from support import rendering
from support.gitops_support import DEV, ELSEWHERE, HERE, compiled, with_environments
from vsr_compiler import targets
from vsr_compiler.deploy.argocd import waved
from vsr_compiler.deploy.argocd.waves import ANNOTATION, KEEP
from vsr_compiler.manifests.objects import make
from vsr_compiler.targets import kinds

GATEWAY, ENVOY = "gateway.networking.k8s.io", "gateway.envoyproxy.io"


@pytest.mark.parametrize("target", targets.TARGETS)
def test_every_kind_that_a_target_emits_is_in_the_table(target: str) -> None:
    """A new kind is given its wave before it is used: by accident it would be in wave 0."""
    found = rendering.objects(with_environments(DEV, ELSEWHERE), target)
    assert {item.group_kind for item in found} - kinds().keys() == set()


def test_objects_of_a_compile_carry_their_wave_and_keep_their_other_annotations() -> None:
    """One pass over everything, whatever emitted it; wave 0 is Argo CD's default and is not written."""
    for item in compiled(with_environments(DEV)).environments["dev"]:
        wave = (kinds()[item.group_kind].wave if item.wave is None else item.wave).value
        annotations = item.body["metadata"].get("annotations", {})
        assert annotations.get(ANNOTATION) == (str(wave) if wave else None)
    item = make("v1", "ConfigMap", "a", HERE, namespace="x", annotations={"a": "b"})
    assert waved([item])[0].body["metadata"]["annotations"] == {"a": "b", ANNOTATION: "-3"}
    assert item.body["metadata"]["annotations"] == {"a": "b"}


def test_what_holds_others_things_is_never_deleted_by_a_sync() -> None:
    """An endpoint's servers become pods of the user's own in the same namespace: the namespace was pruned with them."""
    found = [item for objects in compiled(with_environments(DEV, ELSEWHERE)).environments.values() for item in objects]
    kept = {item.kind for item in found if KEEP.items() <= item.body["metadata"].get("annotations", {}).items()}
    assert kept == {"Namespace", "PersistentVolumeClaim"}
    assert all(item.kind not in kept or KEEP.items() <= item.body["metadata"]["annotations"].items() for item in found)


ORDER = [
    (("", "Namespace"), ("", "ConfigMap")),
    (("", "ServiceAccount"), ("apps", "Deployment")),
    (("inference.networking.k8s.io", "InferencePool"), ("apps", "Deployment")),
    ((GATEWAY, "GatewayClass"), (GATEWAY, "Gateway")),
    (("apps", "Deployment"), ("networking.istio.io", "EnvoyFilter")),
    ((GATEWAY, "Gateway"), (ENVOY, "EnvoyPatchPolicy")),
    (("networking.istio.io", "EnvoyFilter"), (GATEWAY, "HTTPRoute")),
    ((ENVOY, "EnvoyPatchPolicy"), (GATEWAY, "HTTPRoute")),
    ((GATEWAY, "HTTPRoute"), ("autoscaling", "HorizontalPodAutoscaler")),
    ((ENVOY, "BackendTrafficPolicy"), (ENVOY, "EnvoyPatchPolicy")),
    ((GATEWAY, "ReferenceGrant"), (GATEWAY, "HTTPRoute")),
]


@pytest.mark.parametrize(("first", "then"), ORDER, ids=lambda kind: kind[1])
def test_what_others_need_comes_before_them(first: tuple[str, str], then: tuple[str, str]) -> None:
    """A patch has no place before a policy brings the filter of the request buffer; routes match what it sets."""
    assert kinds()[first].wave < kinds()[then].wave


def test_a_volume_is_in_the_wave_of_the_pods_that_bind_it() -> None:
    """With WaitForFirstConsumer it stays pending until they are scheduled: an earlier wave would never end."""
    assert kinds()["", "PersistentVolumeClaim"].wave == kinds()["apps", "Deployment"].wave


def test_what_a_route_makes_healthy_does_not_stand_before_the_routes() -> None:
    """A BackendTLSPolicy has no ancestor until a route sends to its backend."""
    assert kinds()[GATEWAY, "BackendTLSPolicy"].wave >= kinds()[GATEWAY, "HTTPRoute"].wave
