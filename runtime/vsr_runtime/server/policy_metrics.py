"""Counts requests by the policy that decided them, while a candidate decides a share of all conversations.

Only requests that were drawn are counted, so both policies get requests of the same kind, and their rates compare.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Literal

from vsr_runtime.decision.request.ending import REFUSED
from vsr_runtime.decision.request.events import Cause, GuardMatch, ImmediateResponse, SendToModel
from vsr_runtime.server.counters import Distribution, Family

POLICIES = ("active", "candidate")
OUTCOMES = ("model", "answer", "refusal", "error", "shed", "fallback")
FALLBACKS = ("missing", "late", "headers", "broken", "failed")
_SHED = frozenset({Cause.OVERLOADED, Cause.FULL})
_ERROR = 500
Policy = Literal["active", "candidate"]


class PolicyMetrics:
    """The metrics of both policies.

    Args:
        counter: makes a counter of a name, a text and labels.
        gauge: makes a gauge likewise.
        distribution: makes a histogram likewise.
    """

    def __init__(
        self,
        counter: Callable[..., Family],
        gauge: Callable[..., Family],
        distribution: Callable[[str, str, str], Distribution],
    ) -> None:
        self._requests = counter("vsr_policy_requests", "Requests by the policy that decided.", "policy", "outcome")
        self._models = counter("vsr_policy_models", "Requests sent to a model, by policy.", "policy", "model")
        self._errors = counter("vsr_policy_errors", "Requests answered with an error, by policy.", "policy", "reason")
        guards = "policy", "guard", "action", "on"
        self._guards = counter("vsr_policy_guard_matches", "Guards that found something, by policy.", *guards)
        failures = "policy", "guard", "on"
        self._failures = counter("vsr_policy_guard_failures", "Guards that could not look, by policy.", *failures)
        self._fallbacks = counter(
            "vsr_candidate_fallbacks", "Requests of the candidate's share that the active policy decided.", "reason"
        )
        self._share = gauge("vsr_candidate_share", "The share of conversations that the candidate decides.", how="min")
        self._latency = distribution(
            "vsr_policy_latency_seconds", "From the request's body to its decision, by policy.", "policy"
        )

    def begin(self) -> None:
        """Show zeros instead of nothing: this process has a candidate with a share."""
        for policy in POLICIES:
            for outcome in OUTCOMES[: -1 if policy == "active" else None]:
                self._requests.labels(policy, outcome)
        for reason in FALLBACKS:
            self._fallbacks.labels(reason)
        self.share(0)

    def share(self, percent: float) -> None:
        """Show the share that is in effect."""
        self._share.labels().set(percent / 100)

    def fell_back(self, reason: str) -> None:
        """Count a request that the candidate should have decided."""
        self._fallbacks.labels(reason).inc()
        if reason != "missing":  # such a request was not drawn
            self._requests.labels("candidate", "fallback").inc()

    def decided(self, policy: Policy, action: SendToModel | ImmediateResponse, seconds: float | None) -> None:
        """Count a decision. ``seconds`` is the time since the body arrived."""
        self._requests.labels(policy, _outcome(action)).inc()
        if seconds is not None:
            self._latency.labels(policy).observe(seconds)
        if isinstance(action, SendToModel):
            self._models.labels(policy, action.model).inc()
        elif action.status >= REFUSED:
            self._errors.labels(policy, action.code).inc()
        self.guarded(policy, action.guards, "request")

    def guarded(self, policy: Policy, matches: Iterable[GuardMatch], on: Literal["request", "response"]) -> None:
        """Count the findings and failures of guards."""
        for match in matches:
            if match.failed is None:
                self._guards.labels(policy, match.guard, match.action, on).inc()
            else:
                self._failures.labels(policy, match.guard, on).inc()

    def blocked(self, policy: Policy, answer: ImmediateResponse) -> None:
        """Count a model's response that was blocked."""
        self.guarded(policy, answer.guards, "response")
        self._errors.labels(policy, answer.code).inc()


def _outcome(action: SendToModel | ImmediateResponse) -> str:
    if isinstance(action, SendToModel):
        return "model"
    if action.cause in _SHED:
        return "shed"
    if action.status >= _ERROR:
        return "error"
    return "refusal" if action.status >= REFUSED else "answer"
