"""Counts of this process: evaluations by servers, and labels of theirs that the policy does not know."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Literal

Outcome = Literal["ok", "overloaded", "timeout", "refused", "wrong", "unreachable"]
"""How an evaluation ended."""
_evaluations: Counter[tuple[str, Outcome]] = Counter()
_unknown: Counter[str] = Counter()


def count(name: str, outcome: Outcome, unknown: int) -> None:
    """Count an evaluation of a classifier, and the labels of its answer that the policy does not know."""
    _evaluations[name, outcome] += 1
    if unknown:
        _unknown[name] += unknown


def evaluations() -> Mapping[tuple[str, Outcome], int]:
    """Return the number of evaluations by classifier and outcome."""
    return _evaluations


def unknown_labels() -> Mapping[str, int]:
    """Return the number of unknown labels by classifier."""
    return _unknown
