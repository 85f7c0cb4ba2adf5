"""The report of ``vsr-compile status --format json``: what a cluster has of an environment."""

from __future__ import annotations

from typing import Literal

from vsr_schemas.base import CamelReportModel

ObjectSummary = Literal[
    "live", "unreported", "waiting", "rejected", "different", "missing", "unknown-kind", "forbidden", "unreadable"
]


class FieldDifference(CamelReportModel):
    """A field that differs from the output. ``manager`` set it in the cluster, if that is known."""

    field: str
    expected: str
    actual: str
    manager: str = ""


class ObjectStatus(CamelReportModel):
    """An object of the output.

    Attributes:
        api_version: Its version.
        kind: Its kind.
        namespace: Its namespace; empty for a cluster-scoped object.
        name: Its name.
        subject: What it is about, in words of the policy.
        place: Where that is.
        summary: The worst that is known about it.
        comparison: How it was compared with the output.
        message: Why it is not live.
        differences: The fields that differ.
    """

    api_version: str
    kind: str
    namespace: str
    name: str
    subject: str
    place: str
    summary: ObjectSummary
    comparison: Literal["dry run", "fields", "none"]
    message: str = ""
    differences: list[FieldDifference] = []


class PodStatus(CamelReportModel):
    """A pod of the router.

    ``config`` is the ConfigMap that it was started with. With ``--forward``, ``served`` are the sha256 of the
    configurations that it serves, ``errors`` its requests that ended with an error, and ``waiting`` the tokens that
    wait for its inference engine.
    """

    namespace: str
    name: str
    ready: bool
    stale: bool
    image: str
    config: str
    expected_config: str
    restarts: int
    reason: str = ""
    served: list[str] = []
    errors: int | None = None
    waiting: int | None = None


class EnvoyStatus(CamelReportModel):
    """An Envoy of a gateway. ``faults`` are about the router's filters; ``unknown`` is why nothing is known."""

    gateway: str
    namespace: str
    pod: str
    filters: list[str]
    faults: list[str] = []
    unknown: str = ""


class StatusFinding(CamelReportModel):
    """What is wrong. ``place`` is a position in the policy."""

    code: str
    severity: Literal["error", "warning", "note"]
    place: str
    message: str
    remedy: str = ""


class StatusReport(CamelReportModel):
    """The whole report. ``live`` is whether everything is there, equal to the output and in force."""

    apiVersion: Literal["vsr.dev/v1alpha1"] = "vsr.dev/v1alpha1"  # noqa: N815 - Kubernetes' spelling
    kind: Literal["StatusReport"] = "StatusReport"
    policy: str
    environment: str
    target: str
    live: bool
    objects: list[ObjectStatus]
    delivery: list[ObjectStatus]
    pods: list[PodStatus]
    envoys: list[EnvoyStatus] = []
    findings: list[StatusFinding]


class ClusterStatus(CamelReportModel):
    """One cluster of an environment. ``unreachable`` is why there is no report."""

    cluster: str
    context: str
    report: StatusReport | None
    unreachable: str = ""


class ClustersStatusReport(CamelReportModel):
    """The report of an environment on several clusters. ``live`` is whether it is live on every one."""

    apiVersion: Literal["vsr.dev/v1alpha1"] = "vsr.dev/v1alpha1"  # noqa: N815 - Kubernetes' spelling
    kind: Literal["ClustersStatusReport"] = "ClustersStatusReport"
    policy: str
    environment: str
    live: bool
    clusters: list[ClusterStatus]
