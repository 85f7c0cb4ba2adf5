"""Placement in the values of the chart `vllm-stack`, which has a field of its own for each word, or none.

Source: `helm/templates/deployment-vllm-multi.yaml` and `pvc.yaml` at the tags vllm-stack-0.1.11 and 0.1.12. The chart
has no nodeSelector: it chooses nodes by affinity. It names one Secret for pulling images, and spreads no pods.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from vsr_compiler import ir
from vsr_compiler.diagnostics import Diagnostic
from vsr_compiler.ir.placement import Affinity, Requirement
from vsr_compiler.manifests.objects import Body
from vsr_compiler.targets.common import placement as common
from vsr_compiler.targets.common import vllm
from vsr_compiler.targets.common.autoscaling import keda_behaviour, keda_trigger
from vsr_compiler.targets.production_stack.members import RELEASE

WEIGHTS = "weights"
"""The volume of an existing claim."""


def values(policy: ir.Policy, endpoint: ir.Endpoint, server: ir.VllmServer) -> Body:
    """Return the fields of a server's `modelSpec` for its placement and autoscaling."""
    placed = server.placement
    body: Body = {}
    chosen = _affinity(placed)
    if chosen is not None and (affinity := common.affinity(chosen, pod_labels(endpoint))):
        body["affinity"] = affinity
    if tolerations := common.tolerated_taints(placed, vllm.tolerations(server)):
        body["tolerations"] = tolerations
    if placed.runtime_class is not None:
        body["runtimeClassName"] = placed.runtime_class
    if placed.priority_class is not None:
        body["priorityClassName"] = placed.priority_class
    if placed.pull_secrets:
        body["imagePullSecret"] = placed.pull_secrets[0]
    if placed.storage_class is not None:
        body["storageClass"] = placed.storage_class
    # Without a claim of its own the chart keeps downloads in /tmp.
    home = [] if server.claim is None else [{"name": "HF_HOME", "value": vllm.WEIGHTS_PATH}]
    if env := [*home, *common.without(vllm.hardware_env(server), placed), *common.variables(placed)]:
        body["env"] = env
    scaling = server.autoscaling
    if scaling is not None and scaling.prometheus is not None:
        body["keda"] = {
            "enabled": True,
            "minReplicaCount": scaling.min or server.replicas,
            "maxReplicaCount": scaling.max,
            "triggers": [keda_trigger(policy, endpoint, scaling, scaling.prometheus)],
        } | keda_behaviour(scaling)
    return body


def pod_labels(endpoint: ir.Endpoint) -> dict[str, str]:
    """Return the labels by which the chart distinguishes the pods of a server."""
    return {"model": endpoint.object_name, "helm-release-name": RELEASE}


def check(endpoint: ir.Endpoint, server: ir.VllmServer) -> Iterator[Diagnostic]:
    """VSR322 for words that the chart has no field for, VSR311 for autoscaling that it cannot do."""
    placed = server.placement
    if placed.spread:
        message = f"the stack's chart cannot spread the pods of `{endpoint.name}` by `topologySpread`"
        yield Diagnostic("VSR322", message, endpoint.span, "Use `affinity.apart` instead.")
    if placed.pull_secrets and len(placed.pull_secrets) > 1:
        message = f"the stack's chart takes one of the `pullSecrets` of `{endpoint.name}`"
        yield Diagnostic("VSR322", message, endpoint.span, "Put the credentials of all registries into one Secret.")
    if server.autoscaling is not None and server.autoscaling.prometheus is None:
        message = f"`autoscaling` of `{endpoint.name}` is ignored: the stack's chart scales by KEDA"
        yield Diagnostic("VSR311", message, server.autoscaling.span, "Set `autoscaling.prometheus`, and install KEDA.")


def _affinity(placed: ir.Placement) -> Affinity | None:
    """Return the affinity with the node selector as requirements."""
    if not placed.node_selector:
        return placed.affinity
    required = tuple(Requirement(key, "In", (value,)) for key, value in placed.node_selector)
    base = placed.affinity or Affinity()
    return replace(base, required=(*required, *base.required))
