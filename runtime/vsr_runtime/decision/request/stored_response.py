"""Requests about a stored response: they have no body, and only some model knows the response."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from urllib.parse import parse_qs

from vsr_runtime.decision.apis.endpoints import ApiEndpoint
from vsr_runtime.decision.identity.client import Client
from vsr_runtime.decision.program.effects import ModelTarget
from vsr_runtime.decision.program.program import Program
from vsr_runtime.decision.request.authentication import client_headers, model_error
from vsr_runtime.decision.request.events import ImmediateResponse, ResponsePlan, SendToModel
from vsr_runtime.decision.request.headers import apply_credentials
from vsr_runtime.decision.request.immediate_responses import error_response, unknown_model_response
from vsr_runtime.decision.request.path_limits import path_error
from vsr_schemas.headers import SELECTED_MODEL

_MODEL = "model"
_MAX_QUERY = 2048


def send_stored(
    program: Program, endpoint: ApiEndpoint, values: Mapping[str, str], client: Client | None = None
) -> SendToModel | ImmediateResponse:
    """Return the request for the model that has the response, or an error.

    The query names the model (``?model=``). Without a name, it must be the only one that serves this API.
    """
    query = values[":path"].partition("?")[2]
    target = _target(program, endpoint, query)
    if isinstance(target, ImmediateResponse):
        return target
    refusal = model_error(program, target.name, client) or path_error(endpoint.api, target, query=bool(query))
    if refusal is not None:
        return replace(refusal, model=target.name)
    guards = tuple(guard for guard in program.on_response if guard.covers(target.name))
    headers: tuple[tuple[str, str], ...] = ((SELECTED_MODEL, target.name), *target.routed)
    removed: tuple[str, ...] = ("accept-encoding",) if guards else ()
    headers, removed = client_headers(program, client, headers, removed)
    if target.credentials is not None:
        path = values[":path"].partition("?")[0]
        headers, removed = apply_credentials(headers, removed, target.credentials, path, values)
    plan = ResponsePlan(endpoint.api, guards) if guards else None
    return SendToModel(target.name, None, headers, removed, response=plan)


def _target(program: Program, endpoint: ApiEndpoint, query: str) -> ModelTarget | ImmediateResponse:
    """Return the model that a query names, or the only one."""
    try:
        names = parse_qs(query, keep_blank_values=True, max_num_fields=16).get(_MODEL, [])
    except ValueError:
        names = ["", ""]
    if len(query) > _MAX_QUERY or len(names) > 1:
        return error_response(400, "invalid_request", "The query is too long, or names several models.", param=_MODEL)
    if names:
        return program.models.get(names[0]) or unknown_model_response(names[0])
    serving = [target for target in program.models.values() if endpoint.api.value in target.limits.apis]
    if len(serving) == 1:
        return serving[0]
    listed = ", ".join(target.name for target in serving)
    message = (
        "A response is stored where it was made, and this request does not say where: "
        f"add '?model=NAME' to the URL, with one of {listed}."
    )
    return error_response(400, "model_required", message, param=_MODEL)
