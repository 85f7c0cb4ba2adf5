"""Health checks in Lua for the kinds that Argo CD does not know, so that a sync wave waits until its objects work.

`Kind.health` says which check a kind gets. Argo CD itself knows Gateway, GatewayClass, HTTPRoute, GRPCRoute,
BackendTLSPolicy and the kinds of Kubernetes.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import assert_never

from vsr_compiler.manifests.kinds import (
    AlwaysHealthy,
    BuiltInHealth,
    GroupKind,
    Health,
    HealthyByAncestors,
    HealthyByConditions,
    HealthyUnlessParentRejects,
    HealthyUnlessRejected,
    HealthyWhenAttached,
)
from vsr_compiler.manifests.objects import Object
from vsr_compiler.targets import kinds
from vsr_compiler.targets.common.workloads import READY

PRESENT = """\
return {status = "Healthy", message = "it is there"}
"""

_LIBRARY = """\
local function current(conditions)
  local seen = {}
  for _, condition in ipairs(conditions or {}) do
    local generation = condition.observedGeneration
    local own = generation == nil or generation == 0 or generation == obj.metadata.generation
    if own and condition.type ~= nil then
      seen[condition.type] = condition
    end
  end
  return seen
end
local function reason(name, condition)
  return name .. ": " .. (condition.message or condition.reason or condition.status)
end
local function fault(seen, wanted, faults)
  for _, name in ipairs(wanted) do
    local condition, opposite, swapped = seen[name], seen["Not" .. name], seen["Invalid"]
    if condition ~= nil and condition.status == "False" then
      return reason(name, condition)
    end
    if opposite ~= nil then
      return reason("Not" .. name, opposite)
    end
    if swapped ~= nil and swapped.reason == name then
      return reason("Invalid", swapped)
    end
  end
  for _, name in ipairs(faults) do
    local condition = seen[name]
    if condition ~= nil and condition.status == "True" then
      return reason(name, condition)
    end
  end
  return nil
end
"""
"""Functions of all checks. A condition about another generation of the object says nothing about this one; some
controllers leave the generation out, or write 0. AI Gateway writes `NotAccepted` in the place of `Accepted`, with the
status `False` and the reason (Envoy AI Gateway 1.1.0, internal/controller/controller.go). Of a refused Backend, Envoy
Gateway writes the type `Invalid` with the reason `Accepted`, the wrong way round (Envoy Gateway 1.6.7 to 1.9.0,
internal/gatewayapi/status/backend.go)."""

_JUDGE = (
    _LIBRARY
    + """\
local function judge(conditions, wanted, faults)
  local seen = current(conditions)
  local problem = fault(seen, wanted, faults)
  if problem ~= nil then
    return "Degraded", problem
  end
  local first = seen[wanted[1]]
  if first == nil or first.status ~= "True" then
    return "Progressing", "waiting for " .. wanted[1]
  end
  return "Healthy", wanted[1]
end
"""
)

_CONDITIONS = (
    _JUDGE
    + """\
local status, message = judge(obj.status and obj.status.conditions, {%s}, {})
return {status = status, message = message}
"""
)

_ANCESTORS = (
    _JUDGE
    + """\
local parents = obj.status and obj.status.%s or {}
if #parents == 0 then
  return {status = "%s", message = "nothing refers to it yet"}
end
local rank = {Healthy = 0, Progressing = 1, Degraded = 2}
local worst = {status = "Healthy", message = "accepted"}
for _, parent in ipairs(parents) do
  local status, message = judge(parent.conditions, {%s}, {%s})
  if rank[status] > rank[worst.status] then
    worst = {status = status, message = message}
  end
end
return worst
"""
)
_ATTACHED = (
    _LIBRARY
    + """\
local parents = obj.status and obj.status.ancestors or {}
local waiting = #parents == 0 and "nothing refers to it yet" or nil
for _, parent in ipairs(parents) do
  local seen = current(parent.conditions)
  local problem = fault(seen, {"%(accepted)s"}, {})
  if problem ~= nil then
    return {status = "Degraded", message = problem}
  end
  for _, name in ipairs({"%(accepted)s", "%(attached)s"}) do
    local condition = seen[name]
    if condition == nil then
      waiting = "waiting for " .. name
    elseif condition.status ~= "True" or condition.reason == "%(partly)s" then
      waiting = reason(name, condition)
    end
  end
end
if waiting ~= nil then
  return {status = "Progressing", message = waiting}
end
return {status = "Healthy", message = "accepted"}
"""
)
_PARENTS_UNREJECTED = (
    _LIBRARY
    + """\
for _, parent in ipairs(obj.status and obj.status.parents or {}) do
  local problem = fault(current(parent.conditions), {"Accepted", "ResolvedRefs"}, {})
  if problem ~= nil then
    return {status = "Degraded", message = problem}
  end
end
return {status = "Healthy", message = "no parent rejects it"}
"""
)
"""A pool is accepted through a route, which is in a later wave, so a wave that waited for it would never end."""


_UNREJECTED = (
    _LIBRARY
    + """\
local problem = fault(current(obj.status and obj.status.conditions), {"Accepted"}, {})
if problem ~= nil then
  return {status = "Degraded", message = problem}
end
return {status = "Healthy", message = "not rejected"}
"""
)
"""Controllers may look at these kinds only when a route refers to them, so a missing condition is healthy."""

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
"""Argo CD's own check of Deployments, except that replicas beyond the annotation may stay unready."""


def lua(health: Health) -> str | None:  # noqa: PLR0911 - one for each health
    """Return the check in Lua; None if Argo CD has its own."""
    match health:
        case BuiltInHealth():
            return None
        case AlwaysHealthy():
            return PRESENT
        case HealthyUnlessRejected():
            return _UNREJECTED
        case HealthyUnlessParentRejects():
            return _PARENTS_UNREJECTED
        case HealthyByConditions(conditions):
            return _CONDITIONS % _names(conditions)
        case HealthyByAncestors(conditions, faults):
            return _ANCESTORS % ("ancestors", "Progressing", _names(conditions), _names(faults))
        case HealthyWhenAttached(accepted, attached, partly):
            return _ATTACHED % {"accepted": accepted, "attached": attached, "partly": partly}
        case _:
            assert_never(health)


def customizations(objects: Iterable[Object]) -> dict[str, str]:
    """Return the entries of `argocd-cm` for the kinds of these objects.

    An entry for Deployments replaces Argo CD's own check for everything that it syncs, so it is written only if an
    object has standby replicas.
    """
    table = kinds()
    checks: dict[GroupKind, str] = {}
    for item in objects:
        if item.group_kind not in checks and (check := lua(table[item.group_kind].health)) is not None:
            checks[item.group_kind] = check
        if READY in item.body["metadata"].get("annotations", {}):
            checks["apps", "Deployment"] = DEPLOYMENT
    return {f"resource.customizations.health.{group}_{kind}": check for (group, kind), check in sorted(checks.items())}


def _names(conditions: Iterable[str]) -> str:
    return ", ".join(f'"{name}"' for name in conditions)
