"""Responses that the router gives itself: errors in the form of the API, rejections by guards, and the model list."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import replace

from vsr_runtime.decision.apis.endpoints import Api
from vsr_runtime.decision.guards.guard import Guard
from vsr_runtime.decision.request.events import Cause, GuardMatch, ImmediateResponse
from vsr_schemas.headers import ANSWERS

RETRY_AFTER = "1"
"""Seconds after which a client may retry."""
IMMEDIATE_RESPONSE_HEADERS = ANSWERS
"""Every header that an immediate response may have. A gateway whose filter has mutation rules must allow these."""
STATE_NOT_LOCATED = "state_not_located"
"""Code of the error for a request whose state is at an unknown model."""
_JSON_HEADER = ("content-type", "application/json")
_MAX_ECHO = 100
FIRST_ERROR_STATUS = 400

_MESSAGES = {
    Cause.TIMEOUT: "The request could not be classified in time. Try again.",
    Cause.OVERLOADED: "Too many requests wait for classification. Try again.",
    Cause.BROKEN: "The request could not be classified. Try again.",
    Cause.FULL: "Too many large requests are in progress. Try again.",
    Cause.TOO_COMPLEX: "The request is too complex to be read: it has too many values or texts within texts.",
    Cause.AUDIT: "Decisions cannot be recorded now. Try again.",
}
_ANTHROPIC_TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    415: "invalid_request_error",
    429: "rate_limit_error",
    529: "overloaded_error",
}
"""Anthropic's names of these errors; any other is ``api_error``."""


def error_response(
    status: int, code: str, message: str, *, param: str | None = None, headers: Iterable[tuple[str, str]] = ()
) -> ImmediateResponse:
    """Return an error in OpenAI's form. ``code`` is for programs, ``param`` names the field at fault."""
    kind = "server_error" if status >= 500 else "invalid_request_error"  # noqa: PLR2004 - HTTP's own boundary
    body = {"error": {"message": message, "type": kind, "param": param, "code": code}}
    return ImmediateResponse(status, json.dumps(body).encode(), code, (_JSON_HEADER, *headers))


def unknown_model_response(model: str) -> ImmediateResponse:
    """Return 404 as OpenAI does. The echo of the client's model name is bounded."""
    shown = model if len(model) <= _MAX_ECHO else model[:_MAX_ECHO] + "…"
    return error_response(404, "model_not_found", f"The model '{shown}' does not exist.", param="model")


def undecided_response(cause: Cause) -> ImmediateResponse:
    """Return 503: there is no decision, so the request is not sent. 413 if a retry would have the same result."""
    if cause is Cause.TOO_COMPLEX:
        return replace(error_response(413, cause.value, _MESSAGES[cause]), cause=cause)
    response = error_response(503, cause.value, _MESSAGES[cause], headers=(("retry-after", RETRY_AFTER),))
    return replace(response, cause=cause)


def body_too_large_response(max_body: int, api: Api = Api.CHAT, *, model: str | None = None) -> ImmediateResponse:
    """Return 413 with the limit, which is that of a model or of all requests."""
    message = f"The body is larger than {max_body} bytes."
    if model is not None:
        message = f"The body for the model '{model}' is larger than {max_body} bytes."
    body = json.dumps(error_body(api, 413, "body_too_large", message)).encode()
    return replace(error_response(413, "body_too_large", message), body=body)


def not_found_response(path: str, message: str) -> ImmediateResponse:
    """Return 404 in the form of the API that the path belongs to."""
    api = Api.MESSAGES if path.startswith(Api.MESSAGES.value) else Api.CHAT
    body = json.dumps(error_body(api, 404, "not_found", message)).encode()
    return replace(error_response(404, "not_found", message), body=body)


def model_list_response(models: Iterable[str], *, anthropic: bool = False) -> ImmediateResponse:
    """Return the response of ``GET /v1/models``, in the form of the client's API."""
    items = [_model_item(name, anthropic=anthropic) for name in models]
    document: dict[str, object] = {"object": "list", "data": items}
    if anthropic:
        ends = {"first_id": items[0]["id"], "last_id": items[-1]["id"]} if items else {}
        document = {"data": items, "has_more": False, **ends}
    return ImmediateResponse(200, json.dumps(document).encode(), "models", (_JSON_HEADER,))


def model_response(name: str, models: Iterable[str], *, anthropic: bool = False) -> ImmediateResponse:
    """Return the response of ``GET /v1/models/NAME``."""
    if name not in models:
        return unknown_model_response(name)
    return ImmediateResponse(
        200, json.dumps(_model_item(name, anthropic=anthropic)).encode(), "models", (_JSON_HEADER,)
    )


def _model_item(name: str, *, anthropic: bool) -> dict[str, object]:
    """Return a model of a list. The time is 0, because models of a policy have no date."""
    if anthropic:
        return {"type": "model", "id": name, "display_name": name, "created_at": "1970-01-01T00:00:00Z"}
    return {"id": name, "object": "model", "created": 0, "owned_by": "vsr"}


def in_form_of(api: Api, response: ImmediateResponse) -> ImmediateResponse:
    """Return an error in the form of the API that was called."""
    if not api.anthropic or response.status < FIRST_ERROR_STATUS:
        return response
    error = json.loads(response.body)
    if error.get("type") == "error":
        return response
    body = error_body(api, response.status, error["error"]["code"], error["error"]["message"])
    return replace(response, body=json.dumps(body).encode())


def state_response(field: str, header: str | None) -> ImmediateResponse:
    """Return an error: the request refers to state that one model holds, and nothing says which."""
    where = "Set 'model' to the name of that model" + (f", or send it in the header '{header}'." if header else ".")
    message = f"'{field}' refers to state that only the model which created it holds. {where}"
    return error_response(400, STATE_NOT_LOCATED, message, param=field)


def blocked_response(api: Api, guard: Guard, what: str = "request") -> ImmediateResponse:
    """Return 403: the guard matched. The response names the guard and never what it found."""
    return _guard_response(api, guard, 403, guard_code(guard), f"The {what} was blocked by the guard '{guard.name}'.")


def too_long_response(api: Api, guard: Guard, what: str = "request") -> ImmediateResponse:
    """Return 413 (502 for a response): the text is longer than the guard reads."""
    message = f"The {what} has more text than the {guard.max_tokens} tokens that the guard '{guard.name}' reads."
    return _guard_response(api, guard, 413 if what == "request" else 502, f"too_long:{guard.label}", message)


def too_complex_response(api: Api, guard: Guard, what: str = "request") -> ImmediateResponse:
    """Return 413 (502 for a response): reading the text takes more steps than guards may take."""
    message = f"The {what} is too complex for the guard '{guard.name}': it has too many values or texts within texts."
    status = 413 if what == "request" else 502
    response = _guard_response(api, guard, status, f"{Cause.TOO_COMPLEX.value}:{guard.label}", message)
    match = (GuardMatch(guard.name, guard.action, Cause.TOO_COMPLEX),)
    return replace(response, cause=Cause.TOO_COMPLEX, guards=match)


def unreadable_response(
    api: Api, guard: Guard, what: str = "request", reason: str = "it has images, audio, files or token ids"
) -> ImmediateResponse:
    """Return 415 (502 for a response): there is content other than text, which guards cannot read."""
    message = f"The guard '{guard.name}' cannot read the {what}: {reason}."
    return _guard_response(api, guard, 415 if what == "request" else 502, f"unreadable:{guard.label}", message)


def withheld_response(api: Api, guard: Guard, status: int, code: str, reason: str) -> ImmediateResponse:
    """Return what replaces the body of an error that a guard cannot read. The error keeps its status."""
    message = f"The guard '{guard.name}' cannot read the text of this error, because {reason}."
    return _guard_response(api, guard, status, f"{code}:{guard.label}", message)


def ambiguous_response(api: Api) -> ImmediateResponse:
    """Return 502: masking or restoring values would make keys of an object equal, which parsers read differently."""
    message = "Replacing values in the response would make two keys of an object equal."
    response = error_response(502, "duplicate_key", message)
    return replace(response, body=json.dumps(error_body(api, 502, "duplicate_key", message)).encode())


def guard_failed_response(api: Api, guard: Guard, cause: Cause, what: str = "request") -> ImmediateResponse:
    """Return 503 (502 for a response, which a retry would generate again): the guard could not read the text."""
    message = f"The guard '{guard.name}' could not read the {what}. Try again."
    status = 503 if what == "request" else 502
    response = _guard_response(api, guard, status, f"guard_failed:{guard.label}", message)
    retry = (("retry-after", RETRY_AFTER),) if what == "request" else ()
    match = (GuardMatch(guard.name, guard.action, cause),)
    return replace(response, cause=cause, guards=match, headers=(*response.headers, *retry))


def conflict_response(api: Api, guards: Sequence[Guard]) -> ImmediateResponse:
    """Return 403: guards route the request to different models."""
    names = ", ".join(f"'{guard.name}'" for guard in guards)
    response = _guard_response(
        api, guards[0], 403, guard_code(guards[0]), f"The guards {names} route the request to different models."
    )
    return replace(response, guards=tuple(GuardMatch(guard.name, guard.action) for guard in guards))


def guard_code(guard: Guard) -> str:
    """Return the error code that identifies the guard."""
    return f"guard:{guard.label}"


def error_body(api: Api, status: int, name: str, message: str) -> dict[str, object]:
    """Return the body of an error in the form of the API."""
    if api.anthropic:
        return {
            "type": "error",
            "error": {"type": _ANTHROPIC_TYPES.get(status, "api_error"), "message": message, "code": name},
        }
    body: dict[str, object] = json.loads(error_response(status, name, message).body)
    return body


def _guard_response(api: Api, guard: Guard, status: int, name: str, message: str) -> ImmediateResponse:
    response = error_response(status, name, message)
    body = json.dumps(error_body(api, status, name, message)).encode()
    return replace(response, body=body, guards=(GuardMatch(guard.name, guard.action),))
