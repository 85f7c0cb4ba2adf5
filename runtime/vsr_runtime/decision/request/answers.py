"""The answers that the runtime gives by itself, in the shapes that OpenAI's API documents."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace

from vsr_runtime.decision.request.events import Answer, Cause
from vsr_schemas.headers import ANSWERS

RETRY_AFTER = "1"
"""Seconds after which a shed request is worth another try."""
HEADERS = ANSWERS
"""Every header that an answer may carry. A gateway whose filter has mutation rules must allow these, or drops them."""
_JSON = ("content-type", "application/json")
_ECHO = 100

_CAUSES = {
    Cause.TIMEOUT: "The request could not be classified in time. Try again.",
    Cause.OVERLOADED: "Too many requests wait for classification. Try again.",
    Cause.BROKEN: "The request could not be classified. Try again.",
    Cause.FULL: "Too many large requests are in work. Try again.",
}


def refusal(
    status: int, code: str, message: str, *, param: str | None = None, headers: Iterable[tuple[str, str]] = ()
) -> Answer:
    """An error with OpenAI's body; ``code`` names it for programs, ``param`` the field at fault."""
    kind = "server_error" if status >= 500 else "invalid_request_error"  # noqa: PLR2004 - HTTP's own boundary
    body = {"error": {"message": message, "type": kind, "param": param, "code": code}}
    return Answer(status, json.dumps(body).encode(), code, (_JSON, *headers))


def unknown_model(model: str) -> Answer:
    """404 as OpenAI answers it. The echo of the client's own word is bounded."""
    shown = model if len(model) <= _ECHO else model[:_ECHO] + "…"
    return refusal(404, "model_not_found", f"The model '{shown}' does not exist.", param="model")


def undecided(cause: Cause) -> Answer:
    """503: no decision was reached, so the request goes nowhere."""
    answer = refusal(503, cause.value, _CAUSES[cause], headers=(("retry-after", RETRY_AFTER),))
    return replace(answer, cause=cause)


def model_list(models: Iterable[str]) -> Answer:
    """The list of ``GET /v1/models``. ``created`` is 0: a name in a policy has no date."""
    items = [{"id": name, "object": "model", "created": 0, "owned_by": "vsr"} for name in models]
    return Answer(200, json.dumps({"object": "list", "data": items}).encode(), "models", (_JSON,))
