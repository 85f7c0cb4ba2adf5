"""Attempts: the models that a request may be sent to one after the other, and the request of one attempt.

The router decides a request once, and lists its models in a header. The proxy sends each attempt to itself, where a
second filter asks the router for the model of this attempt: its name in the body, its credentials and its fields.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from vsr_runtime.decision.apis.endpoints import Api
from vsr_runtime.decision.fast_dataclass import fast_dataclass
from vsr_runtime.decision.program.effects import Effects, ModelTarget
from vsr_runtime.decision.program.fallback import SEPARATOR
from vsr_runtime.decision.program.program import Program
from vsr_runtime.decision.program.routes import PolicyRoute
from vsr_runtime.decision.request.authentication import model_error
from vsr_runtime.decision.request.edits import edit_body
from vsr_runtime.decision.request.events import ImmediateResponse, SendToModel
from vsr_runtime.decision.request.form_body import FormBody
from vsr_runtime.decision.request.guard_evaluation import GuardVerdict
from vsr_runtime.decision.request.headers import Headers, apply_credentials
from vsr_runtime.decision.request.immediate_responses import error_response
from vsr_runtime.decision.request.json_body import JsonBody
from vsr_runtime.decision.request.parsed_request import ParsedRequest, edit_form
from vsr_runtime.decision.request.path_limits import context_error, path_error, size_error
from vsr_schemas.headers import ATTEMPT, CHAIN, MAX_RETRIES, SELECTED_MODEL

_NO_EFFECTS = Effects()
_DIGITS = 2


@fast_dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt of a request: its model, its number from 1, and the decision that it belongs to."""

    target: ModelTarget
    number: int
    decision: str


def passable(
    program: Program, parsed: ParsedRequest, route: PolicyRoute, verdict: GuardVerdict
) -> tuple[tuple[ModelTarget, ...], GuardVerdict]:
    """Return the models that a request can fall back to, and the verdict of the guards for all of them.

    They end before the first one that cannot have the request: it is not for the client, a guard rejects or moves the
    request there, the request is too long, or the model does not serve the API. What a guard masks or flags for one of
    them it masks or flags for all, since all attempts have the same body.
    """
    targets: list[ModelTarget] = []
    for name in route.fallback.models if route.fallback is not None else ():
        target = program.models[name]
        if name == verdict.model:
            continue
        refusal = (
            model_error(program, name, parsed.client)
            or path_error(parsed.api, target, query=parsed.query)
            or context_error(parsed.api, parsed.demand, target)
        )
        if refusal is not None:
            break
        if parsed.evaluation:
            other = parsed.evaluation.conclude(name)
            if isinstance(other, ImmediateResponse) or other.moved:
                break
            verdict = replace(
                verdict,
                matches=(*verdict.matches, *(match for match in other.matches if match not in verdict.matches)),
                masks=(*verdict.masks, *(mask for mask in other.masks if mask not in verdict.masks)),
            )
        targets.append(target)
    return tuple(targets), verdict


def chain_headers(
    route: PolicyRoute | None, first: ModelTarget, fallbacks: Sequence[ModelTarget], api: Api, body: str | bytes
) -> Headers:
    """Return the headers by which the proxy sends a request several times; none if it is sent once.

    Args:
        route: the route.
        first: the model of the first attempt.
        fallbacks: the models that may follow.
        api: the API of the request.
        body: its body. Models that do not accept its size, and those behind them, are left out.
    """
    fallback = None if route is None else route.fallback
    if fallback is None:
        return ()
    names = [first.name]
    for target in fallbacks:
        if size_error(api, target, body) is not None:
            break
        names.append(target.name)
    planned = 1 + sum(name != first.name for name in fallback.models)
    attempts = fallback.attempts if len(names) == planned else len(names)
    if attempts <= 1:
        return ()
    route_name = fallback.routes[first.name]
    return ((SELECTED_MODEL, route_name), (CHAIN, SEPARATOR.join(names)), (MAX_RETRIES, str(attempts - 1)))


def read_attempt(program: Program, values: Mapping[str, str]) -> Attempt | ImmediateResponse:
    """Return the attempt that the headers of a request name. Only the proxy itself sends such a request."""
    fallback = program.chains.get(values.get(SELECTED_MODEL, ""))
    number, chain = values.get(ATTEMPT, ""), values.get(CHAIN, "").split(SEPARATOR)
    if fallback is not None and number.isascii() and number.isdigit() and len(number) <= _DIGITS:
        target = fallback.target(chain, int(number))
        if target is not None:
            return Attempt(target, int(number), fallback.decision)
    return error_response(503, "unknown_attempt", "The router does not know the models of this request any more.")


def send_attempt(attempt: Attempt, read: JsonBody | FormBody, api: Api) -> SendToModel | ImmediateResponse:
    """Return the request of one attempt. The guards and the effects of its decision have been applied to its body."""
    target = attempt.target
    body, form = (read.document, read) if isinstance(read, FormBody) else (read, None)
    data = edit_body(body, api, target, _NO_EFFECTS)
    if form is not None and data is not None:
        edited = edit_form(form, data)
        if isinstance(edited, ImmediateResponse):
            return edited
        data = edited
    headers: Headers = ((SELECTED_MODEL, target.name),)
    removed: tuple[str, ...] = (CHAIN,)
    if target.credentials is not None:
        # The first pass has added the default headers.
        credentials = replace(target.credentials, defaults=())
        headers, removed = apply_credentials(headers, removed, credentials, api.value)
    if data is not None:
        headers = (*headers, ("content-length", str(len(data))))
    return SendToModel(target.name, data, headers, removed, attempt.decision, attempt=attempt.number)
