"""The state machine of one request. Every state either waits for a certain event or is final."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from vsr_runtime.decision.fast_dataclass import light
from vsr_runtime.decision.program.program import Decision, Program, Undecided
from vsr_runtime.decision.program.rules import SignalKind
from vsr_runtime.decision.request.answers import refusal, undecided, unknown_model
from vsr_runtime.decision.request.apis import Endpoint
from vsr_runtime.decision.request.body import Body
from vsr_runtime.decision.request.caller import Caller, read_caller
from vsr_runtime.decision.request.detector_results import cause_of, joined, scores, seen
from vsr_runtime.decision.request.events import (
    Action,
    Answer,
    Cause,
    Continue,
    Event,
    Failure,
    NeedSignals,
    RequestBody,
    RequestHeaders,
    Route,
    SignalsReady,
)
from vsr_runtime.decision.request.headers import only_values, read_headers
from vsr_runtime.decision.request.parsed_request import Asked
from vsr_runtime.decision.request.reading import read_request
from vsr_runtime.decision.request.sending import carried_out
from vsr_runtime.decision.request.verdict import Inquiry
from vsr_runtime.decision.signals.model_signals import Found
from vsr_runtime.decision.view import Expired, OutOfTimeError, UnreadableError
from vsr_schemas.headers import DEBUG


@dataclass(frozen=True, slots=True)
class Rules:
    """What holds for all requests: the program, the bytes that a body may have, and what becomes of the undecided.

    Where ``falls_back``, a request whose category cannot be had goes to the default model; guards hold all the same.
    ``tells`` is which clients are told what was chosen for them.
    """

    program: Program
    max_body: int
    falls_back: bool = False
    tells: Literal["on-request", "always"] | None = None


@light(frozen=True, slots=True)
class Fresh:
    """Nothing has come yet; waits for the headers."""


@light(frozen=True, slots=True)
class AwaitsBody:
    """The headers passed; waits for the body."""

    endpoint: Endpoint
    request_id: str | None = None
    told: bool = False
    caller: Caller | None = None


@light(frozen=True, slots=True)
class AwaitsSignals:
    """The choice, or a guard, depends on what takes a model to find out; waits for that."""

    asked: Asked
    outcome: Decision | Undecided | None
    looks: Mapping[str, Sequence[str]] = field(default_factory=dict)


@light(frozen=True, slots=True)
class Decided:
    """Routed or answered. Nothing follows."""


State = Fresh | AwaitsBody | AwaitsSignals | Decided


class OutOfOrderError(Exception):
    """An event came that the state does not wait for. Whoever drives the machine must end the request in an error."""


def advance(rules: Rules, state: State, event: Event) -> tuple[State, Action]:
    """Take one step.

    Returns:
        The next state and what is to be done. `Route` and `Answer` are the only actions that decide; both lead to
        `Decided`.

    Raises:
        OutOfOrderError: the state does not wait for this event.
    """
    match state, event:
        case Fresh(), RequestHeaders():
            return _on_headers(rules, event)
        case AwaitsBody(), RequestBody():
            return _on_body(rules, state, event)
        case AwaitsSignals(), SignalsReady():
            return Decided(), _on_signals(rules, state, event)
        case AwaitsBody(), Failure(cause):
            return Decided(), undecided(cause)
        case AwaitsSignals(asked), Failure(cause):
            return Decided(), replace(undecided(cause), model=asked.named)
    raise OutOfOrderError(f"{type(event).__name__} in state {type(state).__name__}")


def _on_headers(rules: Rules, event: RequestHeaders) -> tuple[State, Action]:
    given = only_values(event)
    found = read_headers(event, given, rules.program.names, rules.max_body)
    if isinstance(found, Answer):
        return Decided(), found
    told = rules.tells == "always" or (rules.tells == "on-request" and given.get(DEBUG) == "true")
    asks = told and rules.tells == "on-request" and not rules.program.reads_responses
    caller = read_caller(event) if rules.program.keeps_answers else None
    return AwaitsBody(found, given.get("x-request-id") or None, told, caller), Continue(asks=asks)


def _on_body(rules: Rules, state: AwaitsBody, event: RequestBody) -> tuple[State, Action]:
    body = read_request(event.body, state.endpoint.field, rules.max_body)
    if isinstance(body, Answer):
        return Decided(), body
    program, model = rules.program, str(body.values["model"])
    named = model if model in program.models else None
    if named is None and model not in program.auto_names:
        return Decided(), unknown_model(model)
    if named is None and state.endpoint.view_of is None:
        return Decided(), _no_choice(program)
    seed = event.body if state.request_id is None else state.request_id.encode()
    following: State
    action: Action
    try:
        asked = _asked(program, state, body, seed, named, event.expired)
        if isinstance(asked, Answer):
            following, action = Decided(), asked
        else:
            following, action = _on_asked(program, asked, event.expired)
    except UnreadableError as error:
        message = f"The request cannot be read: {error}."
        following, action = Decided(), refusal(400, "invalid_request", message, param=error.param)
    except OutOfTimeError:
        following, action = Decided(), undecided(Cause.TIMEOUT)
    return following, replace(action, model=named) if named and isinstance(action, Answer) else action


def _asked(
    program: Program, state: AwaitsBody, body: Body, seed: bytes, named: str | None, expired: Expired
) -> Asked | Answer:
    """The request with what guards must know of it, unless one refuses it wherever it would go, and with its view."""
    endpoint, inquiry = state.endpoint, None
    if program.on_request:
        inquiry = Inquiry(program.on_request, body, endpoint.api, expired)
        refused = inquiry.early()
        if refused is not None:
            return refused
    view = endpoint.view_of(body.values) if named is None and endpoint.view_of is not None else None
    return Asked(body, endpoint.api, seed, named, view, inquiry, state.told, state.caller)


def _on_asked(program: Program, asked: Asked, expired: Expired) -> tuple[State, Action]:
    """What is known without asking anybody, and the question after the rest: everything at once."""
    outcome = None if asked.view is None else program.decide(asked.view, expired=expired)
    open_now = outcome if isinstance(outcome, Undecided) else None
    if open_now or asked.inquiry:
        wanted = asked.inquiry.wanted(asked.named) if asked.inquiry else {}
        looks = joined(wanted, open_now.detectors if open_now else {})
        if open_now or looks:
            kinds = open_now.kinds if open_now else frozenset[SignalKind]()
            question = NeedSignals(asked.view.turn if asked.view else "", kinds, looks)
            return AwaitsSignals(asked, outcome, looks), question
    return Decided(), carried_out(program, asked, None if isinstance(outcome, Undecided) else outcome)


def _on_signals(rules: Rules, state: AwaitsSignals, found: SignalsReady) -> Route | Answer:
    program, asked, outcome = rules.program, state.asked, state.outcome
    if asked.inquiry:
        asked.inquiry.told(found.looks)
    if found.missing is not None:
        return _undecided(rules, asked, found.missing)
    if not isinstance(outcome, Undecided) or asked.view is None:
        return carried_out(program, asked, None if isinstance(outcome, Undecided) else outcome)
    known = outcome.signals
    if "category" in outcome.kinds:
        known = program.classified(known, found.category, found.probability)
    heard = Found(found.likeness, scores(state.looks, found.looks), seen(state.looks, found.looks))
    known = program.told(known, asked.view, heard)
    decided = program.decide(asked.view, known)
    if isinstance(decided, Undecided):  # a model did not say what the choice depends on
        return _undecided(rules, asked, cause_of(decided, found.looks))
    return carried_out(program, asked, decided)


def _undecided(rules: Rules, asked: Asked, cause: Cause) -> Route | Answer:
    """A refusal, or the default where the policy wants that; its guards hold all the same."""
    if not rules.falls_back:
        return undecided(cause)
    action = carried_out(rules.program, asked, None)
    return replace(action, cause=cause) if action.cause is None else action


def _no_choice(program: Program) -> Answer:
    """Vectors of different models cannot be compared, so a choice by content would break whoever stores them."""
    names = ", ".join(program.models)
    return refusal(
        400,
        "model_required",
        f"Embeddings are not routed by content: name the model. There are {names}.",
        param="model",
    )
