"""Runs decisions within their time and memory: small bodies on the event loop, larger ones in a thread or a process."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from time import monotonic

from vsr_runtime.decision.deadline import Budget
from vsr_runtime.decision.request.events import (
    Action,
    Cause,
    Event,
    Failure,
    ImmediateResponse,
    NeedSignals,
    RequestBody,
    SendToModel,
)
from vsr_runtime.decision.request.request_machine import advance
from vsr_runtime.decision.request.states import AwaitsBody, OutOfOrderError, State
from vsr_runtime.server.generation import Generation
from vsr_runtime.server.readers.remote import HANDOVER, LARGE_BODY, RemoteReading, undecided
from vsr_runtime.server.thread_pool import OverloadedError, ThreadPool

LARGE_WORK = 4 << 20
"""Worst-case steps of pattern matching from which a body is read in a thread: some 20 ms."""
TEXT = 16
"""Bytes that a quotation mark counts as: scanning a short text takes as long as many bytes of a long one, and each has
its own two quotation marks and those of its key."""
MAX_HELD = 256 << 20
"""Bytes of bodies in work at a time. Four of the largest bodies, if that is more."""
_READERS, _SHARE = 3, 2
"""Threads, and those for one client: the last one is for others."""
_WAITING = 256


class DecisionRunner:
    """Runs decisions, and counts the bytes in work meanwhile.

    Args:
        on_change: called with the bytes in work whenever they change.
        max_held: bytes of bodies in work at a time; by default as `MAX_HELD` says.
        remote: reads large bodies in processes; None if threads do.

    Attributes:
        held: bytes in work.
        readers: threads for larger bodies.
    """

    def __init__(
        self, on_change: Callable[[int], None], max_held: int | None = None, remote: RemoteReading | None = None
    ) -> None:
        self._remote = remote
        self._on_change = on_change
        self._max_held = max_held
        self.held = 0
        self.readers = ThreadPool("read", threads=_READERS, max_pending=_WAITING, most=_SHARE)

    def count(self, size: int) -> None:
        """Add to the bytes in work, or subtract."""
        self.held += size
        self._on_change(self.held)

    def full(self, generation: Generation) -> bool:
        """Whether more bytes are in work than allowed."""
        return self.held > self.most(generation)

    def most(self, generation: Generation) -> int:
        """Bytes that may be in work."""
        return max(MAX_HELD, 4 * generation.rules.max_body) if self._max_held is None else self._max_held

    async def decide(
        self, generation: Generation, state: State, event: Event, begun: float
    ) -> SendToModel | ImmediateResponse:
        """Decide a request in the time that is left since its body arrived.

        Raises:
            OutOfOrderError: the event is not the body.
        """
        size, end = 0, begun + generation.budget
        if isinstance(event, RequestBody):
            size = thread_work(event.body, generation)
            remote = self._remote
            if (
                remote
                and isinstance(state, AwaitsBody)
                and remote.takes(generation, len(event.body), size * generation.work)
            ):
                if self.full(generation):
                    return undecided(generation, state, Cause.FULL)
                return await remote.request(generation, state, event.body, end)
            event = RequestBody(event.body, Budget.of(generation.budget, lambda: monotonic() > end), event.read)
            state, action = await self._step(generation, state, event, size, end)
        else:
            state, action = advance(generation.rules, state, event)
        if isinstance(action, NeedSignals):
            found = await generation.signals(action, loop_time(end))
            state, action = await self._step(generation, state, found, size, end)
        if not isinstance(action, SendToModel | ImmediateResponse):
            raise OutOfOrderError(f"{type(action).__name__} after the body")
        return action

    def close(self) -> None:
        """Stop the threads."""
        self.readers.close()

    async def _step(
        self, generation: Generation, state: State, event: Event, size: int, end: float
    ) -> tuple[State, Action]:
        """Advance at once, or in a thread if that takes long; fail if too many bytes are in work."""
        rules = generation.rules
        full = isinstance(event, RequestBody) and self.full(generation)
        if not (full or size):
            return advance(rules, state, event)
        if full:
            return advance(rules, state, Failure(Cause.FULL))
        work = partial(advance, rules, state, event)
        try:
            return await self.readers.run(loop_time(end), size + HANDOVER, work)
        except OverloadedError:
            return advance(rules, state, Failure(Cause.OVERLOADED))
        except TimeoutError:
            return advance(rules, state, Failure(Cause.TIMEOUT))


def weight(body: bytes) -> int:
    """How much work scanning a body is, in bytes of one long text."""
    return len(body) + TEXT * body.count(b'"')


def thread_work(body: bytes, generation: Generation) -> int:
    """How much work a body is for a thread; 0 if it is small enough for the event loop."""
    if len(body) < LARGE_BODY and not generation.work:
        return 0
    size = weight(body) if len(body) < LARGE_BODY else len(body)
    return size if len(body) >= LARGE_BODY or size * generation.work >= LARGE_WORK else 0


def loop_time(moment: float) -> float:
    """Convert a time of the monotonic clock to the event loop's clock."""
    return moment - monotonic() + asyncio.get_running_loop().time()
