"""Answers health checks and scrapes: grpc.health.v1 on the gRPC port, probes and ``/metrics`` over HTTP."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from vsr_runtime.decision.request.events import ImmediateResponse
from vsr_runtime.server.exposition import METRICS, OPEN_METRICS, accepts_open_metrics
from vsr_runtime.server.messages import (
    EXT_PROC_SERVICE,
    HEALTH_SERVICE,
    NOT_SERVING,
    SERVING,
    HealthCheckRequest,
    HealthCheckResponse,
)
from vsr_runtime.server.transport.stream import Method, Methods, Outcome, Status, Stream

PLAIN = "text/plain"
PAGES = ("/healthz", "/readyz", "/metrics")


class MetricsPage(Protocol):
    """Renders the metrics: in Prometheus' text format, or with exemplars in OpenMetrics."""

    def __call__(self, *, exemplars: bool = False) -> bytes:
        """Render them."""


def no_metrics(*, exemplars: bool = False) -> bytes:  # noqa: ARG001 - there are none
    """Return an empty page."""
    return b""


class Health:
    """Readiness. Not ready at first: a classifier may have to be loaded and warmed up.

    Args:
        metrics: renders ``/metrics``; empty by default.

    Attributes:
        ready: whether all is loaded and the process is not stopping.
        stalled: whether the classifier makes no progress. A restart may not fix that, so liveness ignores it.
    """

    def __init__(self, metrics: MetricsPage = no_metrics) -> None:
        self.ready = False
        self.stalled: Callable[[], bool] = bool
        self._metrics = metrics

    @property
    def serving(self) -> bool:
        """Whether a request would be decided now."""
        return self.ready and not self.stalled()

    def methods(self) -> Methods:
        """``grpc.health.v1.Health/Check``, for a transport."""
        return {(HEALTH_SERVICE, "Check"): Method(HealthCheckRequest.FromString, self._check)}

    async def _check(self, stream: Stream) -> Outcome:
        request = await stream.read()
        if not request:
            return Status.INTERNAL, "nothing was asked"
        if request.service not in ("", EXT_PROC_SERVICE):
            return Status.NOT_FOUND, "no such service"
        answer = HealthCheckResponse(status=SERVING if self.serving else NOT_SERVING)
        return bytes(answer.SerializeToString())

    def page(self, method: str, path: str, accept: str = "") -> ImmediateResponse | None:
        """The answer over HTTP; None if the path is not one of `PAGES`. ``accept`` is the header of that name."""
        if path not in PAGES:
            return None
        if method not in ("GET", "HEAD"):
            return _plain(405, b"GET or HEAD\n", ("allow", "GET, HEAD"))
        if path == "/metrics":
            exemplars = accepts_open_metrics(accept)
            kind = OPEN_METRICS if exemplars else METRICS
            return ImmediateResponse(200, self._metrics(exemplars=exemplars), "metrics", (("content-type", kind),))
        if path == "/readyz" and not self.serving:
            return _plain(503, b"not ready\n")
        return _plain(200, b"ok\n")


def _plain(status: int, text: bytes, *headers: tuple[str, str]) -> ImmediateResponse:
    return ImmediateResponse(status, text, "health", (("content-type", PLAIN), *headers))


NOT_FOUND = _plain(404, b"not found\n")
"""The answer for unknown paths."""
