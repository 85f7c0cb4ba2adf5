"""Collects the content of the page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from vsr_compiler import ir
from vsr_compiler.diagnostics import Diagnostic
from vsr_compiler.review.page.change_sections import diff_section, evaluation_section, impact_section
from vsr_compiler.review.page.environment_section import environments_section
from vsr_compiler.review.page.model import Page
from vsr_compiler.review.page.policy_sections import (
    clients_section,
    findings_section,
    guards_section,
    models_section,
    routes_section,
    tests_section,
    topology_section,
)
from vsr_compiler.review.policy_tests import Outcome
from vsr_schemas.reports_diff import DiffReport
from vsr_schemas.reports_eval import EvalReport
from vsr_schemas.reports_impact import ImpactReport
from vsr_schemas.version import VERSION


@dataclass(frozen=True, slots=True)
class Material:
    """What the page is made of.

    Attributes:
        policy: The compiled policy.
        findings: What the compiler reports.
        outcomes: The results of its tests.
        uncovered: What its tests do not reach.
        change: What changes against an earlier output; None if nothing is compared.
        impact: What changes for recorded traffic; None if there is none.
        evaluation: How well categories are separated; None if that was not measured.
    """

    policy: ir.Policy
    findings: Sequence[Diagnostic] = ()
    outcomes: Sequence[Outcome] = ()
    uncovered: Sequence[Diagnostic] = ()
    change: DiffReport | None = None
    impact: ImpactReport | None = None
    evaluation: EvalReport | None = None


def page(material: Material) -> Page:
    """Return the page. What a reviewer decides by comes first."""
    policy = material.policy
    facts = [("Policy", policy.name), ("Digest", f"sha256:{policy.sha256}"), ("Compiler", f"vsr-compile {VERSION}")]
    facts.append(("Size", f"{len(policy.routes)} routes, {len(policy.models)} models, {len(policy.guards)} guards"))
    sections = [findings_section(material.findings)]
    if material.change is not None:
        sections.append(diff_section(material.change))
    if material.impact is not None:
        sections.append(impact_section(material.impact))
    sections += [
        topology_section(policy),
        routes_section(policy, material.outcomes),
        models_section(policy),
        guards_section(policy),
        clients_section(policy),
        tests_section(material.outcomes, material.uncovered),
    ]
    if material.evaluation is not None:
        sections.append(evaluation_section(material.evaluation))
    sections.append(environments_section(policy))
    return Page(f"Routing policy {policy.name}", tuple(facts), tuple(sections))
