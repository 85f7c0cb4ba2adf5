"""A candidate beside the policy: its ConfigMap and its flags, and what it needs that the policy's objects lack."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from vsr_compiler import ir
from vsr_compiler.diagnostics import Diagnostic
from vsr_compiler.manifests.objects import Object

PATH = "/etc/vsr-candidate"
_OF_PODS = frozenset(
    {
        "ClusterRole",
        "ClusterRoleBinding",
        "ConfigMap",
        "Deployment",
        "HorizontalPodAutoscaler",
        "PersistentVolumeClaim",
        "PodDisruptionBudget",
        "PodMonitor",
        "PrometheusRule",
        "Role",
        "RoleBinding",
        "ScaledObject",
        "Secret",
        "ServiceAccount",
        "ServiceMonitor",
        "StatefulSet",
    }
)
"""Kinds that say how something runs, and not where requests go."""
_OF_FILTERS = frozenset({"AgentgatewayPolicy", "EnvoyExtensionPolicy", "EnvoyFilter", "EnvoyPatchPolicy"})
"""Kinds with the filter that asks the router. `vsr_runtime.decision.request.share.conflict` compares what it does."""
_NAMED = 3


def flags(candidate: ir.Candidate, config: str) -> list[str]:
    """Return the flags of a router with a candidate."""
    return [f"--shadow={config}", *([f"--share={candidate.share:g}"] if candidate.share else [])]


def check(policy: ir.Policy, other: ir.Policy) -> Iterator[Diagnostic]:
    """VSR590 for what the candidate needs of the router's pods, and the policy does not.

    Args:
        policy: The policy as an environment has it.
        other: The candidate.
    """
    candidate = policy.router.candidate
    if candidate is None:
        return
    own, needed = ({(one.name, one.server) for one in some.remote_classifiers} for some in (policy, other))
    missing = [f"checkpoint `{repo}`" for repo, _ in sorted({*other.fetched} - {*policy.fetched})]
    missing += [f"server of the classifier `{name}`" for name, _ in sorted(needed - own, key=lambda item: item[0])]
    if other.on_gpu and not policy.on_gpu:
        missing.append("GPU for checkpoints")
    if missing:
        message = f"the candidate `{candidate.path}` needs what the router's pods do not have: {_listed(missing)}"
        hint = "Add the classifier to this policy first, and roll that out."
        yield Diagnostic("VSR590", message, candidate.span, hint)


def compare(policy: ir.Policy, objects: Sequence[Object], others: Sequence[Object]) -> Iterator[Diagnostic]:
    """VSR588 if a candidate with a share needs other objects, VSR589 if one that is only compared has others.

    Args:
        policy: The policy as an environment has it.
        objects: Its objects.
        others: Those of the candidate, compiled by itself.
    """
    candidate = policy.router.candidate
    if candidate is None:
        return
    own = {item.identity: item.body for item in objects}
    missing, differing = [], []
    for item in others:
        if item.kind in _OF_PODS:
            continue
        if item.identity not in own:
            missing.append(_name(item))
        elif own[item.identity] != item.body and item.kind not in _OF_FILTERS:
            differing.append(_name(item))
    if not (missing or differing):
        return
    parts = [f"{_listed(missing)} missing"] if missing else []
    parts += [f"{_listed(differing)} different"] if differing else []
    others_here = f"of its objects, {' and '.join(parts)} here"
    if candidate.share:
        message = f"the candidate `{candidate.path}` cannot decide a share: {others_here}"
        hint = "Add what it needs to this policy first, and roll that out; or remove `share` to only compare."
        yield Diagnostic("VSR588", message, candidate.span, hint)
    else:
        message = f"the candidate `{candidate.path}` is only compared: {others_here}"
        hint = "Before it gets a share, this policy needs these objects."
        yield Diagnostic("VSR589", message, candidate.span, hint)


def _name(item: Object) -> str:
    return f"{item.kind} `{item.namespace}/{item.name}`" if item.namespace else f"{item.kind} `{item.name}`"


def _listed(names: Sequence[str]) -> str:
    more = len(names) - _NAMED
    return ", ".join(names[:_NAMED]) + (f" and {more} more" if more > 0 else "")
