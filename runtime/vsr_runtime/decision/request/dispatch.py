"""Draws a number for a request, always the same one, so that a split keeps a request where it was."""

from __future__ import annotations

from dataclasses import replace
from hashlib import blake2b

from vsr_runtime.decision.guards.masking import TooManyPlaceholdersError, mask_document
from vsr_runtime.decision.program.conditions import SignalValues
from vsr_runtime.decision.program.effects import Effects, ModelTarget
from vsr_runtime.decision.program.program import TOTAL_SHARE, Decision, PolicyRoute, Program
from vsr_runtime.decision.request.cache_key import cache_key
from vsr_runtime.decision.request.edits import edit_body
from vsr_runtime.decision.request.events import ImmediateResponse, ResponsePlan, SendToModel
from vsr_runtime.decision.request.guard_evaluation import GuardVerdict
from vsr_runtime.decision.request.headers import apply_credentials, with_debug_headers
from vsr_runtime.decision.request.immediate_responses import error_response
from vsr_runtime.decision.request.json_body import JsonBody
from vsr_runtime.decision.request.parsed_request import ParsedRequest, read_json
from vsr_runtime.decision.request.static_response import static_response
from vsr_schemas.headers import GUARDS, SELECTED_MODEL

_DIGEST_SIZE = 6
"""48 bits: a quotient of such numbers is exact as a float, and never rounds up to the end of the range."""


def split_point(seed: bytes) -> float:
    """A number of [0, 100), spread evenly over all seeds."""
    number = int.from_bytes(blake2b(seed, digest_size=_DIGEST_SIZE).digest(), "big")
    return number / (1 << 8 * _DIGEST_SIZE) * TOTAL_SHARE


_NO_EFFECTS = Effects()


def dispatch(program: Program, asked: ParsedRequest, decision: Decision | None) -> SendToModel | ImmediateResponse:
    """Where the request goes and how; ``decision`` is None where the client named the model."""
    return with_debug_headers(asked, _dispatch(program, asked, decision))


def _dispatch(program: Program, asked: ParsedRequest, decision: Decision | None) -> SendToModel | ImmediateResponse:
    route, signals = (None, None) if decision is None else (decision.route, decision.signals)
    target = _choose_target(program, asked, route)
    verdict = GuardVerdict(target.name if target else None)
    if asked.evaluation:
        concluded = asked.evaluation.conclude(verdict.model)
        if isinstance(concluded, ImmediateResponse):
            return replace(concluded, model=verdict.model, signals=signals)
        verdict = concluded
    if route is not None and route.effects.static_response is not None:
        answer = static_response(asked.api, route.effects.static_response, asked.body.values, asked.seed)
        return replace(answer, route=route.name, guards=verdict.matches, signals=signals)
    if verdict.moved:  # what the route would have done is done for its own models only
        return _send(program, asked, program.models[str(verdict.model)], None, signals, verdict)
    return _send(program, asked, target or program.models[program.default], route, signals, verdict)


def _choose_target(program: Program, asked: ParsedRequest, route: PolicyRoute | None) -> ModelTarget | None:
    """The model; None where the answer is fixed."""
    if route is None:
        return program.models[program.default if asked.named_model is None else asked.named_model]
    if route.effects.static_response is not None:
        return None
    return route.targets[0][0] if len(route.targets) == 1 else route.target(split_point(asked.seed))


def _send(
    program: Program,
    asked: ParsedRequest,
    target: ModelTarget,
    route: PolicyRoute | None,
    signals: SignalValues | None,
    verdict: GuardVerdict,
) -> SendToModel | ImmediateResponse:
    """The request with the exact length of a body that was changed, without which Envoy refuses it."""
    effects = route.effects if route else _NO_EFFECTS
    body = _mask_body(asked, verdict)
    if isinstance(body, ImmediateResponse):
        return replace(body, model=target.name, signals=signals)
    data = edit_body(body, asked.api, target, effects)
    if data is None and body is not asked.body:
        data = body.text.encode()
    plan = _response_plan(program, asked, target.name, verdict)
    headers = ((SELECTED_MODEL, target.name), *effects.set_headers, *_flag_headers(program, verdict))
    name = route.name if route else None
    place = None
    if effects.cache is not None and name is not None and not verdict.matches:
        given = asked.body.text.encode() if data is None else data
        place = cache_key(asked.caller, asked.api, asked.body.values, effects.cache, name, target.name, given)
    # A response that must be read must not be compressed.
    removed = (*effects.remove_headers, "accept-encoding") if plan or place else effects.remove_headers
    if target.credentials is not None:
        headers, removed = apply_credentials(headers, removed, target.credentials)
    if data is not None:
        headers = (*headers, ("content-length", str(len(data))))
    return SendToModel(target.name, data, headers, removed, name, signals, None, verdict.matches, plan, place)


def _mask_body(asked: ParsedRequest, verdict: GuardVerdict) -> JsonBody | ImmediateResponse:
    """The body with everything masked that guards mask."""
    if not verdict.masks or asked.evaluation is None:
        return asked.body
    hits = [hit for _, found in verdict.masks for hit in found]
    try:
        text = mask_document(asked.body.text, asked.evaluation.input, hits, asked.evaluation.placeholders)
    except TooManyPlaceholdersError:
        return error_response(413, "too_much_to_mask", "The request has more to mask than is taken.")
    return read_json(text.encode())


def _flag_headers(program: Program, verdict: GuardVerdict) -> tuple[tuple[str, str], ...]:
    if not verdict.matches:
        return ()
    found = {match.guard for match in verdict.matches if match.action == "flag" and match.failed is None}
    names = [guard.label for guard in program.guards if guard.name in found]
    return ((GUARDS, ", ".join(names)),) if names else ()


def _response_plan(program: Program, asked: ParsedRequest, model: str, verdict: GuardVerdict) -> ResponsePlan | None:
    """What is to be done about the response of this model; None where nothing is."""
    guards = tuple([guard for guard in program.on_response if guard.covers(model)])
    restore = _restorable_values(asked, verdict)
    return ResponsePlan(asked.api, guards, restore) if guards or restore else None


def _restorable_values(asked: ParsedRequest, verdict: GuardVerdict) -> dict[str, str]:
    """The placeholders that responses may undo: of types that only guards have masked which say so."""
    if asked.evaluation is None:
        return {}
    kinds = [{hit.span.type for hit in hits} for guard, hits in verdict.masks if guard.unmask]
    kept = [{hit.span.type for hit in hits} for guard, hits in verdict.masks if not guard.unmask]
    undone = set[str]().union(*kinds) - set[str]().union(*kept)
    return {
        given: value
        for given, value in asked.evaluation.placeholders.values.items()
        if _placeholder_type(given) in undone
    }


def _placeholder_type(placeholder: str) -> str:
    """The type that a placeholder was given for."""
    return placeholder[1:].rpartition("_")[0]
