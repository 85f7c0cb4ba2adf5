"""The state machine of one request. Every state either waits for a certain event or is final."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from runtime.program.program import Decision, Program, Undecided
from runtime.program.signals.asking import Found
from runtime.program.view import Expired, OutOfTimeError, UnreadableError
from runtime.request.answers import refusal, undecided, unknown_model
from runtime.request.asked import Asked
from runtime.request.caller import Caller, read_caller
from runtime.request.events import (
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
from runtime.request.headers import read_headers, request_id, wants_to_know
from runtime.request.hearing import cause_of, joined, scores, seen
from runtime.request.kinds import Endpoint
from runtime.request.reading import read_request
from runtime.request.sending import carried_out
from runtime.request.verdict import Inquiry


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


@dataclass(frozen=True, slots=True)
class Fresh:
    """Nothing has come yet; waits for the headers."""


@dataclass(frozen=True, slots=True)
class AwaitsBody:
    """The headers passed; waits for the body."""

    endpoint: Endpoint
    request_id: str | None = None
    told: bool = False
    caller: Caller | None = None


@dataclass(frozen=True, slots=True)
class AwaitsSignals:
    """The choice, or a guard, depends on what takes a model to find out; waits for that."""

    asked: Asked
    outcome: Decision | Undecided | None
    looks: Mapping[str, Sequence[str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
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
    names = (*rules.program.auto_names, *rules.program.models)
    found = read_headers(event, names, rules.max_body)
    if isinstance(found, Answer):
        return Decided(), found
    told = rules.tells == "always" or (rules.tells == "on-request" and wants_to_know(event))
    asks = told and rules.tells == "on-request" and not rules.program.reads_responses
    caller = read_caller(event) if rules.program.keeps_answers else None
    return AwaitsBody(found, request_id(event), told, caller), Continue(asks=asks)


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
    asked = Asked(body, state.endpoint.api, seed, named, told=state.told, caller=state.caller)
    following, action = _looked_at(rules, state.endpoint, asked, event.expired)
    return following, replace(action, model=named) if named and isinstance(action, Answer) else action


def _looked_at(rules: Rules, endpoint: Endpoint, asked: Asked, expired: Expired) -> tuple[State, Action]:
    """What guards and the choice say of a request that can be read."""
    try:
        guarded = _guarded(rules.program, asked, expired)
        return guarded if isinstance(guarded, tuple) else _on_asked(rules, endpoint, guarded, expired)
    except UnreadableError as error:
        return Decided(), refusal(400, "invalid_request", f"The request cannot be read: {error}.", param=error.param)
    except OutOfTimeError:
        return Decided(), undecided(Cause.TIMEOUT)


def _guarded(program: Program, asked: Asked, expired: Expired) -> Asked | tuple[State, Action]:
    """The request with what guards must know of it, unless one refuses it wherever it would go."""
    guards = [guard for guard in program.guards if guard.on_request]
    if not guards:
        return asked
    inquiry = Inquiry(guards, asked.body, asked.api, expired)
    refused = inquiry.early()
    return replace(asked, inquiry=inquiry) if refused is None else (Decided(), refused)


def _on_asked(rules: Rules, endpoint: Endpoint, asked: Asked, expired: Expired) -> tuple[State, Action]:
    """What is known without asking anybody, and the question after the rest: everything at once."""
    program = rules.program
    outcome: Decision | Undecided | None = None
    if asked.named is None and endpoint.view_of is not None:
        view = endpoint.view_of(asked.body.values)
        asked, outcome = replace(asked, view=view), program.decide(view, expired=expired)
    open_now = outcome if isinstance(outcome, Undecided) else None
    looks = joined(asked.inquiry.wanted(asked.named) if asked.inquiry else {}, open_now.detectors if open_now else {})
    if open_now or looks:
        question = NeedSignals(
            asked.view.turn if asked.view else "", open_now.kinds if open_now else frozenset(), looks
        )
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
