"""The report of ``vsr-compile diff --format json``: what a policy changes against an earlier output."""

from __future__ import annotations

from typing import Any, Literal

from vsr_schemas.base import ReportModel


class TrafficChange(ReportModel):
    """A sentence on what changes for requests. ``breaking`` is the rule that calls it breaking, if one does."""

    text: str
    breaking: str | None = None


class FieldChange(ReportModel):
    """A field of an object. ``old`` and ``new`` are JSON; ``change`` says which of them is there.

    ``path`` names list items by their keys: ``spec.template.spec.containers[name=vllm].image``.
    """

    path: str
    change: Literal["added", "removed", "changed"]
    old: Any = None
    new: Any = None


class FileChange(ReportModel):
    """A file of the output, and the identity of its object where it holds one.

    ``fields`` is empty for what is added or removed as a whole and for files that are not compared inside.
    """

    file: str
    identity: str = ""
    change: Literal["added", "removed", "changed"]
    fields: list[FieldChange] = []


class DiffReport(ReportModel):
    """The whole report. ``against`` is what the person named."""

    apiVersion: Literal["vsr.dev/v1alpha1"] = "vsr.dev/v1alpha1"  # noqa: N815 - Kubernetes' spelling
    kind: Literal["DiffReport"] = "DiffReport"
    policy: str
    against: str
    traffic: list[TrafficChange]
    files: list[FileChange]

    @property
    def different(self) -> bool:
        """Whether anything changes."""
        return bool(self.traffic or self.files)

    @property
    def breaking(self) -> bool:
        """Whether something changes that somebody may rely on."""
        return any(change.breaking for change in self.traffic)
