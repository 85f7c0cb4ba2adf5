"""Cached answers in the memory of one process: bounded in number, in bytes and in time."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from time import monotonic
from typing import TYPE_CHECKING

from vsr_runtime.decision.request.cache_recording import CachedResponse
from vsr_runtime.decision.request.distinctions import content_words, same_order
from vsr_runtime.decision.request.events import CacheKey

if TYPE_CHECKING:  # numpy comes with the extra that semantic caches need
    import numpy as np
    from numpy.typing import NDArray

    Vector = NDArray[np.float32]

OVERHEAD = 1024
"""Bytes of an entry besides its answer and its vector."""


@dataclass(frozen=True, slots=True)
class CacheHit:
    """A cached answer. ``similarity`` is None if it is for exactly the same request."""

    kept: CachedResponse
    similarity: float | None = None


@dataclass(slots=True)
class _Entry:
    kept: CachedResponse
    expires: float
    group: bytes | None
    vector: Vector | None
    size: int
    words: tuple[str, ...] = ()


@dataclass(slots=True)
class _Group:
    """Entries whose vectors may be compared, and the matrix of these vectors, built when needed."""

    vectors: dict[bytes, Vector] = field(default_factory=dict)
    matrix: Vector | None = None


class MemoryCache:
    """Evicts the least recently used answers.

    Args:
        max_entries: answers that are stored at a time.
        max_bytes: bytes that they may take.
        clock: returns seconds.
    """

    def __init__(self, max_entries: int, max_bytes: int, clock: Callable[[], float] = monotonic) -> None:
        self._max_entries, self._max_bytes, self._clock = max_entries, max_bytes, clock
        self._entries: OrderedDict[bytes, _Entry] = OrderedDict()
        self._groups: dict[bytes, _Group] = {}
        self._size = 0

    def __len__(self) -> int:
        return len(self._entries)

    @property
    def size(self) -> int:
        """Bytes in use."""
        return self._size

    def find(self, lookup: CacheKey, vector: Vector | None) -> CacheHit | None:
        """The answer to this request, else to the most similar one, if it is similar enough and not expired."""
        entry = self._fresh(lookup.key)
        if entry is not None:
            return CacheHit(entry.kept)
        group = self._groups.get(lookup.group) if lookup.group is not None else None
        if group is None or vector is None or lookup.policy.similarity is None:
            return None
        words = None
        for key, similarity in self._nearest(group, vector):
            if similarity < lookup.policy.similarity:
                return None
            entry = self._fresh(key)
            words = content_words(lookup.text) if words is None else words
            if entry is not None and same_order(entry.words, words):
                return CacheHit(entry.kept, similarity)
        return None

    def keep(self, lookup: CacheKey, vector: Vector | None, kept: CachedResponse) -> None:
        """Store an answer, replacing the one for this request; evict others if there is no capacity."""
        self._drop(lookup.key)
        words = () if vector is None else content_words(lookup.text)
        size = len(kept.body) + OVERHEAD + (0 if vector is None else vector.nbytes * 2 + 2 * len(lookup.text))
        if size > self._max_bytes:
            return
        ttl = lookup.policy.ttl if kept.lifetime is None else min(lookup.policy.ttl, kept.lifetime)
        expires = self._clock() + ttl
        self._entries[lookup.key] = _Entry(kept, expires, lookup.group, vector, size, words)
        self._size += size
        if vector is not None and lookup.group is not None:
            group = self._groups.setdefault(lookup.group, _Group())
            group.vectors[lookup.key], group.matrix = vector, None
        while len(self._entries) > self._max_entries or self._size > self._max_bytes:
            self._drop(next(iter(self._entries)))

    def _fresh(self, key: bytes) -> _Entry | None:
        entry = self._entries.get(key)
        if entry is None:
            return None
        if entry.expires <= self._clock():
            self._drop(key)
            return None
        self._entries.move_to_end(key)
        return entry

    def _nearest(self, group: _Group, vector: Vector) -> list[tuple[bytes, float]]:
        """The entries of a group with their cosines, the most similar first."""
        import numpy as np  # noqa: PLC0415 - there is a vector, so it is installed

        if group.matrix is None:
            group.matrix = np.stack(list(group.vectors.values()))
        cosines = group.matrix @ vector
        keys = list(group.vectors)
        return [(keys[i], float(cosines[i])) for i in np.argsort(-cosines, kind="stable")]

    def _drop(self, key: bytes) -> None:
        entry = self._entries.pop(key, None)
        if entry is None:
            return
        self._size -= entry.size
        group = self._groups.get(entry.group) if entry.group is not None else None
        if entry.group is not None and group is not None and group.vectors.pop(key, None) is not None:
            group.matrix = None
            if not group.vectors:
                del self._groups[entry.group]
