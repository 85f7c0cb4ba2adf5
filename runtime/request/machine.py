"""The state machine of one request. Every state either waits for a certain event or is final."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from runtime.program.program import Program
from runtime.program.rules import Signals
from runtime.program.text import UnreadableError
from runtime.request.answers import refusal, undecided, unknown_model
from runtime.request.body import Body, BodyError, read_body
from runtime.request.events import (
    SELECTED_MODEL,
    Action,
    Answer,
    Continue,
    Event,
    Failure,
    NeedSignals,
    RequestBody,
    RequestHeaders,
    Route,
    SignalsReady,
)
from runtime.request.headers import Endpoint, read_headers, too_large


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


@dataclass(frozen=True, slots=True)
class AwaitsSignals:
    """The body leaves the choice to the router; waits for what the routes ask about it."""

    body: Body


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
        case AwaitsBody(endpoint), RequestBody(data):
            return _on_body(rules, endpoint, data)
        case AwaitsSignals(body), SignalsReady(signals):
            return Decided(), _decide(rules.program, body, signals)
        case AwaitsSignals(), Failure(cause):
            return Decided(), undecided(cause)
    raise OutOfOrderError(f"{type(event).__name__} in state {type(state).__name__}")


def _on_headers(rules: Rules, event: RequestHeaders) -> tuple[State, Action]:
    names = (*rules.program.auto_names, *rules.program.models)
    found = read_headers(event, names, rules.max_body)
    return (Decided(), found) if isinstance(found, Answer) else (AwaitsBody(found), Continue())


def _on_body(rules: Rules, endpoint: Endpoint, data: bytes) -> tuple[State, Action]:
    body = _read(rules, endpoint, data)
    if isinstance(body, Answer):
        return Decided(), body
    model = str(body.values["model"])
    if model in rules.program.models:
        return Decided(), Route(model, None, ((SELECTED_MODEL, model),))
    if model in rules.program.auto_names:
        return _on_auto(rules.program, endpoint, body)
    return Decided(), unknown_model(model)


def _on_auto(program: Program, endpoint: Endpoint, body: Body) -> tuple[State, Action]:
    try:
        text = endpoint.text_of(body.values)
    except UnreadableError as error:
        return Decided(), refusal(400, "invalid_request", f"The request cannot be read: {error}.", param=error.param)
    # A request without text (only an image, say) has no category; there is nothing to ask a classifier about.
    if not program.needs or not text.strip():
        return Decided(), _decide(program, body, Signals())
    return AwaitsSignals(body), NeedSignals(text, program.needs)


def _read(rules: Rules, endpoint: Endpoint, data: bytes) -> Body | Answer:
    """The body, which then has a model's name and the endpoint's field, or the refusal."""
    if len(data) > rules.max_body:
        return too_large(rules.max_body)
    try:
        body = read_body(data)
    except BodyError as error:
        return refusal(400, error.code, str(error))
    return _missing(body.values, endpoint.field) or body


def _missing(values: Mapping[str, object], field: str) -> Answer | None:
    model = values.get("model")
    if not isinstance(model, str) or not model:
        return refusal(400, "missing_model", "The body must have a 'model', as text.", param="model")
    if values.get(field) is None:
        return refusal(400, f"missing_{field}", f"The body must have '{field}'.", param=field)
    return None


def _decide(program: Program, body: Body, signals: Signals) -> Route:
    signals = program.settled(signals)
    decision = program.decide(signals)
    data = body.with_model(decision.model)
    headers = ((SELECTED_MODEL, decision.model), ("content-length", str(len(data))))
    return Route(decision.model, data, headers, decision.route, signals)
