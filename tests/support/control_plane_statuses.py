"""What control planes write into the status of our objects: every condition, with its source, and what it means.

A row is one status. `generation` is that of the object; conditions without `observedGeneration` are written so. Sources
are files of the project at the release. Envoy Gateway lists conditions by ancestor, the inference extension by parent.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from vsr_compiler.manifests.kinds import GroupKind

GENERATION = 2
EG = "gateway.envoyproxy.io"
AI = "aigateway.envoyproxy.io"
POOL: GroupKind = ("inference.networking.k8s.io", "InferencePool")
ISTIO = "networking.istio.io"
BACKEND: GroupKind = (EG, "Backend")
PATCH: GroupKind = (EG, "EnvoyPatchPolicy")
CLIENTS: GroupKind = (EG, "ClientTrafficPolicy")
TRAFFIC: GroupKind = (EG, "BackendTrafficPolicy")
SECURITY: GroupKind = (EG, "SecurityPolicy")
Status = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Row:
    """A status of a kind, the health that Argo CD is to show, words of its message, and the source."""

    kind: GroupKind
    status: Status
    health: str
    words: str
    source: str


def condition(name: str, status: str, reason: str, message: str = "", generation: int | None = GENERATION) -> Status:
    """A condition, with `observedGeneration` unless the control plane writes none."""
    observed = {} if generation is None else {"observedGeneration": generation}
    return {"type": name, "status": status, "reason": reason, "message": message or reason, **observed}


def ancestors(*conditions: Status) -> Status:
    """The status of a policy that is attached to one Gateway or route."""
    return {"ancestors": [{"ancestorRef": {"name": "gw"}, "conditions": list(conditions)}]}


def parents(*conditions: Status) -> Status:
    """The status of a pool with one parent."""
    return {"parents": [{"parentRef": {"name": "gw"}, "conditions": list(conditions)}]}


_EG = "envoyproxy/gateway v1.8.3 "
_AI = "envoyproxy/ai-gateway v1.1.0 internal/controller/controller.go"
_GIE = "kubernetes-sigs/gateway-api-inference-extension v1.5.0 api/v1/inferencepool_types.go"
_POLICY = f"{_EG}internal/gatewayapi/status/policy.go"
_PATCH = f"{_EG}internal/gatewayapi/status/envoypatchpolicy.go"
_BACKEND = f"{_EG}internal/gatewayapi/status/backend.go"
_CLIENTS = f"{_EG}internal/gatewayapi/clienttrafficpolicy.go"
_TRAFFIC = f"{_EG}internal/gatewayapi/backendtrafficpolicy.go"
_SECURITY = f"{_EG}internal/gatewayapi/securitypolicy.go"
_AGGREGATED = f"{_EG}api/v1alpha1/policy_helpers.go"
_SHARED = f"{_EG}api/v1alpha1/shared_types.go"

ACCEPTED = condition("Accepted", "True", "Accepted")
OLD_REFUSAL = condition("Accepted", "False", "Invalid", generation=1)
_RECONCILED = condition("Accepted", "True", "ReconciliationSucceeded", generation=None)
_FAILED = condition("NotAccepted", "False", "ReconciliationFailed", "backend x not found", generation=None)


def _policy(kind: GroupKind, own: str) -> list[Row]:
    """The statuses that every policy of Envoy Gateway can have."""
    return [
        Row(kind, {}, "Progressing", "", _POLICY),
        Row(kind, ancestors(ACCEPTED), "Healthy", "", _POLICY),
        Row(kind, ancestors(condition("Accepted", "False", "TargetNotFound")), "Degraded", "TargetNotFound", _POLICY),
        Row(kind, ancestors(condition("Accepted", "False", "Invalid", "bad x")), "Degraded", "bad x", _POLICY),
        Row(kind, ancestors(condition("Accepted", "False", "Conflicted", "older one")), "Degraded", "older one", own),
        Row(kind, ancestors(OLD_REFUSAL), "Progressing", "waiting for Accepted", _POLICY),
        Row(kind, ancestors(ACCEPTED, condition("Overridden", "True", "Overridden", "by y")), "Degraded", "by y", own),
        Row(kind, ancestors(ACCEPTED, condition("Merged", "True", "Merged")), "Healthy", "", _SHARED),
        Row(kind, ancestors(ACCEPTED, condition("Warning", "True", "DeprecatedField")), "Healthy", "", _SHARED),
        Row(kind, ancestors(ACCEPTED, condition("Aggregated", "True", "Aggregated")), "Healthy", "", _AGGREGATED),
    ]


def _programmed(status: str, reason: str, message: str = "") -> Status:
    return ancestors(ACCEPTED, condition("Programmed", status, reason, message))


_AGW = "agentgateway/agentgateway v1.4.1 controller/pkg/agentgateway/plugins/traffic_plugin.go"
AGW_POLICY: GroupKind = ("agentgateway.dev", "AgentgatewayPolicy")
AGW_BACKEND: GroupKind = ("agentgateway.dev", "AgentgatewayBackend")
_VALID = condition("Accepted", "True", "Valid", "Policy accepted")
_ATTACHED = condition("Attached", "True", "Attached", "Attached to all targets")
_UNATTACHED = condition("Attached", "False", "Pending", "Policy is not attached: HTTPRoute a/b not found")
_PARTLY = condition("Accepted", "True", "PartiallyValid", "service x not found")

STATUSES: tuple[Row, ...] = (
    Row(AGW_POLICY, {}, "Progressing", "", _AGW),
    Row(AGW_POLICY, ancestors(_VALID, _ATTACHED), "Healthy", "", _AGW),
    Row(AGW_POLICY, ancestors(_PARTLY, _ATTACHED), "Progressing", "service x not found", _AGW),
    Row(AGW_POLICY, ancestors(_VALID, _UNATTACHED), "Progressing", "not attached", _AGW),
    Row(
        AGW_POLICY,
        ancestors(condition("Accepted", "False", "Invalid", "bad expression"), _UNATTACHED),
        "Degraded",
        "bad expression",
        _AGW,
    ),
    Row(AGW_POLICY, ancestors(condition("Accepted", "True", "Valid", generation=1)), "Progressing", "waiting", _AGW),
    *(
        Row(AGW_BACKEND, {"conditions": conditions}, health, words, f"{_AGW}; controller/pkg/syncer/backend")
        for conditions, health, words in (
            ([], "Healthy", ""),
            ([condition("Accepted", "True", "Accepted")], "Healthy", ""),
            ([condition("Accepted", "False", "TranslationError", "no secret x")], "Degraded", "no secret x"),
        )
    ),
    *_policy(CLIENTS, _CLIENTS),
    *_policy(TRAFFIC, _TRAFFIC),
    *_policy(SECURITY, _SECURITY),
    *_policy(PATCH, _PATCH),
    Row(PATCH, _programmed("True", "Programmed"), "Healthy", "", _PATCH),
    Row(PATCH, _programmed("False", "ResourceNotFound", "Unable to find xds"), "Degraded", "Unable to find", _PATCH),
    Row(PATCH, _programmed("False", "Invalid", "json patch"), "Degraded", "json patch", _PATCH),
    Row(PATCH, ancestors(condition("Accepted", "False", "Disabled")), "Degraded", "Disabled", _PATCH),
    Row(BACKEND, {}, "Healthy", "", _BACKEND),
    Row(BACKEND, {"conditions": [ACCEPTED]}, "Healthy", "", _BACKEND),
    Row(
        BACKEND,
        {"conditions": [condition("Invalid", "False", "Accepted", "bad host")]},
        "Degraded",
        "bad host",
        _BACKEND,
    ),
    Row(
        BACKEND,
        {"conditions": [ACCEPTED, condition("Invalid", "False", "Accepted", "bad host", generation=1)]},
        "Healthy",
        "",
        _BACKEND,
    ),
    *(
        Row((AI, kind), {"conditions": conditions}, health, words, _AI)
        for kind, quiet in (
            ("AIGatewayRoute", "Progressing"),
            ("AIServiceBackend", "Healthy"),
            ("BackendSecurityPolicy", "Healthy"),
        )
        for conditions, health, words in (
            ([], quiet, ""),
            ([_RECONCILED], "Healthy", ""),
            ([_FAILED], "Degraded", "NotAccepted: backend x not found"),
        )
    ),
    Row(POOL, {}, "Healthy", "", _GIE),
    Row(POOL, parents(condition("Accepted", "Unknown", "Pending")), "Healthy", "", _GIE),
    Row(POOL, parents(ACCEPTED, condition("ResolvedRefs", "True", "ResolvedRefs")), "Healthy", "", _GIE),
    Row(POOL, parents(condition("Accepted", "False", "NotSupportedByParent")), "Degraded", "NotSupported", _GIE),
    Row(POOL, parents(condition("Accepted", "False", "HTTPRouteNotAccepted")), "Degraded", "HTTPRoute", _GIE),
    Row(
        POOL, parents(ACCEPTED, condition("ResolvedRefs", "False", "InvalidExtensionRef")), "Degraded", "Invalid", _GIE
    ),
    Row(POOL, parents(condition("ResolvedRefs", "False", "InvalidExtensionRef", generation=1)), "Healthy", "", _GIE),
    Row(POOL, parents(ACCEPTED, condition("Exported", "False", "NotRequested")), "Healthy", "", _GIE),
)
"""Every kind of ours with a check that reads a status."""
