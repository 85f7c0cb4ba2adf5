"""What a client is told when a guard stands in the way: by the guard's name, never by what was found."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace

from vsr_runtime.decision.guards.guard import Guard
from vsr_runtime.decision.request.answers import RETRY_AFTER, refusal
from vsr_runtime.decision.request.apis import Api
from vsr_runtime.decision.request.events import Answer, Cause, GuardMatch

_TYPES = {403: "permission_error", 413: "request_too_large", 415: "invalid_request_error"}
"""How Anthropic's API calls these errors; any other is ``api_error``."""


def blocked(api: Api, guard: Guard, what: str = "request") -> Answer:
    """403: the guard found what it blocks."""
    return _answer(api, guard, 403, code(guard), f"The {what} was blocked by the guard '{guard.name}'.")


def too_long(api: Api, guard: Guard, what: str = "request") -> Answer:
    """413: the guard reads the whole of a text or none of it."""
    message = f"The {what} has more text than the {guard.max_tokens} tokens that the guard '{guard.name}' reads."
    return _answer(api, guard, 413 if what == "request" else 502, f"too_long:{guard.label}", message)


def unreadable(api: Api, guard: Guard, what: str = "request") -> Answer:
    """415: what is no text cannot be looked at."""
    message = f"The guard '{guard.name}' cannot read images, sound, files or token ids, and the {what} has some."
    return _answer(api, guard, 415 if what == "request" else 502, f"unreadable:{guard.label}", message)


def failed(api: Api, guard: Guard, cause: Cause, what: str = "request") -> Answer:
    """503: the guard could not look, so nothing passes. 502 for a response, which a retry would have made anew."""
    message = f"The guard '{guard.name}' could not look at the {what}. Try again."
    status = 503 if what == "request" else 502
    answer = _answer(api, guard, status, f"guard_failed:{guard.label}", message)
    retry = (("retry-after", RETRY_AFTER),) if what == "request" else ()
    noted = (GuardMatch(guard.name, guard.action, cause),)
    return replace(answer, cause=cause, guards=noted, headers=(*answer.headers, *retry))


def disagreed(api: Api, guards: Sequence[Guard]) -> Answer:
    """403: guards want the request at different models, and it can be at one only."""
    names = ", ".join(f"'{guard.name}'" for guard in guards)
    answer = _answer(api, guards[0], 403, code(guards[0]), f"The guards {names} send the request to different models.")
    return replace(answer, guards=tuple(GuardMatch(guard.name, guard.action) for guard in guards))


def code(guard: Guard) -> str:
    """The code of an error by which a program knows the guard."""
    return f"guard:{guard.label}"


def error(api: Api, status: int, name: str, message: str) -> dict[str, object]:
    """The body of an error, in the form of the API."""
    if api is Api.MESSAGES:
        return {"type": "error", "error": {"type": _TYPES.get(status, "api_error"), "message": message, "code": name}}
    body: dict[str, object] = json.loads(refusal(status, name, message).body)
    return body


def _answer(api: Api, guard: Guard, status: int, name: str, message: str) -> Answer:
    answer = refusal(status, name, message)
    body = json.dumps(error(api, status, name, message)).encode()
    return replace(answer, body=body, guards=(GuardMatch(guard.name, guard.action),))
