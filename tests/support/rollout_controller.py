"""A controller of stepwise rollouts as far as our objects use it, over the queries of an AnalysisTemplate.

Argo Rollouts 1.9.1: `utils/evaluate/evaluate.go` (EvaluateResult), `metricproviders/prometheus/prometheus.go`,
`docs/features/analysis.md` (Successful continues, Failed and Error abort, Inconclusive pauses).
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from typing import Any, Literal

Phase = Literal["Successful", "Failed", "Inconclusive", "Error"]
_CONDITION = re.compile(r"result\[0\] (<=|>) ([0-9.]+)")
_OPERATORS = {"<=": operator.le, ">": operator.gt}
_WORST: tuple[Phase, ...] = ("Successful", "Inconclusive", "Failed", "Error")


def run(
    rollout: Mapping[str, Any],
    template: Mapping[str, Any],
    hashes: Mapping[str, str],
    ask: Callable[[str, int], list[float]],
    start: int,
) -> tuple[str, list[dict[str, Phase]]]:
    """Walk through the steps; returns the end, and the phases of the measurements of each step that was judged."""
    now, judged = start, []
    for step in rollout["spec"]["strategy"]["canary"]["steps"]:
        if "pause" in step:
            now += int(step["pause"]["duration"].removesuffix("s"))
        if "analysis" not in step:
            continue
        (reference,) = step["analysis"]["templates"]
        assert reference["templateName"] == template["metadata"]["name"]
        values = {item["name"]: _value(item, hashes) for item in step["analysis"]["args"]}
        assert set(values) == {item["name"] for item in template["spec"]["args"]}
        phases = {item["name"]: _measure(item, values, ask, now) for item in template["spec"]["metrics"]}
        judged.append(phases)
        worst = max(phases.values(), key=_WORST.index)
        if worst != "Successful":
            return "paused" if worst == "Inconclusive" else "aborted", judged
    return "promoted", judged


def _value(item: Mapping[str, Any], hashes: Mapping[str, str]) -> str:
    return str(item["value"]) if "value" in item else hashes[item["valueFrom"]["podTemplateHashValue"]]


def _measure(
    metric: Mapping[str, Any], values: Mapping[str, str], ask: Callable[[str, int], list[float]], now: int
) -> Phase:
    query = metric["provider"]["prometheus"]["query"]
    for name, text in values.items():
        query = query.replace(f"{{{{args.{name}}}}}", text)
    assert "{{" not in query
    result = ask(query, now)
    if not result:
        return "Error"
    if _holds(metric["failureCondition"], result[0]):
        return "Failed"
    return "Successful" if _holds(metric["successCondition"], result[0]) else "Inconclusive"


def _holds(condition: str, value: float) -> bool:
    found = _CONDITION.fullmatch(condition)
    assert found is not None, condition
    return bool(_OPERATORS[found[1]](value, float(found[2])))
