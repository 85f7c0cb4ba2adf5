"""Who asks, and how, as far as kept answers depend on it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from vsr_runtime.decision.apis.endpoints import ENDPOINTS, Api
from vsr_runtime.decision.program.effects import CachePolicy
from vsr_runtime.decision.request.events import CacheKey, RequestHeaders
from vsr_schemas.headers import CREDENTIALS

IDENTITY_HEADERS = (*CREDENTIALS, "x-authz-team-id", "x-authz-tenant-id", "x-authz-user-groups", "x-authz-user-id")
"""Whoever differs in one of these is another user."""
KEY_HEADERS = ("api-key", "authorization", "proxy-authorization", "x-api-key")
"""One of these makes a user: it bears what only that one knows. A cookie may say no more than a language."""
_MIN_KEY, _MIN_DISTINCT = 20, 8
"""Characters of a key, and different ones among them. What clients send that need none, such as `Bearer EMPTY` or
`sk-no-key-required`, is the same for many."""
VARY_HEADERS = (
    ":path",
    "accept",
    "anthropic-beta",
    "anthropic-version",
    "openai-beta",
    "openai-organization",
    "openai-project",
)
"""What may change a model's answer beside the body."""
_NO_CACHE = frozenset({"no-cache", "no-store"})


@dataclass(frozen=True, slots=True)
class Caller:
    """One client with one kind of request.

    Attributes:
        identity: a hash of what the client says of itself; None where it shows no key.
        manner: a hash of what may change an answer beside the body.
        fresh: whether it wants no kept answer, and none kept.
    """

    identity: bytes | None
    manner: bytes
    fresh: bool


def read_caller(event: RequestHeaders) -> Caller:
    """The client, by its headers."""
    asked = {word.strip().lower() for value in _header_values(event, "cache-control") for word in value.split(",")}
    known = any(_is_secret(value) for name in KEY_HEADERS for value in _header_values(event, name))
    return Caller(
        _hash_headers(event, IDENTITY_HEADERS) if known else None,
        _hash_headers(event, VARY_HEADERS),
        bool(asked & _NO_CACHE),
    )


def _is_secret(value: str) -> bool:
    """Whether a header bears something that tells its client from others."""
    key = value.rpartition(" ")[2]
    return len(key) >= _MIN_KEY and len(set(key)) >= _MIN_DISTINCT and any(mark.isdigit() for mark in key)


def _header_values(event: RequestHeaders, name: str) -> list[str]:
    return [value for key, value in event.headers if key == name]


def _hash_headers(event: RequestHeaders, names: tuple[str, ...]) -> bytes:
    return sha256(repr([(name, _header_values(event, name)) for name in names]).encode("utf-8", "replace")).digest()


STATEFUL_FIELDS = (
    "background",
    "container",
    "conversation",
    "functions",
    "mcp_servers",
    "previous_response_id",
    "tools",
    "web_search_options",
)
"""Fields by which an answer does something, or depends on what a server remembers or looks up."""
_NUMBERS_AND_NEGATIONS = re.compile(
    r"\w*\d[\w.,]*|\w+n['\u2019]t\b|\b(?:cannot|never|no|nobody|none|nor|not|nothing|without)\b", re.IGNORECASE
)


def cache_key(
    caller: Caller | None,
    api: Api,
    values: Mapping[str, object],
    policy: CachePolicy,
    decision: str,
    model: str,
    sent: bytes,
) -> CacheKey | None:
    """Return the cache key of a request, or None if its response must not be cached.

    Args:
        caller: the client; None if no response is cached.
        api: the API of the request.
        values: the client's body.
        policy: the cache policy of the decision.
        decision: the decision's name.
        model: the model that serves the request.
        sent: the body that the model receives.
    """
    if caller is None or caller.fresh:
        return None
    whose = b"" if policy.shared else caller.identity
    if whose is None or any(values.get(name) for name in STATEFUL_FIELDS) or _is_stored(api, values):
        return None
    place = [policy.shared, whose, caller.manner, api.value, decision, model]
    key = _digest(place, sent)
    field = ENDPOINTS[api.value].field
    text = _last_turn(values.get(field)) if policy.similarity is not None else ""
    if not text:
        return CacheKey(api, key, policy)
    return CacheKey(api, key, policy, _group_digest(place, sent, field, text), text)


def _is_stored(api: Api, values: Mapping[str, object]) -> bool:
    """Whether the server keeps the answer as well: by default it does so with responses."""
    return values.get("store", api is Api.RESPONSES) is not False


def _last_turn(given: object) -> str:
    """The text of a conversation's last turn, where that is the user's and nothing but text."""
    if isinstance(given, str):
        return given
    last = given[-1] if isinstance(given, list) and given else None
    if not isinstance(last, dict) or last.get("role") != "user":
        return ""
    content = last.get("content")
    return content if isinstance(content, str) else ""


def _group_digest(place: list[object], sent: bytes, field: str, text: str) -> bytes:
    """Stands for all but the words of the last turn; of these it holds numbers and negations."""
    values: dict[str, Any] = json.loads(sent)
    given = values[field]
    values[field] = None if isinstance(given, str) else [*given[:-1], given[-1] | {"content": None}]
    rest = json.dumps(values, sort_keys=True).encode()
    return _digest([*place, sorted(found.lower() for found in _NUMBERS_AND_NEGATIONS.findall(text))], rest)


def _digest(place: list[object], data: bytes) -> bytes:
    return sha256(repr(place).encode("utf-8", "replace") + b"\0" + data).digest()
