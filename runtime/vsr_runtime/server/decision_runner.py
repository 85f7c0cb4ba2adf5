"""Decides requests in the time and memory that there are: small bodies at once, large ones in a thread."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from time import monotonic

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
from vsr_runtime.decision.request.request_machine import OutOfOrderError, State, advance
from vsr_runtime.server.generation import Generation
from vsr_runtime.server.thread_pool import OverloadedError, ThreadPool

LARGE_BODY = 256 << 10
"""Bytes from which a body is read in a thread: parsing it would hold up every other request."""
LARGE_WORK = 4 << 20
"""Steps of looking for patterns, at the worst, from which a body is read in a thread: some 20 ms."""
TEXT = 16
"""Bytes that a quotation mark counts for: looking at a short text takes as long as at many bytes of a long one,
and about each stand its own two marks and those of its key."""
MAX_HELD = 256 << 20
"""Bytes of bodies in work at a time, unless one body may be larger than a quarter of it: then four of those."""
_READERS = 2
_HANDOVER = 64 << 10
"""Bytes that handing a body to a thread is as much work as. Without it, what small bodies take by the byte would make
a large one before them look endless, and shed what comes after it."""
_WAITING = 256


class DecisionRunner:
    """What decides, and counts the bytes that are in work meanwhile.

    Args:
        holds: is told of the bytes in work whenever they change.
        max_held: bytes of bodies in work at a time; by default as `MAX_HELD` says.
    """

    def __init__(self, holds: Callable[[int], None], max_held: int | None = None) -> None:
        self._holds = holds
        self._max_held = max_held
        self.held = 0
        self.readers = ThreadPool("read", threads=_READERS, max_pending=_WAITING)

    def count(self, size: int) -> None:
        """Count bytes in, or out."""
        self.held += size
        self._holds(self.held)

    def full(self, generation: Generation) -> bool:
        """Whether more bodies are in work than may be."""
        most = max(MAX_HELD, 4 * generation.rules.max_body) if self._max_held is None else self._max_held
        return self.held > most

    async def decide(
        self, generation: Generation, state: State, event: Event, begun: float
    ) -> SendToModel | ImmediateResponse:
        """What becomes of the request, in the time that is left since its body was there.

        Raises:
            OutOfOrderError: something else than the body came.
        """
        size, end = 0, begun + generation.budget
        if isinstance(event, RequestBody):
            size = _size(event.body, generation)
            event = RequestBody(event.body, lambda: monotonic() > end)
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
        """Let go of the threads."""
        self.readers.close()

    async def _step(
        self, generation: Generation, state: State, event: Event, size: int, end: float
    ) -> tuple[State, Action]:
        """Take a step at once, or in a thread where it takes long, and not at all where too many are in work."""
        rules = generation.rules
        full = isinstance(event, RequestBody) and self.full(generation)
        if not (full or size):
            return advance(rules, state, event)
        if full:
            return advance(rules, state, Failure(Cause.FULL))
        work = partial(advance, rules, state, event)
        try:
            return await self.readers.run(loop_time(end), size + _HANDOVER, work)
        except OverloadedError:
            return advance(rules, state, Failure(Cause.OVERLOADED))
        except TimeoutError:
            return advance(rules, state, Failure(Cause.TIMEOUT))


def weight(body: bytes) -> int:
    """How much work looking through a body is, in bytes of one long text."""
    return len(body) + TEXT * body.count(b'"')


def _size(body: bytes, generation: Generation) -> int:
    """How much work a body is in a thread; 0 where it is little enough to be done at once."""
    if len(body) < LARGE_BODY and not generation.work:
        return 0
    size = weight(body)
    return size if len(body) >= LARGE_BODY or size * generation.work >= LARGE_WORK else 0


def loop_time(moment: float) -> float:
    """A moment of the monotonic clock by the event loop's."""
    return moment - monotonic() + asyncio.get_running_loop().time()
