"""Records decisions: in the log, the metrics, traces, the audit log, and for comparison with a candidate."""

from __future__ import annotations

import asyncio
from time import monotonic

from vsr_runtime.decision.request.events import Cause, ImmediateResponse, SendToModel
from vsr_runtime.log import Field, flush, log_buffered
from vsr_runtime.server.agentgateway import MARK
from vsr_runtime.server.audit.writer import AuditLog
from vsr_runtime.server.decision_metadata import decision_metadata
from vsr_runtime.server.exchange import Exchange, describe, who
from vsr_runtime.server.metrics import Metrics
from vsr_runtime.server.shadow.shadow import Shadow
from vsr_runtime.server.trace import Tracing

FLUSH = 0.1
"""Seconds that the log line of a decision may be buffered: writing each line separately costs as much as deciding."""


class DecisionRecords:
    """Where the decisions of all streams are recorded.

    Args:
        metrics: counts decisions.
        tracing: makes spans of decisions; None for none.
        shadow: a candidate that decides requests, too; None for none.
        audit: the audit log; None for none.
    """

    def __init__(
        self, metrics: Metrics, tracing: Tracing | None, shadow: Shadow | None, audit: AuditLog | None
    ) -> None:
        self._metrics = metrics
        self._tracing = tracing
        self._shadow, self._audit = shadow, audit
        self._share = shadow.share if shadow else None
        self._flushing = False

    @property
    def refuses(self) -> bool:
        """Whether requests have to be refused, because their audit records might be lost."""
        return self._audit is not None and self._audit.refuses

    @staticmethod
    def metadata(exchange: Exchange, action: SendToModel | ImmediateResponse) -> bytes:
        """Return the dynamic metadata of a decision: agentgateway's mark, and the decision for access logs."""
        mark = MARK if exchange.vouched and isinstance(action, SendToModel) else b""
        # The gateway is configured by the active policy, whichever policy decides.
        active = exchange.drawn.active if exchange.drawn else exchange.generation
        if not active.access_log_metadata:
            return mark
        # Serialised structs add up: these are two fields.
        return mark + decision_metadata(exchange.request_id, action, exchange.generation.digest)

    def compare(self, exchange: Exchange, body: bytes | None, decided: SendToModel | ImmediateResponse) -> None:
        """Let a candidate decide the request, too, once: what limits and caches make of it is not compared."""
        if self._shadow is not None and exchange.shadowed is not None:
            by_candidate = exchange.drawn is not None and exchange.drawn.policy == "candidate"
            self._shadow.put(exchange.shadowed, exchange.request_id, body, decided, by_candidate=by_candidate)
            exchange.shadowed = None

    def note(self, exchange: Exchange, action: SendToModel | ImmediateResponse, begun: float | None) -> None:
        """Log, count and trace a decision."""
        event, fields = describe(exchange.request_id, action)
        log_buffered(event, **fields)
        if self._audit is not None and action.cause is not Cause.AUDIT:
            self.record(exchange, event, fields)
        if self._tracing and begun is not None:
            exchange.decided = self._tracing.decided(
                exchange.carrier,
                exchange.request_id,
                action,
                begun,
                path=exchange.path,
                policy=exchange.generation.digest,
            )
        if not self._flushing:
            self._flushing = True
            asyncio.get_running_loop().call_later(FLUSH, self._flush)
        span = exchange.decided
        self._metrics.decided(
            action,
            None if begun is None else monotonic() - begun,
            None if span is None else (span.trace_id, span.span_id),
        )
        if self._share is not None:
            self._share.note(exchange, action, begun)

    def record(self, exchange: Exchange, event: str, fields: dict[str, Field]) -> None:
        """Add a record to the audit log: what was logged, the policy, and who asked."""
        if self._audit is not None:
            known = who(exchange.who)
            client = {"client": known} if known else {}
            self._audit.put({"event": event, **fields, "policy": exchange.generation.digest, **client})

    def _flush(self) -> None:
        self._flushing = False
        flush()
