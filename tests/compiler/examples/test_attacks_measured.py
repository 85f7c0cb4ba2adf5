"""The measurement of heads of attacks: nothing of a family is known to the head that scores it."""

from __future__ import annotations

import importlib

import numpy as np
import pytest

from support.common import ROOT


@pytest.fixture
def measure(monkeypatch):
    """The benchmark as a module."""
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    return importlib.import_module("guards_injection")


def test_a_family_is_scored_by_a_head_that_saw_neither_its_attacks_nor_its_look_alikes(measure):
    """Its scores do not change with its labels; those of other families do."""
    random = np.random.default_rng(0)
    attack = np.arange(80) % 2 == 0
    family = np.repeat(["a", "b", "c", "d"], 20)
    vectors = random.normal(size=(80, 8)) + attack[:, None]
    own = family == "b"
    before = measure.held_out(vectors, attack, family)
    after = measure.held_out(vectors, attack ^ own, family)
    assert np.array_equal(before[own], after[own])
    assert not np.isclose(before[~own], after[~own]).any()
    assert measure.area(before[attack], before[~attack]) > 0.8


def test_every_family_that_was_written_last_is_measured(measure):
    """Of both files, with as many look-alikes; the texts of several sets are put together by family."""
    texts = measure.blind_rows()
    families = {family for _, _, family in texts}
    assert len(families) >= 8
    assert {family for _, attack, family in texts if attack} <= families
    assert sum(attack for _, attack, _ in texts) * 2 == len(texts)
    assert len(measure.rows("injection@1", "injection@2")) == sum(len(measure.rows(n)) for n in measure.TRAINED[2])
