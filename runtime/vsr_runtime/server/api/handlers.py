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
from vsr_runtime.server.api.evaluation import evaluated, matched_signals
from vsr_runtime.server.api.findings import attacks, personal_data, told_pii, told_security
from vsr_runtime.server.api.request_context import RefusedError, Visit
from vsr_schemas.pii import PATTERN_TYPES
from vsr_schemas.runtime import ClassifierSettings

Said = shapes.Told | list[shapes.LabelScore]


async def classify(visit: Visit, asked: shapes.ClassifyRequest) -> Said:
    """One classifier's word on a text, as the stock router asks a remote one for it."""
    name, classifier = visit.named(asked.parameters.classifier if asked.parameters else None)
    if classifier.checkpoint is not None and classifier.checkpoint.kind == "token":
        return spans(await visit.tokens(name, asked.inputs), asked.inputs, name, classifier)
    return distribution(await visit.distribution(name, asked.inputs), classifier)


async def evaluate(visit: Visit, asked: shapes.EvalRequest) -> Said:
    """What would become of a request."""
    chat = await visit.worked(partial(_chat, visit.generation.rules.program, asked))
    action = await visit.decided(chat.body)
    program = visit.generation.rules.program
    return evaluated(program, action, chat.turn, chat.model, visit.took, trace=asked.options.trace)


async def intent(visit: Visit, asked: shapes.IntentRequest) -> Said:
    """The category of a request, and where it would go."""
    chat = await visit.worked(partial(_chat, visit.generation.rules.program, asked))
    category, shares = await _category(visit, chat.turn)
    action = await visit.decided(chat.body)
    program = visit.generation.rules.program
    return shapes.IntentResponse(
        classification=shapes.Classification(
            category=category, confidence=max(shares.values(), default=0.0), processing_time_ms=visit.took
        ),
        probabilities=shares if asked.options.return_probabilities else None,
        recommended_model=None if isinstance(action, ImmediateResponse) else action.model,
        routing_decision=action.route,
        matched_signals=matched_signals(program, action),
    )


async def pii(visit: Visit, asked: shapes.PIIRequest) -> Said:
    """Personal data in a text."""
    return await _pii(visit, asked.text, asked.options)


async def security(visit: Visit, asked: shapes.SecurityRequest) -> Said:
    """Attacks in a text."""
    return await _security(visit, asked.text)


async def batch(visit: Visit, asked: shapes.BatchRequest) -> Said:
    """The same question about several texts, in the time of one request."""
    one = {"intent": _intent_result, "pii": _pii_result, "security": _security_result}[asked.task_type]
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(one(visit, text, asked.options)) for text in asked.texts]
    results = [task.result() for task in tasks]
    return shapes.BatchResponse(results=results, total_count=len(results), processing_time_ms=visit.took)


async def _intent_result(visit: Visit, text: str, options: shapes.IntentOptions) -> shapes.BatchResult:
    category, shares = await _category(visit, text)
    probabilities = shares if options.return_probabilities else None
    return shapes.BatchResult(
        category=category, confidence=max(shares.values(), default=0.0), probabilities=probabilities
    )


async def _pii_result(visit: Visit, text: str, _: shapes.IntentOptions) -> shapes.BatchResult:
    said = await _pii(visit, text, shapes.PIIOptions())
    types = [entity.type for entity in said.entities]
    confidence = max((entity.confidence for entity in said.entities), default=1.0)
    return shapes.BatchResult(category=types[0] if types else "no_pii", confidence=confidence)


async def _security_result(visit: Visit, text: str, _: shapes.IntentOptions) -> shapes.BatchResult:
    said = await _security(visit, text)
    category = said.detection_types[0] if said.detection_types else "safe"
    return shapes.BatchResult(category=category, confidence=said.confidence)


async def _category(visit: Visit, text: str) -> tuple[str, dict[str, float]]:
    """The category, empty for none, and every label's probability. As for a gateway, no text has no category."""
    loaded = visit.classifiers("category")
    if not loaded:
        raise RefusedError(error_response(404, "no_classifier", "No classifier of categories is loaded."))
    ((name, classifier),) = loaded.items()
    said = await visit.distribution(name, text) if text.strip() else {}
    shares = {label: min(max(share, 0.0), 1.0) for label, share in said.items()}
    if not shares:
        return classifier.fallback or "", {}
    return judged(shares, classifier).label or classifier.fallback or "", shares


async def _pii(visit: Visit, text: str, options: shapes.PIIOptions) -> shapes.PIIResponse:
    models = visit.classifiers("pii", "token")
    _check_types(options.entity_types or (), models.values())
    tokens = asyncio.gather(*(visit.tokens(name, text) for name in models))
    patterns, said = await asyncio.gather(visit.aside(text, personal_data), tokens)
    all_found = list(patterns)
    incomplete = False
    for (name, classifier), one in zip(models.items(), said, strict=True):
        least = classifier.threshold if options.confidence_threshold is None else 0.0
        all_found += [span for span in found(one, text, name, classifier.labels) if span.score >= least]
        incomplete = incomplete or cut_at(one, text, classifier) is not None
    return told_pii(text, all_found, options, visit.took, incomplete=incomplete)


async def _security(visit: Visit, text: str) -> shapes.SecurityResponse:
    detectors = visit.classifiers("jailbreak", "sequence")
    answers = asyncio.gather(*(visit.distribution(name, text) for name in detectors))
    structure, said = await asyncio.gather(visit.aside(text, attacks), answers)
    return told_security(structure, dict(zip(detectors, said, strict=True)), detectors, visit.took)


def _check_types(wanted: Sequence[str], models: Iterable[ClassifierSettings]) -> None:
    """A type that nothing here finds would never be found, which must not look like a clean text."""
    known = PATTERN_TYPES | {label for model in models for label in model.labels}
    if missing := sorted({name for name in wanted if name.upper() not in {one.upper() for one in known}}):
        message = f"Nothing here finds {', '.join(missing)}. What is found: {', '.join(sorted(known))}."
        raise RefusedError(error_response(404, "unknown_type", message, param="options.entity_types"))


@dataclass(frozen=True, slots=True)
class _Chat:
    """A chat as a client would send it; ``turn`` is empty where there is none, or it cannot be read."""

    model: str
    body: bytes
    turn: str


def _chat(program: Program, asked: shapes.Chat) -> _Chat:
    """The chat that a request speaks of."""
    if bool(asked.text) is bool(asked.messages):
        raise RefusedError(
            error_response(422, "invalid_request", "Give 'text' or 'messages', not both.", param="messages")
        )
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
