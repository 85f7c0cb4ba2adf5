"""What is right is left alone: streams of every kind, and everything that we compile ourselves."""

from __future__ import annotations

from pathlib import Path

import pytest

import support.verify_support as m
from support import rendering
from support.common import ROOT, linked
from vsr_compiler.deploy.policy_assumptions import policy_assumptions
from vsr_compiler.diagnostics import Severity
from vsr_compiler.pipeline import compile_policy, read_policy
from vsr_compiler.verify import check_links, check_objects
from vsr_compiler.verify.files import read_manifests

POLICIES = [*sorted((ROOT / "policies").glob("*.yaml")), *sorted((ROOT / "tests" / "golden").glob("*/policy.yaml"))]


@pytest.mark.parametrize("name", ["ISTIO", "POOLED", "ENVOY", "AI"])
def test_a_stream_without_faults_has_no_findings_beyond_notes(name: str) -> None:
    """Otherwise the tests of faults would show nothing."""
    found = m.found(m.joined(*getattr(m, name)))
    assert [item.message for item in found if item.level is not Severity.NOTE] == []


def test_two_teams_in_one_stream_do_not_disturb_each_other() -> None:
    """Each gateway is held against its own routes, filters and rules."""
    first, second = m.joined(*m.POOLED), m.joined(*m.POOLED).replace("prod", "test")
    ai = m.joined(*m.AI).replace("prod", "ai")
    second = second.replace("message_timeout: 5s", "message_timeout: 20s")
    ai = ai.replace("backendRefs: [{name: big}]", "backendRefs: [{name: big}]\n    timeouts: {request: 10s}")
    found = m.found(m.joined(first, second, ai))
    assert [item.message for item in found if item.level is not Severity.NOTE] == []


def output(policy: Path) -> Path:
    """Where a policy's committed output lies."""
    return (ROOT / "out" if policy.parent.name == "policies" else policy.parent / "out") / read_policy(policy).name


@pytest.mark.parametrize("policy", POLICIES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_everything_that_we_compile_is_without_errors_in_every_environment(policy: Path) -> None:
    """The objects in memory, as the pipeline would check them, with their places in the policy."""
    linked_policy = read_policy(policy)
    folder = output(policy)
    result = compile_policy(linked_policy, lambda path: (folder / path).read_bytes())
    for objects in result.environments.values():
        found = check_objects(objects, policy_assumptions(linked_policy))
        told = [item for item in found if item.level is not Severity.NOTE]
        lenient = [item.code for item in told] == ["VSR410"] and "when its processor fails" in told[0].message
        assert told == [] or (lenient and linked_policy.router.fails_open)
        assert {item.span.file for item in found} <= {str(policy)}


@pytest.mark.parametrize("policy", POLICIES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_every_committed_base_is_without_errors(policy: Path) -> None:
    """The files as they lie in git, read through their kustomizations."""
    for base in sorted(output(policy).glob("*/base")):
        objects, problems = read_manifests([base])
        found = [*problems, *check_links(objects, policy_assumptions(read_policy(policy)))]
        assert objects
        assert [item.message for item in found if item.level is Severity.ERROR] == []


def test_a_finding_on_our_own_objects_points_at_the_policy() -> None:
    """What the pipeline would print has a place that the author can mend."""
    objects = [each for each in rendering.objects(linked(), "istio") if each.kind != "Gateway"]
    found = [
        item
        for item in check_objects(objects, policy_assumptions(linked()))
        if item.code == "VSR402" and "Gateway" in item.message
    ]
    assert found
    assert all(item.span.file == "policy.yaml" and item.span.line for item in found)
