"""Valid manifests have no findings: examples of every kind, and all compiled output."""

from __future__ import annotations

import pytest

import support.verify_support as m
from support import rendering
from support.cases import GOLDEN, POLICIES, output_of, policy_file
from support.common import linked
from vsr_compiler.deploy.policy_assumptions import rendered_assumptions
from vsr_compiler.diagnostics import Severity
from vsr_compiler.pipeline import compile_policy, read_policy
from vsr_compiler.verify import Assumptions, check_links, check_objects
from vsr_compiler.verify.files import read_manifests


@pytest.mark.parametrize("name", ["ISTIO", "POOLED", "ENVOY", "AI"])
def test_valid_stream_has_notes_only(name: str) -> None:
    """The tests of faults change these streams."""
    found = m.found(m.joined(*getattr(m, name)))
    assert [item.message for item in found if item.level is not Severity.NOTE] == []


def test_gateways_of_two_teams_are_checked_separately() -> None:
    """Each gateway is checked with its own routes, filters and rules."""
    first, second = m.joined(*m.POOLED), m.joined(*m.POOLED).replace("prod", "test")
    ai = m.joined(*m.AI).replace("prod", "ai")
    second = second.replace("message_timeout: 5s", "message_timeout: 20s")
    ai = ai.replace("backendRefs: [{name: big}]", "backendRefs: [{name: big}]\n    timeouts: {request: 10s}")
    found = m.found(m.joined(first, second, ai))
    assert [item.message for item in found if item.level is not Severity.NOTE] == []


@pytest.mark.parametrize("case", [*POLICIES, *GOLDEN])
def test_compiled_objects_have_no_findings_in_any_environment(case: str) -> None:
    """As checked by the pipeline, with places in the policy."""
    linked_policy = read_policy(policy_file(case))
    result = compile_policy(linked_policy, lambda path: (output_of(case) / path).read_bytes())
    for name, objects in result.environments.items():
        target = next(item.target for item in linked_policy.environments if item.name == name)
        releases = result.lock.releases(f"{target}/overlays/{name}/kustomization.yaml")
        assumptions = rendered_assumptions(linked_policy) | Assumptions(releases=tuple(releases.items()))
        found = check_objects(objects, assumptions)
        reported = [item for item in found if item.level is not Severity.NOTE]
        lenient = [item.code for item in reported] == ["VSR410"] and "when the processor of" in reported[0].message
        assert reported == [] or (lenient and linked_policy.router.fails_open)
        assert {item.span.file for item in found} <= {str(policy_file(case))}


@pytest.mark.parametrize("case", [*POLICIES, *GOLDEN])
def test_written_bases_have_no_errors(case: str) -> None:
    """Read through their kustomizations."""
    policy = read_policy(policy_file(case))
    for base in sorted(output_of(case).glob("*/base")):
        objects, problems = read_manifests([base])
        found = [*problems, *check_links(objects, rendered_assumptions(policy))]
        assert objects
        assert [item.message for item in found if item.level is Severity.ERROR] == []


def test_finding_in_compiled_objects_points_to_the_policy() -> None:
    """The author can fix the policy at this place."""
    objects = [each for each in rendering.objects(linked(), "istio") if each.kind != "Gateway"]
    found = [
        item
        for item in check_objects(objects, rendered_assumptions(linked()))
        if item.code == "VSR402" and "Gateway" in item.message
    ]
    assert found
    assert all(item.span.file == "policy.yaml" and item.span.line for item in found)
