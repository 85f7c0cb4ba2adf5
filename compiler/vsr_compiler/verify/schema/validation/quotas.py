"""Limits of namespaces, and priorities of pods.

Source: `pkg/apis/core/validation` (limit ranges and resource quotas), `pkg/apis/scheduling/validation` and
`pkg/apis/core/helper` of Kubernetes, read in December 2026.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fractions import Fraction
from typing import Any

from vsr_compiler.verify.manifest import Body, Path, as_mapping, as_mappings, as_string, as_strings
from vsr_compiler.verify.schema.cel.formats import qualified
from vsr_compiler.verify.schema.cel.quantities import parse
from vsr_compiler.verify.schema.validation.faults import Fault, Rule, integer

_COMPUTE = frozenset({"cpu", "memory", "ephemeral-storage"})
_COUNTED = frozenset(
    {
        "pods",
        "resourcequotas",
        "services",
        "replicationcontrollers",
        "secrets",
        "configmaps",
        "persistentvolumeclaims",
        "services.nodeports",
        "services.loadbalancers",
    }
)
_QUOTAS = _COMPUTE | _COUNTED | {f"{kind}.{name}" for kind in ("requests", "limits") for name in _COMPUTE}
_QUOTAS |= {"requests.storage"}
_SCOPES = frozenset(
    {
        "Terminating",
        "NotTerminating",
        "BestEffort",
        "NotBestEffort",
        "PriorityClass",
        "CrossNamespacePodAffinity",
        "VolumeAttributesClass",
    }
)
_OPPOSITE = (("Terminating", "NotTerminating"), ("BestEffort", "NotBestEffort"))
_TYPES = frozenset({"Pod", "Container", "PersistentVolumeClaim"})
_ORDERED = (
    ("min", "max"),
    ("min", "defaultRequest"),
    ("defaultRequest", "max"),
    ("defaultRequest", "default"),
    ("min", "default"),
    ("default", "max"),
)
"""Pairs of amounts of which the first must not be more than the second."""
_HIGHEST = 1_000_000_000
_SYSTEM = {"system-node-critical": 2_000_001_000, "system-cluster-critical": 2_000_000_000}


def _amount(value: Any) -> Fraction | None:  # noqa: ANN401 - JSON of any form
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    found = parse(str(value))
    return None if found is None else found.amount


def _limit_range(body: Body) -> Iterator[Fault]:
    seen: set[str] = set()
    for number, limit in enumerate(as_mappings(as_mapping(body.get("spec")).get("limits"))):
        at: Path = ("spec", "limits", number)
        kind = as_string(limit.get("type"))
        if kind and "/" not in kind and kind not in _TYPES:
            yield (*at, "type"), f"`{kind[:80]}` is not a type of limits", f"Use one of: {', '.join(sorted(_TYPES))}."
        if kind and kind in seen:
            yield (*at, "type"), f"another entry has the type {kind}", "Write one entry for each type."
        seen.add(kind)
        if kind == "Pod":
            for name in ("default", "defaultRequest"):
                if limit.get(name):
                    yield (*at, name), "is not allowed with the type Pod", "Use the type Container."
        if kind == "PersistentVolumeClaim" and not any(
            "storage" in as_mapping(limit.get(name)) for name in ("min", "max")
        ):
            yield at, "needs `storage` in `min` or `max`", "Add it."
        yield from _ordered(limit, at)


def _ordered(limit: Body, at: Path) -> Iterator[Fault]:
    amounts = {
        name: {key: _amount(value) for key, value in as_mapping(limit.get(name)).items()}
        for name in ("min", "max", "default", "defaultRequest", "maxLimitRequestRatio")
    }
    for low, high in _ORDERED:
        for key, value in amounts[low].items():
            other = amounts[high].get(key)
            if value is not None and other is not None and value > other:
                yield (*at, low, key), f"`{low}` of {key[:80]} is more than `{high}`", "Lower it, or raise the other."
    for key, ratio in amounts["maxLimitRequestRatio"].items():
        place = (*at, "maxLimitRequestRatio", key)
        if ratio is None:
            continue
        least, most = amounts["min"].get(key), amounts["max"].get(key)
        if ratio < 1:
            yield place, "is less than 1", "Use at least 1."
        elif least and most and ratio > most / least:
            yield place, "is more than `max` divided by `min`", "Lower it."


def _quota(body: Body) -> Iterator[Fault]:
    spec = as_mapping(body.get("spec"))
    for name, value in as_mapping(spec.get("hard")).items():
        at = ("spec", "hard", name)
        plain = name.removeprefix("requests.").startswith("hugepages-")
        if ("/" not in name and name not in _QUOTAS and not plain) or not qualified(name):
            hint = "Use a resource such as `requests.cpu`, `pods`, `requests.nvidia.com/gpu`, or `count/jobs.batch`."
            yield at, f"`{name[:80]}` is not a resource of quotas", hint
        amount = _amount(value)
        if amount is not None and amount < 0:
            yield at, f"{str(value)[:40]} is negative", "Use zero or more."
        elif amount is not None and name in _COUNTED and amount.denominator != 1:
            yield at, f"{str(value)[:40]} is not a whole number", "Objects are counted: use a whole number."
    scopes = as_strings(spec.get("scopes"))
    for number, scope in enumerate(scopes):
        if scope not in _SCOPES:
            hint = f"Use one of: {', '.join(sorted(_SCOPES))}."
            yield ("spec", "scopes", number), f"`{scope[:80]}` is not a scope", hint
    for pair in _OPPOSITE:
        if set(pair) <= set(scopes):
            yield ("spec", "scopes"), f"has {' and '.join(pair)}, which exclude each other", "Keep one of them."


def _priority_class(body: Body) -> Iterator[Fault]:
    name, value = as_string(as_mapping(body.get("metadata")).get("name")), integer(body.get("value"))
    if name.startswith("system-"):
        if name not in _SYSTEM or (value is not None and value != _SYSTEM[name]):
            yield ("metadata", "name"), "names with `system-` are Kubernetes' own", "Use another name."
    elif value is not None and value > _HIGHEST:
        yield ("value",), f"{value} is too large", f"Use at most {_HIGHEST:,}."
    policy = body.get("preemptionPolicy")
    if isinstance(policy, str) and policy not in {"Never", "PreemptLowerPriority"}:
        hint = "Use Never or PreemptLowerPriority."
        yield ("preemptionPolicy",), f"`{policy[:80]}` is not a policy", hint


RULES: Mapping[tuple[str, str], Rule] = {
    ("", "LimitRange"): _limit_range,
    ("", "ResourceQuota"): _quota,
    ("scheduling.k8s.io", "PriorityClass"): _priority_class,
}
