"""The health checks on every status that control planes write."""

from __future__ import annotations

import pytest

from support.control_plane_statuses import GENERATION, STATUSES, Row
from support.lua_health import run_check
from vsr_compiler.deploy.argocd.health import PRESENT, lua
from vsr_compiler.targets import kinds

CHECKS = {key: check for key, kind in kinds().items() if (check := lua(kind.health)) is not None}


@pytest.mark.parametrize("row", STATUSES, ids=lambda row: f"{row.kind[1]}-{row.health}-{row.words or 'plain'}")
def test_a_status_is_shown_for_what_it_means(row: Row) -> None:
    """A refusal with the controller's words; what is about an older generation does not count."""
    obj = {"metadata": {"name": "x", "generation": GENERATION}, "status": row.status}
    health, message = run_check(CHECKS[row.kind], obj)
    assert (health, row.words in message) == (row.health, True), (health, message, row.source)


def test_every_check_that_reads_a_status_has_rows_for_each_health() -> None:
    """A new kind brings the statuses that its control plane writes, with their source."""
    reading = {key for key, check in CHECKS.items() if check != PRESENT}
    assert {row.kind for row in STATUSES} == reading
    for key in reading:
        assert {"Healthy", "Degraded"} <= {row.health for row in STATUSES if row.kind == key}
    assert all(row.source for row in STATUSES)


@pytest.mark.parametrize("kind", CHECKS, ids=lambda kind: kind[1])
@pytest.mark.parametrize(
    "status",
    [{"conditions": [{}]}, {"ancestors": [{}]}, {"parents": [{}]}, {"conditions": [{"type": "Accepted"}]}],
    ids=str,
)
def test_an_unfinished_status_is_no_error(kind: tuple[str, str], status: dict[str, object]) -> None:
    """Argo CD shows an error of a check as `Unknown`."""
    obj = {"metadata": {"name": "x", "generation": GENERATION}, "status": status}
    assert run_check(CHECKS[kind], obj)[0] in {"Healthy", "Progressing"}
