"""Chooses the asks of a conversation whose routes are compared, each with the view of the request at that time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from vsr_runtime.decision.apis.content import utf8_size
from vsr_runtime.decision.conversation.follow_up import TurnKind
from vsr_runtime.decision.conversation.turns import Turn, all_turns, last_turns
from vsr_runtime.decision.fast_dataclass import fast_dataclass
from vsr_runtime.decision.program.stickiness import Stickiness
from vsr_runtime.decision.view import RequestView

MAX_ASKS = 16
"""Asks that are classified, at most, of a conversation that remembers more than its last ask."""
MAX_UNSURE = 4
"""Asks that are classified of other conversations: the governing one, and turns that may be asks of their own."""


@fast_dataclass(frozen=True, slots=True)
class Candidate:
    """An ask of the conversation.

    Attributes:
        view: the request when it was asked.
        kind: whether it is certainly an ask of its own.
        cached: share of the request that precedes the ask, which a model may have in its prefix cache.
    """

    view: RequestView
    kind: TurnKind = TurnKind.NEW
    cached: float = 0.0
    late: bool = False
    """Whether the ask is beyond those that every later request reads too, so that it cannot change an escalation."""


def candidates_of(view: RequestView, stickiness: Stickiness | None, *, counts: bool) -> tuple[Candidate, ...]:
    """Return the asks whose decisions determine that of the request, oldest first. At least one.

    Args:
        view: the whole request.
        stickiness: how conversations stay with a model; None if each request is decided by its last turn.
        counts: whether some route depends on the length of the conversation or on its numbers of messages.
    """
    if stickiness is None or not stickiness.follows:
        return (Candidate(view),)
    if not stickiness.remembers:
        turns = last_turns(view.transcript, view.ask_rules)
        if not turns:
            return (Candidate(view),)
        asks = [turn for turn in turns if turn.kind is not TurnKind.FOLLOW_UP][-MAX_UNSURE:]
        now = view_at(view, turns[-1].entry, counts=counts)
        return tuple(Candidate(now.about(turn.ask), turn.kind) for turn in asks)
    turns = all_turns(view.transcript, view.ask_rules)
    return _remembered(view, stickiness, turns, counts=counts) if turns else (Candidate(view),)


def _remembered(
    view: RequestView, stickiness: Stickiness, turns: Sequence[Turn], *, counts: bool
) -> tuple[Candidate, ...]:
    """Return the asks of a conversation in which each may depend on those before it."""
    asks = [number for number, turn in enumerate(turns) if turn.kind is not TurnKind.FOLLOW_UP]
    if not stickiness.escalates:
        asks = asks[-MAX_ASKS:]
    candidates = []
    for place, number in enumerate(asks):
        turn = turns[number]
        end = asks[place + 1] if place + 1 < len(asks) else len(turns)
        if turn.late and end < len(turns):
            continue  # no later request reads it
        candidates.append(_candidate(view, stickiness, turn, turn, turn.kind, counts=counts))
        replies = [one for one in turns[number + 1 : end] if one.kind is TurnKind.FOLLOW_UP and one.entry != turn.entry]
        if counts:
            # The same ask in a longer conversation; each length once, if the conversation may not fall back.
            longer = replies if stickiness.escalates else replies[-1:]
            candidates += [
                _candidate(view, stickiness, turn, one, TurnKind.SAME, counts=counts)
                for one in longer
                if not one.late or one is turns[-1]
            ]
        if replies and end == len(turns) and stickiness.releases:
            # The turn by itself, where the route does not hold it.
            last = replies[-1]
            candidates.append(_candidate(view, stickiness, last, last, TurnKind.FOLLOW_UP, counts=counts))
    return tuple(candidates)


def _candidate(
    view: RequestView, stickiness: Stickiness, turn: Turn, at: Turn, kind: TurnKind, *, counts: bool
) -> Candidate:
    """Return the ask of a turn, with the length of the conversation at another one."""
    cached = 0.0
    then = view_at(view, at.entry, counts=counts or bool(stickiness.discounts))
    if stickiness.discounts and then.size:
        cached = max(1 - sum(map(utf8_size, view.transcript[at.entry].texts)) / then.size, 0.0)
    late = stickiness.escalates and at.late
    return Candidate((then if counts else view).about(turn.ask), kind, cached, late)


def view_at(view: RequestView, entry: int, *, counts: bool) -> RequestView:
    """Return the view with the size and the numbers of messages up to an entry.

    Images and all texts stay, because what they need or reveal holds for the whole request.
    """
    tail = view.transcript[entry + 1 :] if counts else ()
    if not tail:
        return view
    one_to_one = len(view.roles) == len(view.transcript)
    roles = len(tail) if one_to_one else sum(bool(one.kinds) for one in tail)
    return replace(
        view,
        size=view.size - sum(utf8_size(text) for one in tail for text in one.texts),
        roles=view.roles[: len(view.roles) - roles],
        tool_calls=view.tool_calls - sum(one.calls for one in tail),
    )
