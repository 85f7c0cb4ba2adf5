"""Refuses requests of nobody known, and models that are not for a client; and what models get of clients."""

from __future__ import annotations

from vsr_runtime.decision.identity.client import Client
from vsr_runtime.decision.identity.rules import IdentityRules, UnknownClientError
from vsr_runtime.decision.program.program import Program
from vsr_runtime.decision.request.events import ImmediateResponse, RequestHeaders
from vsr_runtime.decision.request.immediate_responses import error_response
from vsr_schemas.headers import CREDENTIALS

_FORBIDDEN = "untrusted_sender"
Headers = tuple[tuple[str, str], ...]


def authenticate(rules: IdentityRules, event: RequestHeaders) -> Client | ImmediateResponse:
    """Return the client that sends a request, or the response to a request of nobody known."""
    if event.client is not None:
        return event.client
    try:
        return rules.client_of(event.headers, event.address)
    except UnknownClientError as error:
        return error_response(403 if error.code == _FORBIDDEN else 401, error.code, str(error))


def model_error(program: Program, model: str, client: Client | None) -> ImmediateResponse | None:
    """Return the response to a client that may not use a model; None if it may."""
    if program.identity is None or program.identity.allows(model, client):
        return None
    message = f"The model '{model}' is not available to you."
    return error_response(403, "model_not_allowed", message, param="model")


def client_headers(
    program: Program, client: Client | None, headers: Headers, removed: tuple[str, ...]
) -> tuple[Headers, tuple[str, ...]]:
    """Return the headers to set and remove for a request of an authenticated client.

    No model gets the client's credentials. The headers that limits count by are set.
    """
    rules = program.identity
    if rules is None or client is None:
        return headers, removed
    kept = {name.lower() for name, _ in headers}
    private = [name for name in (*CREDENTIALS, *rules.removed) if name not in kept and name not in removed]
    return (*headers, *rules.headers_behind(client)), (*removed, *private)
