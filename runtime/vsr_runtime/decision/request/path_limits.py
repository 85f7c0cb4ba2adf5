"""Refusals of requests that cannot travel to their model: the API, the query or the size does not pass a component."""

from __future__ import annotations

import json
from dataclasses import replace

from vsr_runtime.decision.apis.content import utf8_size
from vsr_runtime.decision.apis.endpoints import ENDPOINTS, Api
from vsr_runtime.decision.program.context_length import TokenDemand
from vsr_runtime.decision.program.effects import ModelTarget
from vsr_runtime.decision.request.events import ImmediateResponse
from vsr_runtime.decision.request.immediate_responses import body_too_large_response, error_body, error_response


def path_error(api: Api, target: ModelTarget, *, query: bool) -> ImmediateResponse | None:
    """Return the error for an API or a query that cannot reach the model; None if the path passes."""
    limits = target.limits
    if api.value not in limits.apis:
        served = ", ".join(path for path in ENDPOINTS if path in limits.apis)
        message = f"The model '{target.name}' does not serve {api.value}. It serves {served}."
        return _error(api, 404, "unsupported_path", message)
    if query and not limits.query:
        message = f"The model '{target.name}' takes no query. Remove '?' and everything after it from the URL."
        return _error(api, 400, "unsupported_query", message)
    return None


def context_error(api: Api, demand: TokenDemand, target: ModelTarget) -> ImmediateResponse | None:
    """Return the error for a request that is longer than the context of its model, in the words that clients know.

    Tokens are counted whatever their number.
    """
    if not api.generates or demand.fits(target):
        return None
    message = (
        f"The maximum context length of the model '{target.name}' is {target.context} tokens. The request needs about "
        f"{demand.total} ({demand.prompt} in the messages, {demand.output} in the completion)."
    )
    return error_response(400, "context_length_exceeded", message)


def size_error(api: Api, target: ModelTarget, body: str | bytes) -> ImmediateResponse | None:
    """Return the error for a body, as it goes to the model, that is too large for it; None if it passes."""
    limit = target.limits.max_body
    if limit is None or (utf8_size(body) if isinstance(body, str) else len(body)) <= limit:
        return None
    return body_too_large_response(limit, api, model=target.name)


def _error(api: Api, status: int, code: str, message: str) -> ImmediateResponse:
    body = json.dumps(error_body(api, status, code, message)).encode()
    return replace(error_response(status, code, message), body=body)
