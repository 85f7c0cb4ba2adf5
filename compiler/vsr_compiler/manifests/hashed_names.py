"""Names of objects that never change: another content is another object, and a rollout of the pods that mount it."""

from __future__ import annotations

import hashlib
import json
import re

_DIGITS = 10
_HASHED = re.compile(rf"(.+)-[0-9a-f]{{{_DIGITS}}}")


def hashed_name(name: str, content: object) -> str:
    """Return a name that changes with the content of an object.

    >>> hashed_name("config", {"a": 1})
    'config-015abd7f5c'
    """
    text = json.dumps(content, sort_keys=True, separators=(",", ":"))
    return f"{name}-{hashlib.sha256(text.encode()).hexdigest()[:_DIGITS]}"


def without_hash(name: str) -> str:
    """Return the part of a name that does not depend on the content, to compare two versions of an object.

    >>> without_hash("config-015abd7f5c")
    'config'
    """
    hashed = _HASHED.fullmatch(name)
    return hashed[1] if hashed else name
