"""Reads large bodies in reader processes, from the event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from time import monotonic
from typing import Any, cast

from vsr_runtime.decision.request.events import (
    Cause,
    Failure,
    ImmediateResponse,
    NeedSignals,
    ResponsePlan,
    SendToModel,
)
from vsr_runtime.decision.request.immediate_responses import too_complex_response
from vsr_runtime.decision.request.request_machine import advance
from vsr_runtime.decision.request.response_events import DetectionsReady, NeedDetections, ResponseAction
from vsr_runtime.decision.request.states import AwaitsBody
from vsr_runtime.server.clients import CLIENT
from vsr_runtime.server.generation import Generation
from vsr_runtime.server.readers.messages import Order, Policy, ReadRequest, ReadResponse, Resume
from vsr_runtime.server.readers.pool import MAX_READERS, ReaderEndedError, ReaderPool
from vsr_runtime.server.thread_pool import OverloadedError, ThreadPool

LARGE_BODY = 256 << 10
"""Bytes from which a body is read elsewhere, because parsing it would delay all other requests."""
HEAVY_WORK = 1 << 27
"""Worst-case steps of pattern matching from which a body is read in a reader process: some 100 ms."""
HANDOVER = 64 << 10
"""Cost of handing a body to a thread, in bytes. Without it, the time per byte of small bodies would make a large one
ahead of them look endless, and the requests behind it would be shed."""
_HANDOVER = 2 << 20
"""The same for a process, which may have to be started."""
_THREADS, _SHARE = 3, 2
"""Readers that work at a time, and those for one client: the last one is for others. Their threads only wait."""
_WAITING = 256


class RemoteReading:
    """Large bodies at reader processes, each of which ends when its time or its memory is used up.

    Args:
        pool: the processes; None for none.
        killed: called with the reason when a process was killed or has ended.
    """

    def __init__(self, pool: ReaderPool | None, killed: Callable[[str], None]) -> None:
        self._pool = pool
        self._killed = killed
        self._threads = ThreadPool("readers", threads=_THREADS, max_pending=_WAITING, most=_SHARE)
        # Readers that wait for results are not idle, so work that waits for an idle one must not be before theirs.
        self._resuming = ThreadPool("resuming", threads=MAX_READERS, max_pending=_WAITING)

    def takes(self, generation: Generation, size: int, steps: int) -> bool:
        """Return whether a body of this size, which may take these steps, is read in a process."""
        return bool(self._pool and generation.source and (size >= LARGE_BODY or steps >= HEAVY_WORK))

    def prepare(self, generation: Generation) -> None:
        """Start a process for a generation."""
        if self._pool and generation.source:
            self._pool.prepare(Policy(generation.key, generation.source))

    def close(self) -> None:
        """End all processes."""
        self._threads.close()
        self._resuming.close()
        if self._pool:
            self._pool.close()

    async def request(
        self, generation: Generation, state: AwaitsBody, body: bytes, end: float
    ) -> SendToModel | ImmediateResponse:
        """Decide a request until a time of the monotonic clock."""

        async def signals(action: NeedSignals) -> Resume:
            until = end - monotonic() + asyncio.get_running_loop().time()
            return Resume(await generation.signals(action, until))

        try:
            order = ReadRequest(state, end - monotonic())
            decided = await self._read(generation, order, body, end, NeedSignals, signals)
            return cast("SendToModel | ImmediateResponse", decided)
        except OverloadedError:
            cause = Cause.OVERLOADED
        except TimeoutError:
            cause = Cause.TIMEOUT
        except ReaderEndedError as error:
            cause = Cause.TOO_COMPLEX if error.memory else Cause.BROKEN
        return undecided(generation, state, cause)

    async def response(self, generation: Generation, plan: ResponsePlan, body: bytes, end: float) -> ResponseAction:
        """Let guards read a whole response until a time of the monotonic clock.

        Raises:
            OverloadedError: it would be too late.
            ResponseError: the response must end with an error.
            TimeoutError: it is too late.
        """

        async def looks(action: NeedDetections) -> Resume:
            until = end - monotonic() + asyncio.get_running_loop().time()
            return Resume(DetectionsReady(await generation.looks(action.detector_texts, until)))

        try:
            order = ReadResponse(plan, end - monotonic())
            return cast("ResponseAction", await self._read(generation, order, body, end, NeedDetections, looks))
        except ReaderEndedError as error:
            if not (error.memory and plan.guards):
                raise TimeoutError from error
            return too_complex_response(plan.api, plan.guards[0], "response")

    async def _read(
        self,
        generation: Generation,
        order: Order,
        body: bytes,
        end: float,
        need: type[NeedSignals | NeedDetections],
        results: Callable[[Any], Awaitable[Resume]],
    ) -> object:
        """Return the final action: send the order, and then the results of models that the reader asks for."""
        if self._pool is None or generation.source is None:
            raise TimeoutError
        session = self._pool.session(Policy(generation.key, generation.source), generation.guards, CLIENT.get())
        until = end - monotonic() + asyncio.get_running_loop().time()
        try:
            work = partial(session.ask, order, body, end)
            action = await self._threads.run(until, len(body) + _HANDOVER, work)
            while isinstance(action, need):
                work = partial(session.ask, await results(action), b"", end)
                action = await self._resuming.run(until, _HANDOVER, work)
        except TimeoutError:
            self._killed("timeout")
            raise
        except ReaderEndedError as error:
            self._killed("memory" if error.memory else "died")
            raise
        finally:
            session.close()
        return action


def undecided(generation: Generation, state: AwaitsBody, cause: Cause) -> ImmediateResponse:
    """Return the answer to a request whose body was not read."""
    _, action = advance(generation.rules, state, Failure(cause))
    return cast("ImmediateResponse", action)
