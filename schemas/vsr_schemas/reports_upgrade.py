"""The report of ``vsr-compile upgrade --format json``: what other releases change for a policy."""

from __future__ import annotations

from typing import Literal

from vsr_schemas.base import CamelReportModel
from vsr_schemas.reports_diff import DiffReport


class ReleaseChange(CamelReportModel):
    """A project with another release. ``old`` is empty for one that only the new objects use.

    ``installed_by`` says what brings it into the cluster.
    """

    component: str
    title: str
    old: str
    new: str
    installed_by: Literal["definitions", "controller", "objects"]
    notes: list[str] = []


class Finding(CamelReportModel):
    """What an object or a line of the policy has to do with it. ``place`` is a position in the policy."""

    code: str
    severity: Literal["error", "warning", "note"]
    place: str
    message: str
    remedy: str = ""
    environments: list[str] = []


class Behaviour(CamelReportModel):
    """A change of a project that none of the objects shows, but that may concern others in the cluster."""

    component: str
    since: str
    text: str
    source: str
    confirmed: bool = True


class UpgradeStep(CamelReportModel):
    """A step, with commands, and commands that wait for its end."""

    title: str
    commands: list[str] = []
    waits: list[str] = []
    reason: str = ""


class UpgradeReport(CamelReportModel):
    """The whole report.

    Attributes:
        policy: The policy.
        old: The releases of today, as a profile or in words.
        new: The releases that are asked for.
        environment: The environment; None for all that do not name releases of their own.
        releases: The projects whose release changes.
        by_hand: What the policy's author must change first: the compile for the new releases rejects it.
        solved: Vulnerabilities and ends of life that the new releases do not have.
        warnings: What else the compile for the new releases reports, and not the one for today's.
        before: What of today's objects the new releases break.
        after: What of the new objects today's releases break.
        behaviour: What else changes in the projects.
        steps: The order.
        diff: The change of the objects; None if the policy does not compile for the new releases.
        policy_diff: The change of the policy's text.
    """

    apiVersion: Literal["vsr.dev/v1alpha1"] = "vsr.dev/v1alpha1"  # noqa: N815 - Kubernetes' spelling
    kind: Literal["UpgradeReport"] = "UpgradeReport"
    policy: str
    old: str
    new: str
    environment: str | None = None
    releases: list[ReleaseChange]
    by_hand: list[Finding] = []
    solved: list[Finding] = []
    warnings: list[Finding] = []
    before: list[Finding] = []
    after: list[Finding] = []
    behaviour: list[Behaviour] = []
    steps: list[UpgradeStep] = []
    diff: DiffReport | None = None
    policy_diff: str = ""

    @property
    def different(self) -> bool:
        """Whether any release changes."""
        return bool(self.releases)
