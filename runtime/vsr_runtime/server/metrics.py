"""Counts the outcomes of requests for Prometheus.

Names are the stock router's if the meaning is the same. Labels hold only configured names and our own codes, so that
clients cannot create series.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from typing import Literal

from vsr_runtime.decision.program.conditions import CategoryCondition, SignalValues, condition_leaves
from vsr_runtime.decision.program.program import Program
from vsr_runtime.decision.request.events import Cause, GuardMatch, ImmediateResponse, SendToModel
from vsr_runtime.decision.request.headers import CACHE_HIT_CODE
from vsr_runtime.log import dropped_lines
from vsr_runtime.server.counters import Distribution, Family, State, joined, page
from vsr_runtime.server.detectors.counts import evaluations, unknown_labels
from vsr_runtime.server.policy_metrics import PolicyMetrics
from vsr_runtime.server.shadow_metrics import ShadowMetrics
from vsr_runtime.server.shared_cache import store_failures

SHED = (Cause.OVERLOADED, Cause.FULL)
CACHE = "response_cache"
"""The plugin's name, as on the stock router's dashboards."""
UNKNOWN = "unknown"
"""The model label of a request that failed before its model was known. A client's text is never a label."""
_ERROR = 400
_SECONDS = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5)


class Metrics:
    """The metrics of one server.

    Args:
        program: the names of the series; None to show only those of other processes.

    Attributes:
        shadow: those of a candidate.
        policies: those by policy, while a candidate decides a share.
    """

    def __init__(self, program: Program | None = None) -> None:
        self._families: list[Family | Distribution] = []
        self._models = self._counter("llm_model_requests", "Requests sent to a model.", "model")
        self._attempts = self._counter(
            "vsr_attempts", "Attempts of requests that may be sent several times.", "decision_name", "model", "attempt"
        )
        self._decisions = self._counter("llm_decision_match", "Requests that a decision took.", "decision_name")
        self._signals = self._counter("llm_signal_match", "Signals that held.", "signal_type", "signal_name")
        self._errors = self._counter("llm_request_errors", "Requests answered with an error.", "model", "reason")
        self._unclassified = self._counter(
            "vsr_unclassified_requests",
            "Requests that could not be classified: refused, or sent to the default if the policy says so.",
            "reason",
        )
        self._shed = self._counter("vsr_shed_requests", "Requests refused because too many were in work.")
        self._guards = self._counter(
            "vsr_guard_matches", "Requests and responses in which a guard found something.", "guard", "action", "on"
        )
        self._guard_failures = self._counter(
            "vsr_guard_failures", "Requests and responses that a guard could not look at.", "guard", "reason", "on"
        )
        self._limited = self._counter(
            "vsr_limited_requests", "Requests above a limit: refused, or moved to another model.", "limit", "outcome"
        )
        self._used = self._counter("vsr_used_tokens", "Tokens that limits counted.", "model", "kind")
        self._reader_ends = self._counter(
            "vsr_reader_processes_killed", "Processes that read a large body and were killed, or died.", "reason"
        )
        self._hits = self._counter(
            "llm_cache_plugin_hits", "Requests answered from what was kept.", "decision_name", "plugin_type"
        )
        self._misses = self._counter(
            "llm_cache_plugin_misses", "Requests whose answer had not been kept.", "decision_name", "plugin_type"
        )
        self._store = self._counter(
            "vsr_cache_store_failures", "Calls of the store of answers that failed: the request missed.", "reason"
        )
        self._latency = Distribution(
            "llm_model_routing_latency_seconds", "From the request's body to its decision.", _SECONDS
        )
        self._families.append(self._latency)
        self._api = self._counter("vsr_api_requests", "Requests of the HTTP API.", "path", "status")
        self._held = self._gauge("vsr_request_bytes_in_work", "Bytes of bodies in work.")
        self._reload = self._gauge(
            "config_last_reload_success", "Whether what lies in the policy's folder is served.", how="min"
        )
        self._checked = self._gauge(
            "config_last_check_timestamp_seconds", "When the policy's folder was last looked at.", how="min"
        )
        self._detectors = self._counter(
            "vsr_detector_evaluations", "Evaluations by servers that classify text.", "detector", "outcome"
        )
        self._unknown_labels = self._counter(
            "vsr_detector_unknown_labels", "Labels of such servers that the policy does not know.", "detector"
        )
        self._audited = self._counter("vsr_audit_records", "Records of the audit log.", "outcome")
        self._audit: Callable[[], tuple[int, int]] | None = None
        self._dropped = self._counter("vsr_log_lines_dropped", "Lines of the log that were never written.")
        self._serving = self._gauge("config_generation_info", "What is served.", "sha256", how="min")
        self._waiting = self._gauge("vsr_engine_waiting_tokens", "Tokens that wait for the engine or are computed.")
        self._ask_waiting: Callable[[], int] = int
        self._held_now = self._held.labels()
        self.shadow = ShadowMetrics(self._counter, self._gauge)
        self.policies = PolicyMetrics(self._counter, self._hidden_gauge, self._distribution)
        for cause in Cause:
            self._unclassified.labels(cause.value)
        for reason in ("timeout", "memory", "died"):
            self._reader_ends.labels(reason)
        self._domains: dict[str, frozenset[str]] = {}
        if program:
            self._prepare(program)

    def adopt(self, program: Program, digest: str) -> None:
        """Show which content is served from now on. Counters keep their values."""
        self._prepare(program)
        self._serving.clear()
        self._serving.labels(digest).set(1)
        self.reloaded(well=True)

    def reloaded(self, *, well: bool) -> None:
        """Record whether the folder's content is what is served."""
        self._reload.labels().set(float(well))

    def checked(self) -> None:
        """Record that the policy's folder is looked at now."""
        self._checked.labels().set(time.time())

    def decided(
        self, action: SendToModel | ImmediateResponse, seconds: float | None, trace: tuple[int, int] | None = None
    ) -> None:
        """Count a decision, or an attempt.

        Args:
            action: what was decided.
            seconds: the time since the body arrived; None if none was read.
            trace: the ids of its trace and span, if it is sampled.
        """
        if isinstance(action, SendToModel) and action.attempt:
            self._attempts.labels(action.route or "", action.model, str(action.attempt)).inc()
            return
        if seconds is not None:
            self._latency.observe(seconds, trace)
        if action.route is not None:
            self._decisions.labels(action.route).inc()
        if action.signals is not None:
            self._count_signals(action.signals)
        self.guarded(action.guards, "request")
        self._count_cache(action)
        if isinstance(action, SendToModel):
            self._models.labels(action.model).inc()
            self._count_cause(action.cause)
        elif action.status >= _ERROR:
            self.failed(action.code, action.model)
            self._count_cause(action.cause)

    def guarded(self, matches: Iterable[GuardMatch], on: Literal["request", "response"]) -> None:
        """Count the findings and failures of guards."""
        for match in matches:
            if match.failed is None:
                self._guards.labels(match.guard, match.action, on).inc()
            else:
                self._guard_failures.labels(match.guard, match.failed.value, on).inc()

    def blocked(self, answer: ImmediateResponse, model: str) -> None:
        """Count a model's response that was blocked."""
        self.guarded(answer.guards, "response")
        self.failed(answer.code, model)

    def failed(self, reason: str, model: str | None = None) -> None:
        """Count an error by its code, and by the configured model of the request, if known."""
        self._errors.labels(model or UNKNOWN, reason).inc()

    def limited(self, limit: str, outcome: Literal["refused", "moved"]) -> None:
        """Count a request above a limit."""
        self._limited.labels(limit, outcome).inc()

    def used(self, model: str, prompt: int, completion: int) -> None:
        """Count the tokens of a response."""
        self._used.labels(model, "prompt").inc(prompt)
        self._used.labels(model, "completion").inc(completion)

    def reader_ended(self, reason: str) -> None:
        """Count a process that read a large body and did not finish: ``timeout``, ``memory`` or ``died``."""
        self._reader_ends.labels(reason).inc()

    def api_request(self, path: str, status: int) -> None:
        """Count a request of the HTTP API, at one of its paths."""
        self._api.labels(path, str(status)).inc()

    def follow(self, waiting: Callable[[], int]) -> None:
        """Export the queue length of the engine, read at each scrape."""
        self._ask_waiting = waiting

    def follow_audit(self, count: Callable[[], tuple[int, int]]) -> None:
        """Export how many records were written and lost, read at each scrape."""
        self._audit = count

    def holds(self, size: int) -> None:
        """Record the bytes of all bodies in work."""
        self._held_now.set(size)

    def text(self, *, exemplars: bool = False) -> bytes:
        """All metrics in Prometheus' text format; with ``exemplars`` in OpenMetrics."""
        return page(self._families, self.state(), exemplars=exemplars)

    def state(self) -> State:
        """All values, for the parent process to add up."""
        self._waiting.labels().set(self._ask_waiting())
        self._dropped.labels().set(dropped_lines())
        for reason, failures in store_failures().items():
            self._store.labels(reason).set(failures)
        if self._audit is not None:
            for outcome, count in zip(("written", "lost"), self._audit(), strict=True):
                self._audited.labels(outcome).set(count)
        for labels, number in evaluations().items():
            self._detectors.labels(*labels).set(number)
        for name, number in unknown_labels().items():
            self._unknown_labels.labels(name).set(number)
        return {family.name: family.state() for family in self._families}

    def joined_text(self, states: Sequence[State], more: Sequence[Family] = (), *, exemplars: bool = False) -> bytes:
        """The combined metrics of several processes as `text` has them, plus further families."""
        state = self.joined(states) | {each.name: each.state() for each in more}
        return page([*self._families, *more], state, exemplars=exemplars)

    def joined(self, states: Sequence[State]) -> State:
        """Combine the values of several processes."""
        return joined(self._families, states)

    def outlasting(self, state: State) -> State:
        """The counters of a process that has ended; they are kept because a counter never goes back."""
        return {each.name: state[each.name] for each in self._families if each.gauge is None and each.name in state}

    def _prepare(self, program: Program) -> None:
        """Create the series of configured names, so that a dashboard sees zeros instead of nothing."""
        self._domains = {
            leaf.name: leaf.labels
            for profile in program.profiles
            for route in profile.routes
            for leaf in condition_leaves(route.condition)
            if isinstance(leaf, CategoryCondition)
        }
        for model in program.models:
            self._models.labels(model)
        for route in (route for profile in program.profiles for route in profile.routes):
            self._decisions.labels(route.name)
            if route.effects.cache is not None:
                self._hits.labels(route.name, CACHE)
                self._misses.labels(route.name, CACHE)
        for rate in program.rates.limits if program.rates else ():
            self._limited.labels(rate.name, "refused" if rate.over is None else "moved")
        for guard in program.guards:
            for on, reads in (("request", guard.on_request), ("response", guard.on_response)):
                if reads:
                    self._guards.labels(guard.name, guard.action, on)

    def _count_cause(self, cause: Cause | None) -> None:
        if cause is not None:
            self._unclassified.labels(cause.value).inc()
        if cause in SHED:
            self._shed.labels().inc()

    def _count_cache(self, action: SendToModel | ImmediateResponse) -> None:
        if isinstance(action, SendToModel) and action.cache_key is not None:
            self._misses.labels(action.route or "", CACHE).inc()
        elif isinstance(action, ImmediateResponse) and action.code == CACHE_HIT_CODE:
            self._hits.labels(action.route or "", CACHE).inc()

    def _count_signals(self, signals: SignalValues) -> None:
        for (kind, name), holds in signals.matched.items():
            if holds:
                self._signals.labels(kind, name).inc()
        for name, labels in self._domains.items():
            if signals.classified and signals.category in labels:
                self._signals.labels("domain", name).inc()

    def _counter(self, name: str, text: str, *labels: str) -> Family:
        family = Family(name, text, labels)
        self._families.append(family)
        if not labels:
            family.labels()
        return family

    def _distribution(self, name: str, text: str, *labels: str) -> Distribution:
        family = Distribution(name, text, _SECONDS, labels)
        self._families.append(family)
        return family

    def _hidden_gauge(self, name: str, text: str, *, how: str) -> Family:
        """Make a gauge without labels that has no value until one is set."""
        family = Family(name, text, gauge=how)
        self._families.append(family)
        return family

    def _gauge(self, name: str, text: str, *labels: str, how: str = "sum") -> Family:
        family = Family(name, text, labels, gauge=how)
        self._families.append(family)
        if not labels:
            family.labels()
        return family
