"""Conditions of routes: a boolean tree over categories and signals, and the visitors that every use goes through.

``fold`` computes a value bottom-up, ``walk`` and ``leaves`` list the parts, ``words`` renders a condition as text.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar, assert_never

from vsr_compiler.ir.classifiers import Category
from vsr_compiler.ir.signals import Signal

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class InCategory:
    """True if the request has this category. A request has at most one category."""

    category: Category


@dataclass(frozen=True, slots=True)
class HasSignal:
    """True if the signal is true."""

    signal: Signal


@dataclass(frozen=True, slots=True)
class AllOf:
    """True if every part is true. Without parts it is always true."""

    parts: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    """True if at least one part is true."""

    parts: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Not:
    """True if the part is false."""

    part: Condition


Leaf = InCategory | HasSignal
Condition = Leaf | AllOf | AnyOf | Not
ALWAYS = AllOf(())
"""The condition ``when: always``."""


def fold(
    condition: Condition,
    *,
    leaf: Callable[[Leaf], T],
    negated: Callable[[T], T],
    all_of: Callable[[tuple[T, ...]], T],
    any_of: Callable[[tuple[T, ...]], T],
) -> T:
    """Compute a value of a condition from the values of its parts, bottom-up.

    Args:
        condition: The condition.
        leaf: Value of a category or a signal.
        negated: Value of ``Not``, from that of its part.
        all_of: Value of ``AllOf``, from those of its parts.
        any_of: Value of ``AnyOf``, from those of its parts.
    """

    def value(part: Condition) -> T:
        match part:
            case InCategory() | HasSignal():
                return leaf(part)
            case Not(inner):
                return negated(value(inner))
            case AllOf(parts):
                return all_of(tuple(map(value, parts)))
            case AnyOf(parts):
                return any_of(tuple(map(value, parts)))
        assert_never(part)

    return value(condition)


def walk(condition: Condition) -> Iterator[Condition]:
    """Yield a condition and everything inside it, in reading order."""
    yield condition
    match condition:
        case InCategory() | HasSignal():
            return
        case Not(part):
            yield from walk(part)
        case AllOf(parts) | AnyOf(parts):
            for part in parts:
                yield from walk(part)
        case _:
            assert_never(condition)


def leaves(condition: Condition) -> Iterator[Leaf]:
    """Yield the categories and signals in a condition, in reading order, with repetitions."""
    return (part for part in walk(condition) if isinstance(part, InCategory | HasSignal))


@dataclass(frozen=True, slots=True)
class Phrase:
    """A condition in words. ``compound``: joined by "and" or "or", so it needs parentheses inside another phrase."""

    text: str
    compound: bool = False

    @property
    def nested(self) -> str:
        """The text as part of another phrase."""
        return f"({self.text})" if self.compound else self.text


def negated_phrase(part: Phrase) -> Phrase:
    """Return the phrase of a negation."""
    return Phrase(f"not {part.nested}")


def all_phrase(parts: Sequence[Phrase]) -> Phrase:
    """Return the phrase of a conjunction: ``always`` without parts."""
    if not parts:
        return Phrase("always")
    return parts[0] if len(parts) == 1 else Phrase(" and ".join(part.nested for part in parts), compound=True)


def any_phrase(parts: Sequence[Phrase]) -> Phrase:
    """Return the phrase of a disjunction: ``never`` without parts. Several categories share the word "category"."""
    if not parts:
        return Phrase("never")
    if len(parts) == 1:
        return parts[0]
    if all(part.text.startswith(CATEGORY) and not part.compound for part in parts):
        return Phrase(CATEGORY + " or ".join(part.text.removeprefix(CATEGORY) for part in parts), compound=True)
    return Phrase(" or ".join(part.nested for part in parts), compound=True)


CATEGORY = "category "


def words(condition: Condition) -> str:
    """Return a condition in words: ``category math and not signal urgent``."""
    return fold(condition, leaf=_leaf_phrase, negated=negated_phrase, all_of=all_phrase, any_of=any_phrase).text


def _leaf_phrase(leaf: Leaf) -> Phrase:
    match leaf:
        case InCategory(category):
            return Phrase(f"{CATEGORY}{category.name}")
        case HasSignal(signal):
            return Phrase(f"signal {signal.name}")
        case _:
            assert_never(leaf)
