"""Presidio's ``/analyze`` and ``/anonymize``, so that its clients can ask the guards of a policy.

``/analyze`` finds the types of the policy's guards, or all that patterns find if no guard has types. A type that
nothing here finds is an error, because its absence would look like a clean text.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

from vsr_runtime.decision.guards.detection import TextSpan
from vsr_runtime.decision.guards.finders import merge
from vsr_runtime.decision.request.immediate_responses import error_response
from vsr_runtime.server.api.contract import matches
from vsr_runtime.server.api.findings import personal_data
from vsr_runtime.server.api.presidio_shapes import (
    AnalyzedResult,
    AnalyzeFinding,
    AnalyzeRequest,
    AnonymizedItem,
    Anonymizer,
    AnonymizeRequest,
    AnonymizeResponse,
)
from vsr_runtime.server.api.request_context import ApiError, RequestContext
from vsr_schemas.pii import PATTERN_TYPES
from vsr_schemas.presidio import from_presidio

_LOCATION = {"GPE": "LOCATION"}
"""Presidio's names in answers to requests without names."""


async def analyze(
    context: RequestContext, request: AnalyzeRequest
) -> list[AnalyzeFinding] | list[list[AnalyzeFinding]]:
    """Find personal data in one text, or in several."""
    names = _names(context, request.entities)
    texts = [request.text] if isinstance(request.text, str) else request.text
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(_found(context, request, text, names)) for text in texts]
    results = [task.result() for task in tasks]
    return results[0] if isinstance(request.text, str) else results


async def anonymize(_: RequestContext, request: AnonymizeRequest) -> AnonymizeResponse:
    """Replace findings in a text by their types, or by what the request says."""
    results = request.analyzer_results
    if any(not one.start < one.end <= len(request.text) for one in results):
        message = "A finding of 'analyzer_results' is not within the text."
        raise ApiError(error_response(404, "no_such_place", message, param="analyzer_results"))
    return _anonymized(request.text, merge(map(_span, results)), request.anonymizers)


def _span(one: AnalyzedResult) -> TextSpan:
    return TextSpan(one.start, one.end, one.entity_type, one.score, "analyzer")


def _anonymized(text: str, spans: Sequence[TextSpan], anonymizers: Mapping[str, Anonymizer]) -> AnonymizeResponse:
    parts: list[str] = []
    items: list[AnonymizedItem] = []
    end = size = 0
    for span in spans:
        own = anonymizers.get(span.type) or anonymizers.get("DEFAULT")
        value = f"<{span.type}>" if own is None or own.new_value is None else own.new_value
        parts += [text[end : span.start], value]
        size += span.start - end
        items.append(AnonymizedItem(start=size, end=size + len(value), entity_type=span.type, text=value))
        size += len(value)
        end = span.end
    return AnonymizeResponse(text="".join((*parts, text[end:])), items=items[::-1])


def _names(context: RequestContext, entities: Sequence[str] | None) -> dict[str, str]:
    """Return the types to find and their names in the answer.

    Raises:
        ApiError: nothing here finds a requested type.
    """
    models = {label for one in context.classifiers("pii").values() for label in one.labels}
    if not entities:
        guarded = {kind for guard in context.generation.guards.values() for kind in guard.types or ()}
        return {kind: _LOCATION.get(kind, kind) for kind in guarded or PATTERN_TYPES}
    known = PATTERN_TYPES | models
    ours = {name if name in known else from_presidio(name): name for name in entities}
    if missing := sorted(name for kind, name in ours.items() if kind not in known):
        message = f"Nothing here finds {', '.join(missing)}. What is found: {', '.join(sorted(known))}."
        raise ApiError(error_response(404, "unknown_type", message, param="entities"))
    return ours


async def _found(
    context: RequestContext, request: AnalyzeRequest, text: str, names: Mapping[str, str]
) -> list[AnalyzeFinding]:
    tokens = context.classifiers("pii", "token")
    labelled = asyncio.gather(*(context.tokens(name, text) for name in tokens))
    patterns, rows, remote = await asyncio.gather(
        context.aside(text, personal_data), labelled, context.detections(text)
    )
    spans = list(patterns)
    for (name, classifier), row in zip(tokens.items(), rows, strict=True):
        spans += [one for one in matches(row, text, name, classifier.labels) if one.score >= classifier.threshold]
    for name, detection in remote.items():
        server = context.classifiers("pii")[name]
        spans += detection.spans(frozenset(server.labels), server.threshold)
    allowed = frozenset(request.allow_list or ())
    least = request.score_threshold or 0.0
    kept = merge(one for one in spans if one.type in names and one.score >= least)
    return [
        AnalyzeFinding(entity_type=names[one.type], start=one.start, end=one.end, score=one.score)
        for one in kept
        if text[one.start : one.end] not in allowed
    ]
