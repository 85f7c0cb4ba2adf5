"""What each endpoint of the API does: from a request of its shape to the answer's."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from vsr_runtime.decision.apis.endpoints import ENDPOINTS, Api
from vsr_runtime.decision.program.program import Program
from vsr_runtime.decision.request.events import ImmediateResponse
from vsr_runtime.decision.request.immediate_responses import error_response
from vsr_runtime.decision.view import InvalidRequestError
from vsr_runtime.inference.checkpoint_classifier import judged
from vsr_runtime.server.api import shapes
from vsr_runtime.server.api.contract import cut_at, distribution, found, spans
from vsr_runtime.server.api.evaluation import eval_response, matched_signals
from vsr_runtime.server.api.findings import attacks, personal_data, pii_response, security_response
from vsr_runtime.server.api.request_context import ApiError, RequestContext
from vsr_schemas.pii import PATTERN_TYPES
from vsr_schemas.runtime import ClassifierSettings

ApiResult = shapes.Told | list[shapes.LabelScore]


async def classify(context: RequestContext, asked: shapes.ClassifyRequest) -> ApiResult:
    """One classifier's word on a text, as the stock router asks a remote one for it."""
    name, classifier = context.named(asked.parameters.classifier if asked.parameters else None)
    if classifier.checkpoint is not None and classifier.checkpoint.kind == "token":
        return spans(await context.tokens(name, asked.inputs), asked.inputs, name, classifier)
    return distribution(await context.distribution(name, asked.inputs), classifier)


async def evaluate(context: RequestContext, asked: shapes.EvalRequest) -> ApiResult:
    """What would become of a request."""
    chat = await context.worked(partial(_chat, context.generation.rules.program, asked))
    action = await context.decided(chat.body)
    program = context.generation.rules.program
    return eval_response(program, action, chat.turn, chat.model, context.took, trace=asked.options.trace)


async def intent(context: RequestContext, asked: shapes.IntentRequest) -> ApiResult:
    """The category of a request, and where it would go."""
    chat = await context.worked(partial(_chat, context.generation.rules.program, asked))
    category, shares = await _category(context, chat.turn)
    action = await context.decided(chat.body)
    program = context.generation.rules.program
    return shapes.IntentResponse(
        classification=shapes.Classification(
            category=category, confidence=max(shares.values(), default=0.0), processing_time_ms=context.took
        ),
        probabilities=shares if asked.options.return_probabilities else None,
        recommended_model=None if isinstance(action, ImmediateResponse) else action.model,
        routing_decision=action.route,
        matched_signals=matched_signals(program, action),
    )


async def pii(context: RequestContext, asked: shapes.PIIRequest) -> ApiResult:
    """Personal data in a text."""
    return await _pii(context, asked.text, asked.options)


async def security(context: RequestContext, asked: shapes.SecurityRequest) -> ApiResult:
    """Attacks in a text."""
    return await _security(context, asked.text)


async def batch(context: RequestContext, asked: shapes.BatchRequest) -> ApiResult:
    """The same question about several texts, in the time of one request."""
    one = {"intent": _intent_result, "pii": _pii_result, "security": _security_result}[asked.task_type]
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(one(context, text, asked.options)) for text in asked.texts]
    results = [task.result() for task in tasks]
    return shapes.BatchResponse(results=results, total_count=len(results), processing_time_ms=context.took)


async def _intent_result(context: RequestContext, text: str, options: shapes.IntentOptions) -> shapes.BatchResult:
    category, shares = await _category(context, text)
    probabilities = shares if options.return_probabilities else None
    return shapes.BatchResult(
        category=category, confidence=max(shares.values(), default=0.0), probabilities=probabilities
    )


async def _pii_result(context: RequestContext, text: str, _: shapes.IntentOptions) -> shapes.BatchResult:
    said = await _pii(context, text, shapes.PIIOptions())
    types = [entity.type for entity in said.entities]
    confidence = max((entity.confidence for entity in said.entities), default=1.0)
    return shapes.BatchResult(category=types[0] if types else "no_pii", confidence=confidence)


async def _security_result(context: RequestContext, text: str, _: shapes.IntentOptions) -> shapes.BatchResult:
    said = await _security(context, text)
    category = said.detection_types[0] if said.detection_types else "safe"
    return shapes.BatchResult(category=category, confidence=said.confidence)


async def _category(context: RequestContext, text: str) -> tuple[str, dict[str, float]]:
    """The category, empty for none, and every label's probability. As for a gateway, no text has no category."""
    loaded = context.classifiers("category")
    if not loaded:
        raise ApiError(error_response(404, "no_classifier", "No classifier of categories is loaded."))
    ((name, classifier),) = loaded.items()
    said = await context.distribution(name, text) if text.strip() else {}
    shares = {label: min(max(share, 0.0), 1.0) for label, share in said.items()}
    if not shares:
        return classifier.fallback or "", {}
    return judged(shares, classifier).label or classifier.fallback or "", shares


async def _pii(context: RequestContext, text: str, options: shapes.PIIOptions) -> shapes.PIIResponse:
    models = context.classifiers("pii", "token")
    _check_types(options.entity_types or (), models.values())
    tokens = asyncio.gather(*(context.tokens(name, text) for name in models))
    patterns, said = await asyncio.gather(context.aside(text, personal_data), tokens)
    all_found = list(patterns)
    incomplete = False
    for (name, classifier), one in zip(models.items(), said, strict=True):
        least = classifier.threshold if options.confidence_threshold is None else 0.0
        all_found += [span for span in found(one, text, name, classifier.labels) if span.score >= least]
        incomplete = incomplete or cut_at(one, text, classifier) is not None
    return pii_response(text, all_found, options, context.took, incomplete=incomplete)


async def _security(context: RequestContext, text: str) -> shapes.SecurityResponse:
    detectors = context.classifiers("jailbreak", "sequence")
    answers = asyncio.gather(*(context.distribution(name, text) for name in detectors))
    structure, said = await asyncio.gather(context.aside(text, attacks), answers)
    return security_response(structure, dict(zip(detectors, said, strict=True)), detectors, context.took)


def _check_types(wanted: Sequence[str], models: Iterable[ClassifierSettings]) -> None:
    """A type that nothing here finds would never be found, which must not look like a clean text."""
    known = PATTERN_TYPES | {label for model in models for label in model.labels}
    if missing := sorted({name for name in wanted if name.upper() not in {one.upper() for one in known}}):
        message = f"Nothing here finds {', '.join(missing)}. What is found: {', '.join(sorted(known))}."
        raise ApiError(error_response(404, "unknown_type", message, param="options.entity_types"))


@dataclass(frozen=True, slots=True)
class _Chat:
    """A chat as a client would send it; ``turn`` is empty where there is none, or it cannot be read."""

    model: str
    body: bytes
    turn: str


def _chat(program: Program, asked: shapes.Chat) -> _Chat:
    """The chat that a request speaks of."""
    if bool(asked.text) is bool(asked.messages):
        raise ApiError(error_response(422, "invalid_request", "Give 'text' or 'messages', not both.", param="messages"))
    model = asked.model or next(iter(program.auto_names), program.default)
    messages = asked.messages or [{"role": "user", "content": asked.text}]
    values = {**(asked.model_extra or {}), "model": model, "messages": messages}
    return _Chat(model, json.dumps(values).encode(), _turn(values))


def _turn(values: Mapping[str, object]) -> str:
    view_of = ENDPOINTS[Api.CHAT.value].view_of
    try:
        return view_of(values).turn if view_of else ""
    except InvalidRequestError:
        return ""
