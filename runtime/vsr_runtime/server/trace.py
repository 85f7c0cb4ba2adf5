"""A span for each decision, and for each response that passes, if ``OTEL_EXPORTER_OTLP_ENDPOINT`` is set.

Spans have names and numbers, no text of a request or response.

The standard's other variables (`OTEL_SERVICE_NAME`, `OTEL_TRACES_SAMPLER`, …) apply, too. If a gateway sends a
``traceparent``, the decision is a child of its span.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Mapping
from threading import Thread
from time import monotonic, time_ns
from typing import TYPE_CHECKING

from vsr_runtime.decision.request.events import ImmediateResponse, RequestHeaders, SendToModel
from vsr_runtime.errors import UserError
from vsr_runtime.log import log
from vsr_runtime.server.exchange import format_guards
from vsr_runtime.server.telemetry.response_span import ResponseSpan
from vsr_schemas import apis
from vsr_schemas.version import VERSION

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.trace import SpanContext

ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT"
PROTOCOL = "OTEL_EXPORTER_OTLP_PROTOCOL"
SUPPORTED = "http/protobuf"
SPAN = "vsr.decide"
RESPONSE_SPAN = "vsr.respond"
"""The name of a response's span if its API has no operation in the conventions."""
FLUSH_TIMEOUT = 1.0
"""Seconds for sending the last spans, and again for giving up."""
_CARRIED = ("traceparent", "tracestate")
_FAILED = 500
OPERATIONS: Mapping[str, str] = {
    apis.CHAT: "chat",
    apis.MESSAGES: "chat",
    apis.RESPONSES: "chat",
    apis.COMPLETIONS: "text_completion",
    apis.EMBEDDINGS: "embeddings",
}
"""The operations of paths that OpenTelemetry's conventions name."""


class Tracing:
    """Makes spans.

    Args:
        provider: exports them.
        give_up: stops the exporter.
    """

    def __init__(self, provider: TracerProvider, give_up: Callable[[], None] = lambda: None) -> None:
        from opentelemetry.trace.propagation.tracecontext import (  # noqa: PLC0415 - an extra
            TraceContextTextMapPropagator,
        )

        self._provider = provider
        self._give_up = give_up
        self._tracer = provider.get_tracer("vsr-runtime", VERSION)
        self._propagator = TraceContextTextMapPropagator()

    def decided(
        self,
        carrier: Mapping[str, str],
        request_id: str,
        action: SendToModel | ImmediateResponse,
        begun: float,
        *,
        path: str = "",
        policy: str = "",
    ) -> SpanContext | None:
        """Make the span of a decision, and return what identifies it; None if it is not sampled.

        Args:
            carrier: the request's headers that name its parent span.
            request_id: the gateway's id for the request; empty for none.
            action: the decision.
            path: the path of the request.
            policy: the digest of the policy's files.
            begun: when the body came, by the monotonic clock.
        """
        from opentelemetry.trace import Status, StatusCode  # noqa: PLC0415 - as above

        end = time_ns()
        span = self._tracer.start_span(
            SPAN,
            context=self._propagator.extract(dict(carrier)),
            attributes=_attributes(request_id, action) | _conventions(action, path, policy),
            start_time=end - int((monotonic() - begun) * 1e9),
        )
        if isinstance(action, ImmediateResponse) and action.status >= _FAILED:
            span.set_status(Status(StatusCode.ERROR, action.code))
        span.end(end)
        context = span.get_span_context()
        return context if context.trace_flags.sampled else None

    def responding(self, decided: SpanContext, model: str, *, path: str, provider: str = "") -> ResponseSpan:
        """Begin the span of a response.

        Args:
            decided: the span of its request's decision.
            model: the model that the request was sent to.
            path: the path of the request.
            provider: the provider of the model, by the conventions' name; empty if it is not known.
        """
        from opentelemetry.trace import (  # noqa: PLC0415 - as above
            NonRecordingSpan,
            SpanKind,
            set_span_in_context,
        )

        operation = OPERATIONS.get(path.partition("?")[0])
        attributes = {
            "gen_ai.operation.name": operation,
            "gen_ai.request.model": model,
            "gen_ai.provider.name": provider or None,
        }
        span = self._tracer.start_span(
            f"{operation} {model}" if operation else RESPONSE_SPAN,
            context=set_span_in_context(NonRecordingSpan(decided)),
            kind=SpanKind.CLIENT,
            attributes={key: value for key, value in attributes.items() if value is not None},
        )
        return ResponseSpan(span)

    def close(self) -> None:
        """Send pending spans, and give up after `FLUSH_TIMEOUT`: a stopping process has no more time."""
        sending = Thread(target=self._provider.shutdown, daemon=True)
        sending.start()
        sending.join(FLUSH_TIMEOUT)
        if sending.is_alive():
            self._give_up()
            sending.join(FLUSH_TIMEOUT)


def carrier_of(event: RequestHeaders) -> dict[str, str]:
    """The headers that name a request's parent span."""
    return {key: value for key, value in event.headers if key in _CARRIED}


def tracing() -> Tracing | None:
    """Spans to the endpoint of the environment; None if it has none.

    Raises:
        UserError: the extra is not installed, or another protocol is set.
    """
    if not os.environ.get(ENDPOINT):
        return None
    if os.environ.get(PROTOCOL, SUPPORTED) != SUPPORTED:
        raise UserError(f"{PROTOCOL}: only {SUPPORTED} is supported (a collector's port 4318); unset it")
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415 - as above
        from opentelemetry.sdk.resources import Resource  # noqa: PLC0415 - as above
        from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415 - as above
        from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415 - as above
    except ModuleNotFoundError:
        raise UserError(
            f"{ENDPOINT} is set, and tracing is not installed; run pip install 'vsr-compile[otel]'"
        ) from None
    _redirect_library_logs()
    named = "OTEL_SERVICE_NAME" in os.environ or "service.name" in os.environ.get("OTEL_RESOURCE_ATTRIBUTES", "")
    provider = TracerProvider(
        resource=Resource.create({} if named else {"service.name": "vsr-runtime"}), shutdown_on_exit=False
    )
    exporter = OTLPSpanExporter()
    provider.add_span_processor(BatchSpanProcessor(exporter))
    return Tracing(provider, exporter.shutdown)


def _attributes(request_id: str, action: SendToModel | ImmediateResponse) -> dict[str, str | int | float]:
    signals = action.signals
    attributes = {
        "vsr.request.id": request_id or None,
        "vsr.decision": action.route,
        "vsr.guards": format_guards(action.guards) or None,
        "vsr.category": signals.category if signals else None,
        "vsr.category.probability": signals.probability if signals else None,
        "vsr.model": action.model if isinstance(action, SendToModel) else None,
        "vsr.answer.code": action.code if isinstance(action, ImmediateResponse) else None,
        "http.response.status_code": action.status if isinstance(action, ImmediateResponse) else None,
    }
    return {key: value for key, value in attributes.items() if value is not None}


def _conventions(action: SendToModel | ImmediateResponse, path: str, policy: str) -> dict[str, str | int | float]:
    """Return attributes by OpenTelemetry's conventions for generative AI, and which policy decided."""
    failed = isinstance(action, ImmediateResponse) and action.status >= _FAILED
    attributes = {
        "vsr.config.sha256": policy or None,
        "gen_ai.operation.name": OPERATIONS.get(path.partition("?")[0]),
        "gen_ai.request.model": action.model,
        "error.type": action.code if failed and isinstance(action, ImmediateResponse) else None,
    }
    return {key: value for key, value in attributes.items() if value is not None}


class _LibraryLogs(logging.Handler):
    """Logs the library's warnings as one of our lines, without their text."""

    def emit(self, record: logging.LogRecord) -> None:
        log("tracing", level=record.levelname.lower(), of=record.name)


def _redirect_library_logs() -> None:
    logger = logging.getLogger("opentelemetry")
    logger.handlers, logger.propagate = [_LibraryLogs()], False
