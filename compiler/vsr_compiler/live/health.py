"""Whether an object in a cluster is in force. `Kind.health` says how the status of a kind is read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, assert_never

from vsr_compiler.live import built_in
from vsr_compiler.live.conditions import current, explained, fault, holds, waiting
from vsr_compiler.live.verdict import HEALTHY, State, Verdict, pending, rejected, worst
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
from vsr_compiler.verify.manifest import as_mapping, as_mappings, as_string

Live = Mapping[str, Any]
MAX_PARENTS = 200


def judge(kind: GroupKind, health: Health, live: Live) -> Verdict:
    """Return whether an object is in force.

    Args:
        kind: Its API group and kind.
        health: How its status is read.
        live: The object as the API server has it.
    """
    if as_mapping(live.get("metadata")).get("deletionTimestamp"):
        return rejected("it is being deleted")
    return _judged(kind, health, live, as_mapping(live.get("status")))


def _judged(kind: GroupKind, health: Health, live: Live, status: Live) -> Verdict:  # noqa: PLR0911 - one for each
    match health:
        case BuiltInHealth():
            return built_in.judge(kind, live)
        case AlwaysHealthy():
            return HEALTHY
        case HealthyUnlessRejected():
            problem = fault(current(live, status.get("conditions"))[0], ("Accepted",))
            return rejected(problem) if problem else HEALTHY
        case HealthyUnlessParentRejects():
            return _by_parents(live, status)
        case HealthyByConditions(conditions):
            return by_conditions(live, status.get("conditions"), conditions)
        case HealthyByAncestors(conditions, faults):
            ancestors = as_mappings(status.get("ancestors"))[:MAX_PARENTS]
            if not ancestors:
                return pending("no gateway refers to it yet")
            return worst(by_conditions(live, item.get("conditions"), conditions, faults) for item in ancestors)
        case HealthyWhenAttached(accepted, attached, partly):
            return _attached(live, status, accepted, attached, partly)
        case _ as unreachable:
            assert_never(unreachable)


def by_conditions(live: Live, conditions: object, wanted: tuple[str, ...], faults: tuple[str, ...] = ()) -> Verdict:
    """Return the verdict of conditions, of which the first is true, none is false, and no fault is true."""
    seen, older = current(live, conditions)
    if problem := fault(seen, wanted, faults):
        return rejected(problem)
    return HEALTHY if holds(seen, wanted[0]) else pending(waiting(wanted[0], seen, older, live))


def _by_parents(live: Live, status: Live) -> Verdict:
    parents = as_mappings(status.get("parents"))[:MAX_PARENTS]
    seen = [current(live, parent.get("conditions"))[0] for parent in parents]
    if problem := next(filter(None, (fault(item, ("Accepted", "ResolvedRefs")) for item in seen)), ""):
        return rejected(problem)
    if any(holds(item, "Accepted") for item in seen):
        return HEALTHY
    return Verdict(State.UNREPORTED, "no gateway has reported that it uses it")


def _attached(live: Live, status: Live, accepted: str, attached: str, partly: str) -> Verdict:
    ancestors = as_mappings(status.get("ancestors"))[:MAX_PARENTS]
    if not ancestors:
        return pending("no gateway refers to it yet")
    verdicts = []
    for item in ancestors:
        seen, older = current(live, item.get("conditions"))
        if problem := fault(seen, (accepted,)):
            return rejected(problem)
        for name in (accepted, attached):
            condition = seen.get(name, {})
            if not holds(seen, name):
                verdicts.append(pending(waiting(name, seen, older, live)))
            elif as_string(condition.get("reason")) == partly:
                verdicts.append(pending(explained(name, condition)))
    return worst(verdicts)
