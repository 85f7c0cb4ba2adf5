"""What is right is left alone: streams of every kind, and everything that we compile ourselves."""

from __future__ import annotations

import pytest

import support.verify_support as m
from support import rendering
from support.cases import GOLDEN, POLICIES, output_of, policy_file
from support.common import linked
from vsr_compiler.deploy.policy_assumptions import rendered_assumptions
from vsr_compiler.diagnostics import Severity
from vsr_compiler.pipeline import compile_policy, read_policy
from vsr_compiler.verify import check, links
from vsr_compiler.verify.files import read


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


@pytest.mark.parametrize("case", [*POLICIES, *GOLDEN])
def test_everything_that_we_compile_is_without_errors_in_every_environment(case: str) -> None:
    """The objects in memory, as the pipeline would check them, with their places in the policy."""
    linked_policy = read_policy(policy_file(case))
    result = compile_policy(linked_policy, lambda path: (output_of(case) / path).read_bytes())
    for objects in result.environments.values():
        found = check(objects, rendered_assumptions(linked_policy))
        told = [item for item in found if item.level is not Severity.NOTE]
        lenient = [item.code for item in told] == ["VSR410"] and "when its processor fails" in told[0].message
        assert told == [] or (lenient and linked_policy.router.fails_open)
        assert {item.span.file for item in found} <= {str(policy_file(case))}


@pytest.mark.parametrize("case", [*POLICIES, *GOLDEN])
def test_every_written_base_is_without_errors(case: str) -> None:
    """The files as they are on the disk, read through their kustomizations."""
    policy = read_policy(policy_file(case))
    for base in sorted(output_of(case).glob("*/base")):
        objects, problems = read([base])
        found = [*problems, *links(objects, rendered_assumptions(policy))]
        assert objects
        assert [item.message for item in found if item.level is Severity.ERROR] == []


def test_a_finding_on_our_own_objects_points_at_the_policy() -> None:
    """What the pipeline would print has a place that the author can mend."""
    objects = [each for each in rendering.objects(linked(), "istio") if each.kind != "Gateway"]
    found = [
        item
        for item in check(objects, rendered_assumptions(linked()))
        if item.code == "VSR402" and "Gateway" in item.message
    ]
    assert found
    assert all(item.span.file == "policy.yaml" and item.span.line for item in found)
