"""The health of kinds whose status controllers know without a table: of Kubernetes, the Gateway API and delivery.

Sources: Gateway API 1.4, `apis/v1/gateway_types.go` and `httproute_types.go`; Argo CD 3.5.1,
`docs/operator-manual/health.md` and `gitops-engine/pkg/health`; kustomize-controller 1.9.4,
`docs/spec/v1/kustomizations.md`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from vsr_compiler.live.conditions import current, explained, fault, generation, holds, short, waiting
from vsr_compiler.live.verdict import HEALTHY, Verdict, pending, rejected, worst
from vsr_compiler.manifests.kinds import ARGO_GROUP, CERT_MANAGER_GROUP, GATEWAY_GROUP, KEDA_GROUP, GroupKind
from vsr_compiler.targets.common.workloads import READY
from vsr_compiler.verify.manifest import as_mapping, as_mappings, as_string, value_at

Live = Mapping[str, Any]
MAX_ENTRIES = 200
_GONE = "ProgressDeadlineExceeded"


def judge(kind: GroupKind, live: Live) -> Verdict:
    """Return whether an object of such a kind is in force."""
    return _RULES.get(kind, _general)(live)


def _general(live: Live) -> Verdict:
    """Objects of other kinds: refused by a condition `Ready` or `Stalled`, otherwise in force."""
    seen, _ = current(live, value_at(live, "status", "conditions"))
    if problem := fault(seen, ("Ready",), ("Stalled",)):
        return rejected(problem)
    return HEALTHY


def _ready(live: Live) -> Verdict:
    """Objects that a controller calls `Ready`."""
    seen, older = current(live, value_at(live, "status", "conditions"))
    if holds(seen, "Ready") and not holds(seen, "Stalled"):
        return HEALTHY
    if holds(seen, "Reconciling"):
        return pending(explained("Reconciling", seen["Reconciling"]))
    if problem := fault(seen, ("Ready",), ("Stalled",)):
        return rejected(problem)
    return pending(waiting("Ready", seen, older, live))


def _namespace(live: Live) -> Verdict:
    phase = as_string(value_at(live, "status", "phase"))
    return rejected("the namespace is being deleted") if phase == "Terminating" else HEALTHY


def _claim(live: Live) -> Verdict:
    phase = as_string(value_at(live, "status", "phase"))
    if phase == "Lost":
        return rejected("its volume is lost")
    return HEALTHY if phase == "Bound" else pending(f"the volume is {short(phase) or 'not bound'}")


def _accepted(live: Live) -> Verdict:
    seen, older = current(live, value_at(live, "status", "conditions"))
    if problem := fault(seen, ("Accepted",)):
        return rejected(problem)
    return HEALTHY if holds(seen, "Accepted") else pending(waiting("Accepted", seen, older, live))


def _gateway(live: Live) -> Verdict:
    seen, older = current(live, value_at(live, "status", "conditions"))
    if problem := fault(seen, ("Accepted",)):
        return rejected(problem)
    verdicts = [] if holds(seen, "Programmed") else [pending(waiting("Programmed", seen, older, live))]
    for listener in as_mappings(value_at(live, "status", "listeners"))[:MAX_ENTRIES]:
        own, _ = current(live, listener.get("conditions"))
        if problem := fault(own, ("Accepted", "ResolvedRefs"), ("Conflicted",)):
            verdicts.append(rejected(short(f"listener `{as_string(listener.get('name'))}`: {problem}")))
    return worst(verdicts)


def _route(live: Live) -> Verdict:
    """A route: every parent that it names has accepted it, and knows its backends."""
    parents = as_mappings(value_at(live, "status", "parents"))[:MAX_ENTRIES]
    space = as_string(value_at(live, "metadata", "namespace"))
    verdicts: list[Verdict] = []
    for reference in as_mappings(value_at(live, "spec", "parentRefs"))[:MAX_ENTRIES]:
        name = f"{as_string(reference.get('kind')) or 'Gateway'} `{as_string(reference.get('name'))}`"
        own = [item for item in parents if _place(item.get("parentRef"), space) == _place(reference, space)]
        found = [_of_parent(live, item.get("conditions"), short(name)) for item in own]
        if not found:
            verdicts.append(pending(short(f"{name} has not reported about it")))
        verdicts += found
    return worst(verdicts)


def _of_parent(live: Live, conditions: object, name: str) -> Verdict:
    seen, older = current(live, conditions)
    if problem := fault(seen, ("Accepted", "ResolvedRefs"), ("PartiallyInvalid",)):
        return rejected(f"{name}: {problem}")
    return HEALTHY if holds(seen, "Accepted") else pending(f"{name}: {waiting('Accepted', seen, older, live)}")


def _place(reference: object, space: str) -> tuple[str, ...]:
    parts = as_mapping(reference)
    return (
        as_string(parts.get("kind")) or "Gateway",
        as_string(parts.get("namespace")) or space,
        as_string(parts.get("name")),
        as_string(parts.get("sectionName")),
        str(parts.get("port", "")),
    )


def _number(value: object) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) else 0


def _deployment(live: Live) -> Verdict:
    """A Deployment, as Argo CD's own check: replicas beyond the annotation of standbys may stay unready."""
    spec, status = as_mapping(live.get("spec")), as_mapping(live.get("status"))
    if spec.get("paused"):
        return rejected("the Deployment is paused: kubectl rollout resume")
    if _number(status.get("observedGeneration")) < generation(live):
        seen = _number(status.get("observedGeneration"))
        return pending(f"the status is about generation {seen}, and the object is at generation {generation(live)}")
    updated, available = _number(status.get("updatedReplicas")), _number(status.get("availableReplicas"))
    declared = as_string(as_mapping(value_at(live, "metadata", "annotations")).get(READY))
    needed = min(int(declared), updated) if declared.isdecimal() and len(declared) < len("1000000") else updated
    wanted = _number(spec.get("replicas", 1))
    late = next(
        (item for item in as_mappings(status.get("conditions"))[:MAX_ENTRIES] if item.get("reason") == _GONE), None
    )
    if late is not None and not (needed < updated and available >= needed):
        return rejected(explained(as_string(late.get("type")), late))
    progress = (
        (updated < wanted, f"{updated} of {wanted} replicas are updated"),
        (_number(status.get("replicas")) > updated, "replicas of the former version are still running"),
        (available < needed, f"{available} of {needed} replicas are available"),
    )
    return next((pending(message) for holds_back, message in progress if holds_back), HEALTHY)


def _rollout(live: Live) -> Verdict:
    """A Rollout, by the phase that its controller writes. A pause between steps ends by itself, others do not."""
    status = as_mapping(live.get("status"))
    seen = as_string(status.get("observedGeneration"))
    if seen != str(generation(live)):
        return pending(f"the status is about generation {short(seen) or 0}, and the object is at {generation(live)}")
    phase, message = as_string(status.get("phase")), short(as_string(status.get("message")))
    reasons = {as_string(item.get("reason")) for item in as_mappings(status.get("pauseConditions"))[:MAX_ENTRIES]}
    if phase == "Healthy":
        return HEALTHY
    if "InconclusiveAnalysisRun" in reasons:
        return rejected("the analysis of the new pods was inconclusive: kubectl argo rollouts promote, or abort")
    if phase == "Degraded":
        return rejected(f"the rollout was aborted, and the old pods serve: {message or phase}")
    step = status.get("currentStepIndex")
    where = f" at step {step}" if isinstance(step, int) else ""
    return pending(f"the rollout is {short(phase) or 'not started'}{where}{f': {message}' if message else ''}")


def _autoscaler(live: Live) -> Verdict:
    seen, _ = current(live, value_at(live, "status", "conditions"))
    if problem := fault(seen, ("AbleToScale", "ScalingActive")):
        return rejected(problem)
    return HEALTHY


def _application(live: Live) -> Verdict:
    """An Application of Argo CD: synced to its revision, and healthy."""
    status = as_mapping(live.get("status"))
    errors = [
        as_string(item.get("message"))
        for item in as_mappings(status.get("conditions"))[:MAX_ENTRIES]
        if as_string(item.get("type")).endswith("Error")
    ]
    phase = as_string(value_at(status, "operationState", "phase"))
    message = as_string(value_at(status, "operationState", "message"))
    if errors:
        return rejected(short(f"Argo CD cannot compare it: {errors[0]}"))
    if phase in {"Failed", "Error"}:
        return rejected(short(f"the last sync of Argo CD failed: {message or phase}"))
    sync, health = as_string(value_at(status, "sync", "status")), as_string(value_at(status, "health", "status"))
    if phase == "Running":
        return pending(short(f"Argo CD is syncing: {message or phase}"))
    if health in {"Degraded", "Missing", "Suspended"}:
        return rejected(f"Argo CD shows the health {health}")
    if sync != "Synced" or health != "Healthy":
        return pending(short(f"Argo CD shows {sync or 'no sync'} and {health or 'no health'}"))
    return HEALTHY


_RULES: Mapping[GroupKind, Callable[[Live], Verdict]] = MappingProxyType(
    {
        ("", "Namespace"): _namespace,
        ("", "PersistentVolumeClaim"): _claim,
        ("apps", "Deployment"): _deployment,
        (ARGO_GROUP, "Rollout"): _rollout,
        ("autoscaling", "HorizontalPodAutoscaler"): _autoscaler,
        (KEDA_GROUP, "ScaledObject"): _ready,
        (CERT_MANAGER_GROUP, "Certificate"): _ready,
        (GATEWAY_GROUP, "GatewayClass"): _accepted,
        (GATEWAY_GROUP, "Gateway"): _gateway,
        **dict.fromkeys([(GATEWAY_GROUP, "HTTPRoute"), (GATEWAY_GROUP, "GRPCRoute")], _route),
        (ARGO_GROUP, "Application"): _application,
        ("kustomize.toolkit.fluxcd.io", "Kustomization"): _ready,
        ("helm.toolkit.fluxcd.io", "HelmRelease"): _ready,
        **dict.fromkeys(
            [("source.toolkit.fluxcd.io", kind) for kind in ("GitRepository", "OCIRepository")],
            _ready,
        ),
        **dict.fromkeys([("serving.kserve.io", kind) for kind in ("InferenceService", "LLMInferenceService")], _ready),
    }
)
