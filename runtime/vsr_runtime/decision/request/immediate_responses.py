"""The answers that the runtime gives by itself, in the shapes that OpenAI's API documents."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import replace

from vsr_runtime.decision.apis.endpoints import Api
from vsr_runtime.decision.guards.guard import Guard
from vsr_runtime.decision.request.events import Cause, GuardMatch, ImmediateResponse
from vsr_schemas.headers import ANSWERS

RETRY_AFTER = "1"
"""Seconds after which a shed request is worth another try."""
IMMEDIATE_RESPONSE_HEADERS = ANSWERS
"""Every header that an answer may carry. A gateway whose filter has mutation rules must allow these, or drops them."""
_JSON_HEADER = ("content-type", "application/json")
_MAX_ECHO = 100

_MESSAGES = {
    Cause.TIMEOUT: "The request could not be classified in time. Try again.",
    Cause.OVERLOADED: "Too many requests wait for classification. Try again.",
    Cause.BROKEN: "The request could not be classified. Try again.",
    Cause.FULL: "Too many large requests are in work. Try again.",
}


def error_response(
    status: int, code: str, message: str, *, param: str | None = None, headers: Iterable[tuple[str, str]] = ()
) -> ImmediateResponse:
    """An error with OpenAI's body; ``code`` names it for programs, ``param`` the field at fault."""
    kind = "server_error" if status >= 500 else "invalid_request_error"  # noqa: PLR2004 - HTTP's own boundary
    body = {"error": {"message": message, "type": kind, "param": param, "code": code}}
    return ImmediateResponse(status, json.dumps(body).encode(), code, (_JSON_HEADER, *headers))


def unknown_model_response(model: str) -> ImmediateResponse:
    """404 as OpenAI answers it. The echo of the client's own word is bounded."""
    shown = model if len(model) <= _MAX_ECHO else model[:_MAX_ECHO] + "…"
    return error_response(404, "model_not_found", f"The model '{shown}' does not exist.", param="model")


def undecided_response(cause: Cause) -> ImmediateResponse:
    """503: no decision was reached, so the request goes nowhere."""
    answer = error_response(503, cause.value, _MESSAGES[cause], headers=(("retry-after", RETRY_AFTER),))
    return replace(answer, cause=cause)


def body_too_large_response(max_body: int) -> ImmediateResponse:
    """413 with the bound that holds here."""
    return error_response(413, "body_too_large", f"The body is larger than {max_body} bytes.")


def model_list_response(models: Iterable[str]) -> ImmediateResponse:
    """The list of ``GET /v1/models``. ``created`` is 0: a name in a policy has no date."""
    items = [{"id": name, "object": "model", "created": 0, "owned_by": "vsr"} for name in models]
    return ImmediateResponse(200, json.dumps({"object": "list", "data": items}).encode(), "models", (_JSON_HEADER,))


_ANTHROPIC_TYPES = {403: "permission_error", 413: "request_too_large", 415: "invalid_request_error"}
"""How Anthropic's API calls these errors; any other is ``api_error``."""


def blocked_response(api: Api, guard: Guard, what: str = "request") -> ImmediateResponse:
    """403: the guard found what it blocks."""
    return _guard_response(api, guard, 403, guard_code(guard), f"The {what} was blocked by the guard '{guard.name}'.")


def too_long_response(api: Api, guard: Guard, what: str = "request") -> ImmediateResponse:
    """413: the guard reads the whole of a text or none of it."""
    message = f"The {what} has more text than the {guard.max_tokens} tokens that the guard '{guard.name}' reads."
    return _guard_response(api, guard, 413 if what == "request" else 502, f"too_long:{guard.label}", message)


def unreadable_response(api: Api, guard: Guard, what: str = "request") -> ImmediateResponse:
    """415: what is no text cannot be looked at."""
    message = f"The guard '{guard.name}' cannot read images, sound, files or token ids, and the {what} has some."
    return _guard_response(api, guard, 415 if what == "request" else 502, f"unreadable:{guard.label}", message)


def guard_failed_response(api: Api, guard: Guard, cause: Cause, what: str = "request") -> ImmediateResponse:
    """503: the guard could not look, so nothing passes. 502 for a response, which a retry would have made anew."""
    message = f"The guard '{guard.name}' could not look at the {what}. Try again."
    status = 503 if what == "request" else 502
    answer = _guard_response(api, guard, status, f"guard_failed:{guard.label}", message)
    retry = (("retry-after", RETRY_AFTER),) if what == "request" else ()
    noted = (GuardMatch(guard.name, guard.action, cause),)
    return replace(answer, cause=cause, guards=noted, headers=(*answer.headers, *retry))


def conflict_response(api: Api, guards: Sequence[Guard]) -> ImmediateResponse:
    """403: guards want the request at different models, and it can be at one only."""
    names = ", ".join(f"'{guard.name}'" for guard in guards)
    answer = _guard_response(
        api, guards[0], 403, guard_code(guards[0]), f"The guards {names} send the request to different models."
    )
    return replace(answer, guards=tuple(GuardMatch(guard.name, guard.action) for guard in guards))


def guard_code(guard: Guard) -> str:
    """The code of an error by which a program knows the guard."""
    return f"guard:{guard.label}"


def error_body(api: Api, status: int, name: str, message: str) -> dict[str, object]:
    """The body of an error, in the form of the API."""
    if api is Api.MESSAGES:
        return {
            "type": "error",
            "error": {"type": _ANTHROPIC_TYPES.get(status, "api_error"), "message": message, "code": name},
        }
    body: dict[str, object] = json.loads(error_response(status, name, message).body)
    return body


def _guard_response(api: Api, guard: Guard, status: int, name: str, message: str) -> ImmediateResponse:
    answer = error_response(status, name, message)
    body = json.dumps(error_body(api, status, name, message)).encode()
    return replace(answer, body=body, guards=(GuardMatch(guard.name, guard.action),))
