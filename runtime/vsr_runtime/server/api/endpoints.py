"""The endpoints: where they are, what they take and what they give."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from vsr_runtime.server.api import handlers, shapes
from vsr_runtime.server.api.request_context import RequestContext


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One path, taken by POST.

    Attributes:
        summary: one line.
        asked: the shape of requests.
        told: the shapes of answers.
        handle: makes the answer. Raises ApiError.
        traced: whether the query may have ``trace``.
    """

    summary: str
    asked: type[shapes.Asked | shapes.Chat]
    told: tuple[type[shapes.Told], ...]
    handle: Callable[[RequestContext, Any], Awaitable[handlers.ApiResult]]
    traced: bool = False


ENDPOINTS = {
    "/classify": Endpoint(
        "One classifier's word on a text: label_distribution.v1 or token_spans.v1.",
        shapes.ClassifyRequest,
        (shapes.LabelScore, shapes.TokenSpans),
        handlers.classify,
    ),
    "/api/v1/classify/intent": Endpoint(
        "The category of a request.", shapes.IntentRequest, (shapes.IntentResponse,), handlers.intent
    ),
    "/api/v1/classify/pii": Endpoint("Personal data.", shapes.PIIRequest, (shapes.PIIResponse,), handlers.pii),
    "/api/v1/classify/security": Endpoint(
        "Attacks.", shapes.SecurityRequest, (shapes.SecurityResponse,), handlers.security
    ),
    "/api/v1/classify/batch": Endpoint(
        "The same question about several texts.", shapes.BatchRequest, (shapes.BatchResponse,), handlers.batch
    ),
    "/api/v1/eval": Endpoint(
        "What would become of a request.", shapes.EvalRequest, (shapes.EvalResponse,), handlers.evaluate, traced=True
    ),
}
OPENAPI = "/openapi.json"
