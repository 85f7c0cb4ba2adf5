"""The report of ``vsr-compile size --format json``: how many replicas of the router a load needs."""

from __future__ import annotations

from typing import Literal

from vsr_schemas.base import ReportModel


class WorkReport(ReportModel):
    """A kind of work of each request. ``cpu`` is in microseconds, ``why`` what in the policy asks for it."""

    work: str
    why: str
    cpu: float


class SizeReport(ReportModel):
    """The whole report.

    Attributes:
        rps: Requests per second at the peak.
        tokens: Tokens of a request in the mean.
        body: Bytes of a request that follow from them.
        cpu: Microseconds of CPU of the router for each request.
        gateway_cpu: Microseconds of CPU of an Envoy for each request, which are not part of the router's pods.
        per_replica: Requests per second that one replica serves at the planned utilisation.
        busy: Share of their CPU that the planned replicas use at the peak.
        busy_without_one: The same while one replica is missing.
        works: What each request costs.
        assumptions: What the numbers depend on.
        findings: Where the policy states less than this.
        policy_words: What to write under ``router``.
        cpu_request: CPUs of each replica.
        memory_request: MiB of each replica.
        memory_limit: MiB at which a replica is ended.
    """

    policy: str
    environment: str | None
    rps: float
    tokens: int
    body: int
    cpu: float
    gateway_cpu: float
    replicas: int
    max_replicas: int
    cpu_request: float
    memory_request: int
    memory_limit: int
    per_replica: float
    busy: float
    busy_without_one: float
    works: list[WorkReport]
    assumptions: list[str]
    findings: list[str]
    policy_words: str
    machine: str
    measured: str
    apiVersion: Literal["vsr.dev/v1alpha1"] = "vsr.dev/v1alpha1"  # noqa: N815 - Kubernetes' spelling
    kind: Literal["SizeReport"] = "SizeReport"
