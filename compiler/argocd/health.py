"""Health checks in Lua for the kinds that Argo CD does not know, so that a wave waits for what it stands for.

A kind has one of a few forms: there is no status that says anything; silence is fine and a refusal is not; conditions
must be met; or they must be met at each of the ancestors that the object is attached to.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType

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


def customizations(kinds: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Entries of ``argocd-cm`` for those of the kinds that have a check."""
    return {
        f"resource.customizations.health.{group}_{kind}": CHECKS[group, kind]
        for group, kind in sorted(set(kinds) & CHECKS.keys())
    }
