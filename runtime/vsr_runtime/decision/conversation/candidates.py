"""Chooses the asks of a conversation whose routes are compared, each with the view of the request at that time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from vsr_runtime.decision.apis.content import utf8_size
from vsr_runtime.decision.ask.extract import Ask
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
    if len(asks) > MAX_ASKS:
        asks = [*asks[: MAX_ASKS - 1], asks[-1]] if stickiness.escalates else asks[-MAX_ASKS:]
    candidates = []
    for place, number in enumerate(asks):
        turn = turns[number]
        end = asks[place + 1] if place + 1 < len(asks) else len(turns)
        candidates.append(_candidate(view, turn.ask, turn.entry, turn.kind, counts=counts))
        last = turns[end - 1]
        if last is not turn and last.kind is TurnKind.FOLLOW_UP and last.entry != turn.entry:
            # The same ask in a longer conversation; and the turn by itself, where the route does not hold it.
            if counts:
                candidates.append(_candidate(view, turn.ask, last.entry, TurnKind.SAME, counts=counts))
            if end == len(turns):
                candidates.append(_candidate(view, last.ask, last.entry, TurnKind.FOLLOW_UP, counts=counts))
    return tuple(candidates)


def _candidate(view: RequestView, ask: Ask, entry: int, kind: TurnKind, *, counts: bool) -> Candidate:
    then = view_at(view, entry, counts=True)
    own = sum(map(utf8_size, view.transcript[entry].texts))
    cached = 1 - own / then.size if then.size else 0.0
    return Candidate((then if counts else view).about(ask), kind, max(cached, 0.0))


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
