"""The key of a conversation, which is equal in all of its requests."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import blake2b

from vsr_runtime.decision.conversation.turns import first_words
from vsr_runtime.decision.view import RequestView

KEY_FIELDS = ("prompt_cache_key", "metadata.user_id", "user", "safety_identifier")
"""Fields of a body that identify a conversation or its user, in the order in which they are tried."""
MAX_WORDS = 4096
"""Code points of the first turn that the key depends on."""
_DIGEST_SIZE = 16


def conversation_key(header: str | None, values: Mapping[str, object], view: RequestView) -> bytes:
    """Return the key of a conversation: a header's, a field's, or else that of the person's first words.

    Args:
        header: the value of the header that the policy names; None if there is none.
        values: the body.
        view: its view.
    """
    return written_key(header, values) or spoken_key(view)


def written_key(header: str | None, values: Mapping[str, object]) -> bytes | None:
    """Return the key of a conversation by a header or a field; None if there is neither."""
    if header:
        return _digest("header", header)
    for field in KEY_FIELDS:
        value = _field(values, field)
        if isinstance(value, str) and value:
            return _digest(field, value)
    return None


def spoken_key(view: RequestView) -> bytes:
    """Return the key of a conversation by the person's first words."""
    words = first_words(view.transcript, view.ask_rules) or view.turn
    return _digest("words", " ".join(words[:MAX_WORDS].split()))


def _field(values: Mapping[str, object], path: str) -> object:
    parent, _, child = path.rpartition(".")
    if not parent:
        return values.get(child)
    inner = values.get(parent)
    return inner.get(child) if isinstance(inner, Mapping) else None


def _digest(kind: str, value: str) -> bytes:
    return blake2b(f"{kind}\0{value}".encode("utf-8", "surrogatepass"), digest_size=_DIGEST_SIZE).digest()
