"""Conditions of routes as a boolean tree of resolved parts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from vsr_compiler.ir.signals import Signal
from vsr_compiler.ir.symbols import Category


@dataclass(frozen=True, slots=True)
class InCategory:
    """Holds when the request has this category. Of all categories, at most one holds."""

    category: Category


@dataclass(frozen=True, slots=True)
class HasSignal:
    """Holds when the signal does."""

    signal: Signal


@dataclass(frozen=True, slots=True)
class All:
    """Holds when every part holds; of no parts, always."""

    parts: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Any:
    """Holds when one part holds."""

    parts: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Not:
    """Holds when the part does not."""

    part: Condition


Condition = InCategory | HasSignal | All | Any | Not
ALWAYS = All(())


def leaves(condition: Condition) -> Iterator[InCategory | HasSignal]:
    """Every category and signal that a condition asks about, in reading order, repeats included."""
    match condition:
        case All(parts) | Any(parts):
            for part in parts:
                yield from leaves(part)
        case Not(part):
            yield from leaves(part)
        case _:
            yield condition
