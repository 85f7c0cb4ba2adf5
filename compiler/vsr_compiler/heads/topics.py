"""Groups the texts of a category by meaning.

Spherical k-means with deterministic starting points: the text nearest to the mean, then the text farthest from all
points so far. Groups serve two purposes. Their mean directions are the prototypes that a head remembers. Texts about
one topic are held out together: a text whose neighbours stay in the training set says little about prompts that nobody
has written down.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vsr_compiler.heads.logistic import Floats, Integers

_ROUNDS = 20


@dataclass(frozen=True, eq=False)
class Groups:
    """Texts in groups.

    Attributes:
        of: shape ``[n]``: the group of each text.
        owners: shape ``[groups]``: the target of each group. Groups are numbered by target.
        names: the name of each group; empty for one without, or if none has one.
    """

    of: Integers
    owners: Integers
    names: tuple[str, ...] = ()

    def shared(self, group: int) -> Integers:
        """Return the groups of the same name, itself included."""
        name = self.names[group] if self.names else ""
        if not name:
            return np.array([group], dtype=np.int64)
        return np.array([number for number, other in enumerate(self.names) if other == name], dtype=np.int64)

    def sizes(self, kept: NDArray[np.bool_] | None = None) -> Integers:
        """Return the number of texts of each group, of those that are kept."""
        used = self.of if kept is None else self.of[kept]
        return np.bincount(used, minlength=len(self.owners)).astype(np.int64)


def topics(embeddings: Floats, targets: Integers, size: int, fewest: int) -> Groups:
    """Group the texts of each target by ``size`` on average, but into ``fewest`` groups if it has as many texts."""
    return _grouped(embeddings, targets, lambda count: max(round(count / size), min(count, fewest)))


def clusters(embeddings: Floats, targets: Integers, most: int) -> Groups:
    """Group the texts of each target into at most ``most`` groups."""
    return _grouped(embeddings, targets, lambda count: min(count, most))


def _grouped(embeddings: Floats, targets: Integers, number: Callable[[int], int]) -> Groups:
    group_of = np.zeros(len(targets), dtype=np.int64)
    owners: list[int] = []
    for target in np.unique(targets):
        members = np.flatnonzero(targets == target)
        count = number(len(members))
        group_of[members] = _group(embeddings[members], count) + len(owners)
        owners += [int(target)] * count
    return Groups(group_of, np.array(owners, dtype=np.int64))


def means(embeddings: Floats, group_of: Integers, count: int) -> Floats:
    """Return the mean direction of each group, shape ``[count, dimension]``; zeros for a group without texts."""
    sums = np.zeros((count, embeddings.shape[1]))
    np.add.at(sums, group_of, embeddings)
    lengths = np.linalg.norm(sums, axis=1, keepdims=True)
    directions: Floats = sums / np.where(lengths > 0, lengths, 1)
    return directions


def _group(points: Floats, count: int) -> Integers:
    if count == len(points):
        return np.arange(count, dtype=np.int64)
    chosen = [int((points @ points.mean(axis=0)).argmax())]
    nearest = points @ points[chosen[0]]
    while len(chosen) < count:
        chosen.append(int(nearest.argmin()))
        nearest = np.maximum(nearest, points @ points[chosen[-1]])
    centres = points[chosen]
    assigned = np.zeros(len(points), dtype=np.int64)
    for _ in range(_ROUNDS):
        following = (points @ centres.T).argmax(axis=1).astype(np.int64)
        if np.array_equal(following, assigned):
            break
        assigned = following
        moved = means(points, assigned, count)
        centres = np.where(np.any(moved != 0, axis=1, keepdims=True), moved, centres)
    return assigned
