"""The second step of a request: reads the body, applies guards, and decides it or asks for signals."""

from __future__ import annotations

from dataclasses import replace

from vsr_runtime.decision.apis.endpoints import ApiEndpoint
from vsr_runtime.decision.conversation.key import conversation_key
from vsr_runtime.decision.conversation.state import held_state
from vsr_runtime.decision.deadline import BudgetExceededError, DeadlineExceededError, Expired
from vsr_runtime.decision.program.build_limits import GROWTH
from vsr_runtime.decision.program.context_length import NO_DEMAND, token_demand
from vsr_runtime.decision.program.program import Program
from vsr_runtime.decision.request.attempts import send_attempt
from vsr_runtime.decision.request.events import Action, Cause, ImmediateResponse, RequestBody
from vsr_runtime.decision.request.form_body import FormBody
from vsr_runtime.decision.request.guard_evaluation import GuardEvaluation
from vsr_runtime.decision.request.immediate_responses import (
    error_response,
    state_response,
    too_complex_response,
    undecided_response,
    unknown_model_response,
)
from vsr_runtime.decision.request.json_body import JsonBody
from vsr_runtime.decision.request.parsed_request import ParsedRequest, ReadBody, read_request
from vsr_runtime.decision.request.signal_step import decide_parsed
from vsr_runtime.decision.request.states import AwaitsBody, AwaitsSignals, Decided, MachineConfig, State
from vsr_runtime.decision.view import InvalidRequestError, RequestView


def on_body(config: MachineConfig, state: AwaitsBody, event: RequestBody) -> tuple[State, Action]:
    """Read the body, and decide the request or ask for signals."""
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
            following, action = decide_parsed(program, parsed, event.expired)
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


def _model_required_response(program: Program, endpoint: ApiEndpoint) -> ImmediateResponse:
    """Return an error: results of different models cannot be compared, so content must not choose the model."""
    path = endpoint.api.value
    names = ", ".join(target.name for target in program.models.values() if path in target.limits.apis)
    message = f"Requests of {path} are not routed by content: set 'model' to one of {names}."
    return error_response(400, "model_required", message, param="model")
