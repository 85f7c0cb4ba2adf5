"""The objects of a policy for other releases are rolled out as every change: no state without a route or a guard."""

from __future__ import annotations

import itertools

import pytest

from support.rollouts.delivery import Delivery, argo_cd, kubectl
from support.rollouts.limits import tolerated
from support.rollouts.pairs import TARGETS, Pair, pair
from support.rollouts.proof import prove
from support.rollouts.versions import Versions, objects
from vsr_compiler.diagnostics import CompileError
from vsr_compiler.targets import profiles

ORDER = [name for name in ("seed", "2026-08", "current") if name in profiles()]
STEPS = list(itertools.pairwise(ORDER))
BACK = [(new, old) for old, new in STEPS[-1:]]


def compared(target: str, old: str, new: str) -> tuple[Pair, Versions]:
    """Return a policy that the target can do, with its objects for both profiles."""
    for seed in range(1, 9):
        change = pair("a route", target, seed)
        if change is not None and 'gateway: {"namespace"' in change.new:
            texts = [
                change.new.replace("gateway: {", f'gateway: {{"versions": "{profile}", ') for profile in (old, new)
            ]
            try:
                return change, Versions.of(objects(texts[0], target), objects(texts[1], target))
            except CompileError:
                continue  # this target cannot do what the policy asks
    raise AssertionError(f"no policy for {target}")


def check(target: str, old: str, new: str, delivery: Delivery) -> None:
    """Prove that each state serves what both serve with the guards of both, or answers 503."""
    change, versions = compared(target, old, new)
    result = prove(versions, delivery, change.requests, tolerated=tolerated(versions))
    assert str(result.counterexample or "") == ""


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize(("old", "new"), STEPS)
def test_objects_for_later_releases_lose_no_request(old: str, new: str, target: str) -> None:
    """In the waves of Argo CD."""
    check(target, old, new, argo_cd)


@pytest.mark.parametrize("target", ["istio", "gie", "envoy-gateway"])
@pytest.mark.parametrize(("old", "new"), BACK)
def test_going_back_loses_no_request(old: str, new: str, target: str) -> None:
    """It is a change as every other one."""
    check(target, old, new, argo_cd)


@pytest.mark.parametrize("target", ["istio", "gie", "envoy-gateway"])
@pytest.mark.parametrize(("old", "new"), STEPS)
def test_the_commands_of_the_report_lose_no_request(old: str, new: str, target: str) -> None:
    """Three times apply and wait."""
    check(target, old, new, kubectl)
