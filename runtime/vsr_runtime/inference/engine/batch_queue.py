"""The queue of one encoder, and the two threads that prepare and compute its batches."""

from __future__ import annotations

import asyncio
import hashlib
import time
from array import array
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

from vsr_runtime.inference.engine.errors import EngineError, OverloadedError
from vsr_runtime.inference.engine.latency_estimator import LatencyEstimator
from vsr_runtime.inference.engine.queue import TokenQueue
from vsr_runtime.inference.errors import NoMemoryError
from vsr_runtime.inference.token_sequence import Answer, BatchModel, TokenSequence
from vsr_runtime.log import log

STALLED = 10.0
"""Seconds after which a batch that does not end counts as stuck."""
WARM = 600.0
"""Seconds for the first batches; compilation on first use may take minutes."""
REMEMBERED = 512
"""Sequences whose answers are cached for another task of the same encoder, which then costs nothing."""
_AHEAD = 2
"""Batches at a time: one is computed, one is prepared."""


class _Entry:
    """A queued sequence, and how many callers wait for it."""

    __slots__ = ("answer", "key", "queued", "sequence", "until", "waiters")

    def __init__(self, sequence: TokenSequence, key: bytes, until: float, answer: asyncio.Future[Answer]) -> None:
        self.sequence = sequence
        self.key = key
        self.until = until
        self.answer = answer
        self.waiters = 0
        self.queued = True

    @property
    def size(self) -> int:
        return len(self.sequence.ids)

    @property
    def wanted(self) -> bool:
        return self.waiters > 0


class BatchQueue:
    """Batches the sequences for one model.

    All queued sequences go into the next batch at once; none is held back to wait for more. Callers that ask for a
    sequence that is queued, being computed or cached share its forward pass.

    Args:
        model: computes batches.
        budget: tokens of a batch.
        capacity: tokens that may be queued.
        stalled: seconds after which a batch counts as stuck.
    """

    def __init__(self, model: BatchModel[Any], budget: int, capacity: int, *, stalled: float = STALLED) -> None:
        self._model = model
        self._queue: TokenQueue[_Entry] = TokenQueue(budget, capacity)
        self._known: OrderedDict[bytes, _Entry] = OrderedDict()
        self._latency = LatencyEstimator()
        self._stalled = stalled
        self._some = asyncio.Event()
        self._places = asyncio.Semaphore(_AHEAD)
        self._prepared: asyncio.Queue[tuple[list[_Entry], Any]] = asyncio.Queue()
        self._computing = 0
        self._begun: float | None = None
        self._closed = False
        self._preparing = ThreadPoolExecutor(1, thread_name_prefix="prepare")
        self._running = ThreadPoolExecutor(1, thread_name_prefix="compute")
        self._tasks = [asyncio.ensure_future(self._prepare()), asyncio.ensure_future(self._compute())]

    @property
    def waiting(self) -> int:
        """Tokens that are queued or computed."""
        return self._queue.tokens + self._computing

    @property
    def healthy(self) -> bool:
        """Whether it accepts work, and no batch is stuck."""
        stuck = self._begun is not None and time.monotonic() - self._begun > self._stalled
        return not self._closed and not stuck and not any(task.done() for task in self._tasks)

    async def ask(self, sequences: Sequence[TokenSequence], until: float) -> list[Answer]:
        """Get answers for all sequences, or an error. ``until`` is a time of the event loop's clock.

        Raises:
            OverloadedError: by the estimate they would be too late, or too much is queued.
            TimeoutError: they were not done in time.
            EngineError: the model failed, or a batch is stuck.
        """
        if not self.healthy:
            raise EngineError("a batch is stuck, or the engine is closed")
        work = self._admit(sequences, until)
        try:
            async with asyncio.timeout_at(until):
                return [await asyncio.shield(one.answer) for one in work]
        finally:
            self._leave(work)

    async def warm(self, sizes: Iterable[int], longest: int) -> None:
        """Compute batches of these sizes, so that lazy initialisation is done and the latency is known.

        Args:
            sizes: tokens of each batch.
            longest: tokens of a sequence.

        Raises:
            EngineError: the model fails.
        """
        until = asyncio.get_running_loop().time() + WARM
        for size in sizes:
            await self.ask(_sequences(min(size, self._queue.budget), longest), until)
            self._known.clear()

    def close(self) -> None:
        """Reject new work; callers that wait get an error."""
        self._closed = True
        for task in self._tasks:
            task.cancel()
        for work in self._known.values():
            _fail(work, EngineError("the engine is closed"))
        self._known.clear()
        for pool in (self._preparing, self._running):
            pool.shutdown(wait=False, cancel_futures=True)

    def _admit(self, sequences: Sequence[TokenSequence], until: float) -> list[_Entry]:
        """Put all sequences into the queue, or none of them."""
        keys = [_key(sequence) for sequence in sequences]
        fresh = {
            key: sequence for key, sequence in zip(keys, sequences, strict=True) if not self._shared(key, sequence)
        }
        size = sum(len(sequence.ids) for sequence in fresh.values())
        left = until - asyncio.get_running_loop().time()
        # An empty queue always accepts work: otherwise one slow spell would shed everything after it.
        late = self.waiting and self._latency.seconds(self.waiting + size, self._queue.budget) > left
        if size and (late or not self._queue.fits(size)):
            raise OverloadedError
        work = [self._entry(key, sequence, until) for key, sequence in zip(keys, sequences, strict=True)]
        for one in work:
            one.waiters += 1
            one.until = max(one.until, until)
        self._forget()
        self._some.set()
        return work

    def _shared(self, key: bytes, sequence: TokenSequence) -> bool:
        known = self._known.get(key)
        return known is not None and _answers_it(known, sequence)

    def _entry(self, key: bytes, sequence: TokenSequence, until: float) -> _Entry:
        """The entry that answers the sequence: a known one, or a new one at the end of the queue."""
        known = self._known.get(key)
        if known is not None and _answers_it(known, sequence):
            self._known.move_to_end(key)
            known.sequence = TokenSequence(known.sequence.ids, known.sequence.tokens_of | sequence.tokens_of)
            return known
        work = _Entry(sequence, key, until, asyncio.get_running_loop().create_future())
        self._queue.push(work)
        self._known[key] = work
        return work

    def _leave(self, work: Sequence[_Entry]) -> None:
        for one in work:
            one.waiters -= 1
            if not one.wanted and one.queued:
                self._queue.abandon(one)
                one.queued = False
                _fail(one, EngineError("no caller waits for it"))
                self._drop(one)

    def _forget(self) -> None:
        """Keep only the latest answers; unfinished entries stay."""
        excess = len(self._known) - REMEMBERED
        for key in [key for key, work in self._known.items() if work.answer.done()][: max(excess, 0)]:
            del self._known[key]

    def _drop(self, work: _Entry) -> None:
        if self._known.get(work.key) is work:
            del self._known[work.key]

    async def _prepare(self) -> None:
        """Prepare batches, one ahead of the one being computed."""
        loop = asyncio.get_running_loop()
        while True:
            await self._places.acquire()
            batch = await self._next_batch()
            sequences = [work.sequence for work in batch]
            try:
                prepared = await loop.run_in_executor(self._preparing, self._model.prepare, sequences)
            except NoMemoryError:
                prepared = None  # prepared again, in parts, by `_run`
            except Exception as error:  # noqa: BLE001 - whatever a model raises must reach the callers
                self._fail_batch(batch, error)
                self._batch_done(batch)
                continue
            self._prepared.put_nowait((batch, prepared))

    async def _next_batch(self) -> list[_Entry]:
        while True:
            batch, late = self._queue.take(asyncio.get_running_loop().time())
            for work in late:
                work.queued = False
                _fail(work, TimeoutError())
                self._drop(work)
            if batch:
                break
            self._some.clear()
            await self._some.wait()
        for work in batch:
            work.queued = False
        self._computing += sum(work.size for work in batch)
        return batch

    async def _compute(self) -> None:
        while True:
            batch, prepared = await self._prepared.get()
            try:
                self._begun = time.monotonic()
                await self._run(batch, prepared)
                self._latency.learn(sum(work.size for work in batch), time.monotonic() - self._begun)
            finally:
                self._begun = None
                self._batch_done(batch)

    async def _run(self, batch: list[_Entry], prepared: Any) -> None:  # noqa: ANN401 - the model's own
        """Compute a batch. If the device's memory is too small, split it until it fits, or shed a single sequence."""
        loop = asyncio.get_running_loop()
        sequences = [work.sequence for work in batch]
        try:
            if prepared is None:
                prepared = await loop.run_in_executor(self._running, self._model.prepare, sequences)
            answers = await loop.run_in_executor(self._running, self._model.run, prepared)
        except NoMemoryError:
            del prepared
            if len(batch) == 1:
                log("engine_out_of_memory", tokens=batch[0].size)
                _fail(batch[0], OverloadedError())
                self._drop(batch[0])
                return
            half = len(batch) // 2
            await self._run(batch[:half], None)
            await self._run(batch[half:], None)
        except Exception as error:  # noqa: BLE001 - as above
            self._fail_batch(batch, error)
        else:
            for work, answer in zip(batch, answers, strict=True):
                if not work.answer.done():
                    work.answer.set_result(answer)
                if work.sequence.tokens_of:  # a row for each token is too much to keep
                    self._drop(work)

    def _fail_batch(self, batch: list[_Entry], error: Exception) -> None:
        log("engine_failed", error=type(error).__name__)
        for work in batch:
            _fail(work, EngineError(type(error).__name__))
            self._drop(work)

    def _batch_done(self, batch: list[_Entry]) -> None:
        self._computing -= sum(work.size for work in batch)
        self._places.release()


def _answers_it(known: _Entry, sequence: TokenSequence) -> bool:
    """Whether a known entry answers the sequence, too. A queued entry can still be asked for more."""
    if known.answer.done():
        usable = not known.answer.cancelled() and known.answer.exception() is None
        return usable and sequence.tokens_of <= known.sequence.tokens_of
    return known.queued or sequence.tokens_of <= known.sequence.tokens_of


def _sequences(size: int, longest: int) -> list[TokenSequence]:
    """Distinct sequences with this number of tokens in all, of ids that every vocabulary has."""
    lengths = [longest] * (size // longest) + [size % longest] * (size % longest > 0)
    return [TokenSequence([(number >> place) & 1 for place in range(length)]) for number, length in enumerate(lengths)]


def _key(sequence: TokenSequence) -> bytes:
    return hashlib.blake2b(array("q", sequence.ids).tobytes(), digest_size=32).digest()


def _fail(work: _Entry, error: Exception) -> None:
    if not work.answer.done():
        work.answer.set_exception(error)
        with suppress(Exception):
            work.answer.exception()  # retrieved, because no caller may be left to do so
