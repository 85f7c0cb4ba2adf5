"""The state machine of one request. Every state waits for certain events or is final."""

from __future__ import annotations

from dataclasses import replace

from vsr_runtime.decision.request.body_step import on_body
from vsr_runtime.decision.request.events import Action, Event, Failure, RequestBody, RequestHeaders, SignalsReady
from vsr_runtime.decision.request.header_step import on_attempt, on_headers
from vsr_runtime.decision.request.headers import for_client
from vsr_runtime.decision.request.immediate_responses import undecided_response
from vsr_runtime.decision.request.signal_step import on_signals
from vsr_runtime.decision.request.states import (
    AwaitsBody,
    AwaitsHeaders,
    AwaitsSignals,
    Decided,
    MachineConfig,
    OutOfOrderError,
    State,
)


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
            return on_attempt(config, event)
        case AwaitsHeaders(), RequestHeaders():
            return on_headers(config, event)
        case AwaitsBody(endpoint, cors=cors), RequestBody():
            following, action = on_body(config, state, event)
            return following, for_client(endpoint.api, cors, action)
        case AwaitsSignals(parsed), SignalsReady():
            return Decided(), for_client(parsed.api, parsed.cors, on_signals(config, state, event))
        case AwaitsBody(endpoint, cors=cors), Failure(cause):
            return Decided(), for_client(endpoint.api, cors, undecided_response(cause))
        case AwaitsSignals(parsed), Failure(cause):
            response = replace(undecided_response(cause), model=parsed.named_model)
            return Decided(), for_client(parsed.api, parsed.cors, response)
    raise OutOfOrderError(f"{type(event).__name__} in state {type(state).__name__}")
