"""The span of a response: from sending the request on to the last part that the router reads."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vsr_runtime.server.telemetry.response_report import ResponseReport
from vsr_runtime.server.transport.stream import Outcome

if TYPE_CHECKING:
    from opentelemetry.trace import Span


class ResponseSpan:
    """The span of a response under way.

    Attributes:
        report: reads the response.
    """

    def __init__(self, span: Span) -> None:
        self.report = ResponseReport()
        self._span = span

    def end(self, outcome: Outcome | None) -> None:
        """End the span as the stream ended; None if the gateway has gone. Without a response it is not exported."""
        from opentelemetry.trace import Status, StatusCode  # noqa: PLC0415 - an extra

        if not self.report.begun:
            return
        if not isinstance(outcome, bytes) and self.report.error is None:
            self.report.refused("cancelled" if outcome is None else outcome[0].name.lower())
        self._span.set_attributes(self.report.attributes())
        if self.report.error is not None:
            self._span.set_status(Status(StatusCode.ERROR, self.report.error))
        self._span.end()
