"""Chooses the decision of a conversation from those of its asks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import field

from vsr_runtime.decision.conversation.candidates import Candidate
from vsr_runtime.decision.conversation.follow_up import TurnKind
from vsr_runtime.decision.fast_dataclass import fast_dataclass
from vsr_runtime.decision.program.conditions import CategoryCondition, ConditionLeaf, SignalCondition, condition_leaves
from vsr_runtime.decision.program.outcome import Decision
from vsr_runtime.decision.program.program import Program
from vsr_runtime.decision.program.split import split_point
from vsr_runtime.decision.program.stickiness import RouteStickiness

CERTAIN = 0.6
"""Probability of a category from which a turn that may be a follow-up counts as an ask of its own."""
CLEAR = 0.5
"""How much more probable its category must be than that of the present route."""
_ABOUT_TEXT = frozenset({"keyword", "embedding", "structure"})
"""Types of signals that tell what a text is about."""


@fast_dataclass(frozen=True, slots=True)
class Judged:
    """A candidate with its decision, and the probability of each category for its ask."""

    candidate: Candidate
    decision: Decision
    probabilities: Mapping[str, float] = field(default_factory=dict)


def choose(program: Program, judged: Sequence[Judged], seed: bytes) -> Judged:
    """Return the one that decides the request. In the order of asks, the present route says how it is left.

    Args:
        program: the decision program, with stickiness if there are several asks.
        judged: the asks of the conversation, oldest first.
        seed: determines the share of a split.
    """
    present = judged[0]
    for number, one in enumerate(judged[1:], 1):
        if number < len(judged) - 1 and _is_static(one):
            continue  # a fixed answer is given once, and is no model to stay with
        if _is_static(present) or _moves(program, present, one, seed):
            present = one
    return present


def _is_static(judged: Judged) -> bool:
    route = judged.decision.route
    return route is not None and route.effects.static_response is not None


def _moves(program: Program, present: Judged, new: Judged, seed: bytes) -> bool:
    """Return whether the conversation goes from the present route to that of the next ask."""
    own, kind = _stickiness(program, present), new.candidate.kind
    if own is None:
        return True
    held = kind is TurnKind.FOLLOW_UP or (kind is TurnKind.UNSURE and not _is_certain(program, present, new))
    if held and own.mode != "none":
        return False
    if _is_static(new):
        return True
    entered = _stickiness(program, new)
    if new.candidate.late and entered and "escalate" in {own.mode, entered.mode}:
        return False  # the next request would not know of it, and could move down
    return own.mode == "none" or _wins(program, own, present, new, seed)


def _wins(program: Program, own: RouteStickiness, present: Judged, new: Judged, seed: bytes) -> bool:
    """Return whether the next ask goes as far up, or leads as clearly, as the present route demands."""
    if own.mode == "escalate":
        return _rank(program, new, seed) > _rank(program, present, seed)
    if new.candidate.kind is TurnKind.SAME:
        return new.candidate.view.subject == present.candidate.view.subject
    return not own.margin or _advantage(present, new) >= own.margin * _share(program, present, new, seed)


def _stickiness(program: Program, judged: Judged) -> RouteStickiness | None:
    """Return how a conversation leaves the route of a decision."""
    route = judged.decision.route
    return program.stickiness.of(route.name if route else None) if program.stickiness else None


def _rank(program: Program, judged: Judged, seed: bytes) -> int:
    """Return the place of a decision's model in the order of escalation."""
    return program.stickiness.ranks.get(_model(program, judged.decision, seed), -1) if program.stickiness else -1


def _share(program: Program, present: Judged, new: Judged, seed: bytes) -> float:
    """Return the share of the prompt's price that a switch would lose, if the present model's price says so, or 1."""
    model = _model(program, present.decision, seed)
    discount = program.stickiness.discounts.get(model) if program.stickiness else None
    return 1.0 if discount is None else discount * new.candidate.cached


def _model(program: Program, decision: Decision, seed: bytes) -> str:
    route = decision.route
    if route is None or not route.targets:
        return program.default
    return route.targets[0][0].name if len(route.targets) == 1 else route.target(split_point(seed)).name


def _is_certain(program: Program, present: Judged, new: Judged) -> bool:
    """Return whether a turn that may be a follow-up has a route of its own, for what it is about."""
    route, signals = new.decision.route, new.decision.signals
    if route is None:
        return False
    holding = [leaf for leaf in condition_leaves(route.condition) if leaf.truth(signals)]
    if any(_is_about_text(leaf) for leaf in holding):
        return True
    if not any(isinstance(leaf, CategoryCondition) for leaf in holding) or signals.category == program.fallback:
        return False
    return (signals.probability or 0.0) >= CERTAIN and _advantage(present, new) >= CLEAR


def _is_about_text(leaf: ConditionLeaf) -> bool:
    return isinstance(leaf, SignalCondition) and leaf.name[0] in _ABOUT_TEXT


def _advantage(present: Judged, new: Judged) -> float:
    """Return how much more probable the category of the new ask is than that of the present route, for the new ask."""
    old, signals = present.decision.signals.category, new.decision.signals
    if not signals.classified:
        return 1.0 if new.decision.route is not None else 0.0
    if signals.category is None or signals.category not in new.probabilities:
        return 0.0  # below the threshold: the classifier does not know
    return new.probabilities[signals.category] - (new.probabilities.get(old, 0.0) if old is not None else 0.0)
