"""Conditions by what they mean: atoms that can be true or false of a request, and formulas over them."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import TypeVar, assert_never

T = TypeVar("T")
Key = tuple[Hashable, ...]


@dataclass(frozen=True, slots=True)
class Above:
    """A number is at least a bound, or above it. ``source`` is what is measured."""

    source: Key
    bound: Fraction
    strict: bool = False


@dataclass(frozen=True, slots=True)
class IsOne:
    """A classification has this label. It has one at most."""

    source: Key
    label: str


@dataclass(frozen=True, slots=True)
class Occurs:
    """A word or a pattern occurs in the text that ``reads`` names."""

    text: str
    pattern: bool
    case_sensitive: bool
    reads: str = "turn"


@dataclass(frozen=True, slots=True)
class Unknown:
    """Something that is only known to be the same for equal keys: what a model says, or an attribute of a client."""

    key: Key


Atom = Above | IsOne | Occurs | Unknown


@dataclass(frozen=True, slots=True)
class Is:
    """An atom is true."""

    atom: Atom


@dataclass(frozen=True, slots=True)
class Not:
    """A formula is false."""

    part: Formula


@dataclass(frozen=True, slots=True)
class All:
    """Every part is true."""

    parts: tuple[Formula, ...]


@dataclass(frozen=True, slots=True)
class Some:
    """At least one part is true."""

    parts: tuple[Formula, ...]


Formula = Is | Not | All | Some
TRUE, FALSE = All(()), Some(())


def fold(formula: Formula, atom: Callable[[Atom], T], negated: Callable[[T], T], joined: Joined[T]) -> T:
    """Compute a value of a formula bottom-up. ``joined`` gets whether all parts must be true, and their values."""
    match formula:
        case Is(inner):
            return atom(inner)
        case Not(part):
            return negated(fold(part, atom, negated, joined))
        case All(parts):
            return joined(True, [fold(part, atom, negated, joined) for part in parts])  # noqa: FBT003
        case Some(parts):
            return joined(False, [fold(part, atom, negated, joined) for part in parts])  # noqa: FBT003
    assert_never(formula)


Joined = Callable[[bool, list[T]], T]


def atoms(formula: Formula) -> Iterator[Atom]:
    """Yield the atoms of a formula in reading order, with repetitions."""
    match formula:
        case Is(atom):
            yield atom
        case Not(part):
            yield from atoms(part)
        case All(parts) | Some(parts):
            for part in parts:
                yield from atoms(part)
        case _:
            assert_never(formula)


def within(source: Key, low: Fraction | None, high: Fraction | None, *, whole: bool) -> Formula:
    """Return that a number is within bounds, both included. Numbers of a ``whole`` source are integers from 0."""
    parts: list[Formula] = []
    if low is not None:
        parts.append(at_least(source, low, whole=whole))
    if high is not None:
        parts.append(Not(above(source, high, whole=whole)))
    return All(tuple(parts))


def at_least(source: Key, bound: Fraction, *, whole: bool) -> Formula:
    """Return that a number is at least a bound."""
    if not whole:
        return Is(Above(source, bound))
    number = -(-bound.numerator // bound.denominator)
    return TRUE if number <= 0 else Is(Above(source, Fraction(number)))


def above(source: Key, bound: Fraction, *, whole: bool) -> Formula:
    """Return that a number is greater than a bound."""
    if not whole:
        return Is(Above(source, bound, strict=True))
    return at_least(source, Fraction(bound.numerator // bound.denominator + 1), whole=True)
