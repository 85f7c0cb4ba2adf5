"""Dispatches a decided request: its model, masked and edited body, credentials, and the plan for its response."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from vsr_runtime.decision.conversation.state import held_state
from vsr_runtime.decision.guards.masking import TooManyPlaceholdersError, mask_document
from vsr_runtime.decision.limits.rules import DEFAULT_ROUTE, Claim, Usage
from vsr_runtime.decision.program.conditions import SignalValues
from vsr_runtime.decision.program.effects import Effects, ModelTarget, ProviderCredentials
from vsr_runtime.decision.program.outcome import Decision
from vsr_runtime.decision.program.program import Program
from vsr_runtime.decision.program.routes import PolicyRoute
from vsr_runtime.decision.program.split import split_point
from vsr_runtime.decision.request.attempts import chain_headers, passable
from vsr_runtime.decision.request.authentication import client_headers, model_error
from vsr_runtime.decision.request.cache_key import cache_key
from vsr_runtime.decision.request.edits import edit_body
from vsr_runtime.decision.request.events import CacheKey, ImmediateResponse, ResponsePlan, SendToModel
from vsr_runtime.decision.request.guard_evaluation import GuardVerdict
from vsr_runtime.decision.request.headers import apply_credentials, with_debug_headers
from vsr_runtime.decision.request.immediate_responses import error_response
from vsr_runtime.decision.request.json_body import JsonBody
from vsr_runtime.decision.request.parsed_request import ParsedRequest, edit_form, read_json
from vsr_runtime.decision.request.path_limits import context_error, path_error, size_error
from vsr_runtime.decision.request.static_response import static_response, token_count
from vsr_runtime.decision.request.usage import estimated
from vsr_runtime.decision.view import RequestView
from vsr_schemas.headers import GUARDS, SELECTED_MODEL

_NO_EFFECTS = Effects()


def dispatch(
    program: Program, parsed: ParsedRequest, decision: Decision | None, view: RequestView | None
) -> SendToModel | ImmediateResponse:
    """Return the final action.

    Args:
        program: the decision program.
        parsed: the request.
        decision: its decision; None if the client named the model, or on failure.
        view: the view that was decided on; None if the client named the model.
    """
    action = _dispatch(program, parsed, decision, view)
    return with_debug_headers(parsed, action, view) if parsed.debug else action


def _dispatch(
    program: Program, parsed: ParsedRequest, decision: Decision | None, view: RequestView | None
) -> SendToModel | ImmediateResponse:
    route, signals = (None, None) if decision is None else (decision.route, decision.signals)
    target = _choose_target(program, parsed, route)
    verdict = GuardVerdict(target.name if target else None)
    if parsed.evaluation:
        concluded = parsed.evaluation.conclude(verdict.model)
        if isinstance(concluded, ImmediateResponse):
            return replace(concluded, model=verdict.model, signals=signals)
        verdict = concluded
    if route is not None and route.effects.static_response is not None:
        response = _static(parsed, view, route.effects.static_response)
        return replace(response, route=route.name, guards=verdict.matches, signals=signals)
    if verdict.moved:  # a route's effects apply to its own models only
        return _send(program, parsed, program.models[str(verdict.model)], None, signals, verdict)
    target = target or program.models[program.default]
    if parsed.moved is not None:  # a limit leaves neither its model nor its fallbacks
        return _send(program, parsed, target, route, signals, verdict)
    if route is None or route.fallback is None:
        return _send(program, parsed, target, route, signals, verdict)
    fallbacks, verdict = passable(program, parsed, route, verdict)
    return _send(program, parsed, target, route, signals, verdict, fallbacks)


def _static(parsed: ParsedRequest, view: RequestView | None, text: str) -> ImmediateResponse:
    """Return a fixed response, or the estimated number of tokens if the client only asks for that."""
    if parsed.api.generates:
        return static_response(parsed.api, text, parsed.body.values, parsed.seed)
    return token_count(parsed.api, view.tokens if view else 0)


def _choose_target(program: Program, parsed: ParsedRequest, route: PolicyRoute | None) -> ModelTarget | None:
    """Return the target; None for a static response."""
    if parsed.moved is not None and (route is None or route.effects.static_response is None):
        return _moved_target(program, parsed, route, parsed.moved)
    if route is None:
        if parsed.named_model is not None:
            return program.models[parsed.named_model]
        return program.default_target or program.models[program.default]
    if route.effects.static_response is not None:
        return None
    if len(route.targets) == 1:
        return route.targets[0][0]
    return _one_of(route.holding(parsed.demand), parsed)


def _one_of(route: PolicyRoute, parsed: ParsedRequest) -> ModelTarget:
    """Return one of several models: selected by what was observed of them, or drawn by their shares."""
    if route.selection is None:
        return route.target(split_point(parsed.split_seed))
    targets = {target.name: target for target, _ in route.targets}
    return targets[route.selection.select(targets, parsed.observed or {})]


def _moved_target(program: Program, parsed: ParsedRequest, route: PolicyRoute | None, name: str) -> ModelTarget:
    """Return the model to which a limit moves a request: as the route has it, if the request only loses fallbacks."""
    own = [] if route is None else [target for target, _ in route.targets]
    if route is None and parsed.named_model is None and program.default_target is not None:
        own = [program.default_target]
    return next((target for target in own if target.name == name), program.models[name])


def _send(
    program: Program,
    parsed: ParsedRequest,
    target: ModelTarget,
    route: PolicyRoute | None,
    signals: SignalValues | None,
    verdict: GuardVerdict,
    fallbacks: Sequence[ModelTarget] = (),
) -> SendToModel | ImmediateResponse:
    """Return the request for a model. A changed body needs its exact length, or Envoy rejects it."""
    effects = route.effects if route else _NO_EFFECTS
    refusal = (
        model_error(program, target.name, parsed.client)
        or path_error(parsed.api, target, query=parsed.query)
        or context_error(parsed.api, parsed.demand, target)
    )
    if refusal is not None:
        return replace(refusal, model=target.name, signals=signals)
    body = _mask_body(parsed, verdict)
    if isinstance(body, ImmediateResponse):
        return replace(body, model=target.name, signals=signals)
    data = edit_body(body, parsed.api, target, effects)
    if data is None and body is not parsed.body:
        data = body.text.encode()
    if parsed.form is not None and data is not None:
        edited = edit_form(parsed.form, data)
        if isinstance(edited, ImmediateResponse):
            return replace(edited, model=target.name, signals=signals)
        data = edited
    sent_body = parsed.form.data if parsed.form is not None and data is None else parsed.body.text
    refusal = size_error(parsed.api, target, sent_body if data is None else data)
    if refusal is not None:
        return replace(refusal, model=target.name, signals=signals)
    chain = chain_headers(route, target, fallbacks, parsed.api, sent_body if data is None else data)
    answering = (target.name, *(other.name for other in fallbacks)) if chain else (target.name,)
    plan = _response_plan(program, parsed, answering, verdict)
    headers = (
        *(chain or ((SELECTED_MODEL, target.name), *target.routed)),
        *effects.set_headers,
        *_flag_headers(program, verdict),
    )
    name = route.name if route else None
    key = _key(parsed, route, target, verdict, data)
    if key is not None and chain:
        plan = replace(plan or ResponsePlan(parsed.api), model=target.name)
    claim = _claim(program, parsed, answering, route, verdict)
    # A response that is read must not be compressed.
    removed = (*effects.remove_headers, "accept-encoding") if plan or key else effects.remove_headers
    headers, removed = client_headers(program, parsed.client, headers, removed)
    credentials = _first_credentials((target, *fallbacks)) if chain else target.credentials
    if credentials is not None:
        headers, removed = apply_credentials(headers, removed, credentials, parsed.api.value, parsed.sent)
    if data is not None:
        headers = (*headers, ("content-length", str(len(data))))
    matches = verdict.matches
    return SendToModel(target.name, data, headers, removed, name, signals, None, matches, plan, key, claim=claim)


def _first_credentials(targets: Sequence[ModelTarget]) -> ProviderCredentials | None:
    """Return what removes the client's credentials before several attempts; each attempt adds the key of its model."""
    known = [target.credentials for target in targets if target.credentials is not None]
    if not known:
        return None
    defaults = tuple({name: value for item in known for name, value in item.defaults}.items())
    return ProviderCredentials(defaults=defaults, removed=known[0].removed)


def _claim(
    program: Program, parsed: ParsedRequest, models: tuple[str, ...], route: PolicyRoute | None, verdict: GuardVerdict
) -> Claim | None:
    """Return what the request counts as for limits; None if there are none."""
    if program.rates is None:
        return None
    estimate = Usage()
    if program.counts_usage:
        estimate = estimated(parsed.api, parsed.body.text, parsed.body.values, parsed.demand)
    name = route.name if route else None if parsed.named_model else DEFAULT_ROUTE
    movable = program.rates.moves and not verdict.moved and _is_movable(parsed)
    return Claim(parsed.api, models, name, parsed.client, estimate, movable=movable, cors=parsed.cors)


def _is_movable(parsed: ParsedRequest) -> bool:
    """Return whether another model can take the place of a request's.

    Results of models that do not generate text cannot be compared, and only one model has the state to which a request
    refers.
    """
    return parsed.api.generates and held_state(parsed.body.values, parsed.body.text) is None


def _key(
    parsed: ParsedRequest, route: PolicyRoute | None, target: ModelTarget, verdict: GuardVerdict, data: bytes | None
) -> CacheKey | None:
    """Return where the response is cached; None if it is not."""
    if route is None or route.effects.cache is None or verdict.matches or not parsed.api.generates:
        return None
    sent = parsed.body.text.encode() if data is None else data
    values = parsed.body.values
    return cache_key(parsed.caller, parsed.api, values, route.effects.cache, route.name, target.name, sent)


def _mask_body(parsed: ParsedRequest, verdict: GuardVerdict) -> JsonBody | ImmediateResponse:
    """Return the body with the matches of mask guards replaced."""
    if not verdict.masks or parsed.evaluation is None:
        return parsed.body
    matches = [match for _, guard_matches in verdict.masks for match in guard_matches]
    try:
        text = mask_document(parsed.body.text, parsed.evaluation.input, matches, parsed.evaluation.placeholders)
    except TooManyPlaceholdersError:
        return error_response(413, "too_much_to_mask", "The request has too many values to mask.")
    return read_json(text.encode())


def _flag_headers(program: Program, verdict: GuardVerdict) -> tuple[tuple[str, str], ...]:
    if not verdict.matches:
        return ()
    flagged = {match.guard for match in verdict.matches if match.action == "flag" and match.failed is None}
    names = [guard.label for guard in program.guards if guard.name in flagged]
    return ((GUARDS, ", ".join(names)),) if names else ()


def _response_plan(
    program: Program, parsed: ParsedRequest, models: Sequence[str], verdict: GuardVerdict
) -> ResponsePlan | None:
    """Return the plan for the response of one of these models; None if nothing must be done."""
    guards = tuple([guard for guard in program.on_response if any(map(guard.covers, models))])
    restore = _restorable_values(parsed, verdict)
    if program.counts_usage or program.wanted is not None:
        return ResponsePlan(parsed.api, guards, restore)
    if not guards and not restore:
        return None
    return ResponsePlan(parsed.api, guards, restore)


def _restorable_values(parsed: ParsedRequest, verdict: GuardVerdict) -> dict[str, str]:
    """Return the placeholders to restore in responses: of types that were masked only by guards with ``unmask``."""
    if parsed.evaluation is None:
        return {}
    unmasked = [{match.span.type for match in matches} for guard, matches in verdict.masks if guard.unmask]
    masked = [{match.span.type for match in matches} for guard, matches in verdict.masks if not guard.unmask]
    restorable = set[str]().union(*unmasked) - set[str]().union(*masked)
    return {
        placeholder: value
        for placeholder, value in parsed.evaluation.placeholders.values.items()
        if _placeholder_type(placeholder) in restorable
    }


def _placeholder_type(placeholder: str) -> str:
    """Return the type of a placeholder."""
    return placeholder[1:].rpartition("_")[0]
