"""Why a request takes its route: scores of models, routes that were tried, and the one that would be next."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from vsr_compiler.review.local_router import LocalRouter
from vsr_runtime.decision.apis.endpoints import endpoint_of
from vsr_runtime.decision.conversation.candidates import candidates_of
from vsr_runtime.decision.conversation.follow_up import TurnKind
from vsr_runtime.decision.conversation.turns import last_turns
from vsr_runtime.decision.program.conditions import (
    CategoryCondition,
    ConditionLeaf,
    SignalName,
    SignalValues,
    condition_leaves,
)
from vsr_runtime.decision.program.program import Program
from vsr_runtime.decision.request.events import SignalsReady
from vsr_runtime.decision.signals.model_signals import ComplexitySignal, EmbeddingSignal, ModelSignal
from vsr_runtime.decision.view import InvalidRequestError
from vsr_schemas.reports_route import ConversationReport, RuleReport, ScoreReport, TermReport

MOST_SCORES = 12


def scores(router: LocalRouter, answer: SignalsReady | None) -> list[ScoreReport]:
    """Return the scores of categories, and of signals that compare with sentences; the best categories first."""
    if answer is None:
        return []
    found = []
    if router.threshold is not None:
        ranked = sorted(answer.probabilities.items(), key=lambda item: (-item[1], item[0]))
        found = [_score(f"category:{label}", score, router.threshold) for label, score in ranked]
    for (kind, name), signal in sorted(router.machine.program.model_signals.items()):
        known = _similarity(signal, answer)
        if known is not None:
            found.append(_score(f"{kind}:{name}", *known))
    return found[:MOST_SCORES]


def _score(name: str, score: float, threshold: float) -> ScoreReport:
    return ScoreReport(name=name, score=round(score, 4), threshold=threshold, margin=round(score - threshold, 4))


def _similarity(signal: ModelSignal, answer: SignalsReady) -> tuple[float, float] | None:
    """Return the score and the threshold of a signal; None if it is not known or of another kind."""
    if not isinstance(signal, EmbeddingSignal | ComplexitySignal):
        return None
    cosines = answer.request_similarities if signal.everywhere else answer.similarities
    sides = (signal.sentences,) if isinstance(signal, EmbeddingSignal) else (signal.hard, signal.easy)
    if any(sentence not in cosines for side in sides for sentence in side):
        return None
    values = [[cosines[sentence] for sentence in side] for side in sides]
    if isinstance(signal, ComplexitySignal):
        return max(values[0]) - max(values[1]), signal.threshold
    return (sum(values[0]) / len(values[0]) if signal.mean else max(values[0])), signal.threshold


def rules(program: Program, signals: SignalValues | None, route: str | None) -> list[RuleReport]:
    """Return the routes that were tried, up to the one that matched; none if the client named the model."""
    if signals is None:
        return []
    tried = []
    for rule in program.routes:
        terms = sorted((_name(leaf), leaf.truth(signals)) for leaf in condition_leaves(rule.condition))
        named = [TermReport(name=name, holds=holds) for name, holds in terms]
        tried.append(RuleReport(route=rule.name, holds=rule.condition.truth(signals), terms=named))
        if rule.name == route:
            break
    return tried


def _name(leaf: ConditionLeaf) -> str:
    if isinstance(leaf, CategoryCondition):
        return f"category:{'|'.join(sorted(leaf.labels))}"
    return name_of(leaf.name)


def name_of(name: SignalName) -> str:
    """Return the name of a signal with its kind."""
    kind, own = name
    return f"{kind}:{own}"


def without_route(router: LocalRouter, route: str) -> LocalRouter:
    """Return the router without one of its routes: what it decides is the runner-up."""
    program = router.machine.program
    left = tuple(rule for rule in program.routes if rule.name != route)
    machine = replace(router.machine, program=replace(program, routes=left))
    return replace(router, machine=machine)


def conversation(program: Program, path: str, body: Mapping[str, Any], route: str | None) -> ConversationReport | None:
    """Return which turns of a request were compared, and how its route keeps a conversation.

    Returns:
        None if its API is not routed by content, or the body cannot be read.
    """
    endpoint = endpoint_of(path)
    if endpoint is None or endpoint.view_of is None:
        return None
    try:
        view, stickiness = endpoint.view_of(body, program.ask_rules), program.stickiness
    except InvalidRequestError:
        return None
    asks = candidates_of(view, stickiness, counts=program.counts)
    if stickiness is None or not stickiness.follows:
        return ConversationReport(asks=len(asks), turn=TurnKind.NEW.value)
    turns = last_turns(view.transcript, view.ask_rules)
    kind = turns[-1].kind if turns else TurnKind.NEW
    return ConversationReport(asks=len(asks), turn=kind.value, stick=stickiness.of(route).mode)
