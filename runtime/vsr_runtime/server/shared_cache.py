"""Cached answers in a Valkey or Redis that all replicas share. Whatever it does, a request only misses its answer."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING

from vsr_runtime.decision.request.cache_recording import CachedResponse
from vsr_runtime.decision.request.distinctions import content_words, same_order
from vsr_runtime.decision.request.events import CacheKey
from vsr_runtime.errors import UserError
from vsr_runtime.log import log
from vsr_runtime.server.circuit import Circuit
from vsr_runtime.server.memory_cache import CacheHit
from vsr_runtime.server.stored_answer import MAX_STORED, StoredAnswer, decode, encode, store_key

if TYPE_CHECKING:
    from redis.asyncio import Redis

    from vsr_runtime.server.memory_cache import Vector

PATIENCE = 0.1
"""Seconds within which the store answers; a slower one counts as failed."""
MAX_WRITES = 64
"""Answers that are being written at a time; further ones are not stored."""
_PREFIX = "vsr:cache:1:"
_SEARCH_AGAIN = 30.0
"""Seconds until a server that could not search is asked again, such as one that was emptied with its index."""
_NEAREST = 4
"""Answers whose turns are compared word by word, since the most similar one may differ in a number or a name."""
REASONS = ("timeout", "unreachable", "refused", "invalid")
"""Why a call failed. ``refused``: the login or the user's rights. ``invalid``: what is stored is not an answer."""
_FAILURES = dict.fromkeys(REASONS, 0)


def store_failures() -> Mapping[str, int]:
    """Return how often the store of this process failed, by reason."""
    return _FAILURES


class SharedCache:
    """Finds and stores answers under names that no other policy and no other scope has.

    Args:
        client: calls the store.
        policy: identifies the policy whose answers these are.
    """

    def __init__(self, client: Redis, policy: str) -> None:
        self._client, self._policy = client, policy
        self._circuit = Circuit()
        self._writes: set[asyncio.Task[None]] = set()
        self._searches = self._announced = False
        self._search_after = 0.0

    async def find(self, lookup: CacheKey, vector: Vector | None, until: float) -> CacheHit | None:
        """The answer to this request, else to the most similar one; None if the store fails or is late."""
        now = asyncio.get_running_loop().time()
        seconds = min(PATIENCE, until - now)
        if seconds <= 0 or not self._circuit.allows(now):
            return None
        try:
            async with asyncio.timeout(seconds):
                found = await self._exact(lookup)
                return found or await self._similar(lookup, vector)
        except Exception as error:  # noqa: BLE001 - whatever a store does, the request goes on
            if not isinstance(error, TimeoutError) or seconds == PATIENCE:  # else the request was late, not the store
                self._failed(error)
            return None

    def keep(self, lookup: CacheKey, vector: Vector | None, kept: CachedResponse) -> None:
        """Begin to store an answer. It is dropped if too many are being stored."""
        if len(self._writes) < MAX_WRITES and self._circuit.allows(asyncio.get_running_loop().time()):
            task = asyncio.ensure_future(self._write(lookup, vector, kept))
            self._writes.add(task)
            task.add_done_callback(self._writes.discard)

    def close(self) -> None:
        """Stop writing, and close the connections once that has stopped."""
        for task in self._writes:
            task.cancel()
        with suppress(RuntimeError):  # the loop has ended, and its connections with it
            closing = asyncio.get_running_loop().create_task(self._client.aclose())
            self._writes.add(closing)

    async def _exact(self, lookup: CacheKey) -> CacheHit | None:
        answer = await self._read(store_key(self._policy, lookup.key))
        return CacheHit(answer.kept) if answer else None

    async def _similar(self, lookup: CacheKey, vector: Vector | None) -> CacheHit | None:
        """The most similar answer of the group whose turn distinguishes nothing else."""
        least = lookup.policy.similarity
        if vector is None or lookup.group is None or least is None or not await self._can_search(vector.size):
            return None
        words, group = content_words(lookup.text), store_key(self._policy, lookup.group)
        for name, similarity in await self._nearest(group, vector):
            if similarity < least:
                return None
            answer = await self._read(name)
            # The group decides who may get an answer, so what a server says of it is not enough.
            if answer is not None and answer.group == group and answer.words and same_order(answer.words, words):
                return CacheHit(answer.kept, similarity)
        return None

    async def _read(self, name: str) -> StoredAnswer | None:
        """Read an entry, but never more than one can have."""
        data = await self._client.getrange(_PREFIX + name, 0, MAX_STORED)
        self._circuit.worked()
        if not data:
            return None
        answer = decode(name, data) if isinstance(data, bytes) else None
        if answer is None:
            _FAILURES["invalid"] += 1
        return answer

    async def _write(self, lookup: CacheKey, vector: Vector | None, kept: CachedResponse) -> None:
        name = store_key(self._policy, lookup.key)
        answer, group = StoredAnswer(kept), ""
        if vector is not None and lookup.group is not None:
            group = store_key(self._policy, lookup.group)
            answer = StoredAnswer(kept, group, tuple(content_words(lookup.text)))
        data = encode(name, answer)
        lifetime = lookup.policy.ttl if kept.lifetime is None else min(lookup.policy.ttl, kept.lifetime)
        if data is None or lifetime <= 0:
            return
        milliseconds = max(1, int(lifetime * 1000))
        try:
            async with asyncio.timeout(PATIENCE * 10):
                await self._client.set(_PREFIX + name, data, px=milliseconds)
                if vector is not None and group and await self._can_search(vector.size):
                    place = f"{_vectors(vector.size)}{name}"
                    async with self._client.pipeline() as both:
                        both.hset(place, mapping={"group": group, "vector": vector.tobytes()})
                        both.pexpire(place, milliseconds)
                        await both.execute()
        except Exception as error:  # noqa: BLE001 - as when reading
            self._failed(error)

    async def _can_search(self, size: int) -> bool:
        """Return whether the server compares vectors; the index is made when it is first needed, or was lost."""
        now = asyncio.get_running_loop().time()
        if not self._searches and now >= self._search_after:
            self._search_after = now + _SEARCH_AGAIN
            self._searches = await self._make_index(size)
            if not self._searches and not self._announced:
                self._announced = True
                log("cache_exact_only", reason="the store has no search module, or does not let this user call it")
        return self._searches

    async def _make_index(self, size: int) -> bool:
        from redis.exceptions import ResponseError  # noqa: PLC0415 - there is a client, so it is installed

        vector = ("VECTOR", "HNSW", "6", "TYPE", "FLOAT32", "DIM", str(size), "DISTANCE_METRIC", "COSINE")
        schema = ("SCHEMA", "group", "TAG", "vector", *vector)
        try:
            await self._client.execute_command(  # type: ignore[no-untyped-call] # of the client
                "FT.CREATE", _index(size), "ON", "HASH", "PREFIX", "1", _vectors(size), *schema
            )
        except ResponseError as error:
            return "already exists" in str(error).lower()
        return True

    async def _nearest(self, group: str, vector: Vector) -> list[tuple[str, float]]:
        """The names of a group's entries with their cosines, the most similar first; none if it cannot be searched."""
        from redis.exceptions import ResponseError  # noqa: PLC0415 - there is a client, so it is installed

        try:
            reply = await self._client.execute_command(  # type: ignore[no-untyped-call] # of the client
                "FT.SEARCH",
                _index(vector.size),
                f"(@group:{{{group}}})=>[KNN {_NEAREST} @vector $it AS distance]",
                *("PARAMS", "2", "it", vector.tobytes(), "RETURN", "1", "distance", "DIALECT", "2"),
            )
        except ResponseError:  # the index is gone, or this user may not search: identical requests still match
            self._searches = False
            _FAILURES["refused"] += 1
            return []
        return sorted(_found(reply, _vectors(vector.size)), key=lambda item: -item[1])

    def _failed(self, error: Exception) -> None:
        reason = _reason(error)
        _FAILURES[reason] += 1
        now = asyncio.get_running_loop().time()
        if self._circuit.allows(now):
            log("cache_store_failed", reason=reason, error=type(error).__name__)
        self._circuit.failed(now)


def _reason(error: Exception) -> str:
    from redis import exceptions  # noqa: PLC0415 - there is a client, so it is installed

    if isinstance(error, TimeoutError | exceptions.TimeoutError):
        return "timeout"
    if isinstance(error, exceptions.AuthenticationError | exceptions.ResponseError | UserError):
        return "refused"
    return "unreachable" if isinstance(error, OSError | exceptions.ConnectionError) else "invalid"


def _index(size: int) -> str:
    return f"{_PREFIX}index:{size}"


def _vectors(size: int) -> str:
    """Return how the names of hashes with vectors of a size begin."""
    return f"{_PREFIX}vector:{size}:"


def _found(reply: object, prefix: str) -> list[tuple[str, float]]:
    """Read the reply of a search: a count, then names with their fields.

    Raises:
        ValueError: It is something else.
    """
    if not isinstance(reply, list) or len(reply) % 2 != 1:
        raise ValueError("the reply of a search")
    found = []
    for name, fields in zip(reply[1::2], reply[2::2], strict=True):
        if not (isinstance(name, bytes) and isinstance(fields, list) and name.startswith(prefix.encode())):
            raise ValueError("the reply of a search")
        values = dict(zip(fields[::2], fields[1::2], strict=False))
        found.append((name[len(prefix) :].decode("ascii"), 1 - float(values[b"distance"])))
    return found
