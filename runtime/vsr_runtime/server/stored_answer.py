"""The form in which answers lie in a store that routers share: what is read back is checked like a client's input."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256

import msgspec

from vsr_runtime.decision.request.cache_recording import MAX_RESPONSE, CachedResponse, is_cacheable_type

MAX_STORED = MAX_RESPONSE + (64 << 10)
"""Maximum bytes of an entry: an answer, and the words of the turn by which it was found."""
_VERSION = b"vsr\x01"
_CHECK = 16
"""Bytes of the digest that binds an entry to its key."""


class _Fields(msgspec.Struct, array_like=True, frozen=True):
    content_type: str
    body: bytes
    group: str
    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class StoredAnswer:
    """An answer, and, if similar turns may get it, their group and the words of the turn that it answers."""

    kept: CachedResponse
    group: str = ""
    words: tuple[str, ...] = ()


def store_key(policy: str, key: bytes) -> str:
    """Return the name of an entry in a store.

    Args:
        policy: identifies the policy. Another policy, also another version of it, never gets the entry: what it says
            about guards and clients may differ.
        key: digest of the request and of who may share its answer.
    """
    return sha256(len(policy).to_bytes(8) + policy.encode() + key).hexdigest()


def encode(name: str, answer: StoredAnswer) -> bytes | None:
    """Return an entry; None if it is too large."""
    fields = msgspec.msgpack.encode(_Fields(answer.kept.content_type, answer.kept.body, answer.group, answer.words))
    data = _VERSION + _check(name, fields) + fields
    return data if len(data) <= MAX_STORED else None


def decode(name: str, data: bytes) -> StoredAnswer | None:
    """Return the answer of an entry; None if the bytes are not what `encode` returned for this name."""
    head = len(_VERSION) + _CHECK
    if len(data) > MAX_STORED or data[: len(_VERSION)] != _VERSION:
        return None
    if data[len(_VERSION) : head] != _check(name, data[head:]):
        return None
    try:
        fields = msgspec.msgpack.decode(data[head:], type=_Fields)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    if not is_cacheable_type(fields.content_type) or len(fields.body) > MAX_RESPONSE:
        return None
    return StoredAnswer(CachedResponse(fields.content_type, fields.body), fields.group, fields.words)


def _check(name: str, fields: bytes) -> bytes:
    return sha256(name.encode() + fields).digest()[:_CHECK]
