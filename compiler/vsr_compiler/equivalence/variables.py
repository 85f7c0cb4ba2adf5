"""Variables of diagrams for the atoms of formulas, and what no request can have of them.

Words that always occur in the same rules share a variable, so that a rule of 500 words is one variable and not 500.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from itertools import pairwise
from typing import assert_never

from vsr_compiler.equivalence.diagram import Diagrams
from vsr_compiler.equivalence.formula import Above, All, Atom, Formula, Is, IsOne, Key, Not, Occurs, Some, Unknown
from vsr_compiler.equivalence.words import occurs

MAX_PAIRS = 250_000
"""Pairs of groups of words that are compared. With more, one word in another is not known to be so."""


@dataclass(frozen=True, slots=True)
class Group:
    """Words of which one occurs, or with ``every`` all."""

    members: tuple[Occurs, ...]
    every: bool


Unit = Above | IsOne | Unknown | Group
"""What has a variable."""


class Variables:
    """The variables of some formulas."""

    def __init__(self, formulas: Iterable[Formula], diagrams: Diagrams) -> None:
        """Give each atom a variable, in the order in which they occur; those of one source beside each other."""
        self._diagrams = diagrams
        formulas = list(formulas)
        self._groups = _grouped(formulas)
        units: dict[Key, list[Unit]] = {}
        for formula in formulas:
            for atom in _atoms(formula):
                unit = self._unit(atom)
                units.setdefault(_source(unit), []).append(unit)
        self.units: list[Unit] = []
        self._sources: list[list[int]] = []
        for members in units.values():
            ordered = sorted(dict.fromkeys(members), key=_order)
            self._sources.append(list(range(len(self.units), len(self.units) + len(ordered))))
            self.units += ordered
        self._index = {unit: index for index, unit in enumerate(self.units)}

    def diagram(self, formula: Formula) -> int:
        """Return where a formula is true."""
        match formula:
            case Is(atom):
                return self._diagrams.variable(self._index[self._unit(atom)])
            case Not(part):
                return self._diagrams.without(self.diagram(part))
            case All(parts) | Some(parts):
                every = isinstance(formula, All)
                units = dict.fromkeys(self._index[self._unit(part.atom)] for part in parts if isinstance(part, Is))
                inner = [self._diagrams.variable(unit) for unit in units]
                inner += [self.diagram(part) for part in parts if not isinstance(part, Is)]
                result = self._diagrams.true if every else self._diagrams.false
                for one in reversed(inner):
                    result = self._diagrams.both(one, result) if every else self._diagrams.either(one, result)
                return result
        assert_never(formula)

    def possible(self, variables: Iterable[int]) -> int:
        """Return which assignments of variables, and of those of the same sources, a request can have."""
        wanted, open_ = set(variables), list(variables)
        pairs = []
        while open_:
            here = open_.pop()
            for there in self._implied.get(here, ()):
                pairs.append((here, there))
                if there not in wanted:
                    wanted.add(there)
                    open_.append(there)
        result = self._diagrams.true
        for source in reversed(self._sources):
            if wanted.intersection(source):
                result = self._diagrams.both(self._of_source(source), result)
        for here, there in dict.fromkeys(pairs):
            absent = self._diagrams.without(self._diagrams.variable(here))
            result = self._diagrams.both(self._diagrams.either(absent, self._diagrams.variable(there)), result)
        return result

    def _of_source(self, source: list[int]) -> int:
        """Return what holds between the variables of a source: an order of bounds, or one label at most."""
        first, diagrams = self.units[source[0]], self._diagrams
        if isinstance(first, Above):
            result = diagrams.true
            for lower, higher in pairwise(source):
                implied = diagrams.either(diagrams.without(diagrams.variable(higher)), diagrams.variable(lower))
                result = diagrams.both(implied, result)
            return result
        if isinstance(first, IsOne):
            none, one = diagrams.true, diagrams.true
            for index in reversed(source):
                one = diagrams.choose(diagrams.variable(index), none, one)
                none = diagrams.both(diagrams.without(diagrams.variable(index)), none)
            return one
        return diagrams.true

    @cached_property
    def _implied(self) -> dict[int, list[int]]:
        """The groups that a group cannot be true without, because one phrase is in the other."""
        groups = [(index, unit) for index, unit in enumerate(self.units) if isinstance(unit, Group)]
        if len(groups) ** 2 > MAX_PAIRS:
            return {}
        implied: dict[int, list[int]] = {}
        for here, phrase in groups:
            for there, part in groups:
                if here != there and _implies(phrase, part):
                    implied.setdefault(here, []).append(there)
        return implied

    def _unit(self, atom: Atom) -> Unit:
        return self._groups[atom] if isinstance(atom, Occurs) else atom


def _implies(phrase: Group, part: Group) -> bool:
    """Return whether a text with a group always has another one."""
    if phrase.every or (part.every and len(part.members) > 1) or any(item.pattern for item in phrase.members):
        return phrase.every and any(_implies(Group((one,), every=False), part) for one in phrase.members)
    return all(any(_inside(one, other) for other in part.members) for one in phrase.members)


def _inside(phrase: Occurs, part: Occurs) -> bool:
    """Return whether a word occurs wherever a phrase does, whatever its letters are."""
    if part.pattern or part.reads != phrase.reads or (part.case_sensitive and not phrase.case_sensitive):
        return False
    return part.text.casefold() in phrase.text.casefold() and occurs(part, phrase.text)


def _atoms(formula: Formula) -> Iterator[Atom]:
    stack = [formula]
    while stack:
        item = stack.pop()
        match item:
            case Is(atom):
                yield atom
            case Not(part):
                stack.append(part)
            case All(parts) | Some(parts):
                stack += reversed(parts)
            case _:
                assert_never(item)


def _grouped(formulas: list[Formula]) -> dict[Occurs, Group]:
    """Return the group of each word: those that occur in the same lists, which are joined in the same way."""
    signatures: dict[Occurs, set[tuple[bool, frozenset[Occurs]]]] = {}
    stack = list(formulas)
    while stack:
        item = stack.pop()
        match item:
            case Is(atom):
                if isinstance(atom, Occurs):
                    signatures.setdefault(atom, set()).add((True, frozenset({atom})))
            case Not(part):
                stack.append(part)
            case All(parts) | Some(parts):
                words = [part.atom for part in parts if isinstance(part, Is) and isinstance(part.atom, Occurs)]
                context = (isinstance(item, All), frozenset(words))
                for word in words:
                    signatures.setdefault(word, set()).add(context)
                stack += [part for part in parts if not isinstance(part, Is)]
            case _:
                assert_never(item)
    together: dict[tuple[bool, object], list[Occurs]] = {}
    for word, contexts in signatures.items():
        joined = {every for every, _ in contexts}
        alone: object = frozenset(contexts) if len(joined) == 1 else word
        together.setdefault((min(joined), alone), []).append(word)
    return {
        word: Group(tuple(sorted(members, key=lambda item: (item.text, repr(item)))), every and len(members) > 1)
        for (every, _), members in together.items()
        for word in members
    }


def _source(unit: Unit) -> Key:
    match unit:
        case Above(source) | IsOne(source):
            return (type(unit).__name__, source)
        case Group() | Unknown():
            return ("alone", unit)
    assert_never(unit)


def _order(unit: Unit) -> tuple[Fraction, bool, str]:
    match unit:
        case Above(_, bound, strict):
            return bound, strict, ""
        case IsOne(_, label):
            return Fraction(0), False, label
        case _:
            return Fraction(0), False, ""
