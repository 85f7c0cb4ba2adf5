"""Texts that are known to hold nothing: conversations and definitions of tools come again with every turn."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import blake2b
from secrets import token_bytes

from vsr_runtime.decision.guards.text import Span

MOST = 16_384
"""Texts after which the older half is forgotten: together some 3 MiB."""
_BYTES = 16


class Harmless:
    """Remembers in which texts nothing was found: by a hash under a key of its own, so that it holds no text.

    It is for those that find the same in the same text every time. Threads may share it; what one forgets while another
    learns is looked at once more.
    """

    __slots__ = ("_key", "_old", "_young")

    def __init__(self) -> None:
        self._key = token_bytes(_BYTES)
        self._young: set[bytes] = set()
        self._old: set[bytes] = set()

    def __len__(self) -> int:
        """How many texts it remembers, at the most."""
        return len(self._young) + len(self._old)

    def looked(self, text: str, look: Callable[[], list[Span]]) -> list[Span]:
        """What is found in a text: nothing where that is known, else what a look finds."""
        mark = blake2b(text.encode("utf-8", "surrogatepass"), digest_size=_BYTES, key=self._key).digest()
        if mark in self._young:
            return []
        found = [] if mark in self._old else look()
        if not found:
            if len(self._young) >= MOST:
                self._old, self._young = self._young, set()
            self._young.add(mark)
        return found
