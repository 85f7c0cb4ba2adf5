"""What a side does with each request, as one diagram. Its ends are sets of fates: several where confidence decides."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, replace
from itertools import groupby

from vsr_compiler.equivalence.diagram import Diagrams
from vsr_compiler.equivalence.formula import Formula
from vsr_compiler.equivalence.outcome import Blocked, Fate, Routed, default_targets
from vsr_compiler.equivalence.side import Decision, Guard, Side
from vsr_compiler.equivalence.variables import Variables

Fates = frozenset[Fate]
FORBIDDEN, TOO_LARGE = 403, 413


def formulas(side: Side) -> list[Formula]:
    """Return the formulas of a side in the order of evaluation: guards, then decisions."""
    guards = [formula for guard in side.guards for formula in (guard.finds, guard.too_long)]
    decisions = [
        formula for decision in ranked(side) for formula in (decision.rules, decision.too_long) if formula is not None
    ]
    return guards + decisions


def ranked(side: Side) -> list[Decision]:
    """Return the decisions, the first to be tried first."""
    return sorted(side.decisions, key=lambda decision: decision.rank)


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of a list of decisions: where it holds, and what then happens. Among equals, confidence decides."""

    members: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Listed:
    """What a side does: the first entry that holds, or the default."""

    entries: tuple[Entry, ...]
    default: int


def listed(side: Side, diagrams: Diagrams, variables: Variables, *, lengths: bool, overflow: bool) -> Listed:
    """Return a side as a list of entries.

    Args:
        side: The side.
        diagrams: Where to build diagrams.
        variables: The variables of its atoms.
        lengths: Whether guards refuse text that is too long for them.
        overflow: Whether requests that are too long for the models of a route go on to the next one.
    """
    builder = _Builder(side, diagrams, variables, lengths=lengths)
    entries = builder.first()
    for _, group in groupby(ranked(side), key=lambda decision: decision.rank):
        members = list(group)
        entries.append(
            Entry(
                tuple(
                    (
                        builder.condition(member, overflow=overflow),
                        builder.guarded(
                            replace(member.fate, means=repr(member.rules)) if len(members) > 1 else member.fate,
                            member.models,
                        ),
                    )
                    for member in members
                )
            )
        )
    default = Fate(Routed(default_targets(side.default), frozenset()))
    return Listed(tuple(entries), builder.guarded(default, frozenset({side.default})))


def decided(side: Listed, diagrams: Diagrams) -> int:
    """Return the diagram of a list. Its ends are sets of fates."""
    result = side.default
    none = diagrams.end(frozenset())
    for entry in reversed(side.entries):
        if len(entry.members) == 1:
            ((condition, then),) = entry.members
            result = diagrams.choose(condition, then, result)
            continue
        some = none
        for condition, then in entry.members:
            some = diagrams.apply(_union, diagrams.choose(condition, then, none), some)
        result = diagrams.apply(_first, some, result)
    return result


def fates_of(side: Listed, diagrams: Diagrams, assignment: dict[int, bool]) -> Fates:
    """Return what a side does with one request."""
    for entry in side.entries:
        some = [then for condition, then in entry.members if diagrams.value(condition, assignment)]
        if some:
            values = [diagrams.value(then, assignment) for then in some]
            return frozenset(fate for fates in values if isinstance(fates, frozenset) for fate in fates)
    result = diagrams.value(side.default, assignment)
    return result if isinstance(result, frozenset) else frozenset()


class _Builder:
    """Adds guards to what decisions do."""

    def __init__(self, side: Side, diagrams: Diagrams, variables: Variables, *, lengths: bool) -> None:
        self._diagrams, self._variables = diagrams, variables
        self._guards = [
            (guard, variables.diagram(guard.finds), variables.diagram(guard.too_long)) for guard in side.guards
        ]
        self._lengths = lengths

    def first(self) -> list[Entry]:
        """Return guards without exceptions as entries: those that block, then those that route."""
        entries: list[Entry] = []
        for action in ("block", "mask", "route"):
            for guard, finds, too_long in self._guards:
                if guard.exempt or guard.action != action:
                    continue
                if self._lengths:
                    entries.append(Entry(((too_long, self._end(Fate(Blocked(guard.name, TOO_LARGE)))),)))
                if action == "block":
                    entries.append(Entry(((finds, self._end(Fate(Blocked(guard.name, FORBIDDEN)))),)))
        return entries

    def condition(self, decision: Decision, *, overflow: bool) -> int:
        """Return where a decision holds."""
        rules = self._variables.diagram(decision.rules)
        if decision.too_long is None or not overflow:
            return rules
        return self._diagrams.both(rules, self._diagrams.without(self._variables.diagram(decision.too_long)))

    def guarded(self, fate: Fate, models: frozenset[str]) -> int:
        """Return a fate behind the guards that are no entries: those that mask or route, or have exceptions."""
        result = self._end(fate)
        applied = [item for item in self._guards if not (models and models <= item[0].exempt)]
        for action in ("mask", "route", "block"):
            for guard, finds, too_long in reversed(applied):
                if guard.action != action or (action == "block" and not guard.exempt):
                    continue
                result = self._behind(guard, finds, result)
                if self._lengths and guard.exempt:
                    refused = self._end(Fate(Blocked(guard.name, TOO_LARGE)))
                    result = self._diagrams.choose(too_long, refused, result)
        return result

    def _behind(self, guard: Guard, finds: int, fate: int) -> int:
        match guard.action:
            case "block":
                found = self._end(Fate(Blocked(guard.name, FORBIDDEN)))
            case "route":
                found = self._end(Fate(Routed(default_targets(guard.model), frozenset())))
            case _:
                found = self._diagrams.apply(lambda fates, _: _masked(fates, guard), fate, self._diagrams.true)
        return self._diagrams.choose(finds, found, fate)

    def _end(self, fate: Fate) -> int:
        return self._diagrams.end(frozenset({fate}))


def _masked(fates: Hashable, guard: Guard) -> Hashable:
    if not isinstance(fates, frozenset):
        raise TypeError(fates)
    mask = ("mask", guard.settings)
    return frozenset(
        replace(fate, outcome=replace(fate.outcome, effects=fate.outcome.effects | {mask}))
        if isinstance(fate.outcome, Routed)
        else fate
        for fate in fates
    )


def _union(left: Hashable, right: Hashable) -> Hashable:
    if isinstance(left, frozenset) and isinstance(right, frozenset):
        return left | right
    raise TypeError(left)


def _first(left: Hashable, right: Hashable) -> Hashable:
    return left or right
