"""How pods are spread over nodes and zones."""

from __future__ import annotations

from collections.abc import Iterator

from vsr_compiler.verify.manifest import Body, Path, as_mapping, as_mappings, as_string, as_strings
from vsr_compiler.verify.schema.validation.faults import Fault, at_least, integer, selector

_INCLUSION = frozenset({"Honor", "Ignore"})
_ACTIONS = frozenset({"DoNotSchedule", "ScheduleAnyway"})


def spread(constraints: list[Body], path: Path) -> Iterator[Fault]:
    """Check the topology spread constraints of a pod."""
    seen: set[tuple[str, str]] = set()
    for number, constraint in enumerate(constraints):
        at = (*path, number)
        yield from at_least(constraint, at, 1, "maxSkew")
        action, key = as_string(constraint.get("whenUnsatisfiable")), constraint.get("topologyKey")
        if key == "":
            yield (*at, "topologyKey"), "is empty", "Use a label of nodes, such as topology.kubernetes.io/zone."
        if action and action not in _ACTIONS:
            hint = "Use DoNotSchedule or ScheduleAnyway."
            yield (*at, "whenUnsatisfiable"), f"`{action[:80]}` is not an action", hint
        if (as_string(key), action) in seen:
            hint = "Keep one of them."
            yield at, "another constraint has the same topologyKey and whenUnsatisfiable", hint
        seen.add((as_string(key), action))
        if integer(constraint.get("minDomains")) is not None and action != "DoNotSchedule":
            yield (*at, "minDomains"), "needs `whenUnsatisfiable: DoNotSchedule`", "Remove it, or use DoNotSchedule."
        yield from at_least(constraint, at, 1, "minDomains")
        for name in ("nodeAffinityPolicy", "nodeTaintsPolicy"):
            value = constraint.get(name)
            if isinstance(value, str) and value not in _INCLUSION:
                yield (*at, name), f"`{value[:80]}` is not a policy", "Use Honor or Ignore."
        yield from _keys(constraint, at)
        yield from selector(constraint.get("labelSelector"), (*at, "labelSelector"))


def _keys(constraint: Body, at: Path) -> Iterator[Fault]:
    chosen = constraint.get("labelSelector")
    used = {as_string(item.get("key")) for item in as_mappings(as_mapping(chosen).get("matchExpressions"))}
    used |= set(as_mapping(as_mapping(chosen).get("matchLabels")))
    keys = as_strings(constraint.get("matchLabelKeys"))
    if keys and chosen is None:
        yield (*at, "matchLabelKeys"), "needs a labelSelector", "Add one, or remove the keys."
    for number, key in enumerate(keys):
        if key in used:
            yield (*at, "matchLabelKeys", number), f"`{key[:80]}` is in the labelSelector too", "Remove one of them."
