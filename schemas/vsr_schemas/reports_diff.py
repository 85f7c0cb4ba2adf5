"""The report of ``vsr-compile diff --format json``: what a policy changes against an earlier output."""

from __future__ import annotations

from typing import Any, Literal

from vsr_schemas.base import ReportModel


class TrafficChange(ReportModel):
    """A change for requests, as a sentence. ``breaking`` is the name of the rule that classifies it as breaking."""

    text: str
    breaking: str | None = None


class RolloutChange(ReportModel):
    """An effect of the change on what runs, as a sentence, with the steps that it needs.

    ``breaking`` is the name of the rule that classifies it as breaking. ``steps`` are in order; each is a sentence or a
    command. Without steps nothing is to be done.
    """

    text: str
    breaking: str | None = None
    steps: list[str] = []


class FieldChange(ReportModel):
    """A field of an object. ``old`` and ``new`` are JSON; ``change`` tells which of them is set.

    ``path`` names list items by their keys: ``spec.template.spec.containers[name=vllm].image``.
    """

    path: str
    change: Literal["added", "removed", "changed"]
    old: Any = None
    new: Any = None


class FileChange(ReportModel):
    """A file of the output, with the identity of its object if it contains one.

    ``fields`` is empty for files that are added or removed, and for files whose content is not compared.
    """

    file: str
    identity: str = ""
    change: Literal["added", "removed", "changed"]
    fields: list[FieldChange] = []


class DiffReport(ReportModel):
    """The whole report. ``against`` is the folder or revision that the user gave."""

    apiVersion: Literal["vsr.dev/v1alpha1"] = "vsr.dev/v1alpha1"  # noqa: N815 - Kubernetes' spelling
    kind: Literal["DiffReport"] = "DiffReport"
    policy: str
    against: str
    traffic: list[TrafficChange]
    rollout: list[RolloutChange] = []
    files: list[FileChange]

    @property
    def different(self) -> bool:
        """Whether anything changes."""
        return bool(self.traffic or self.rollout or self.files)

    @property
    def breaking(self) -> bool:
        """Whether a change is breaking."""
        return any(change.breaking for change in self.traffic) or any(change.breaking for change in self.rollout)
