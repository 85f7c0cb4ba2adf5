"""The verdict on statuses is that of the health checks for Argo CD, on every status that control planes write."""

from __future__ import annotations

import pytest

from support.control_plane_statuses import GENERATION, STATUSES, Row
from vsr_compiler.live.health import judge
from vsr_compiler.live.verdict import State
from vsr_compiler.targets import kinds

STATES = {
    "Healthy": {State.HEALTHY, State.UNREPORTED},
    "Progressing": {State.WAITING},
    "Degraded": {State.REJECTED},
}


@pytest.mark.parametrize("row", STATUSES, ids=lambda row: f"{row.kind[1]}-{row.health}-{row.words or 'plain'}")
def test_a_status_means_the_same_as_for_argo_cd(row: Row) -> None:
    """A refusal with the controller's words; what is about an older generation does not count."""
    body = {"metadata": {"name": "x", "generation": GENERATION}, "status": row.status}
    verdict = judge(row.kind, kinds()[row.kind].health, body)
    assert verdict.state in STATES[row.health], (verdict, row.source)
    if row.health == "Degraded":
        assert row.words.rpartition(": ")[2] in verdict.message


SHAPES = (
    None,
    [],
    "x",
    {"conditions": 5},
    {"conditions": [5, {}, {"type": 5, "status": 5}], "ancestors": [{}], "parents": [{}, 5], "listeners": [{}]},
    {"observedGeneration": "x", "updatedReplicas": True, "phase": 5},
)


@pytest.mark.parametrize("status", SHAPES, ids=str)
def test_status_of_any_shape_is_judged(status: object) -> None:
    """Whatever a controller writes, there is a verdict."""
    body = {"metadata": {"generation": "x"}, "spec": {"parentRefs": [{}, 5]}, "status": status}
    for key, kind in kinds().items():
        assert judge(key, kind.health, body).state in State
