"""Replicas of environments and the bounds of autoscaling, and GPUs of which one is used."""

from __future__ import annotations

import pytest

from support.common import linked
from vsr_compiler.analysis import devices
from vsr_compiler.diagnostics import CompileError

POLICY = """\
apiVersion: vsr.dev/v1alpha1
kind: RoutingPolicy
metadata: {{name: scaled}}
router: {{image: "registry.example/vsr-runtime:0.1.0", autoscaling: {{max: 6}}{router}}}
endpoints: {{one: {{vllm: {{autoscaling: {{max: 4{server}}}}}}}}}
models: {{big: {{checkpoint: example/big, endpoints: one}}}}
default: big
environments: {{prod: {{target: istio{environment}}}}}
"""


def text(router: str = "", server: str = "", environment: str = "") -> str:
    """Return the text of a policy."""
    return POLICY.format(router=router, server=server, environment=environment)


@pytest.mark.parametrize(
    ("environment", "places"),
    [
        (", replicas: {router: 7}", 1),
        (", replicas: {router: 6, one: 4}", 0),
        (", replicas: {router: 0, one: 0}", 0),
        (", replicas: {router: 7, one: 5}", 2),
        (", clusters: {eu: {replicas: {one: 9}}}", 1),
    ],
)
def test_more_replicas_than_the_autoscaler_allows_are_refused(environment: str, places: int) -> None:
    """At the number itself, for environments and for each of their clusters."""
    more = 'gitops: {repo: "https://git.example.com/a.git", clusters: {eu: {}}}\n' if "clusters" in environment else ""
    try:
        linked(text(environment=environment) + more)
        found = []
    except CompileError as error:
        found = [item for item in error.diagnostics if item.code == "VSR268"]
    assert len(found) == places
    assert all("more than `autoscaling.max`" in item.message for item in found)


@pytest.mark.parametrize(
    ("after", "valid"), [("0s", False), ("1s", True), ("1h", True), ("61m", False), ("1500ms", False)]
)
def test_the_time_until_pods_are_removed_is_what_kubernetes_accepts(after: str, *, valid: bool) -> None:
    """Whole seconds, at most an hour."""
    if valid:
        linked(text(server=f", scaleDownAfter: {after}"))
        return
    with pytest.raises(CompileError):
        linked(text(server=f", scaleDownAfter: {after}"))


@pytest.mark.parametrize(("gpus", "warned"), [(0, False), (1, False), (2, True), (16, True)])
def test_gpus_that_the_engine_does_not_use_are_named(gpus: int, *, warned: bool) -> None:
    """It computes on one; several need several replicas."""
    codes = [item.code for item in devices.check(linked(text(router=f", gpus: {gpus}")))]
    assert ("VSR586" in codes) is warned
