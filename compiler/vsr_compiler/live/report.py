"""The report of a look at a cluster, as a model and as text."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from vsr_compiler.diagnostics import Diagnostic, Severity, Span
from vsr_compiler.live.desired import Desired
from vsr_compiler.live.inside import EnvoyState
from vsr_compiler.live.objects import ObjectState
from vsr_compiler.live.pods import PodState
from vsr_compiler.live.served import Served
from vsr_compiler.live.status import Look
from vsr_compiler.live.verdict import State
from vsr_schemas.reports_status import (
    EnvoyStatus,
    FieldDifference,
    ObjectStatus,
    ObjectSummary,
    PodStatus,
    StatusFinding,
    StatusReport,
)

_SHOWN = 12
"""Characters of a sha256 in the text."""
_SUMMARIES: dict[State, ObjectSummary] = {
    State.HEALTHY: "live",
    State.UNREPORTED: "unreported",
    State.WAITING: "waiting",
    State.REJECTED: "rejected",
}
_PRESENCES: dict[str, ObjectSummary] = {
    "missing": "missing",
    "unknown kind": "unknown-kind",
    "forbidden": "forbidden",
    "unreadable": "unreadable",
}


def report(desired: Desired, seen: Look, found: Iterable[Diagnostic]) -> StatusReport:
    """Return the report."""
    listed = list(found)
    return StatusReport(
        policy=desired.policy,
        environment=desired.environment,
        target=desired.target,
        live=not any(item.level is Severity.ERROR for item in listed),
        objects=[_object(desired, item) for item in seen.objects],
        delivery=[_object(desired, item) for item in seen.delivery],
        pods=[_pod(item, seen.served.get((item.namespace, item.name))) for item in seen.pods],
        envoys=[_envoy(item) for item in seen.envoys],
        findings=[_finding(item) for item in listed],
    )


def text(result: StatusReport) -> str:
    """Return the report as lines: each object, the objects that deliver them, and the pods of the router."""
    live = sum(item.summary in {"live", "unreported"} for item in result.objects)
    lines = [f"{result.policy}, environment {result.environment} ({result.target}): "]
    lines[0] += f"{live} of {len(result.objects)} objects live"
    lines += _table(_row(item) for item in result.objects)
    if result.delivery:
        lines += ["", "delivery", *_table(_row(item) for item in result.delivery)]
    if result.pods:
        lines += ["", "pods of the router", *_table(_pod_row(item) for item in result.pods)]
    if result.envoys:
        lines += ["", "Envoys of the gateway", *_table(_envoy_row(item) for item in result.envoys)]
    return "\n".join(lines)


def _table(rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    listed = list(rows)
    widths = [max(len(row[column]) for row in listed) for column in range(len(listed[0]))] if listed else []
    for row in listed:
        yield ("  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))).rstrip()


def _row(item: ObjectStatus) -> tuple[str, ...]:
    name = f"{item.namespace}/{item.name}" if item.namespace else item.name
    return (item.summary, item.kind, name, item.subject)


def _pod_row(item: PodStatus) -> tuple[str, ...]:
    state = "stale" if item.stale else "ready" if item.ready else "not ready"
    served = ", ".join(f"serves {digest[:_SHOWN]}…" for digest in item.served)
    errors = f"{item.errors} errors" if item.errors is not None else ""
    return (state, f"{item.namespace}/{item.name}", item.config or "no configuration", item.image, served, errors)


def _envoy_row(item: EnvoyStatus) -> tuple[str, ...]:
    state = "unknown" if item.unknown else "faulty" if item.faults else "in order"
    return (state, f"{item.namespace}/{item.pod}" if item.pod else item.gateway, ", ".join(item.filters))


def _object(desired: Desired, item: ObjectState) -> ObjectStatus:
    manifest, subject = item.manifest, desired.subject(item.manifest)
    summary = _PRESENCES.get(item.presence) or _SUMMARIES[item.verdict.state]
    if summary in {"live", "unreported"} and (item.drifts or item.refusal):
        summary = "different"
    return ObjectStatus(
        api_version=str(manifest.body["apiVersion"]),
        kind=manifest.kind,
        namespace=manifest.namespace,
        name=manifest.name,
        subject=subject.words,
        place=place(subject.span),
        summary=summary,
        comparison=item.comparison,
        message=item.verdict.message or item.refusal or item.reason,
        differences=[
            FieldDifference(field=each.field, expected=each.expected, actual=each.actual, manager=each.manager)
            for each in item.differences
        ],
    )


def _envoy(item: EnvoyState) -> EnvoyStatus:
    return EnvoyStatus(
        gateway=item.proxies.gateway,
        namespace=item.namespace,
        pod=item.pod,
        filters=list(item.proxies.filters),
        faults=list(item.faults),
        unknown=item.unknown,
    )


def _pod(item: PodState, answer: Served | str | None) -> PodStatus:
    known = answer if isinstance(answer, Served) else None
    return PodStatus(
        served=[] if known is None else list(known.digests),
        errors=None if known is None else known.errors,
        waiting=None if known is None else known.waiting,
        namespace=item.namespace,
        name=item.name,
        ready=item.ready,
        stale=item.is_stale,
        image=item.image,
        config=item.config,
        expected_config=item.wanted,
        restarts=item.restarts,
        reason=item.reason,
    )


def _finding(item: Diagnostic) -> StatusFinding:
    word = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.NOTE: "note"}[item.level]
    return StatusFinding.model_validate(
        {"code": item.code, "severity": word, "place": place(item.span), "message": item.message, "remedy": item.hint}
    )


def place(span: Span) -> str:
    """Return a position as text."""
    return f"{span.file}:{span.line}:{span.column}" if span.line else span.file
