"""Health checks in Lua for the kinds that Argo CD does not know, so that a wave waits for what it stands for.

A kind has one of a few forms: there is no status that says anything; silence is fine and a refusal is not; conditions
must be met; or they must be met at each of the ancestors that the object is attached to.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from vsr_compiler.deploy.argocd.waves import group_kind
from vsr_compiler.manifests.objects import Object
from vsr_compiler.targets.common.pods import READY

PRESENT = """\
return {status = "Healthy", message = "it is there"}
"""

_JUDGE = """\
local function judge(conditions, wanted)
  local seen = {}
  for _, condition in ipairs(conditions or {}) do
    if condition.observedGeneration == nil or condition.observedGeneration == obj.metadata.generation then
      seen[condition.type] = condition
    end
  end
  for _, name in ipairs(wanted) do
    local condition = seen[name]
    if condition ~= nil and condition.status == "False" then
      return "Degraded", name .. ": " .. (condition.message or condition.reason or "False")
    end
  end
  local first = seen[wanted[1]]
  if first == nil or first.status ~= "True" then
    return "Progressing", "waiting for " .. wanted[1]
  end
  return "Healthy", wanted[1]
end
"""

_CONDITIONS = (
    _JUDGE
    + """\
local status, message = judge(obj.status and obj.status.conditions, {%s})
return {status = status, message = message}
"""
)

_PARENTS = (
    _JUDGE
    + """\
local parents = obj.status and obj.status.%s or {}
if #parents == 0 then
  return {status = "%s", message = "nothing refers to it yet"}
end
local rank = {Healthy = 0, Progressing = 1, Degraded = 2}
local worst = {status = "Healthy", message = "accepted"}
for _, parent in ipairs(parents) do
  local status, message = judge(parent.conditions, {%s})
  if rank[status] > rank[worst.status] then
    worst = {status = status, message = message}
  end
end
return worst
"""
)
_POOL = """\
for _, parent in ipairs(obj.status and obj.status.parents or {}) do
  for _, condition in ipairs(parent.conditions or {}) do
    if condition.status == "False" and (condition.type == "Accepted" or condition.type == "ResolvedRefs") then
      return {status = "Degraded", message = condition.type .. ": " .. (condition.message or "False")}
    end
  end
end
return {status = "Healthy", message = "no parent objects"}
"""
"""A pool is accepted only by way of a route, which comes in a later wave: waiting for it here would never end."""


_UNREFUSED = """\
for _, condition in ipairs(obj.status and obj.status.conditions or {}) do
  if condition.type == "Accepted" and condition.status == "False" then
    return {status = "Degraded", message = "Accepted: " .. (condition.message or condition.reason or "False")}
  end
end
return {status = "Healthy", message = "nobody refuses it"}
"""
"""Controllers may look at these only once a route leads to them, which is later; so silence is no reason to wait."""

DEPLOYMENT = f"""\
local spec, status = obj.spec or {{}}, obj.status or {{}}
if spec.paused then
  return {{status = "Suspended", message = "Deployment is paused"}}
end
if (status.observedGeneration or 0) < obj.metadata.generation then
  return {{status = "Progressing", message = "waiting for the controller"}}
end
local updated, available = status.updatedReplicas or 0, status.availableReplicas or 0
local ready = tonumber((obj.metadata.annotations or {{}})["{READY}"])
local standbys = ready ~= nil and ready < updated
if not standbys then
  ready = updated
end
for _, condition in ipairs(status.conditions or {{}}) do
  if condition.reason == "ProgressDeadlineExceeded" and not (standbys and available >= ready) then
    return {{status = "Degraded", message = "Deployment exceeded its progress deadline"}}
  end
end
local function progress(message)
  return {{status = "Progressing", message = "waiting for rollout to finish: " .. message}}
end
if spec.replicas ~= nil and updated < spec.replicas then
  return progress(updated .. " out of " .. spec.replicas .. " new replicas have been updated")
end
if (status.replicas or 0) > updated then
  return progress("old replicas are pending termination")
end
if available < ready then
  return progress(available .. " of " .. ready .. " replicas are available")
end
return {{status = "Healthy", message = available .. " replicas are available"}}
"""
"""Argo CD's own of Deployments, but for those whose annotation says that standbys are never ready."""


def _conditions(*wanted: str) -> str:
    return _CONDITIONS % _names(wanted)


def _ancestors(*wanted: str) -> str:
    return _PARENTS % ("ancestors", "Progressing", _names(wanted))


def _names(wanted: Iterable[str]) -> str:
    return ", ".join(f'"{name}"' for name in wanted)


CHECKS: Mapping[tuple[str, str], str] = MappingProxyType(
    {
        ("networking.istio.io", "EnvoyFilter"): PRESENT,
        ("networking.istio.io", "DestinationRule"): PRESENT,
        ("networking.istio.io", "ServiceEntry"): PRESENT,
        ("security.istio.io", "PeerAuthentication"): PRESENT,
        ("security.istio.io", "AuthorizationPolicy"): PRESENT,
        ("security.istio.io", "RequestAuthentication"): PRESENT,
        ("telemetry.istio.io", "Telemetry"): PRESENT,
        ("gateway.networking.k8s.io", "ReferenceGrant"): PRESENT,
        ("gateway.envoyproxy.io", "EnvoyProxy"): PRESENT,
        ("inference.networking.k8s.io", "InferencePool"): _POOL,
        ("inference.networking.x-k8s.io", "InferenceObjective"): PRESENT,
        ("inference.networking.x-k8s.io", "InferenceModelRewrite"): PRESENT,
        ("llm-d.ai", "InferenceObjective"): PRESENT,
        ("llm-d.ai", "InferenceModelRewrite"): PRESENT,
        ("gateway.envoyproxy.io", "Backend"): _UNREFUSED,
        ("gateway.envoyproxy.io", "BackendTrafficPolicy"): _ancestors("Accepted"),
        ("gateway.envoyproxy.io", "ClientTrafficPolicy"): _ancestors("Accepted"),
        ("gateway.envoyproxy.io", "EnvoyExtensionPolicy"): _ancestors("Accepted"),
        ("gateway.envoyproxy.io", "EnvoyPatchPolicy"): _ancestors("Accepted", "Programmed"),
        ("gateway.envoyproxy.io", "SecurityPolicy"): _ancestors("Accepted"),
        ("aigateway.envoyproxy.io", "AIGatewayRoute"): _conditions("Accepted"),
        ("aigateway.envoyproxy.io", "AIServiceBackend"): _UNREFUSED,
        ("aigateway.envoyproxy.io", "BackendSecurityPolicy"): _UNREFUSED,
    }
)
"""Lua by group and kind. Gateway, GatewayClass, HTTPRoute, GRPCRoute and BackendTLSPolicy are Argo CD's own."""


def customizations(found: Iterable[Object]) -> dict[str, str]:
    """Entries of ``argocd-cm`` for those of the objects whose kinds have a check.

    Argo CD has its own for Deployments, for all that it syncs. So it is replaced only where one has standbys.
    """
    objects = list(found)
    checks = {kind: CHECKS[kind] for kind in map(group_kind, objects) if kind in CHECKS}
    if any(READY in item.body["metadata"].get("annotations", {}) for item in objects):
        checks["apps", "Deployment"] = DEPLOYMENT
    return {f"resource.customizations.health.{group}_{kind}": check for (group, kind), check in sorted(checks.items())}
