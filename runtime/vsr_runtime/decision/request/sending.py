"""How a decided request goes out: where, masked and edited, as whom, and what is to be done about its response."""

from __future__ import annotations

from dataclasses import replace

from vsr_runtime.decision.guards.edit import masked
from vsr_runtime.decision.guards.mask import BookFullError
from vsr_runtime.decision.program.effects import Effects, Target
from vsr_runtime.decision.program.program import Decision, Program
from vsr_runtime.decision.program.program import Route as Chosen
from vsr_runtime.decision.program.rules import Signals
from vsr_runtime.decision.request.answers import refusal
from vsr_runtime.decision.request.body import Body
from vsr_runtime.decision.request.debug_headers import told
from vsr_runtime.decision.request.edits.all import edited
from vsr_runtime.decision.request.events import Answer, Route
from vsr_runtime.decision.request.lookup import lookup
from vsr_runtime.decision.request.parsed_request import Asked
from vsr_runtime.decision.request.provider_auth import introduced
from vsr_runtime.decision.request.reading import read_json
from vsr_runtime.decision.request.response_plan import ResponsePlan
from vsr_runtime.decision.request.split import draw
from vsr_runtime.decision.request.static_response import fixed
from vsr_runtime.decision.request.verdict import Verdict
from vsr_schemas.headers import GUARDS, SELECTED_MODEL

_NONE = Effects()


def carried_out(program: Program, asked: Asked, decision: Decision | None) -> Route | Answer:
    """Where the request goes and how; ``decision`` is None where the client named the model."""
    return told(asked, _concluded(program, asked, decision))


def _concluded(program: Program, asked: Asked, decision: Decision | None) -> Route | Answer:
    route, signals = (None, None) if decision is None else (decision.route, decision.signals)
    target = _target(program, asked, route)
    verdict = Verdict(target.name if target else None)
    if asked.inquiry:
        concluded = asked.inquiry.conclude(verdict.model)
        if isinstance(concluded, Answer):
            return replace(concluded, model=verdict.model, signals=signals)
        verdict = concluded
    if route is not None and route.effects.respond is not None:
        answer = fixed(asked.api, route.effects.respond, asked.body.values, asked.seed)
        return replace(answer, route=route.name, guards=verdict.matches, signals=signals)
    if verdict.moved:  # what the route would have done is done for its own models only
        return _sent(program, asked, program.models[str(verdict.model)], None, signals, verdict)
    return _sent(program, asked, target or program.models[program.default], route, signals, verdict)


def _target(program: Program, asked: Asked, route: Chosen | None) -> Target | None:
    """The model; None where the answer is fixed."""
    if route is None:
        return program.models[program.default if asked.named is None else asked.named]
    if route.effects.respond is not None:
        return None
    return route.targets[0][0] if len(route.targets) == 1 else route.target(draw(asked.seed))


def _sent(
    program: Program, asked: Asked, target: Target, route: Chosen | None, signals: Signals | None, verdict: Verdict
) -> Route | Answer:
    """The request with the exact length of a body that was changed, without which Envoy refuses it."""
    effects = route.effects if route else _NONE
    body = _masked(asked, verdict)
    if isinstance(body, Answer):
        return replace(body, model=target.name, signals=signals)
    data = edited(body, asked.api, target, effects)
    if data is None and body is not asked.body:
        data = body.text.encode()
    plan = _plan(program, asked, target.name, verdict)
    headers = ((SELECTED_MODEL, target.name), *effects.set_headers, *_flags(program, verdict))
    name = route.name if route else None
    place = None
    if effects.cache is not None and name is not None:
        given = asked.body.text.encode() if data is None else data
        place = lookup(asked, effects.cache, name, target.name, given, verdict)
    # A response that must be read must not be compressed.
    removed = (*effects.remove_headers, "accept-encoding") if plan or place else effects.remove_headers
    if target.outside is not None:
        headers, removed = introduced(headers, removed, target.outside)
    if data is not None:
        headers = (*headers, ("content-length", str(len(data))))
    return Route(target.name, data, headers, removed, name, signals, None, verdict.matches, plan, place)


def _masked(asked: Asked, verdict: Verdict) -> Body | Answer:
    """The body with everything masked that guards mask."""
    if not verdict.masks or asked.inquiry is None:
        return asked.body
    hits = [hit for _, found in verdict.masks for hit in found]
    try:
        text = masked(asked.body.text, asked.inquiry.matter, hits, asked.inquiry.book)
    except BookFullError:
        return refusal(413, "too_much_to_mask", "The request has more to mask than is taken.")
    return read_json(text.encode())


def _flags(program: Program, verdict: Verdict) -> tuple[tuple[str, str], ...]:
    if not verdict.matches:
        return ()
    found = {match.guard for match in verdict.matches if match.action == "flag" and match.failed is None}
    names = [guard.label for guard in program.guards if guard.name in found]
    return ((GUARDS, ", ".join(names)),) if names else ()


def _plan(program: Program, asked: Asked, model: str, verdict: Verdict) -> ResponsePlan | None:
    """What is to be done about the response of this model; None where nothing is."""
    guards = tuple([guard for guard in program.on_response if guard.covers(model)])
    restore = _restorable(asked, verdict)
    return ResponsePlan(asked.api, guards, restore) if guards or restore else None


def _restorable(asked: Asked, verdict: Verdict) -> dict[str, str]:
    """The placeholders that responses may undo: of types that only guards have masked which say so."""
    if asked.inquiry is None:
        return {}
    kinds = [{hit.span.type for hit in hits} for guard, hits in verdict.masks if guard.unmask]
    kept = [{hit.span.type for hit in hits} for guard, hits in verdict.masks if not guard.unmask]
    undone = set[str]().union(*kinds) - set[str]().union(*kept)
    return {given: value for given, value in asked.inquiry.book.values.items() if _type(given) in undone}


def _type(placeholder: str) -> str:
    """The type that a placeholder was given for."""
    return placeholder[1:].rpartition("_")[0]
