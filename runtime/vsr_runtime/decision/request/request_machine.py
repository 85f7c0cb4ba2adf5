"""The state machine of one request. Every state either waits for a certain event or is final."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from vsr_runtime.decision.apis.endpoints import ApiEndpoint
from vsr_runtime.decision.deadline import DeadlineExceededError, Expired
from vsr_runtime.decision.fast_dataclass import fast_dataclass
from vsr_runtime.decision.program.conditions import SignalKind
from vsr_runtime.decision.program.program import Decision, Program, Undecided
from vsr_runtime.decision.request.cache_key import Caller, read_caller
from vsr_runtime.decision.request.detectors import attack_scores, detections_by_text, merge_texts, missing_cause
from vsr_runtime.decision.request.dispatch import dispatch
from vsr_runtime.decision.request.events import (
    Action,
    Cause,
    Continue,
    Event,
    Failure,
    ImmediateResponse,
    NeedSignals,
    RequestBody,
    RequestHeaders,
    SendToModel,
    SignalsReady,
)
from vsr_runtime.decision.request.guard_evaluation import GuardEvaluation
from vsr_runtime.decision.request.headers import read_headers, single_values
from vsr_runtime.decision.request.immediate_responses import error_response, undecided_response, unknown_model_response
from vsr_runtime.decision.request.json_body import JsonBody
from vsr_runtime.decision.request.parsed_request import ParsedRequest, read_request
from vsr_runtime.decision.signals.model_signals import ModelResults
from vsr_runtime.decision.view import InvalidRequestError
from vsr_schemas.headers import DEBUG


@dataclass(frozen=True, slots=True)
class MachineConfig:
    """What holds for all requests: the program, the bytes that a body may have, and what becomes of the undecided.

    Where ``falls_back``, a request whose category cannot be had goes to the default model; guards hold all the same.
    ``tells`` is which clients are told what was chosen for them.
    """

    program: Program
    max_body: int
    default_on_failure: bool = False
    debug_headers: Literal["on-request", "always"] | None = None


@fast_dataclass(frozen=True, slots=True)
class AwaitsHeaders:
    """Nothing has come yet; waits for the headers."""


@fast_dataclass(frozen=True, slots=True)
class AwaitsBody:
    """The headers passed; waits for the body."""

    endpoint: ApiEndpoint
    request_id: str | None = None
    debug: bool = False
    caller: Caller | None = None


@fast_dataclass(frozen=True, slots=True)
class AwaitsSignals:
    """The choice, or a guard, depends on what takes a model to find out; waits for that."""

    asked: ParsedRequest
    outcome: Decision | Undecided | None
    detector_texts: Mapping[str, Sequence[str]] = field(default_factory=dict)


@fast_dataclass(frozen=True, slots=True)
class Decided:
    """Routed or answered. Nothing follows."""


State = AwaitsHeaders | AwaitsBody | AwaitsSignals | Decided


class OutOfOrderError(Exception):
    """An event came that the state does not wait for. Whoever drives the machine must end the request in an error."""


def advance(rules: MachineConfig, state: State, event: Event) -> tuple[State, Action]:
    """Take one step.

    Returns:
        The next state and what is to be done. `Route` and `Answer` are the only actions that decide; both lead to
        `Decided`.

    Raises:
        OutOfOrderError: the state does not wait for this event.
    """
    match state, event:
        case AwaitsHeaders(), RequestHeaders():
            return _on_headers(rules, event)
        case AwaitsBody(), RequestBody():
            return _on_body(rules, state, event)
        case AwaitsSignals(), SignalsReady():
            return Decided(), _on_signals(rules, state, event)
        case AwaitsBody(), Failure(cause):
            return Decided(), undecided_response(cause)
        case AwaitsSignals(asked), Failure(cause):
            return Decided(), replace(undecided_response(cause), model=asked.named_model)
    raise OutOfOrderError(f"{type(event).__name__} in state {type(state).__name__}")


def _on_headers(rules: MachineConfig, event: RequestHeaders) -> tuple[State, Action]:
    given = single_values(event)
    found = read_headers(event, given, rules.program.names, rules.max_body)
    if isinstance(found, ImmediateResponse):
        return Decided(), found
    told = rules.debug_headers == "always" or (rules.debug_headers == "on-request" and given.get(DEBUG) == "true")
    asks = told and rules.debug_headers == "on-request" and not rules.program.reads_responses
    caller = read_caller(event) if rules.program.caches_responses else None
    return AwaitsBody(found, given.get("x-request-id") or None, told, caller), Continue(needs_response_headers=asks)


def _on_body(rules: MachineConfig, state: AwaitsBody, event: RequestBody) -> tuple[State, Action]:
    body = read_request(event.body, state.endpoint.field, rules.max_body)
    if isinstance(body, ImmediateResponse):
        return Decided(), body
    program, model = rules.program, str(body.values["model"])
    named = model if model in program.models else None
    if named is None and model not in program.auto_names:
        return Decided(), unknown_model_response(model)
    if named is None and state.endpoint.view_of is None:
        return Decided(), _model_required_response(program)
    seed = event.body if state.request_id is None else state.request_id.encode()
    following: State
    action: Action
    try:
        asked = _parse(program, state, body, seed, named, event.expired)
        if isinstance(asked, ImmediateResponse):
            following, action = Decided(), asked
        else:
            following, action = _on_parsed(program, asked, event.expired)
    except InvalidRequestError as error:
        message = f"The request cannot be read: {error}."
        following, action = Decided(), error_response(400, "invalid_request", message, param=error.param)
    except DeadlineExceededError:
        following, action = Decided(), undecided_response(Cause.TIMEOUT)
    return following, replace(action, model=named) if named and isinstance(action, ImmediateResponse) else action


def _parse(
    program: Program, state: AwaitsBody, body: JsonBody, seed: bytes, named: str | None, expired: Expired
) -> ParsedRequest | ImmediateResponse:
    """The request with what guards must know of it, unless one refuses it wherever it would go, and with its view."""
    endpoint, inquiry = state.endpoint, None
    if program.on_request:
        inquiry = GuardEvaluation(program.on_request, body, endpoint.api, expired)
        refused = inquiry.rejection_before_routing()
        if refused is not None:
            return refused
    view = endpoint.view_of(body.values) if named is None and endpoint.view_of is not None else None
    return ParsedRequest(body, endpoint.api, seed, named, view, inquiry, state.debug, state.caller)


def _on_parsed(program: Program, asked: ParsedRequest, expired: Expired) -> tuple[State, Action]:
    """What is known without asking anybody, and the question after the rest: everything at once."""
    outcome = None if asked.view is None else program.decide(asked.view, expired=expired)
    open_now = outcome if isinstance(outcome, Undecided) else None
    if open_now or asked.evaluation:
        wanted = asked.evaluation.detector_texts(asked.named_model) if asked.evaluation else {}
        looks = merge_texts(wanted, open_now.detectors if open_now else {})
        if open_now or looks:
            kinds = open_now.kinds if open_now else frozenset[SignalKind]()
            question = NeedSignals(asked.view.turn if asked.view else "", kinds, looks)
            return AwaitsSignals(asked, outcome, looks), question
    return Decided(), dispatch(program, asked, None if isinstance(outcome, Undecided) else outcome)


def _on_signals(rules: MachineConfig, state: AwaitsSignals, found: SignalsReady) -> SendToModel | ImmediateResponse:
    program, asked, outcome = rules.program, state.asked, state.outcome
    if asked.evaluation:
        asked.evaluation.add_results(found.detections)
    if found.missing is not None:
        return _on_failure(rules, asked, found.missing)
    if not isinstance(outcome, Undecided) or asked.view is None:
        return dispatch(program, asked, None if isinstance(outcome, Undecided) else outcome)
    known = outcome.signals
    if "category" in outcome.kinds:
        known = program.with_category(known, found.category, found.probability)
    heard = ModelResults(
        found.similarities,
        attack_scores(state.detector_texts, found.detections),
        detections_by_text(state.detector_texts, found.detections),
    )
    known = program.with_model_results(known, asked.view, heard)
    decided = program.decide(asked.view, known)
    if isinstance(decided, Undecided):  # a model did not say what the choice depends on
        return _on_failure(rules, asked, missing_cause(decided, found.detections))
    return dispatch(program, asked, decided)


def _on_failure(rules: MachineConfig, asked: ParsedRequest, cause: Cause) -> SendToModel | ImmediateResponse:
    """A refusal, or the default where the policy wants that; its guards hold all the same."""
    if not rules.default_on_failure:
        return undecided_response(cause)
    action = dispatch(rules.program, asked, None)
    return replace(action, cause=cause) if action.cause is None else action


def _model_required_response(program: Program) -> ImmediateResponse:
    """Vectors of different models cannot be compared, so a choice by content would break whoever stores them."""
    names = ", ".join(program.models)
    return error_response(
        400,
        "model_required",
        f"Embeddings are not routed by content: name the model. There are {names}.",
        param="model",
    )
