"""The verdict on an object in a cluster."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum


class State(IntEnum):
    """How far an object is in force."""

    HEALTHY = 0
    UNREPORTED = 1
    """Nothing refuses it, and no controller has reported that it uses it."""
    WAITING = 2
    REJECTED = 3


@dataclass(frozen=True, slots=True)
class Verdict:
    """A state, and why."""

    state: State
    message: str = ""


HEALTHY = Verdict(State.HEALTHY)


def rejected(message: str) -> Verdict:
    """Return that an object is refused."""
    return Verdict(State.REJECTED, message)


def pending(message: str) -> Verdict:
    """Return that an object is not in force yet."""
    return Verdict(State.WAITING, message)


def worst(verdicts: Iterable[Verdict]) -> Verdict:
    """Return the worst verdict, the first of equal ones; healthy for none."""
    return max(verdicts, key=lambda item: item.state, default=HEALTHY)
