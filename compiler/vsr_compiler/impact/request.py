"""One request of recorded traffic."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from vsr_runtime.decision.identity.client import Client
from vsr_schemas import apis


@dataclass(frozen=True, slots=True)
class Usage:
    """The tokens of a request: of the prompt, of its part in the model's prefix cache, and of the completion."""

    prompt: int
    completion: int
    cached: int = 0


@dataclass(frozen=True, slots=True)
class TrafficRequest:
    """A request that can be decided again.

    Attributes:
        body: Its JSON body.
        path: The path of its API.
        headers: Headers that a decision may depend on; names in lower case.
        client: Who sent it; None if the traffic does not say so.
        team: The team that the report counts it for; "" if the traffic does not say so.
        usage: The tokens that it took; None if the traffic does not say so.
        id: Its id; "" for the number that its place gives it.
    """

    body: Mapping[str, Any] = field(repr=False)
    path: str = apis.CHAT
    headers: tuple[tuple[str, str], ...] = ()
    client: Client | None = field(default=None, repr=False)
    team: str = ""
    usage: Usage | None = None
    id: str = ""


@dataclass(frozen=True, slots=True)
class Unusable:
    """A record of traffic that cannot be decided again, and why, in words that many records share."""

    reason: str


NO_TEXT = Unusable("has no text of the request")
TRUNCATED = Unusable("has a truncated body")
NOT_A_BODY = Unusable("has a body that is not a JSON object")

Found = TrafficRequest | Unusable


def body_of(value: object) -> Mapping[str, Any] | None:
    """Return the body of a request, given as an object or as JSON text; None if it is neither."""
    if isinstance(value, str | bytes):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            return None
    return value if isinstance(value, dict) else None


def api_of(body: Mapping[str, Any]) -> str:
    """Return the API that a body is for, where the record does not say so."""
    if "messages" in body:
        blocks = isinstance(body.get("system"), list | str) or "anthropic_version" in body
        return apis.MESSAGES if blocks else apis.CHAT
    if "input" in body:
        return apis.RESPONSES
    return apis.COMPLETIONS if "prompt" in body else apis.CHAT


def count(value: object) -> int | None:
    """Return a number of tokens; None if it is none."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = int(value)
    except (ValueError, OverflowError):
        return None
    return number if 0 <= number < MAX_TOKENS else None


def usage_of(prompt: object, completion: object, cached: object = 0) -> Usage | None:
    """Return the tokens of a request; None unless those of the prompt are known."""
    known, answered = count(prompt), count(completion)
    if known is None:
        return None
    return Usage(known, answered or 0, min(count(cached) or 0, known))


def text(value: object) -> str:
    """Return a text of a record; "" if it is none or unreasonably long."""
    return value if isinstance(value, str) and len(value) <= MAX_NAME else ""


def client_of(attributes: Mapping[str, object], roles: object = ()) -> Client | None:
    """Return who sent a request, by attributes of which some may be missing; None if there are none."""
    known = {name: text(value) for name, value in attributes.items() if text(value)}
    groups = [roles] if isinstance(roles, str) else roles if isinstance(roles, list | tuple) else ()
    named = frozenset(role for role in groups if text(role))
    return Client(known, named) if known or named else None


MAX_TOKENS = 10**12
"""More tokens than any request has."""
MAX_NAME = 1024
"""Maximum length of names and ids of a record."""
