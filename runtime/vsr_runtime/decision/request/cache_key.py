"""Cache keys of requests, and requests whose responses must not be cached.

The key covers everything that the response depends on: the client (unless the policy shares responses), the API, the
decision, the model, and every byte that the model receives. Similar requests share a group, which covers the same
except the words of the last turn; of these, numbers, negations, directions and names are covered, in their order.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from vsr_runtime.decision.apis.endpoints import ENDPOINTS, Api
from vsr_runtime.decision.identity.client import Client
from vsr_runtime.decision.program.effects import CachePolicy
from vsr_runtime.decision.request.distinctions import distinctions
from vsr_runtime.decision.request.events import CacheKey, RequestHeaders
from vsr_schemas.headers import CREDENTIALS

IDENTITY_HEADERS = (*CREDENTIALS, "x-authz-team-id", "x-authz-tenant-id", "x-authz-user-groups", "x-authz-user-id")
"""Clients that differ in one of these headers are different users."""
KEY_HEADERS = ("api-key", "authorization", "proxy-authorization", "x-api-key")
"""One of these headers identifies a user, because it has a secret. A cookie may hold no more than a language."""
_MIN_KEY, _MIN_DISTINCT = 20, 8
"""Minimum characters, and distinct characters, of a key. Dummy keys such as `Bearer EMPTY` or `sk-no-key-required` are
shared by many clients.
"""
VARY_HEADERS = (
    ":path",
    "accept",
    "anthropic-beta",
    "anthropic-version",
    "openai-beta",
    "openai-organization",
    "openai-project",
)
"""Headers that may change a model's response."""
_NO_CACHE = frozenset({"no-cache", "no-store"})
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
"""Fields of requests whose responses have effects, or depend on stored or retrieved data."""


@dataclass(frozen=True, slots=True)
class Caller:
    """A client, as far as cached responses depend on it.

    Attributes:
        identity: hash of the client's credentials; None without a key.
        client: the client, if it is authenticated; the credentials then do not matter.
        manner: hash of the headers that may change a response.
        fresh: whether the client accepts no cached response and forbids caching.
    """

    identity: bytes | None
    manner: bytes
    fresh: bool
    client: Client | None = None

    def key(self, scope: str) -> bytes | None:
        """Return what is equal for all clients that share responses in a scope; None if the client shares none."""
        if self.client is not None:
            return self.client.key(scope)
        return self.identity if scope == "user" else None


def read_caller(event: RequestHeaders, client: Client | None = None) -> Caller:
    """Return the caller of a request. ``client`` is who sends it, if clients are authenticated."""
    directives = {word.strip().lower() for value in _header_values(event, "cache-control") for word in value.split(",")}
    known = any(_is_secret(value) for name in KEY_HEADERS for value in _header_values(event, name))
    return Caller(
        _hash_headers(event, IDENTITY_HEADERS) if known else None,
        _hash_headers(event, VARY_HEADERS),
        bool(directives & _NO_CACHE),
        client,
    )


def _is_secret(value: str) -> bool:
    """Return whether a header value identifies a client."""
    key = value.rpartition(" ")[2]
    return len(key) >= _MIN_KEY and len(set(key)) >= _MIN_DISTINCT and any(mark.isdigit() for mark in key)


def _header_values(event: RequestHeaders, name: str) -> list[str]:
    return [value for key, value in event.headers if key == name]


def _hash_headers(event: RequestHeaders, names: tuple[str, ...]) -> bytes:
    return sha256(repr([(name, _header_values(event, name)) for name in names]).encode("utf-8", "replace")).digest()


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
    identity = b"" if policy.shared else caller.key(policy.scope)
    if identity is None or any(values.get(name) for name in STATEFUL_FIELDS) or _is_stored(api, values):
        return None
    scope: list[object] = [policy.shared, identity, caller.manner, api.value, decision, model]
    key = _digest(scope, sent)
    field = ENDPOINTS[api.value].fields[0]
    text = _last_turn(values.get(field)) if policy.similarity is not None else ""
    if not text:
        return CacheKey(api, key, policy)
    return CacheKey(api, key, policy, _group_digest(scope, sent, field, text), text)


def _is_stored(api: Api, values: Mapping[str, object]) -> bool:
    """Return whether the server also stores the response, which is the default for the responses API."""
    return values.get("store", api is Api.RESPONSES) is not False


def _last_turn(value: object) -> str:
    """Return the text of a conversation's last turn if it is a user turn of plain text; otherwise an empty text."""
    if isinstance(value, str):
        return value
    last = value[-1] if isinstance(value, list) and value else None
    if not isinstance(last, dict) or last.get("role") != "user":
        return ""
    content = last.get("content")
    return content if isinstance(content, str) else ""


def _group_digest(scope: list[object], sent: bytes, field: str, text: str) -> bytes:
    """Return the digest of everything except the words of the last turn; includes those that may not differ."""
    values: dict[str, Any] = json.loads(sent)
    content = values[field]
    values[field] = None if isinstance(content, str) else [*content[:-1], content[-1] | {"content": None}]
    rest = json.dumps(values, sort_keys=True).encode()
    return _digest([*scope, distinctions(text)], rest)


def _digest(scope: list[object], data: bytes) -> bytes:
    return sha256(repr(scope).encode("utf-8", "replace") + b"\0" + data).digest()
