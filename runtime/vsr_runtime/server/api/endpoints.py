"""The endpoints: their paths, request and response models."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from vsr_runtime.server.api import handlers, presidio, presidio_shapes, shapes
from vsr_runtime.server.api.request_context import RequestContext


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One path that accepts POST.

    Attributes:
        summary: one line.
        request: the request model.
        responses: the response models.
        handle: makes the answer. Raises ApiError.
        traced: whether the query may have ``trace``.
        listed: whether the answer is a list, or a list of lists, of the response model.
    """

    summary: str
    request: type[shapes.RequestModel | shapes.Chat]
    responses: tuple[type[shapes.ResponseModel], ...]
    handle: Callable[[RequestContext, Any], Awaitable[Any]]
    traced: bool = False
    listed: bool = False


ENDPOINTS = {
    "/classify": Endpoint(
        "Classify a text with one classifier: label_distribution.v1 or token_spans.v1.",
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
    "/analyze": Endpoint(
        "Personal data, as Presidio's analyzer answers.",
        presidio_shapes.AnalyzeRequest,
        (presidio_shapes.AnalyzeFinding,),
        presidio.analyze,
        listed=True,
    ),
    "/anonymize": Endpoint(
        "A text without its personal data, as Presidio's anonymizer answers.",
        presidio_shapes.AnonymizeRequest,
        (presidio_shapes.AnonymizeResponse,),
        presidio.anonymize,
    ),
    "/api/v1/eval": Endpoint(
        "What would become of a request.", shapes.EvalRequest, (shapes.EvalResponse,), handlers.evaluate, traced=True
    ),
}
OPENAPI = "/openapi.json"
