"""The handlers of the endpoints: from a request model to a response model."""

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
from vsr_runtime.decision.view import InvalidRequestError, RequestView
from vsr_runtime.inference.checkpoint_classifier import classification_of
from vsr_runtime.server.api import shapes
from vsr_runtime.server.api.contract import cut_at, distribution, matches, spans
from vsr_runtime.server.api.evaluation import eval_response, matched_signals
from vsr_runtime.server.api.findings import attacks, personal_data, pii_response, security_response
from vsr_runtime.server.api.request_context import ApiError, RequestContext
from vsr_schemas.pii import NAMED_TYPES, PATTERN_TYPES
from vsr_schemas.runtime import ClassifierSettings

ApiResult = shapes.ResponseModel | list[shapes.LabelScore]


async def classify(context: RequestContext, request: shapes.ClassifyRequest) -> ApiResult:
    """Classify a text with one classifier, as the stock router asks a remote one."""
    name, classifier = context.named(request.parameters.classifier if request.parameters else None)
    if classifier.checkpoint is not None and classifier.checkpoint.kind == "token":
        return spans(await context.tokens(name, request.inputs), request.inputs, name, classifier)
    return distribution(await context.distribution(name, request.inputs), classifier)


async def evaluate(context: RequestContext, request: shapes.EvalRequest) -> ApiResult:
    """Describe the decision of a request."""
    chat = await context.worked(partial(_chat, context.generation.rules.program, request))
    action = await context.decided(chat.body)
    main = context.generation.rules.program
    program = main.recipes.get(chat.model, main)
    return eval_response(program, action, chat.view, chat.model, context.took, trace=request.options.trace)


async def intent(context: RequestContext, request: shapes.IntentRequest) -> ApiResult:
    """The category of a request, and its route."""
    chat = await context.worked(partial(_chat, context.generation.rules.program, request))
    everywhere = context.generation.rules.program.whole_category
    category, shares = await _category(context, chat.view.text(everywhere=everywhere) if chat.view else "")
    action = await context.decided(chat.body)
    main = context.generation.rules.program
    program = main.recipes.get(chat.model, main)
    return shapes.IntentResponse(
        classification=shapes.Classification(
            category=category, confidence=max(shares.values(), default=0.0), processing_time_ms=context.took
        ),
        probabilities=shares if request.options.return_probabilities else None,
        recommended_model=None if isinstance(action, ImmediateResponse) else action.model,
        routing_decision=action.route,
        matched_signals=matched_signals(program, action),
    )


async def pii(context: RequestContext, request: shapes.PIIRequest) -> ApiResult:
    """Personal data in a text."""
    return await _pii(context, request.text, request.options)


async def security(context: RequestContext, request: shapes.SecurityRequest) -> ApiResult:
    """Attacks in a text."""
    return await _security(context, request.text)


async def batch(context: RequestContext, request: shapes.BatchRequest) -> ApiResult:
    """Classify several texts within the deadline of one request."""
    one = {"intent": _intent_result, "pii": _pii_result, "security": _security_result}[request.task_type]
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(one(context, text, request.options)) for text in request.texts]
    results = [task.result() for task in tasks]
    return shapes.BatchResponse(results=results, total_count=len(results), processing_time_ms=context.took)


async def _intent_result(context: RequestContext, text: str, options: shapes.IntentOptions) -> shapes.BatchResult:
    category, shares = await _category(context, text)
    probabilities = shares if options.return_probabilities else None
    return shapes.BatchResult(
        category=category, confidence=max(shares.values(), default=0.0), probabilities=probabilities
    )


async def _pii_result(context: RequestContext, text: str, _: shapes.IntentOptions) -> shapes.BatchResult:
    result = await _pii(context, text, shapes.PIIOptions())
    types = [entity.type for entity in result.entities]
    confidence = max((entity.confidence for entity in result.entities), default=1.0)
    return shapes.BatchResult(category=types[0] if types else "no_pii", confidence=confidence)


async def _security_result(context: RequestContext, text: str, _: shapes.IntentOptions) -> shapes.BatchResult:
    result = await _security(context, text)
    category = result.detection_types[0] if result.detection_types else "safe"
    return shapes.BatchResult(category=category, confidence=result.confidence)


async def _category(context: RequestContext, text: str) -> tuple[str, dict[str, float]]:
    """The category, empty for none, and the probability of every label.

    As at a gateway, an empty text has no category.
    """
    loaded = context.classifiers("category")
    if not loaded:
        raise ApiError(error_response(404, "no_classifier", "No classifier of categories is loaded."))
    ((name, classifier),) = loaded.items()
    result = await context.distribution(name, text) if text.strip() else {}
    shares = {label: min(max(share, 0.0), 1.0) for label, share in result.items()}
    if not shares:
        return classifier.fallback or "", {}
    return classification_of(shares, classifier).label or classifier.fallback or "", shares


async def _pii(context: RequestContext, text: str, options: shapes.PIIOptions) -> shapes.PIIResponse:
    models = context.classifiers("pii", "token")
    _check_types(options.entity_types or (), context.classifiers("pii").values())
    tokens = asyncio.gather(*(context.tokens(name, text) for name in models))
    own = partial(personal_data, types=options.entity_types or ())
    patterns, result, remote = await asyncio.gather(context.aside(text, own), tokens, context.detections(text))
    all_found = list(patterns)
    for name, detection in remote.items():
        server = context.classifiers("pii")[name]
        least = server.threshold if options.confidence_threshold is None else 0.0
        all_found += detection.spans(frozenset(server.labels), least)
    incomplete = False
    for (name, classifier), one in zip(models.items(), result, strict=True):
        least = classifier.threshold if options.confidence_threshold is None else 0.0
        all_found += [span for span in matches(one, text, name, classifier.labels) if span.score >= least]
        incomplete = incomplete or cut_at(one, text, classifier) is not None
    return pii_response(text, all_found, options, context.took, incomplete=incomplete)


async def _security(context: RequestContext, text: str) -> shapes.SecurityResponse:
    detectors = context.classifiers("jailbreak", "sequence")
    answers = asyncio.gather(*(context.distribution(name, text) for name in detectors))
    structure, result = await asyncio.gather(context.aside(text, attacks), answers)
    return security_response(structure, dict(zip(detectors, result, strict=True)), detectors, context.took)


def _check_types(types: Sequence[str], models: Iterable[ClassifierSettings]) -> None:
    """Reject unknown types: they would never be matches, and the text would look clean."""
    known = PATTERN_TYPES | NAMED_TYPES | {label for model in models for label in model.labels}
    if missing := sorted({name for name in types if name.upper() not in {one.upper() for one in known}}):
        message = f"Nothing here finds {', '.join(missing)}. What is matches: {', '.join(sorted(known))}."
        raise ApiError(error_response(404, "unknown_type", message, param="options.entity_types"))


@dataclass(frozen=True, slots=True)
class _Chat:
    """A chat as a client would send it; ``view`` is None if it cannot be read."""

    model: str
    body: bytes
    view: RequestView | None


def _chat(program: Program, request: shapes.Chat) -> _Chat:
    """The chat of a request."""
    if bool(request.text) is bool(request.messages):
        raise ApiError(error_response(422, "invalid_request", "Give 'text' or 'messages', not both.", param="messages"))
    model = request.model or next(iter(program.auto_names), program.default)
    messages = request.messages or [{"role": "user", "content": request.text}]
    values = {**(request.model_extra or {}), "model": model, "messages": messages}
    return _Chat(model, json.dumps(values).encode(), _view(program, values))


def _view(program: Program, values: Mapping[str, object]) -> RequestView | None:
    view_of = ENDPOINTS[Api.CHAT.value].view_of
    try:
        return view_of(values, program.ask_rules) if view_of else None
    except InvalidRequestError:
        return None
