"""Counts what becomes of requests, in the form that Prometheus reads.

Names are the stock router's where the meaning is the same. Labels hold configured names and codes of ours only, so that
no client can make series.
"""

from __future__ import annotations

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, disable_created_metrics, generate_latest

from runtime.program.program import Program
from runtime.program.rules import Category, Signals, leaves
from runtime.request.events import Answer, Cause, Route

SHED = (Cause.OVERLOADED, Cause.FULL)
UNKNOWN = "unknown"
"""The model of a request that was refused: what a client wrote is no label."""
_ERROR = 400
_SECONDS = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5)


class Metrics:
    """The metrics of one server."""

    def __init__(self, program: Program) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call] # the package leaves this one untyped
        self._registry = CollectorRegistry()
        self._models = self._counter("llm_model_requests", "Requests sent to a model.", "model")
        self._decisions = self._counter("llm_decision_match", "Requests that a decision took.", "decision_name")
        self._signals = self._counter("llm_signal_match", "Signals that held.", "signal_type", "signal_name")
        self._errors = self._counter("llm_request_errors", "Requests answered with an error.", "model", "reason")
        self._unclassified = self._counter(
            "vsr_unclassified_requests", "Requests refused because they could not be classified.", "reason"
        )
        self._shed = self._counter("vsr_shed_requests", "Requests refused because too many were in work.")
        self._latency = Histogram(
            "llm_model_routing_latency_seconds",
            "From the request's body to its decision.",
            buckets=_SECONDS,
            registry=self._registry,
        )
        self._held = Gauge("vsr_request_bytes_in_work", "Bytes of bodies in work.", registry=self._registry)
        self._waiting = Gauge(
            "vsr_engine_waiting_tokens", "Tokens that wait for the engine or are computed.", registry=self._registry
        )
        self._reload = Gauge(
            "config_last_reload_success", "Whether what lies in the policy's folder is served.", registry=self._registry
        )
        self._serving = Gauge("config_generation_info", "What is served.", ("sha256",), registry=self._registry)
        for cause in Cause:
            self._unclassified.labels(cause.value)
        self._prepare(program)

    def adopt(self, program: Program, digest: str) -> None:
        """Show which content is served from now on. What was counted stays: a counter never goes back."""
        self._prepare(program)
        self._serving.clear()
        self._serving.labels(digest).set(1)
        self.reloaded(well=True)

    def reloaded(self, *, well: bool) -> None:
        """Note whether the folder's content is what is served."""
        self._reload.set(well)

    def decided(self, action: Route | Answer, seconds: float | None) -> None:
        """Count a decision. ``seconds`` from the body to it; None where no body was read."""
        if seconds is not None:
            self._latency.observe(seconds)
        if action.route is not None:
            self._decisions.labels(action.route).inc()
        if action.signals is not None:
            self._count_signals(action.signals)
        if isinstance(action, Route):
            self._models.labels(action.model).inc()
        elif action.status >= _ERROR:
            self.failed(action.code)
            self._count_cause(action.cause)

    def failed(self, reason: str) -> None:
        """Count an error by its code."""
        self._errors.labels(UNKNOWN, reason).inc()

    def follow(self, waiting: Callable[[], int]) -> None:
        """Show how much waits for the engine, as asked at each scrape."""
        self._waiting.set_function(waiting)

    def holds(self, size: int) -> None:
        """Note the bytes of all bodies in work."""
        self._held.set(size)

    def text(self) -> bytes:
        """All metrics in Prometheus' text format."""
        return generate_latest(self._registry)

    def _prepare(self, program: Program) -> None:
        """Make the series of configured names, so that a dashboard sees zeros instead of nothing."""
        self._domains = {
            leaf.name: leaf.labels
            for route in program.routes
            for leaf in leaves(route.rule)
            if isinstance(leaf, Category)
        }
        for model in program.models:
            self._models.labels(model)
        for route in program.routes:
            self._decisions.labels(route.name)

    def _count_cause(self, cause: Cause | None) -> None:
        if cause is not None:
            self._unclassified.labels(cause.value).inc()
        if cause in SHED:
            self._shed.inc()

    def _count_signals(self, signals: Signals) -> None:
        for (kind, name), holds in signals.matched.items():
            if holds:
                self._signals.labels(kind, name).inc()
        for name, labels in self._domains.items():
            if signals.classified and signals.category in labels:
                self._signals.labels("domain", name).inc()

    def _counter(self, name: str, help_text: str, *labels: str) -> Counter:
        return Counter(name, help_text, labels, registry=self._registry)
