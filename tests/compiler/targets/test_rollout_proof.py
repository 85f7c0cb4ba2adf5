"""No change of a policy loses a request, in any state of the cluster: proved by exploring the states of many changes.

`python tests/compiler/targets/test_rollout_proof.py SEEDS` prints the numbers for more of them.
"""

from __future__ import annotations

import copy
import os
import sys
import time
from typing import Any

import pytest

from support.argo_cd import WAVE
from support.properties import FUZZING
from support.rollouts import earlier
from support.rollouts.delivery import Delivery, argo_cd, flux, kubectl, one_command
from support.rollouts.limits import tolerated, two_steps
from support.rollouts.pairs import CHANGES, TARGETS, Pair, pair
from support.rollouts.proof import Counterexample, Result, Summary, prove
from support.rollouts.versions import Edit, Versions, objects
from vsr_compiler.diagnostics import CompileError
from vsr_compiler.review.environment_changes import ObjectChange
from vsr_compiler.review.rollout.flux import needed
from vsr_compiler.targets.common.extproc import MARK_NAME
from vsr_schemas.headers import SELECTED_MODEL

SEEDS = range(int(os.environ.get("VSR_ROLLOUT_SEEDS", "20"))) if FUZZING else range(1)


def versions(old: str, new: str, target: str, edit: Edit | None = None) -> Versions:
    """Both versions as the target's objects."""
    return Versions.of(objects(old, target, edit), objects(new, target, edit))


def checked(change: Pair, old: str, new: str, delivery: Delivery, *, fails: bool = False) -> Result:
    """Explore one change."""
    compared = versions(old, new, change.target)
    back = Versions.of(compared.sides[1], compared.sides[0])
    # To go back is a change of its own: one that needs two steps cannot be a failed sync.
    # Flux prunes at once, so there it needs two steps whenever it removes something.
    fails = fails and delivery is not flux and not two_steps(back)
    return prove(compared, delivery, change.requests, fails=fails, tolerated=tolerated(compared))


def prove_all(
    seeds: range, kinds: list[str], summary: Summary, delivery: Delivery = argo_cd, targets: tuple[str, ...] = TARGETS
) -> list[str]:
    """Return the counterexamples. What needs two steps is proved for each of them.

    Not for Flux, if the first of two steps removes something as well or is none of the language: a pool is the only
    endpoint of its model, and so is a provider.
    """
    wrong = []
    for kind in kinds:
        for number, target in ((number, target) for target in targets for number in seeds):
            change = pair(kind, target, number)
            try:
                steps = [] if change is None else _steps(change, delivery)
            except CompileError:
                continue  # the target cannot do what the policy asks
            if delivery is flux and len(steps) == 2 and not _is_first_step(steps[0], target):
                continue
            for old, new in steps:
                assert change is not None
                # A sync that fails doubles the states and more: everywhere when fuzzing, on one target in CI.
                result = checked(change, old, new, delivery, fails=FUZZING or target == "istio")
                if result.counterexample is not None:
                    wrong.append(f"{change}\n{result.counterexample}")
                summary.add(change.kind, result)
            summary.in_two_steps += len(steps) == 2
    return wrong


def _steps(change: Pair, delivery: Delivery) -> list[tuple[str, str]]:
    compared = versions(change.old, change.new, change.target)
    if two_steps(compared) or (delivery is flux and _needed_with_flux(compared)):
        return [(change.old, change.between), (change.between, change.new)]
    return [(change.old, change.new)]


def _is_first_step(step: tuple[str, str], target: str) -> bool:
    try:
        return not _needed_with_flux(versions(*step, target))
    except CompileError:
        return False


def _needed_with_flux(compared: Versions) -> bool:
    """Return whether `diff` asks for two commits."""
    changes = [ObjectChange("it", *(side.get(name) for side in compared.sides)) for name in compared.changed]
    return any(True for _ in needed(changes))


@pytest.mark.property
@pytest.mark.parametrize("kind", CHANGES)
def test_a_change_loses_no_request_in_the_waves_of_argo_cd(kind: str) -> None:
    """Every reachable state serves what both policies serve, or answers 503; syncs fail at any time and go back."""
    first = list(CHANGES).index(kind) % 2
    chosen = TARGETS if FUZZING else TARGETS[first::2]  # in CI every target with half of the kinds
    assert not (wrong := prove_all(SEEDS, [kind], Summary(), targets=chosen)), "\n".join(wrong)


QUICK = ("a model and its endpoint", "the name of a model and of its endpoint", "an adapter", "a guard on responses")


@pytest.mark.property
@pytest.mark.parametrize("delivery", [kubectl, flux], ids=["kubectl", "flux"])
def test_the_documented_commands_and_kustomizations_lose_no_request_either(delivery: Delivery) -> None:
    """Three applies and a deletion; Flux prunes before it waits, so there a removal is a commit of its own."""
    chosen = TARGETS if FUZZING else ("istio", "ai-gateway")
    assert not (wrong := prove_all(SEEDS, list(QUICK), Summary(), delivery, chosen)), "\n".join(wrong)


@pytest.mark.property
@pytest.mark.parametrize("kind", CHANGES)
def test_what_diff_does_not_divide_for_flux_loses_no_request_in_one_commit(kind: str) -> None:
    """`diff` asks for two commits wherever the emitted Kustomizations would lose requests."""
    chosen = TARGETS if FUZZING else TARGETS[list(CHANGES).index(kind) % 3 :: 3]
    assert not (wrong := prove_all(SEEDS, [kind], Summary(), flux, chosen)), "\n".join(wrong)


def lost(kind: str, target: str, edit: Edit | None = None, delivery: Delivery = argo_cd) -> Counterexample:
    """Return the counterexample of the first change of a kind that has one."""
    for seed in range(12):
        change = pair(kind, target, seed)
        if change is None:
            continue
        try:
            compared = versions(change.old, change.new, target, edit)
        except CompileError:
            continue
        if edit is not None and two_steps(versions(change.old, change.new, target)):
            continue
        found = prove(compared, delivery, change.requests).counterexample
        if found is not None:
            return found
    raise AssertionError(f"no change of `{kind}` loses a request on {target}")


EARLIER: dict[str, tuple[Edit, str, str, int, str]] = {
    "istio-02: the configuration overtakes the routes": (
        earlier.config_in_place, "the name of a model and of its endpoint", "istio", 404, "apply ConfigMap",
    ),
    "argocd-05: a removed model goes before the router knows": (
        earlier.config_in_place, "a model and its endpoint", "envoy-gateway", 404, "",
    ),
    "the router comes before the routes": (
        earlier.router_first, "the name of a model and of its endpoint", "gie", 404, "apply Deployment semantic-router",
    ),
    "istio-04: a picker is recreated": (
        earlier.pickers_recreated, "weights of a picker", "llm-d", 500, "the old pods of Deployment",
    ),
    "envoy-gateway-02: rules of AI Gateway move": (
        earlier.one_ai_gateway_route, "a model and its endpoint", "ai-gateway", 500, "apply AIGatewayRoute",
    ),
    "a router pod is ready before AI Gateway's sidecar": (
        earlier.early_router_pods, "the name of a model and of its endpoint", "ai-gateway", 500, "new pods",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", EARLIER)
def test_what_earlier_compilers_emitted_loses_requests_as_it_did_on_real_clusters(case: str) -> None:
    """The proof finds each fault again, with the steps to it."""
    edit, kind, target, status, step = EARLIER[case]
    found = lost(kind, target, edit)
    assert found.answer.status == status, str(found)
    assert any(step in text for text in found.steps), str(found)


def test_an_upgrade_that_adds_a_header_to_every_route_needs_the_filter_first() -> None:
    """The patch of Envoy Gateway once came behind the routes: until it was applied, every request got 404."""
    change = pair("a route", "envoy-gateway", 1)
    assert change is not None
    old, new, late = (objects(change.old, "envoy-gateway", edit) for edit in (_without_mark, None, _patch_last))
    assert prove(Versions.of(old, new), argo_cd, change.requests).counterexample is None
    found = prove(Versions.of(old, late), argo_cd, change.requests).counterexample
    assert found is not None
    assert found.answer.status == 404


def _without_mark(bodies: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the objects of a compiler that knew no second header."""
    found = copy.deepcopy(bodies)
    for body in found:
        if body["kind"] == "HTTPRoute":
            for match in (match for rule in body["spec"]["rules"] for match in rule["matches"] if "headers" in match):
                match["headers"] = [item for item in match["headers"] if item["name"] == SELECTED_MODEL]
        if body["kind"] == "EnvoyPatchPolicy":
            patches = body["spec"]["jsonPatches"]
            body["spec"]["jsonPatches"] = [item for item in patches if item["operation"]["value"]["name"] != MARK_NAME]
    return found


def _patch_last(bodies: list[dict[str, Any]]) -> list[dict[str, Any]]:
    found = copy.deepcopy(bodies)
    for body in found:
        if body["kind"] == "EnvoyPatchPolicy":
            body["metadata"]["annotations"][WAVE] = "5"
    return found


TOGETHER: list[tuple[str, Delivery]] = [
    ("the name of a model and of its endpoint", one_command),
    ("a model and its endpoint", flux),
]


@pytest.mark.parametrize(("kind", "delivery"), TOGETHER, ids=["one command", "Flux in one commit"])
def test_without_the_steps_the_proof_finds_what_is_lost(kind: str, delivery: Delivery) -> None:
    """One `kubectl apply --prune` waits for nothing; Flux prunes a removed route while routers still select it."""
    assert lost(kind, "istio", delivery=delivery).answer.status in {404, 500}


if __name__ == "__main__":
    numbers = Summary()
    seeds = range(int(sys.argv[1]) if len(sys.argv) > 1 else 1)
    wrong = prove_all(seeds, list(CHANGES), numbers)
    lines = [*wrong, str(numbers), f"{time.process_time():.1f} s of CPU"]
    lines += [f"\n{case}\n{lost(kind, target, edit)}" for case, (edit, kind, target, *_) in EARLIER.items()]
    sys.stdout.write("\n".join(lines) + "\n")
