"""The state machine of one request. Every state waits for certain events or is final."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from vsr_runtime.decision.apis.endpoints import ApiEndpoint
from vsr_runtime.decision.deadline import BudgetExceededError, DeadlineExceededError, Expired
from vsr_runtime.decision.fast_dataclass import fast_dataclass
from vsr_runtime.decision.program.conditions import CATEGORIES, OF_REQUEST, SignalKind
from vsr_runtime.decision.program.context_length import NO_DEMAND, token_demand
from vsr_runtime.decision.program.program import Decision, Program, Undecided
from vsr_runtime.decision.request.cache_key import Caller, read_caller
from vsr_runtime.decision.request.cors import is_preflight, preflight_response, response_headers
from vsr_runtime.decision.request.detectors import attack_scores, detections_by_text, merge_texts, missing_cause
from vsr_runtime.decision.request.dispatch import dispatch
from vsr_runtime.decision.request.events import (
    Action,
    Cause,
    Continue,
    Event,
    Failure,
    ImmediateResponse,
    LetPass,
    NeedSignals,
    RequestBody,
    RequestHeaders,
    SendToModel,
    SignalsReady,
)
from vsr_runtime.decision.request.form_body import FormBody
from vsr_runtime.decision.request.guard_evaluation import GuardEvaluation
from vsr_runtime.decision.request.headers import api_of, for_client, read_headers, single_values
from vsr_runtime.decision.request.immediate_responses import (
    error_response,
    too_complex_response,
    undecided_response,
    unknown_model_response,
)
from vsr_runtime.decision.request.json_body import JsonBody
from vsr_runtime.decision.request.parsed_request import ParsedRequest, read_request
from vsr_runtime.decision.request.stored_response import send_stored
from vsr_runtime.decision.signals.model_signals import ModelResults
from vsr_runtime.decision.view import InvalidRequestError
from vsr_schemas.headers import DEBUG


@dataclass(frozen=True, slots=True)
class MachineConfig:
    """What applies to all requests.

    Attributes:
        program: the decision program.
        max_body: maximum bytes of a body.
        default_on_failure: whether requests go to the default model if their category is unavailable. Guards still
            apply.
        debug_headers: which clients get debug headers; None for none.
    """

    program: Program
    max_body: int
    default_on_failure: bool = False
    debug_headers: Literal["on-request", "always"] | None = None


@fast_dataclass(frozen=True, slots=True)
class AwaitsHeaders:
    """The initial state; waits for the headers."""


@fast_dataclass(frozen=True, slots=True)
class AwaitsBody:
    """The headers were accepted; waits for the body."""

    endpoint: ApiEndpoint
    request_id: str | None = None
    debug: bool = False
    caller: Caller | None = None
    query: bool = False
    boundary: bytes | None = None
    cors: tuple[tuple[str, str], ...] = ()


@fast_dataclass(frozen=True, slots=True)
class AwaitsSignals:
    """The decision, or a guard, depends on model results; waits for them."""

    parsed: ParsedRequest
    outcome: Decision | Undecided | None
    detector_texts: Mapping[str, Sequence[str]] = field(default_factory=dict)


@fast_dataclass(frozen=True, slots=True)
class Decided:
    """Final: the request was routed or answered."""


State = AwaitsHeaders | AwaitsBody | AwaitsSignals | Decided


class OutOfOrderError(Exception):
    """The state does not accept this event. The caller must end the request with an error."""


def advance(config: MachineConfig, state: State, event: Event) -> tuple[State, Action]:
    """Take one step.

    Returns:
        The next state and the action. `SendToModel` and `ImmediateResponse` are the only final actions; both lead to
        `Decided`.

    Raises:
        OutOfOrderError: the state does not accept this event.
    """
    match state, event:
        case AwaitsHeaders(), RequestHeaders():
            return _on_headers(config, event)
        case AwaitsBody(endpoint, cors=cors), RequestBody():
            following, action = _on_body(config, state, event)
            return following, for_client(endpoint.api, cors, action)
        case AwaitsSignals(parsed), SignalsReady():
            return Decided(), for_client(parsed.api, parsed.cors, _on_signals(config, state, event))
        case AwaitsBody(endpoint, cors=cors), Failure(cause):
            return Decided(), for_client(endpoint.api, cors, undecided_response(cause))
        case AwaitsSignals(parsed), Failure(cause):
            response = replace(undecided_response(cause), model=parsed.named_model)
            return Decided(), for_client(parsed.api, parsed.cors, response)
    raise OutOfOrderError(f"{type(event).__name__} in state {type(state).__name__}")


def _on_headers(config: MachineConfig, event: RequestHeaders) -> tuple[State, Action]:
    values, program = single_values(event), config.program
    cors = response_headers(program.cors, values) if program.cors is not None else ()
    if event.end_of_stream and is_preflight(values.get(":method", ""), values):
        return Decided(), LetPass() if program.cors is None else preflight_response(program.cors, values)
    accepted = read_headers(event, values, program.names, program.apis, config.max_body)
    if isinstance(accepted, ImmediateResponse):
        return Decided(), for_client(api_of(values.get(":path", "")), cors, accepted)
    endpoint = accepted.endpoint
    if endpoint.stored:
        return Decided(), for_client(endpoint.api, cors, send_stored(program, endpoint, values))
    debug = config.debug_headers == "always" or (config.debug_headers == "on-request" and values.get(DEBUG) == "true")
    needs_headers = debug and config.debug_headers == "on-request" and not config.program.reads_responses
    caller = read_caller(event) if config.program.caches_responses else None
    return (
        AwaitsBody(
            endpoint,
            values.get("x-request-id") or None,
            debug,
            caller,
            "?" in values[":path"],
            accepted.boundary,
            cors,
        ),
        Continue(needs_response_headers=needs_headers),
    )


def _on_body(config: MachineConfig, state: AwaitsBody, event: RequestBody) -> tuple[State, Action]:
    read = read_request(event.body, state.endpoint, config.max_body, event.expired, state.boundary)
    if isinstance(read, ImmediateResponse):
        return Decided(), read
    body, form = (read.document, read) if isinstance(read, FormBody) else (read, None)
    program, model = config.program, str(body.values["model"])
    named = model if model in program.models else None
    if named is None and model not in program.auto_names:
        return Decided(), unknown_model_response(model)
    if named is None and state.endpoint.view_of is None:
        return Decided(), _model_required_response(program, state.endpoint)
    seed = event.body if state.request_id is None else state.request_id.encode()
    following: State
    action: Action
    try:
        parsed = _parse(program, state, body, seed, named, event.expired)
        if isinstance(parsed, ImmediateResponse):
            following, action = Decided(), parsed
        else:
            parsed = parsed if form is None and not state.cors else replace(parsed, form=form, cors=state.cors)
            following, action = _on_parsed(program, parsed, event.expired)
    except InvalidRequestError as error:
        message = f"The request cannot be read: {error}."
        following, action = Decided(), error_response(400, "invalid_request", message, param=error.param)
    except BudgetExceededError:
        following, action = Decided(), undecided_response(Cause.TOO_COMPLEX)
    except DeadlineExceededError:
        following, action = Decided(), undecided_response(Cause.TIMEOUT)
    return following, replace(action, model=named) if named and isinstance(action, ImmediateResponse) else action


def _parse(
    program: Program, state: AwaitsBody, body: JsonBody, seed: bytes, named: str | None, expired: Expired
) -> ParsedRequest | ImmediateResponse:
    """Evaluate guards that apply to every route, and read the view. Return the request, or a guard's rejection."""
    endpoint, evaluation = state.endpoint, None
    if program.on_request:
        try:
            evaluation = GuardEvaluation(program.on_request, body, endpoint.api, expired)
        except BudgetExceededError:
            return too_complex_response(endpoint.api, program.on_request[0])
        rejection = evaluation.rejection_before_routing()
        if rejection is not None:
            return rejection
    view = endpoint.view_of(body.values) if named is None and endpoint.view_of is not None else None
    if view is not None and program.ask_rules is not None:
        view = replace(view, ask_rules=program.ask_rules)
    demand = NO_DEMAND
    if endpoint.view_of is not None and program.smallest_context is not None:
        demand = token_demand(body.text, body.values, program.smallest_context)
    return ParsedRequest(
        body, endpoint.api, seed, named, view, evaluation, state.debug, state.caller, state.query, demand=demand
    )


def _on_parsed(program: Program, parsed: ParsedRequest, expired: Expired) -> tuple[State, Action]:
    """Decide without models if possible; otherwise request all model results at once."""
    outcome = None if parsed.view is None else program.decide(parsed.view, expired=expired, demand=parsed.demand)
    undecided = outcome if isinstance(outcome, Undecided) else None
    if undecided or parsed.evaluation:
        guard_texts = parsed.evaluation.detector_texts(parsed.named_model) if parsed.evaluation else {}
        texts = merge_texts(guard_texts, undecided.detectors if undecided else {})
        if undecided or texts:
            kinds = undecided.kinds if undecided else frozenset[SignalKind]()
            view = parsed.view
            whole = view.text(everywhere=True) if view and kinds & OF_REQUEST.keys() else ""
            action = NeedSignals(view.subject if view else "", kinds, texts, whole)
            return AwaitsSignals(parsed, outcome, texts), action
    return Decided(), dispatch(program, parsed, None if isinstance(outcome, Undecided) else outcome)


def _on_signals(config: MachineConfig, state: AwaitsSignals, ready: SignalsReady) -> SendToModel | ImmediateResponse:
    program, parsed, outcome = config.program, state.parsed, state.outcome
    if parsed.evaluation:
        parsed.evaluation.add_results(ready.detections)
    if ready.missing is not None:
        return _on_failure(config, parsed, ready.missing)
    if not isinstance(outcome, Undecided) or parsed.view is None:
        return dispatch(program, parsed, None if isinstance(outcome, Undecided) else outcome)
    known = outcome.signals
    if outcome.kinds & CATEGORIES:
        known = program.with_category(known, ready.category, ready.probability)
    results = ModelResults(
        ready.similarities,
        attack_scores(state.detector_texts, ready.detections),
        detections_by_text(state.detector_texts, ready.detections),
        ready.request_similarities,
    )
    known = program.with_model_results(known, parsed.view, results)
    decided = program.decide(parsed.view, known, demand=parsed.demand)
    if isinstance(decided, Undecided):  # a required model result is missing
        return _on_failure(config, parsed, missing_cause(decided, ready.detections))
    return dispatch(program, parsed, decided)


def _on_failure(config: MachineConfig, parsed: ParsedRequest, cause: Cause) -> SendToModel | ImmediateResponse:
    """Return an error, or dispatch to the default model if the policy allows it. Guards still apply."""
    if not config.default_on_failure:
        return undecided_response(cause)
    action = dispatch(config.program, parsed, None)
    return replace(action, cause=cause) if action.cause is None else action


def _model_required_response(program: Program, endpoint: ApiEndpoint) -> ImmediateResponse:
    """Return an error: results of different models cannot be compared, so content must not choose the model."""
    path = endpoint.api.value
    names = ", ".join(target.name for target in program.models.values() if path in target.limits.apis)
    message = f"Requests of {path} are not routed by content: set 'model' to one of {names}."
    return error_response(400, "model_required", message, param="model")
