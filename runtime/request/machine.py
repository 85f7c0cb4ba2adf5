"""The state machine of one request. Every state either waits for a certain event or is final."""

from __future__ import annotations

from dataclasses import dataclass, replace

from runtime.program.effects import Effects, Target
from runtime.program.program import Decision, Program, Undecided
from runtime.program.rules import Signals
from runtime.program.view import Expired, OutOfTimeError, UnreadableError, View
from runtime.request.answers import refusal, undecided, unknown_model
from runtime.request.body import Body
from runtime.request.draw import draw
from runtime.request.edits.all import edited
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
from runtime.request.fixed import fixed
from runtime.request.headers import read_headers, request_id
from runtime.request.kinds import Api, Endpoint
from runtime.request.outside import introduced
from runtime.request.reading import read_request
from schemas.headers import SELECTED_MODEL


@dataclass(frozen=True, slots=True)
class Rules:
    """What holds for all requests: the program, and the bytes that a body may have."""

    program: Program
    max_body: int


@dataclass(frozen=True, slots=True)
class Fresh:
    """Nothing has come yet; waits for the headers."""


@dataclass(frozen=True, slots=True)
class AwaitsBody:
    """The headers passed; waits for the body."""

    endpoint: Endpoint
    request_id: str | None = None


@dataclass(frozen=True, slots=True)
class Asked:
    """A request that leaves the choice to the router. ``seed`` is what its split is drawn by."""

    body: Body
    api: Api
    view: View
    seed: bytes


@dataclass(frozen=True, slots=True)
class AwaitsSignals:
    """The choice depends on what takes a model to find out; waits for that."""

    asked: Asked
    known: Signals


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
        case AwaitsSignals(asked, known), SignalsReady(category, probability):
            found = rules.program.classified(known, category, probability)
            return _on_outcome(rules.program, asked, rules.program.decide(asked.view, found))
        case ((AwaitsBody() | AwaitsSignals()), Failure(cause)):
            return Decided(), undecided(cause)
    raise OutOfOrderError(f"{type(event).__name__} in state {type(state).__name__}")


def _on_headers(rules: Rules, event: RequestHeaders) -> tuple[State, Action]:
    names = (*rules.program.auto_names, *rules.program.models)
    found = read_headers(event, names, rules.max_body)
    if isinstance(found, Answer):
        return Decided(), found
    return AwaitsBody(found, request_id(event)), Continue()


def _on_body(rules: Rules, state: AwaitsBody, event: RequestBody) -> tuple[State, Action]:
    body = read_request(event.body, state.endpoint.field, rules.max_body)
    if isinstance(body, Answer):
        return Decided(), body
    model = str(body.values["model"])
    if model in rules.program.models:
        return Decided(), _named(rules, state.endpoint, body, model)
    if model not in rules.program.auto_names:
        return Decided(), unknown_model(model)
    seed = event.body if state.request_id is None else state.request_id.encode()
    return _on_auto(rules.program, state.endpoint, body, seed, event.expired)


def _on_auto(program: Program, endpoint: Endpoint, body: Body, seed: bytes, expired: Expired) -> tuple[State, Action]:
    if endpoint.view_of is None:
        return Decided(), _no_choice(program)
    try:
        asked = Asked(body, endpoint.api, endpoint.view_of(body.values), seed)
        outcome = program.decide(asked.view, expired=expired)
    except UnreadableError as error:
        return Decided(), refusal(400, "invalid_request", f"The request cannot be read: {error}.", param=error.param)
    except OutOfTimeError:
        return Decided(), undecided(Cause.TIMEOUT)
    return _on_outcome(program, asked, outcome)


def _on_outcome(program: Program, asked: Asked, outcome: Decision | Undecided) -> tuple[State, Action]:
    if isinstance(outcome, Undecided):
        return AwaitsSignals(asked, outcome.signals), NeedSignals(asked.view.turn, frozenset({"category"}))
    return Decided(), _carried_out(program, asked, outcome)


def _no_choice(program: Program) -> Answer:
    """Vectors of different models cannot be compared, so a choice by content would break whoever stores them."""
    names = ", ".join(program.models)
    return refusal(
        400,
        "model_required",
        f"Embeddings are not routed by content: name the model. There are {names}.",
        param="model",
    )


def _named(rules: Rules, endpoint: Endpoint, body: Body, model: str) -> Route:
    """The model that the client named, by the id that its provider knows; nothing else is changed."""
    target = rules.program.models[model]
    data = edited(body, endpoint.api, target, Effects())
    return _sent(Route(model, data, ((SELECTED_MODEL, model),)), target)


def _carried_out(program: Program, asked: Asked, decision: Decision) -> Route | Answer:
    route = decision.route
    if route is None:
        target, effects, name = program.models[program.default], Effects(), None
    elif route.effects.respond is not None:
        answer = fixed(asked.api, route.effects.respond, asked.body.values, asked.seed)
        return replace(answer, route=route.name, signals=decision.signals)
    else:
        target, effects, name = route.target(draw(asked.seed)), route.effects, route.name
    data = edited(asked.body, asked.api, target, effects)
    headers = ((SELECTED_MODEL, target.name), *effects.set_headers)
    return _sent(Route(target.name, data, headers, effects.remove_headers, name, decision.signals), target)


def _sent(route: Route, target: Target) -> Route:
    """As whom it goes out, and with the exact length of a body that was changed, without which Envoy refuses it."""
    route = introduced(route, target.outside)
    if route.body is None:
        return route
    return replace(route, set_headers=(*route.set_headers, ("content-length", str(len(route.body)))))
