"""Hints for a name that is not defined: the one that was probably meant, or all that are allowed."""

from __future__ import annotations

from collections.abc import Collection, Iterable

MAX_DISTANCE = 2
"""Typing errors that a suggestion may correct. Beyond that, a suggestion is more often wrong than right."""
MAX_LISTED = 12
_MAX_LENGTH = 100
"""Longer words are not compared: they cost time, and nobody types them by hand."""


def nearest(word: str, candidates: Iterable[str]) -> str | None:
    """Return the candidate that differs from a word by at most two typing errors, upper and lower case aside.

    A candidate that has no letter in common with the word is not one. Of several at the same distance, one with the
    same first letter is preferred, then the first.
    """
    lowered = word.lower()
    if not 0 < len(lowered) <= _MAX_LENGTH:
        return None
    best, best_rank = None, (min(MAX_DISTANCE, len(lowered) - 1), True)
    for candidate in candidates:
        other = candidate.lower()
        if abs(len(other) - len(lowered)) > best_rank[0]:
            continue
        rank = edit_distance(lowered, other), other[:1] != lowered[0]
        if rank < best_rank or (best is None and rank == best_rank):
            best, best_rank = candidate, rank
    return best


def edit_distance(one: str, other: str) -> int:
    """Count the insertions, deletions, replacements and swaps of neighbours that turn one word into another."""
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, letter in enumerate(one, start=1):
        following = [i]
        for j, wanted in enumerate(other, start=1):
            cost = min(row[j] + 1, following[j - 1] + 1, row[j - 1] + (letter != wanted))
            if i > 1 and j > 1 and letter == other[j - 2] and one[i - 2] == wanted:
                cost = min(cost, before[j - 2] + 1)
            following.append(cost)
        before, row = row, following
    return row[-1]


def did_you_mean(word: str, candidates: Iterable[str]) -> str:
    """Return the question for the nearest candidate; empty if there is none."""
    near = nearest(word, candidates)
    return f"Did you mean `{near}`?" if near is not None else ""


def suggest(word: str, candidates: Collection[str], *, limit: int = MAX_LISTED) -> str:
    """Return a hint that names the nearest candidate, or lists what is allowed; empty if nothing is.

    Args:
        word: The name that is not defined.
        candidates: The names that are, in the order in which they are listed.
        limit: How many of them are listed at most.
    """
    return did_you_mean(word, candidates) or use_one_of(candidates, limit=limit)


def use_one_of(candidates: Collection[str], *, limit: int = MAX_LISTED) -> str:
    """Return a hint that lists what is allowed; empty if nothing is."""
    names = list(candidates)
    if len(names) < 2:  # noqa: PLR2004 - a single name is no choice
        return f"Use `{names[0]}`." if names else ""
    listed = ", ".join(f"`{name}`" for name in names[:limit])
    return f"Use one of: {listed}{f', and {len(names) - limit} more' if len(names) > limit else ''}."
