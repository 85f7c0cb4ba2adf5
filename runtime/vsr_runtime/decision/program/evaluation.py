"""Evaluates a decision program for one request: chooses the route from its signals."""

from __future__ import annotations

from collections.abc import Sequence

from vsr_runtime.decision.deadline import Expired, never
from vsr_runtime.decision.program.conditions import (
    CategoryCondition,
    Condition,
    ConditionLeaf,
    SignalCondition,
    SignalValues,
    open_leaves,
)
from vsr_runtime.decision.program.context_length import NO_DEMAND, TokenDemand
from vsr_runtime.decision.program.ordering import most_confident, unsettled
from vsr_runtime.decision.program.outcome import Decision, Undecided
from vsr_runtime.decision.program.program import Program
from vsr_runtime.decision.program.routes import PolicyRoute
from vsr_runtime.decision.view import RequestView


def decide(
    program: Program,
    view: RequestView,
    signals: SignalValues | None = None,
    expired: Expired = never,
    demand: TokenDemand = NO_DEMAND,
) -> Decision | Undecided:
    """Find the first route whose condition holds. Evaluates only relevant signals, the cheapest first.

    If a model is needed, everything that models may still be needed for is requested at once: for the first
    undecided route and for the routes after it that may still apply. With all these results in ``signals``, the
    outcome is a `Decision`. If a result is missing because a model failed and the outcome depends on it, the
    outcome stays `Undecided`.

    Args:
        program: the program.
        view: the request.
        signals: the signals that are already known.
        expired: the deadline.
        demand: the tokens that the request needs. A route none of whose models can hold it is skipped, unless such
            requests are rejected.

    Raises:
        DeadlineExceededError: the deadline passed first.
    """
    known, open_now = signals or SignalValues(), frozenset[ConditionLeaf]()
    if program.ranks is not None:
        return _decide_ranked(program, program.ranks, view, known, expired, demand)
    for route in program.routes:
        if demand.output and program.overflow == "route" and not route.fits(demand):
            continue
        known, truth = _evaluate(program, route.condition, view, known, expired)
        if truth and not open_now:
            return Decision(route, known)
        if truth or (open_now and _all_needed(program, open_now)):
            break
        if truth is None:
            open_now |= open_leaves(route.condition, known)
    return _undecided(program, open_now, view, known) if open_now else Decision(None, known)


def _decide_ranked(
    program: Program,
    ranks: Sequence[Sequence[PolicyRoute]],
    view: RequestView,
    known: SignalValues,
    expired: Expired,
    demand: TokenDemand,
) -> Decision | Undecided:
    """Find the most confident route of the first rank with one that holds."""
    open_now = frozenset[ConditionLeaf]()
    for rank in ranks:
        able = [route for route in rank if program.overflow != "route" or not demand.output or route.fits(demand)]
        while leaves := unsettled(able, known):
            before, known = known, _learn(program, leaves, view, known, expired)
            if known is before:
                break
        if leaves:
            open_now |= leaves
            if _all_needed(program, open_now):
                break
            continue
        winner = most_confident(able, known, program.strategy)
        if winner is not None:
            if not open_now:
                return Decision(winner, known)
            break
    return _undecided(program, open_now, view, known) if open_now else Decision(None, known)


def _undecided(program: Program, leaves: frozenset[ConditionLeaf], view: RequestView, known: SignalValues) -> Undecided:
    kinds, detectors = program.needed(leaves)
    texts = {name: _texts(program, name, view) for name in sorted(detectors)}
    return Undecided(known, kinds, texts, not program.label_readers.isdisjoint(detectors))


def _evaluate(
    program: Program, condition: Condition, view: RequestView, known: SignalValues, expired: Expired
) -> tuple[SignalValues, bool | None]:
    """Evaluate cheap signals while the condition depends on them. Return all signals and the condition's truth."""
    while (truth := condition.truth(known)) is None:
        before, known = known, _learn(program, open_leaves(condition, known), view, known, expired)
        if known is before:
            break
    return known, truth


def _learn(
    program: Program, leaves: frozenset[ConditionLeaf], view: RequestView, known: SignalValues, expired: Expired
) -> SignalValues:
    """Return the signals with one more, the cheapest of some leaves; the same ones if the others need a model."""
    leaf = _cheapest(program, leaves)
    if leaf is not None:
        scored = program.scored.get(leaf.name)
        if scored is not None:
            return known.scored(leaf.name, scored.score(view, expired))
        return known.also(leaf.name, holds=program.signals[leaf.name].holds(view, expired))
    settled = _without_text(program, leaves, view, known)
    return known if settled == known else settled


def _without_text(
    program: Program, leaves: frozenset[ConditionLeaf], view: RequestView, known: SignalValues
) -> SignalValues:
    """Return the signals for a request without text, such as a lone image: there is nothing for a model to read."""
    for leaf in leaves:
        if isinstance(leaf, CategoryCondition):
            text = view.text(everywhere=program.whole_category)
            known = known if text.strip() else program.with_category(known, None, None)
        elif not program.model_signals[leaf.name].texts(view):
            known = known.also(leaf.name, holds=False)
    return known


def _cheapest(program: Program, leaves: frozenset[ConditionLeaf]) -> SignalCondition | None:
    cheap = [leaf for leaf in leaves if isinstance(leaf, SignalCondition) and leaf.name in program.signals]
    if len(cheap) <= 1:
        return cheap[0] if cheap else None
    return min(cheap, key=lambda leaf: (program.signals[leaf.name].cost, leaf.name))


def _all_needed(program: Program, leaves: frozenset[ConditionLeaf]) -> bool:
    """Return whether these leaves already need everything that any route needs from models."""
    return program.needed(leaves) == program.needed(program.leaves)


def _texts(program: Program, detector: str, view: RequestView) -> tuple[str, ...]:
    """Return all texts that a detector must read for its signals."""
    names = {
        leaf.name for leaf in program.leaves if isinstance(leaf, SignalCondition) and leaf.name in program.model_signals
    }
    signals = (program.model_signals[name] for name in sorted(names))
    return tuple(
        dict.fromkeys(text for signal in signals if signal.detector == detector for text in signal.texts(view))
    )
