"""The state machine of one request. Every state waits for certain events or is final."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from vsr_runtime.decision.apis.endpoints import ApiEndpoint
from vsr_runtime.decision.conversation.choice import Judged
from vsr_runtime.decision.conversation.key import conversation_key
from vsr_runtime.decision.conversation.state import held_state
from vsr_runtime.decision.deadline import BudgetExceededError, DeadlineExceededError, Expired
from vsr_runtime.decision.fast_dataclass import fast_dataclass
from vsr_runtime.decision.identity.client import Client
from vsr_runtime.decision.program.build_limits import GROWTH
from vsr_runtime.decision.program.conditions import OF_REQUEST
from vsr_runtime.decision.program.context_length import NO_DEMAND, token_demand
from vsr_runtime.decision.program.program import Decision, Program, Undecided
from vsr_runtime.decision.request.attempts import Attempt, read_attempt, send_attempt
from vsr_runtime.decision.request.authentication import authenticate
from vsr_runtime.decision.request.cache_key import Caller, read_caller
from vsr_runtime.decision.request.cors import is_preflight, preflight_response, response_headers
from vsr_runtime.decision.request.detectors import merge_texts, missing_cause
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
    state_response,
    too_complex_response,
    undecided_response,
    unknown_model_response,
)
from vsr_runtime.decision.request.json_body import JsonBody
from vsr_runtime.decision.request.outcomes import Outcomes, conclude, concluded, first_outcomes
from vsr_runtime.decision.request.parsed_request import ParsedRequest, ReadBody, read_request
from vsr_runtime.decision.request.stored_response import send_stored
from vsr_runtime.decision.selection.observations import Observations
from vsr_runtime.decision.view import InvalidRequestError, RequestView
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
    """The initial state; waits for the headers. ``attempt``: of one attempt, which the proxy sends to itself."""

    attempt: bool = False


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
    key: str | None = None
    state_holder: str | None = None
    client: Client | None = None
    attempt: Attempt | None = None
    sent: frozenset[str] = frozenset()
    moved: str | None = None
    """The model to which a limit moves the request, which is decided again."""
    observed: Observations | None = None
    """What the server has observed of models, if some decision selects one by it."""


@fast_dataclass(frozen=True, slots=True)
class AwaitsSignals:
    """The decision, or a guard, depends on model results; waits for them."""

    parsed: ParsedRequest
    known: Outcomes | None
    detector_texts: Mapping[str, Sequence[str]] = field(default_factory=dict)
    program: Program | None = None
    """The recipe's; None for that of the config."""


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
        case AwaitsHeaders(attempt=True), RequestHeaders():
            return _on_attempt(config, event)
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
    client = None
    if program.identity is not None:
        known = authenticate(program.identity, event)
        if isinstance(known, ImmediateResponse):
            return Decided(), for_client(api_of(values.get(":path", "")), cors, known)
        client = known
    accepted = read_headers(event, values, program.names_for(client), program.apis, config.max_body)
    if isinstance(accepted, ImmediateResponse):
        return Decided(), for_client(api_of(values.get(":path", "")), cors, accepted)
    endpoint = accepted.endpoint
    if endpoint.stored:
        return Decided(), for_client(endpoint.api, cors, send_stored(program, endpoint, values, client))
    debug = config.debug_headers == "always" or (config.debug_headers == "on-request" and values.get(DEBUG) == "true")
    needs_headers = debug and config.debug_headers == "on-request" and not config.program.reads_responses
    caller = read_caller(event, client) if config.program.caches_responses else None
    key, holder = _conversation_headers(config.program, values, client)
    return (
        AwaitsBody(
            endpoint,
            values.get("x-request-id") or None,
            debug,
            caller,
            "?" in values[":path"],
            accepted.boundary,
            cors,
            key,
            holder,
            client,
            sent=_sent(program, event) if program.default_headers else frozenset(),
        ),
        Continue(needs_response_headers=needs_headers),
    )


def _sent(program: Program, event: RequestHeaders) -> frozenset[str]:
    """Return the default headers of providers that the client sends itself."""
    return frozenset([name for name, _ in event.headers if name in program.default_headers])


def _on_attempt(config: MachineConfig, event: RequestHeaders) -> tuple[State, Action]:
    """Accept one attempt of a request that was decided before."""
    values, program = single_values(event), config.program
    accepted = read_headers(event, values, program.names, program.apis, config.max_body + GROWTH)
    attempt = read_attempt(program, values)
    for refused in (accepted, attempt):
        if isinstance(refused, ImmediateResponse):
            return Decided(), for_client(api_of(values.get(":path", "")), (), refused)
    if isinstance(accepted, ImmediateResponse) or isinstance(attempt, ImmediateResponse):
        raise OutOfOrderError("an attempt without a body")
    return AwaitsBody(accepted.endpoint, boundary=accepted.boundary, attempt=attempt), Continue(())


def _conversation_headers(
    program: Program, values: Mapping[str, str], client: Client | None
) -> tuple[str | None, str | None]:
    """Return what identifies the conversation and the model which holds its state, if it is configured."""
    stickiness = program.stickiness
    if stickiness is None:
        return None, None
    key, state = stickiness.key_header, stickiness.state_header
    holder = values.get(state) if state else None
    if stickiness.key is not None:
        own = client.key(stickiness.key) if client is not None else None
        return None if own is None else own.hex(), holder
    return values.get(key) if key else None, holder


def _on_body(config: MachineConfig, state: AwaitsBody, event: RequestBody) -> tuple[State, Action]:
    limit = config.max_body if state.attempt is None else config.max_body + GROWTH
    before: ReadBody | None = event.read if len(event.body) <= limit else None
    read = before.read if before else read_request(event.body, state.endpoint, limit, event.expired, state.boundary)
    if isinstance(read, ImmediateResponse):
        return Decided(), read
    if state.attempt is not None:
        return Decided(), send_attempt(state.attempt, read, state.endpoint.api)
    body, form = (read.document, read) if isinstance(read, FormBody) else (read, None)
    program = config.program
    if program.recipes:
        program = program.recipes.get(str(body.values["model"]), program)
    named = _named_model(program, state, body)
    if isinstance(named, ImmediateResponse):
        return Decided(), named
    seed = event.body if state.request_id is None else state.request_id.encode()
    following: State
    action: Action
    try:
        parsed = _parse(program, state, body, seed, named, event.expired, before)
        if isinstance(parsed, ImmediateResponse):
            following, action = Decided(), parsed
        else:
            parsed = parsed if form is None and not state.cors else replace(parsed, form=form, cors=state.cors)
            following, action = _on_parsed(program, parsed, event.expired)
            if program is not config.program and isinstance(following, AwaitsSignals):
                following = replace(following, program=program)
    except InvalidRequestError as error:
        message = f"The request cannot be read: {error}."
        following, action = Decided(), error_response(400, "invalid_request", message, param=error.param)
    except BudgetExceededError:
        following, action = Decided(), undecided_response(Cause.TOO_COMPLEX)
    except DeadlineExceededError:
        following, action = Decided(), undecided_response(Cause.TIMEOUT)
    return following, replace(action, model=named) if named and isinstance(action, ImmediateResponse) else action


def _named_model(program: Program, state: AwaitsBody, body: JsonBody) -> str | ImmediateResponse | None:
    """Return the model that the client names, or that holds the state it refers to; None if the router chooses."""
    model = str(body.values["model"])
    if model not in program.auto_names:
        return model if model in program.models else program.aliases.get(model) or unknown_model_response(model)
    if state.endpoint.view_of is None:
        return _model_required_response(program, state.endpoint)
    return _state_holder(program, state, body)


def _state_holder(program: Program, state: AwaitsBody, body: JsonBody) -> str | ImmediateResponse | None:
    """Return the model that holds the state to which a request refers; None if there is none, or only one model."""
    if program.stickiness is None or len(program.destinations) == 1:
        return None
    held = held_state(body.values, body.text)
    if held is None:
        return None
    if state.state_holder is None:
        return state_response(held, program.stickiness.state_header)
    return program.holder(state.state_holder) or unknown_model_response(state.state_holder)


def _parse(
    program: Program,
    state: AwaitsBody,
    body: JsonBody,
    seed: bytes,
    named: str | None,
    expired: Expired,
    before: ReadBody | None = None,
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
    view = None
    if named is None and endpoint.view_of is not None:
        known = before.view if before is not None and before.rules == program.ask_rules else None
        view = known or endpoint.view_of(body.values, program.ask_rules)
        view = view if state.client is None else replace(view, client=state.client)
    demand = NO_DEMAND
    if endpoint.view_of is not None and program.smallest_context is not None:
        demand = token_demand(body.text, body.values, program.smallest_context)
    parsed = ParsedRequest(
        body, endpoint.api, seed, named, view, evaluation, state.debug, state.caller, state.query, demand=demand
    )
    if state.sent:
        parsed = replace(parsed, sent=state.sent)
    if state.moved is not None:
        parsed = replace(parsed, moved=state.moved)
    if state.observed:
        parsed = replace(parsed, observed=state.observed)
    key = _conversation_key(program, state, body, view)
    return parsed if key is None and state.client is None else replace(parsed, conversation=key, client=state.client)


def _conversation_key(program: Program, state: AwaitsBody, body: JsonBody, view: RequestView | None) -> bytes | None:
    """Return the key of the conversation if a split depends on it; None if each request is drawn by itself."""
    if view is None or program.stickiness is None or not program.splits:
        return None
    if not program.stickiness.follows and state.key is None:
        return None
    return conversation_key(state.key, body.values, view)


def _on_parsed(program: Program, parsed: ParsedRequest, expired: Expired) -> tuple[State, Action]:
    """Decide without models if possible; otherwise request all model results at once."""
    known = None if parsed.view is None else first_outcomes(program, parsed.view, expired, parsed.demand)
    if known is not None and parsed.evaluation is None and len(known.outcomes) == 1:
        outcome = known.outcomes[0]
        if isinstance(outcome, Decision):  # as most requests are that need no model
            return Decided(), dispatch(program, parsed, outcome, known.candidates[0].view)
    undecided = known is not None and bool(known.undecided)
    if undecided or parsed.evaluation:
        guard_texts = parsed.evaluation.detector_texts(parsed.named_model) if parsed.evaluation else {}
        texts = merge_texts(guard_texts, known.detectors if known else {})
        if known is not None and parsed.view is not None and (undecided or texts):
            whole = parsed.view.text(everywhere=True) if known.kinds & OF_REQUEST.keys() else ""
            *earlier, text = known.texts or (known.candidates[-1].view.subject,)
            return AwaitsSignals(parsed, known, texts), NeedSignals(text, known.kinds, texts, whole, tuple(earlier))
        if texts:
            return AwaitsSignals(parsed, None, texts), NeedSignals("", frozenset(), texts)
    return Decided(), _dispatch_judged(program, parsed, None if known is None else _concluded(program, parsed, known))


def _concluded(program: Program, parsed: ParsedRequest, known: Outcomes) -> Judged:
    return concluded(program, known, parsed.split_seed)


def _on_signals(config: MachineConfig, state: AwaitsSignals, ready: SignalsReady) -> SendToModel | ImmediateResponse:
    program, parsed, known = state.program or config.program, state.parsed, state.known
    if program is not config.program:
        config = replace(config, program=program)
    if parsed.evaluation:
        parsed.evaluation.add_results(ready.detections)
    if ready.missing is not None:
        return _on_failure(config, parsed, ready.missing)
    if known is None:
        return dispatch(program, parsed, None, parsed.view)
    judged = conclude(program, known, state.detector_texts, ready, parsed.split_seed, parsed.demand)
    if isinstance(judged, Undecided):  # a required model result is missing
        return _on_failure(config, parsed, missing_cause(judged, ready.detections))
    return _dispatch_judged(program, parsed, judged)


def _dispatch_judged(program: Program, parsed: ParsedRequest, judged: Judged | None) -> SendToModel | ImmediateResponse:
    """Dispatch by the ask that decides the request; None if the client named the model."""
    if judged is None:
        return dispatch(program, parsed, None, parsed.view)
    return dispatch(program, parsed, judged.decision, judged.candidate.view)


def _on_failure(config: MachineConfig, parsed: ParsedRequest, cause: Cause) -> SendToModel | ImmediateResponse:
    """Return an error, or dispatch to the default model if the policy allows it. Guards still apply."""
    if not config.default_on_failure:
        return undecided_response(cause)
    action = dispatch(config.program, parsed, None, parsed.view)
    return replace(action, cause=cause) if action.cause is None else action


def _model_required_response(program: Program, endpoint: ApiEndpoint) -> ImmediateResponse:
    """Return an error: results of different models cannot be compared, so content must not choose the model."""
    path = endpoint.api.value
    names = ", ".join(target.name for target in program.models.values() if path in target.limits.apis)
    message = f"Requests of {path} are not routed by content: set 'model' to one of {names}."
    return error_response(400, "model_required", message, param="model")
