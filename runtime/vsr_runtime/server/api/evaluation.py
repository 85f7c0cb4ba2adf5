"""Describes a decision: the route, its signals, and the model that would serve."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from vsr_runtime.decision.ask.display import places_of
from vsr_runtime.decision.program.conditions import (
    AllConditions,
    AnyCondition,
    CategoryCondition,
    Condition,
    ConditionLeaf,
    DerivedCondition,
    NotCondition,
    SignalCondition,
    SignalName,
    SignalValues,
    condition_leaves,
)
from vsr_runtime.decision.program.program import Program
from vsr_runtime.decision.request.events import ImmediateResponse, SendToModel
from vsr_runtime.decision.view import RequestView
from vsr_runtime.server.api.shapes import (
    AskFinding,
    AskSpan,
    DecisionTrace,
    EvalAnswer,
    EvalDecision,
    EvalResponse,
    GuardFinding,
    Names,
    TraceNode,
)

COLLECTIONS = {"domain": "domains", "embedding": "embeddings", "keyword": "keywords", "preference": "preferences"}
"""The stock router's API names for kinds of signals, where they differ."""
_NODES: dict[type, Literal["AND", "OR", "NOT"]] = {AllConditions: "AND", AnyCondition: "OR", NotCondition: "NOT"}


def eval_response(
    program: Program,
    action: SendToModel | ImmediateResponse,
    view: RequestView | None,
    model: str,
    took: int,
    *,
    trace: bool,
) -> EvalResponse:
    """Describe the decision of a request.

    Args:
        program: the program that decided.
        action: the decision.
        view: the request as signals see it; None if it cannot be read.
        model: the requested model.
        took: milliseconds.
        trace: whether to include every route's rule.
    """
    signals = action.signals
    decision = next((route for route in program.routes if route.name == action.route), None)
    matched = matched_signals(program, action)
    sent = isinstance(action, SendToModel)
    return EvalResponse(
        original_text=view.turn if view else "",
        ask=_ask(view) if view else None,
        requested_model=model,
        decision_result=None
        if decision is None or signals is None
        else EvalDecision(
            decision_name=decision.name,
            used_signals=_by_kind(map(_name, condition_leaves(decision.condition))),
            matched_signals=matched,
            unmatched_signals=_looked_at(program, signals, holds=False),
        ),
        eval_trace=[_traced(route.name, route.condition, signals) for route in program.routes]
        if trace and signals
        else None,
        routing_decision=action.route,
        recommended_models=[target.name for target, _ in decision.targets] if decision else [],
        selected_model=action.model if isinstance(action, SendToModel) else None,
        selection_status=("fallback" if signals and decision is None else "selected") if sent else "unavailable",
        category=signals.category if signals else None,
        matched_signals=matched,
        signal_confidences=_confidences(program, signals),
        guards=[
            GuardFinding(guard=match.guard, action=match.action, failed=match.failed.value if match.failed else None)
            for match in action.guards
        ],
        answer=None if isinstance(action, SendToModel) else EvalAnswer(status=action.status, code=action.code),
        processing_time_ms=took,
    )


def _ask(view: RequestView) -> AskFinding | None:
    """Describe the ask; None if there is none, or the whole last user turn is read."""
    ask = view.ask
    if ask is None:
        return None
    spans = [
        AskSpan(message=place.message, part=place.part, start=place.start, end=place.end)
        for place in places_of(ask, view.transcript)
    ]
    return AskFinding(text=ask.text, form=ask.form, spans=spans)


def matched_signals(program: Program, action: SendToModel | ImmediateResponse) -> Names:
    """The signals that hold, of those that were evaluated."""
    return {} if action.signals is None else _looked_at(program, action.signals, holds=True)


def _looked_at(program: Program, signals: SignalValues, *, holds: bool) -> Names:
    """The names of signals that were looked at and hold, or do not."""
    evaluated = {leaf for route in program.routes for leaf in condition_leaves(route.condition)}
    return _by_kind(_name(leaf) for leaf in evaluated if leaf.truth(signals) is holds)


def _by_kind(names: Iterable[SignalName]) -> Names:
    names_by_kind: Names = {}
    for kind, name in sorted(set(names)):
        names_by_kind.setdefault(COLLECTIONS.get(kind, kind), []).append(name)
    return names_by_kind


def _name(leaf: ConditionLeaf) -> SignalName:
    return leaf.name if isinstance(leaf, SignalCondition) else ("domain", leaf.name)


def _confidences(program: Program, signals: SignalValues | None) -> dict[str, float]:
    """The category's probability, for each domain that holds because of it."""
    if signals is None or signals.probability is None:
        return {}
    domains = {
        leaf
        for route in program.routes
        for leaf in condition_leaves(route.condition)
        if isinstance(leaf, CategoryCondition)
    }
    return {f"domain:{leaf.name}": signals.probability for leaf in domains if leaf.truth(signals)}


def _traced(name: str, rule: Condition, signals: SignalValues) -> DecisionTrace:
    return DecisionTrace(decision_name=name, matched=rule.truth(signals), root_trace=_node(rule, signals))


def _node(rule: Condition, signals: SignalValues) -> TraceNode:
    if isinstance(rule, CategoryCondition | SignalCondition):
        kind, name = _name(rule)
        return TraceNode(node_type="leaf", signal_type=kind, signal_name=name, matched=rule.truth(signals))
    if isinstance(rule, DerivedCondition):
        kind, name = rule.name
        return TraceNode(node_type="leaf", signal_type=kind, signal_name=name, matched=rule.truth(signals))
    parts = (rule.part,) if isinstance(rule, NotCondition) else rule.parts
    children = [_node(part, signals) for part in parts]
    return TraceNode(node_type=_NODES[type(rule)], matched=rule.truth(signals), children=children)
