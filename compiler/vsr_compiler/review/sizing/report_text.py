"""Renders a report about sizes for a terminal and as Markdown."""

from __future__ import annotations

from vsr_compiler.review.eval_text import escaped
from vsr_schemas.reports_size import SizeReport


def text(report: SizeReport) -> str:
    """Render for a terminal."""
    lines = [*_head(report), "", "CPU of each request"]
    wide = max(len(row.work) for row in report.works)
    lines += [f"  {row.work:{wide}}  {row.cpu:9.1f} us  {row.why}" for row in report.works]
    lines += ["", "Assumptions", *(f"  - {item}" for item in report.assumptions), "", "In the policy"]
    lines += [f"  {line}" for line in report.policy_words.splitlines()]
    return "".join(f"{line}\n" for line in lines)


def markdown(report: SizeReport) -> str:
    """Render as Markdown."""
    lines = ["### Size of the router", "", *(escaped(line) for line in _head(report)), ""]
    lines += ["| work | CPU of each request | asked for by |", "|---|---:|---|"]
    lines += [f"| {row.work} | {row.cpu:.1f} µs | {escaped(row.why)} |" for row in report.works]
    lines += ["", *(f"- {escaped(item)}" for item in report.assumptions), "", "```yaml"]
    return "".join(f"{line}\n" for line in [*lines, *report.policy_words.splitlines(), "```"])


def _head(report: SizeReport) -> list[str]:
    where = report.policy if report.environment is None else f"{report.policy}, environment {report.environment}"
    needs = f"{report.cpu_request:g} CPU and {report.memory_request} MiB each (limit {report.memory_limit} MiB)"
    busy = f"{report.busy:.0%} of their CPU, {report.busy_without_one:.0%} with one missing"
    return [
        f"{where}: {report.rps:g} requests/s of {report.tokens} tokens",
        f"{report.replicas} replicas with {needs}",
        f"a replica serves {report.per_replica:g} requests/s; at the peak they use {busy}",
        f"the gateway uses {report.gateway_cpu:.0f} us of CPU for each request besides",
    ]
