"""Autoscalers and disruption budgets."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from vsr_compiler.verify.manifest import Body, Path, as_mapping, as_mappings, as_string
from vsr_compiler.verify.schema.validation.faults import (
    Fault,
    Rule,
    amount_or_percent,
    at_least,
    exclusive,
    integer,
    selector,
)

_SOURCES: Mapping[str, str] = {
    "Resource": "resource",
    "ContainerResource": "containerResource",
    "Pods": "pods",
    "Object": "object",
    "External": "external",
}
_SELECT = frozenset({"Max", "Min", "Disabled"})
_TARGETS: Mapping[str, str] = {"Utilization": "averageUtilization", "AverageValue": "averageValue", "Value": "value"}


def _autoscaler(body: Body) -> Iterator[Fault]:
    spec = as_mapping(body.get("spec"))
    least, most = integer(spec.get("minReplicas")), integer(spec.get("maxReplicas"))
    least = 1 if least is None else least
    if most is not None and most < 1:
        yield ("spec", "maxReplicas"), f"{most} is too small", "Use at least 1."
    elif most is not None and most < least:
        yield ("spec", "maxReplicas"), f"{most} is less than minReplicas, {least}", "Raise it, or lower minReplicas."
    if least < 1 and not _scales_to_zero(spec, least):
        hint = "Use at least 1. Zero needs the feature gate HPAScaleToZero and an Object or External metric."
        yield ("spec", "minReplicas"), f"{least} is too small", hint
    for number, metric in enumerate(as_mappings(spec.get("metrics"))):
        yield from _metric(metric, ("spec", "metrics", number))
    for name in ("scaleUp", "scaleDown"):
        yield from _scaling(as_mapping(as_mapping(spec.get("behavior")).get(name)), ("spec", "behavior", name))


def _scaling(rules: Body, at: Path) -> Iterator[Fault]:
    yield from _within(rules, at, 0, 3_600, "stabilizationWindowSeconds")
    chosen = rules.get("selectPolicy")
    if isinstance(chosen, str) and chosen not in _SELECT:
        yield (*at, "selectPolicy"), f"`{chosen[:80]}` is not a choice", f"Use one of: {', '.join(sorted(_SELECT))}."
    if rules.get("policies") == []:
        yield (*at, "policies"), "is empty", "Add a policy, or remove the list."
    for number, policy in enumerate(as_mappings(rules.get("policies"))):
        place = (*at, "policies", number)
        kind = policy.get("type")
        if isinstance(kind, str) and kind not in {"Pods", "Percent"}:
            yield (*place, "type"), f"`{kind[:80]}` is not a type", "Use Pods or Percent."
        yield from at_least(policy, place, 1, "value")
        yield from _within(policy, place, 1, 1_800, "periodSeconds")


def _within(body: Body, at: Path, least: int, most: int, name: str) -> Iterator[Fault]:
    value = integer(body.get(name))
    if value is not None and not least <= value <= most:
        yield (*at, name), f"{value} is not within {least} to {most:,}", "Use a number of seconds in that range."


def _scales_to_zero(spec: Body, least: int) -> bool:
    """Whether a cluster with the feature gate accepts it."""
    kinds = {metric.get("type") for metric in as_mappings(spec.get("metrics"))}
    return least == 0 and bool(kinds & {"Object", "External"})


def _metric(metric: Body, at: Path) -> Iterator[Fault]:
    kind = as_string(metric.get("type"))
    wanted = _SOURCES.get(kind)
    present = [name for name in _SOURCES.values() if metric.get(name) is not None]
    if wanted is None:
        return
    if present != [wanted]:
        yield at, f"must have `{wanted}` and no other source, for the type {kind}", f"Set `{wanted}` only."
        return
    target = as_mapping(as_mapping(metric[wanted]).get("target"))
    place = (*at, wanted, "target")
    needed = _TARGETS.get(as_string(target.get("type")))
    if needed is not None and target.get(needed) is None:
        yield place, f"the type {target['type']} needs `{needed}`", f"Set `{needed}`."
    yield from exclusive(target, place, "averageUtilization", "averageValue")
    share = integer(target.get("averageUtilization"))
    if share is not None and share < 1:
        yield (*place, "averageUtilization"), f"{share} is too small", "Use at least 1."
    if needed == "averageUtilization" and kind not in {"Resource", "ContainerResource"}:
        yield (*place, "type"), f"Utilization is not possible with a metric of the type {kind}", "Use AverageValue."


def _budget(body: Body) -> Iterator[Fault]:
    spec = as_mapping(body.get("spec"))
    yield from exclusive(spec, ("spec",), "minAvailable", "maxUnavailable")
    yield from amount_or_percent(spec, ("spec",), "minAvailable", "maxUnavailable")
    yield from selector(spec.get("selector"), ("spec", "selector"))


RULES: Mapping[tuple[str, str], Rule] = {
    ("autoscaling", "HorizontalPodAutoscaler"): _autoscaler,
    ("policy", "PodDisruptionBudget"): _budget,
}
