"""The first step of a request: reads the headers, and accepts the request or answers it."""

from __future__ import annotations

from collections.abc import Mapping

from vsr_runtime.decision.identity.client import Client
from vsr_runtime.decision.program.build_limits import GROWTH
from vsr_runtime.decision.program.program import Program
from vsr_runtime.decision.request.attempts import read_attempt
from vsr_runtime.decision.request.authentication import authenticate
from vsr_runtime.decision.request.cache_key import read_caller
from vsr_runtime.decision.request.cors import is_preflight, preflight_response, response_headers
from vsr_runtime.decision.request.events import Action, Continue, ImmediateResponse, LetPass, RequestHeaders
from vsr_runtime.decision.request.headers import api_of, for_client, read_headers, single_values
from vsr_runtime.decision.request.states import AwaitsBody, Decided, MachineConfig, OutOfOrderError, State
from vsr_runtime.decision.request.stored_response import send_stored
from vsr_schemas.headers import DEBUG


def on_headers(config: MachineConfig, event: RequestHeaders) -> tuple[State, Action]:
    """Accept the headers and wait for the body, or answer the request at once."""
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


def on_attempt(config: MachineConfig, event: RequestHeaders) -> tuple[State, Action]:
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
