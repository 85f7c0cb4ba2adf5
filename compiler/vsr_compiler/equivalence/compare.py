"""Finds requests that two lists of decisions decide differently.

Equal lines at the beginning decide the same requests alike, so they are left out, and only remembered as what must not
hold. Then requests are tried that make one line true, and little else. If none differs, diagrams of the rest decide.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import cast

from vsr_compiler.equivalence.decide import FORBIDDEN, Entry, Fates, Listed, decided, fates_of
from vsr_compiler.equivalence.declared import Declared
from vsr_compiler.equivalence.diagram import Diagrams
from vsr_compiler.equivalence.outcome import Answered, Blocked, Fate, words
from vsr_compiler.equivalence.variables import Variables

MAX_SHOWN = 5
MAX_TRIED = 4_000
Assignment = dict[int, bool]


@dataclass(frozen=True, slots=True)
class Pair:
    """What both do, and how that is called: empty if it is the same, ``different``, or a declared difference."""

    source: Fates
    policy: Fates
    called: str


@dataclass(frozen=True, slots=True)
class Compared:
    """Requests that differ, and the declared differences that there are."""

    differences: tuple[tuple[Assignment, Pair], ...]
    declared: frozenset[Pair]


Pairing = Callable[[Hashable, Hashable], Pair]
SAME = Pair(frozenset(), frozenset(), "")
DIFFERENT = "different"


def compare(source: Listed, policy: Listed, diagrams: Diagrams, variables: Variables, declared: Declared) -> Compared:
    """Compare two lists.

    Raises:
        TooHardError: It takes too much.
    """
    pairing = partial(pair_of, declared=declared)
    before, listed, source, policy = _without_equal_lines(source, policy, diagrams, pairing)
    if not source.entries and not policy.entries and not _differ(source.default, policy.default, diagrams, pairing):
        return Compared((), frozenset(listed))
    if tried := _tried(before, source, policy, diagrams, variables, pairing):
        return Compared(tried, frozenset(listed))
    pairs = diagrams.apply(pairing, decided(source, diagrams), decided(policy, diagrams))
    listed |= {pair for pair in cast("set[Pair]", diagrams.values(pairs)) if pair.called not in {"", DIFFERENT}}
    left = diagrams.apply(_is_different, pairs, diagrams.true)
    if left != diagrams.false:
        left = diagrams.both(left, variables.possible(diagrams.variables(left)))
    for line in before:
        for condition, _ in line.members:
            left = diagrams.both(left, diagrams.without(condition))
    if left != diagrams.false:
        left = diagrams.both(left, variables.possible(diagrams.variables(left)))
    found: list[tuple[Assignment, Pair]] = []
    while len(found) < MAX_SHOWN and (chosen := diagrams.pick(left)) is not None:
        pair = cast("Pair", diagrams.value(pairs, chosen))
        found.append((chosen, pair))
        left = diagrams.both(left, diagrams.apply(partial(_is_other, pair), pairs, diagrams.true))
    return Compared(tuple(found), frozenset(listed))


def _without_equal_lines(
    source: Listed, policy: Listed, diagrams: Diagrams, pairing: Pairing
) -> tuple[list[Entry], set[Pair], Listed, Listed]:
    """Leave out lines that both have at the beginning, and at the end."""
    before: list[Entry] = []
    listed: set[Pair] = set()
    ours, theirs = list(source.entries), list(policy.entries)
    while ours and theirs and _equal(ours[0], theirs[0], diagrams, pairing, listed):
        before.append(ours.pop(0))
        theirs.pop(0)
    ours = [line for line in ours if not _never(line, diagrams)]
    theirs = [line for line in theirs if not _never(line, diagrams)]
    return before, listed, Listed(tuple(ours), source.default), Listed(tuple(theirs), policy.default)


def _never(line: Entry, diagrams: Diagrams) -> bool:
    return all(condition == diagrams.false for condition, _ in line.members)


def _equal(one: Entry, other: Entry, diagrams: Diagrams, pairing: Pairing, listed: set[Pair]) -> bool:
    """Return whether two lines hold for the same requests and do the same, up to declared differences."""
    if len(one.members) > 1:
        return frozenset(one.members) == frozenset(other.members)
    (here, then), (there, after) = one.members[0], other.members[0]
    if here != there or len(other.members) > 1:
        return False
    pairs = cast("set[Pair]", diagrams.values(diagrams.apply(pairing, then, after)))
    if any(pair.called == DIFFERENT for pair in pairs):
        return False
    listed |= pairs - {SAME}
    return True


def _differ(one: int, other: int, diagrams: Diagrams, pairing: Pairing) -> bool:
    pairs = cast("set[Pair]", diagrams.values(diagrams.apply(pairing, one, other)))
    return any(pair.called == DIFFERENT for pair in pairs)


def _tried(
    before: list[Entry],
    source: Listed,
    policy: Listed,
    diagrams: Diagrams,
    variables: Variables,
    pairing: Pairing,
) -> tuple[tuple[Assignment, Pair], ...]:
    """Return requests that differ, among some that are easily found."""
    found: dict[Pair, Assignment] = {}
    for assignment in islice(_candidates(source, policy, diagrams, variables), MAX_TRIED):
        if any(diagrams.value(condition, assignment) for line in before for condition, _ in line.members):
            continue
        fates = fates_of(source, diagrams, assignment), fates_of(policy, diagrams, assignment)
        pair = pairing(*fates)
        if pair.called == DIFFERENT:
            found.setdefault(pair, assignment)
            if len(found) == MAX_SHOWN:
                break
    return tuple((assignment, pair) for pair, assignment in found.items())


def _candidates(source: Listed, policy: Listed, diagrams: Diagrams, variables: Variables) -> Iterator[Assignment]:
    """Yield possible requests: for which nothing is true, then one line, then one line and not another one."""
    yield {}
    ours = [condition for line in source.entries for condition, _ in line.members]
    theirs = [condition for line in policy.entries for condition, _ in line.members]
    for condition in (*ours, *theirs):
        yield from _possible(condition, diagrams, variables)
    for one in (ours, theirs):
        other = theirs if one is ours else ours
        for index, condition in enumerate(one):
            for near in other[max(0, index - 2) : index + 3]:
                yield from _possible(diagrams.both(condition, diagrams.without(near)), diagrams, variables)


def _possible(condition: int, diagrams: Diagrams, variables: Variables) -> Iterator[Assignment]:
    if condition == diagrams.false:
        return
    possible = diagrams.both(condition, variables.possible(diagrams.variables(condition)))
    if (chosen := diagrams.pick(possible)) is not None:
        yield chosen


def pair_of(left: Hashable, right: Hashable, declared: Declared) -> Pair:
    """Return how what both do differs."""
    source, policy = cast("Fates", left), cast("Fates", right)
    if len(source) == len(policy) == 1:
        (one,), (other,) = source, policy
        called = _called(one, other, declared)
        return Pair(source, policy, called) if called else SAME
    if {fate.outcome for fate in source} == {fate.outcome for fate in policy}:
        alike = len({fate.outcome for fate in source}) == 1
        forms = [{(fate.outcome, fate.means) for fate in fates} for fates in (source, policy)]
        if alike or forms[0] == forms[1]:
            return SAME
    if all(fate.decision in declared.ties for fate in source) and len(policy) == 1:
        (other,) = policy
        if any(_called(one, other, declared) != DIFFERENT for one in source):
            return Pair(source, policy, "ties")
    return Pair(source, policy, DIFFERENT)


def _called(source: Fate, policy: Fate, declared: Declared) -> str:
    if source.outcome == policy.outcome:
        return ""
    if isinstance(policy.outcome, Blocked) and policy.outcome.status == FORBIDDEN:
        if isinstance(source.outcome, Answered) and source.decision in declared.blocked:
            return "blocked"
        if policy.outcome.guard in declared.guards:
            return "guarded"
    return DIFFERENT


def _is_different(pair: Hashable, _: Hashable) -> bool:
    return cast("Pair", pair).called == DIFFERENT


def _is_other(pair: Pair, one: Hashable, _: Hashable) -> bool:
    return one != pair


def decisions_of(fates: Fates) -> str:
    """Return the names of the decisions."""
    return ", ".join(sorted(fate.decision for fate in fates))


def shown(fates: Fates) -> str:
    """Return what is done in words."""
    listed = sorted(words(fate) for fate in fates)
    return listed[0] if len(listed) == 1 else "by confidence one of: " + "; ".join(listed)


def sentences(pairs: frozenset[Pair], declared: Declared) -> list[str]:
    """Return the declared differences that there are."""
    listed: list[str] = []
    for pair in pairs:
        names = ", ".join(f"`{fate.decision}`" for fate in sorted(pair.source, key=lambda fate: fate.decision))
        if pair.called == "blocked":
            listed.append(f"{names} answers with 200 in the source; the policy refuses with 403")
        elif pair.called == "guarded":
            guards = ", ".join(f"`{fate.outcome.guard}`" for fate in pair.policy if isinstance(fate.outcome, Blocked))
            listed.append(f"guard {guards} of the policy holds for all requests, and refuses with 403")
        elif pair.called == "ties":
            listed.append(f"between {names} the source decides by confidence; the policy by order")
    return sorted({*listed, *_always(declared)})


def _always(declared: Declared) -> list[str]:
    """Return the declared differences that need no request that shows them."""
    listed: list[str] = []
    for name, lost in sorted(declared.lost.items()):
        listed.append(f"of `{name}`, these are not carried over, in part or in whole: {', '.join(sorted(lost))}")
    if declared.overflow:
        listed.append("a request that is too long for the models of a route goes on to the next route")
    if declared.lengths:
        listed.append("guards refuse text that is too long for them (413)")
    for name, how in sorted(declared.models.items()):
        what = "the first of its models" if how == "first" else "each of its models equally"
        listed.append(f"`{name}` asks {what} in the policy")
    listed += [
        f"model `{one}` of the source is `{other}` in the policy" for one, other in sorted(declared.names.items())
    ]
    listed += [f"model `{name}` is new in the policy" for name in sorted(declared.more_models)]
    listed += [f"`{leaf}` of the source is lost: it never holds" for leaf in sorted(declared.leaves)]
    listed += [f"`{leaf}` of the source is a condition of the policy's own" for leaf in sorted(declared.same)]
    if "model_catalog" in declared.routing:
        listed.append("the models that compare and classify texts are the policy's own")
    if declared.blocked:
        listed.append("guards come before all routes")
    if declared.history:
        listed.append("detectors read the whole conversation in the policy")
    return listed
