"""Alerts on two objectives of the router: requests are decided, and in time.

An alert fires if the share of bad requests would use up the budget of 30 days too early, over a long window and a short
one: 14.4 times the allowed rate over an hour, 6 times over six hours, or the rate itself over three days (the values of
Google's SRE Workbook, "Alerting on SLOs"). Shares are recorded once for each window.
"""

from __future__ import annotations

from collections.abc import Iterator

from vsr_compiler import ir
from vsr_compiler.manifests.objects import Body

BOUNDS = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5)
"""The bounds of the runtime's histogram in seconds. A test compares them."""
UNDECIDED, LATE = 0.001, 0.01
"""The shares of requests that may stay undecided, or be decided late."""
_WINDOWS = ("5m", "30m", "1h", "6h", "3d")
_FAST = (("1h", "5m", 14.4), ("6h", "30m", 6))
_SLOW = (("3d", "6h", 1),)
_LEAST = 0.1
"""Requests per second that a share is of at least: with fewer, one failure says nothing."""
_NOT_OURS = "too_complex"
"""The reason that the content of a request alone can cause."""
_CAPACITY = "uploads_full|unknown_attempt"
"""Errors of the router that have another counter than requests without a decision."""
_COUNT, _BUCKET = "llm_model_routing_latency_seconds_count", "llm_model_routing_latency_seconds_bucket"
_PAGE = "docs/how-to/watch-service-levels.md"


def group(policy: ir.Policy, series: str) -> list[Body]:
    """Return the group of rules, or nothing for the stock router, which has no such metrics.

    Args:
        policy: The policy.
        series: The label matchers of the router's series.
    """
    if isinstance(policy.router.implementation, ir.SemanticRouter):
        return []
    bound = bound_of(policy.router.deadline)
    rules = [*_recorded(series, bound), *_alerts(series, bound)]
    return [{"name": f"vsr-{policy.name}-objectives", "rules": rules}]


def bound_of(deadline: int) -> float:
    """Return the greatest bound of the histogram, in seconds, that is within a deadline in milliseconds."""
    return max((bound for bound in BOUNDS if bound * 1000 <= deadline), default=BOUNDS[0])


def _recorded(series: str, bound: float) -> Iterator[Body]:
    # Text pages have the bound `1`, those in OpenMetrics `1.0`; scrapers choose one of them.
    le = f'le=~"{bound:g}(\\\\.0)?"' if bound == int(bound) else f'le="{bound:g}"'
    for window in _WINDOWS:
        requests = _sum(f"rate({_COUNT}{{{series}}}[{window}])")
        refused = f'rate(vsr_unclassified_requests_total{{{series},reason!="{_NOT_OURS}"}}[{window}])'
        other = f'rate(llm_request_errors_total{{{series},reason=~"{_CAPACITY}"}}[{window}])'
        failed = _sum(f"{refused} or {other}")
        # Requests that were refused before their body was read are in no histogram.
        yield _record("undecided_requests", window, f"{failed} / clamp_min({requests} + {failed}, {_LEAST})")
        early = _sum(f"rate({_BUCKET}{{{series},{le}}}[{window}])")
        yield _record("late_decisions", window, f"({requests} - {early}) / clamp_min({requests}, {_LEAST})")


def _alerts(series: str, bound: float) -> Iterator[Body]:
    undecided = f"More than {UNDECIDED:.1%} of requests get no decision"
    late = f"More than {LATE:.0%} of decisions take longer than {bound:g} s"
    for name, record, share, text in (
        ("RequestsUndecided", "undecided_requests", UNDECIDED, undecided),
        ("DecisionsLate", "late_decisions", LATE, late),
    ):
        for suffix, windows, severity, soon in (
            ("Fast", _FAST, "critical", "at this rate the budget of 30 days is used up within days"),
            ("Slow", _SLOW, "warning", "three days have used up their part of the budget"),
        ):
            conditions = (
                " and ".join(f"{_share(record, window, series)} > {factor * share:g}" for window in (long, short))
                for long, short, factor in windows
            )
            yield {
                "alert": f"{name}{suffix}",
                "expr": " or ".join(conditions),
                "for": "2m" if severity == "critical" else "15m",
                "labels": {"severity": severity},
                "annotations": {"summary": f"{text}: {soon}. See {_PAGE}."},
            }


def _sum(expression: str) -> str:
    return f"sum by (namespace, service) ({expression})"


def _name(record: str, window: str) -> str:
    return f"vsr:{record}:ratio_rate{window}"


def _share(record: str, window: str, series: str) -> str:
    return f"{_name(record, window)}{{{series}}}"


def _record(record: str, window: str, expression: str) -> Body:
    return {"record": _name(record, window), "expr": expression}
