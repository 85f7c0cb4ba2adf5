"""Who asks, and how, as far as kept answers depend on it."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256

from vsr_runtime.decision.request.events import RequestHeaders
from vsr_schemas.headers import CREDENTIALS

IDENTITIES = (*CREDENTIALS, "x-authz-team-id", "x-authz-tenant-id", "x-authz-user-groups", "x-authz-user-id")
"""Whoever differs in one of these is another user."""
KEYS = ("api-key", "authorization", "proxy-authorization", "x-api-key")
"""One of these makes a user: it bears what only that one knows. A cookie may say no more than a language."""
_LEAST, _DISTINCT = 20, 8
"""Characters of a key, and different ones among them. What clients send that need none, such as `Bearer EMPTY` or
`sk-no-key-required`, is the same for many."""
VARIES = (
    ":path",
    "accept",
    "anthropic-beta",
    "anthropic-version",
    "openai-beta",
    "openai-organization",
    "openai-project",
)
"""What may change a model's answer beside the body."""
_REFUSALS = frozenset({"no-cache", "no-store"})


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
    asked = {word.strip().lower() for value in _values(event, "cache-control") for word in value.split(",")}
    known = any(_secret(value) for name in KEYS for value in _values(event, name))
    return Caller(_hash(event, IDENTITIES) if known else None, _hash(event, VARIES), bool(asked & _REFUSALS))


def _secret(value: str) -> bool:
    """Whether a header bears something that tells its client from others."""
    key = value.rpartition(" ")[2]
    return len(key) >= _LEAST and len(set(key)) >= _DISTINCT and any(mark.isdigit() for mark in key)


def _values(event: RequestHeaders, name: str) -> list[str]:
    return [value for key, value in event.headers if key == name]


def _hash(event: RequestHeaders, names: tuple[str, ...]) -> bytes:
    return sha256(repr([(name, _values(event, name)) for name in names]).encode("utf-8", "replace")).digest()
