from __future__ import annotations

import numpy as np

from vsr_compiler.heads.topics import clusters, means, topics


def two_clouds(count: int) -> np.ndarray:
    """Points around two directions, alternating."""
    angles = np.array([(index % 2) * 1.5 + 0.01 * index for index in range(count)])
    return np.stack([np.cos(angles), np.sin(angles)], axis=1)


def test_texts_of_one_topic_are_together():
    """Two clouds make two groups, in any order of the texts."""
    points = two_clouds(20)
    grouped = topics(points, np.zeros(20, np.int64), 10, 2)
    assert grouped.owners.tolist() == [0, 0]
    assert len({int(group) for group in grouped.of[::2]}) == len({int(group) for group in grouped.of[1::2]}) == 1
    turned = topics(points[::-1], np.zeros(20, np.int64), 10, 2)
    assert {frozenset(np.flatnonzero(turned.of[::-1] == group)) for group in (0, 1)} == {
        frozenset(np.flatnonzero(grouped.of == group)) for group in (0, 1)
    }


def test_groups_never_mix_targets():
    """A group belongs to one target, even if the texts are the same."""
    points = np.vstack([two_clouds(6), two_clouds(6)])
    targets = np.repeat([-1, 3], 6)
    grouped = topics(points, targets, 10, 4)
    assert all(len(set(targets[grouped.of == group])) == 1 for group in range(len(grouped.owners)))
    assert sorted(set(grouped.owners.tolist())) == [-1, 3]


def test_few_texts_are_a_group_each():
    """A target with as many texts as it may have groups keeps each text apart."""
    grouped = clusters(two_clouds(3), np.zeros(3, np.int64), 5)
    assert grouped.of.tolist() == [0, 1, 2]


def test_equal_texts():
    """Points that are all the same do not confuse the grouping."""
    grouped = topics(np.ones((12, 1)), np.zeros(12, np.int64), 3, 4)
    assert len(grouped.of) == 12
    assert len(grouped.owners) == 4


def test_means_are_directions():
    """A mean has length one; a group without texts has none."""
    rows = means(np.array([[1.0, 0.0], [0.0, 1.0]]), np.array([0, 0]), 2)
    assert np.allclose(rows, [[np.sqrt(0.5)] * 2, [0, 0]])
