"""What guards find in a request, with its place."""

from __future__ import annotations

from collections.abc import Sequence

from vsr_runtime.decision.deadline import BudgetExceededError, never
from vsr_runtime.decision.guards.guard import Guard
from vsr_runtime.decision.guards.guard_input import Detections, GuardInput
from vsr_runtime.decision.program.program import Program
from vsr_runtime.decision.request.events import Cause, GuardMatch, NeedSignals, SignalsReady
from vsr_runtime.decision.request.json_body import read_body
from vsr_schemas.reports_route import MatchReport

MOST, SHOWN = 20, 80
"""Findings of a request, and code points of each, that a report shows."""


def guard_matches(
    program: Program,
    data: bytes,
    matched: Sequence[GuardMatch],
    question: NeedSignals | None,
    answer: SignalsReady | None,
) -> list[MatchReport]:
    """Return what the guards that matched have found in a body.

    Args:
        program: The decision program.
        data: The body.
        matched: The guards that matched.
        question: What models were asked; None if none was.
        answer: Their results.
    """
    names = {match.guard: match for match in matched}
    guards = [guard for guard in program.on_request if guard.name in names]
    if not guards:
        return []
    body = read_body(data)
    try:
        texts = GuardInput(body.text, body.values)
    except BudgetExceededError:
        return [MatchReport(guard=name, action="failed") for name in names]
    detections = _detections(question, answer)
    found: list[MatchReport] = []
    for guard in guards:
        match = names[guard.name]
        own = [] if match.failed else _of_guard(texts, guard, detections)
        found += own or [MatchReport(guard=guard.name, action="failed" if match.failed else match.action)]
    return found[:MOST]


def _of_guard(texts: GuardInput, guard: Guard, detections: Detections) -> list[MatchReport]:
    try:
        matches = texts.matches(guard, never, detections)
    except (BudgetExceededError, KeyError):
        return []
    found = []
    for match in matches[:MOST]:
        start, end = texts.position(match)
        value = match.leaf.value[match.span.start : match.span.end]
        found.append(
            MatchReport(
                guard=guard.name,
                action=guard.action,
                type=match.span.type,
                start=start,
                end=end,
                text=value if len(value) <= SHOWN else f"{value[:SHOWN]}…",
            )
        )
    return found


def _detections(question: NeedSignals | None, answer: SignalsReady | None) -> Detections:
    if question is None or answer is None:
        return {}
    return {name: result for name, result in answer.detections.items() if not isinstance(result, Cause)}
