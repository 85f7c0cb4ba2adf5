"""Answers requests from the cache, and records answers for it: a step between a decision and its route."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING
from weakref import WeakSet

from vsr_runtime.decision.request.cache_recording import MAX_RESPONSE, CachedResponse
from vsr_runtime.decision.request.events import CacheKey, ImmediateResponse, ResponsePlan, SendToModel
from vsr_runtime.decision.request.headers import cached_response
from vsr_runtime.errors import UserError
from vsr_runtime.log import log
from vsr_runtime.server.cache_store import connect
from vsr_runtime.server.memory_cache import CacheHit, MemoryCache
from vsr_runtime.server.shared_cache import SharedCache
from vsr_runtime.server.thread_pool import OverloadedError, ThreadPool
from vsr_runtime.settings import Settings

if TYPE_CHECKING:
    from vsr_runtime.inference.encoder import SentenceEncoder
    from vsr_runtime.server.memory_cache import Vector

MAX_RECORDS = (64 << 20) // MAX_RESPONSE
"""Answers that are recorded at a time; further ones are not cached."""
_WAITING = 64


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class Record:
    """An answer to cache once it is complete."""

    cache_key: CacheKey
    vector: Vector | None = field(default=None, repr=False)


class ResponseCache:
    """Looks answers up and stores them.

    Args:
        cache: stores them: in this process, or where all replicas find them.
        encoder: makes requests comparable; None to match only identical requests.
    """

    def __init__(self, cache: MemoryCache | SharedCache, encoder: SentenceEncoder | None = None) -> None:
        self._cache = cache
        self._encoder = encoder
        self._threads = ThreadPool("embed", threads=1, max_pending=_WAITING) if encoder else None
        self._records: WeakSet[Record] = WeakSet()

    @classmethod
    def load(cls, settings: Settings, policy: str) -> ResponseCache | None:
        """Make the cache that the settings ask for; None without one. Takes a moment.

        Args:
            settings: the policy.
            policy: identifies it in a store that replicas share.

        Raises:
            UserError: the encoder cannot be found, trusted or read; the files of the store cannot be read.
        """
        given = settings.cache
        if given is None:
            return None
        if given.store is None:
            return cls(MemoryCache(given.maxEntries, given.maxBytes), _encoder(settings))
        return cls(SharedCache(connect(given.store, settings.cache_folder), policy), _encoder(settings))

    async def recall(self, route: SendToModel, until: float) -> SendToModel | ImmediateResponse:
        """Return the cached answer; else the route, with its answer being recorded.

        Args:
            route: where the request would go.
            until: a time of the event loop's clock. A cache that is late or fails counts as a miss.
        """
        lookup = route.cache_key
        if lookup is None:
            return route
        vector = await self._vector(lookup, until)
        found = await self._find(lookup, vector, until)
        if found is not None:
            return cached_response(route, found.kept, found.similarity)
        if len(self._records) >= MAX_RECORDS:
            return route
        record = Record(lookup, vector)
        self._records.add(record)
        plan = route.response or ResponsePlan(lookup.api)
        return replace(route, response=replace(plan, record=record))

    def keep(self, record: object, kept: CachedResponse) -> None:
        """Store a recorded answer."""
        if isinstance(record, Record):
            self._cache.keep(record.cache_key, record.vector, kept)

    def close(self) -> None:
        """Stop the thread, and leave the store."""
        if self._threads:
            self._threads.close()
        if isinstance(self._cache, SharedCache):
            self._cache.close()

    async def _find(self, lookup: CacheKey, vector: Vector | None, until: float) -> CacheHit | None:
        if isinstance(self._cache, SharedCache):
            return await self._cache.find(lookup, vector, until)
        return self._cache.find(lookup, vector)

    async def _vector(self, lookup: CacheKey, until: float) -> Vector | None:
        if lookup.group is None or self._threads is None:
            return None
        try:
            return await self._threads.run(until, 1, partial(self._embed, lookup.text))
        except (OverloadedError, TimeoutError):
            return None
        except Exception as error:  # noqa: BLE001 - whatever a model raises, the request goes on
            log("cache_failed", error=type(error).__name__)
            return None

    def _embed(self, text: str) -> Vector | None:
        """The text's vector; None if the encoder reads only its beginning, which other texts may share."""
        if self._encoder is None:
            return None
        ids = self._encoder.token_ids(text)
        return None if len(ids) >= self._encoder.max_tokens else self._encoder.embed_ids([ids])[0]


def _encoder(settings: Settings) -> SentenceEncoder | None:
    if settings.cache is None or settings.cache.encoder is None:
        return None
    given = settings.cache.encoder
    from vsr_runtime.inference.errors import ModelError  # noqa: PLC0415 - needs the classify extra

    try:
        from vsr_runtime.inference.encoder import SentenceEncoder  # noqa: PLC0415 - likewise
        from vsr_runtime.inference.encoder_files import find_encoder  # noqa: PLC0415 - likewise

        return SentenceEncoder.load(find_encoder(given.repo, given.sha256), given.precision)
    except ModelError as error:
        raise UserError(str(error)) from None
