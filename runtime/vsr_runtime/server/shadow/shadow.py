"""Decides requests by a candidate policy as well, after they were served, and counts where it decides otherwise."""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from time import monotonic, thread_time
from typing import Any, TypeVar

from vsr_runtime.decision.deadline import Budget
from vsr_runtime.decision.request.ending import BY_LOAD, Ending, ending_of
from vsr_runtime.decision.request.events import (
    Action,
    Cause,
    Continue,
    Event,
    Failure,
    ImmediateResponse,
    NeedSignals,
    RequestBody,
    RequestHeaders,
    SendToModel,
)
from vsr_runtime.decision.request.request_machine import advance
from vsr_runtime.decision.request.states import AwaitsHeaders, State
from vsr_runtime.log import log, log_buffered
from vsr_runtime.server.agentgateway import read_vouched
from vsr_runtime.server.clients import CLIENT, address_of
from vsr_runtime.server.decision_runner import loop_time, thread_work
from vsr_runtime.server.generation import Generation
from vsr_runtime.server.readers.remote import LARGE_BODY
from vsr_runtime.server.shadow.budget import CpuBudget
from vsr_runtime.server.shadow.share import Share, Sharing
from vsr_runtime.server.shadow_metrics import ShadowMetrics
from vsr_runtime.server.thread_pool import OverloadedError, ThreadPool

MAX_WAITING, MAX_BYTES = 64, 4 << 20
"""Requests, and bytes of their bodies, that wait for the candidate."""
SAMPLES, MAX_SAMPLED = 5, 100
"""Requests of a difference that are logged, and differences of one candidate of which any is."""
ITSELF = b"shadow"
"""The client that the candidate's work is for, where clients take turns."""
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Seen:
    """A request that the candidate decides, too.

    Attributes:
        headers: its headers, as the candidate has to read them.
        request_id: its id, as logs have it.
        body: its body; None if it was decided without.
        ending: where the policy that served it lets it end.
        by_candidate: whether that was the candidate, so that the active policy is the one to compare with.
    """

    headers: RequestHeaders = field(repr=False)
    request_id: str
    body: bytes | None = field(repr=False)
    ending: Ending
    by_candidate: bool = False


class Shadow:
    """The candidate and the requests that wait for it.

    Args:
        metrics: counts.
        budget: the CPU time that it may use.
        share: lets the candidate decide some requests; None if it decides none.
        agentgateway: whether the gateway is agentgateway.

    Attributes:
        share: as above.
    """

    def __init__(
        self,
        metrics: ShadowMetrics,
        budget: CpuBudget | None = None,
        share: Share | None = None,
        *,
        agentgateway: bool = False,
    ) -> None:
        self.share = share
        self.budget = budget or CpuBudget()
        self._metrics = metrics
        self._agentgateway = agentgateway
        self._candidate: Generation | None = None
        self._waiting: deque[Seen] = deque()
        self._bytes = 0
        self._wake = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()
        self._threads = ThreadPool("shadow", threads=1, max_pending=1)
        self._sampled: Counter[tuple[str, str]] = Counter()
        self._task: asyncio.Task[None] | None = None
        metrics.begin()

    @property
    def candidate(self) -> Generation | None:
        """The candidate; None if there is none."""
        return self._candidate

    def swap(self, candidate: Generation | None, sharing: Sharing | None = None) -> None:
        """Compare with another candidate, or with none.

        Args:
            candidate: the candidate.
            sharing: the candidate as it decides its share; None if it decides none.
        """
        if self.share is not None:
            self.share.swap(sharing)
        before, self._candidate = self._candidate, candidate
        self._sampled.clear()
        if before is not None:
            before.retire()
        if self._task is None:
            self._task = asyncio.ensure_future(self._run())

    def close(self) -> None:
        """Drop what waits, and stop."""
        if self._task is not None:
            self._task.cancel()
        self._waiting.clear()
        self._idle.set()
        if self._candidate is not None:
            self._candidate.retire()
            self._candidate = None
        if self.share is not None:
            self.share.swap(None)
        self._threads.close()

    def observe(self, event: RequestHeaders, message: Any) -> RequestHeaders | None:  # noqa: ANN401 - see the wire
        """Return a request's headers as the candidate has to read them; None if it will not decide the request.

        Args:
            event: the headers as they came.
            message: the message that they came in.
        """
        candidate = self._candidate
        if candidate is None:
            return None
        if len(self._waiting) >= MAX_WAITING or self._bytes >= MAX_BYTES:
            self._metrics.skipped("queue")
            return None
        if not self.budget.ready():
            self._metrics.skipped("cpu")
            return None
        if self._agentgateway:
            event, vouched = read_vouched(event, message, candidate.rules.program.identity)
            return replace(event, address=vouched.address)
        return replace(event, address=address_of(message)) if candidate.trusts_addresses else event

    def put(
        self,
        headers: RequestHeaders,
        request_id: str,
        body: bytes | None,
        decided: SendToModel | ImmediateResponse,
        *,
        by_candidate: bool = False,
    ) -> None:
        """Let the other policy decide a request that was decided. Takes no time."""
        size = len(body or b"")
        if size >= LARGE_BODY:
            self._metrics.skipped("large")
        elif decided.cause in BY_LOAD:
            self._metrics.ended("undecided")
        elif len(self._waiting) >= MAX_WAITING or self._bytes + size > MAX_BYTES:
            self._metrics.skipped("queue")
        else:
            self._waiting.append(Seen(headers, request_id, body, ending_of(decided), by_candidate))
            self._bytes += size
            self._idle.clear()
            self._wake.set()

    async def settled(self) -> None:
        """Wait until nothing waits."""
        await self._idle.wait()

    async def _run(self) -> None:
        CLIENT.set(ITSELF)
        while True:
            while not self._waiting:
                self._idle.set()
                self._wake.clear()
                await self._wake.wait()
            seen = self._waiting.popleft()
            self._bytes -= len(seen.body or b"")
            other = self._candidate
            if seen.by_candidate:
                other = self.share.mirror if self.share is not None else None
            if other is not None:
                await self._decide(other, seen)
            await asyncio.sleep(0)  # requests come first

    async def _decide(self, other: Generation, seen: Seen) -> None:
        other.enter()
        try:
            action = await self._action(other, seen)
        except Exception as error:  # noqa: BLE001 - whatever it is, it must not concern the active policy
            self._metrics.ended("failed")
            if self._may_log("failed", type(error).__name__):
                log("shadow_failed", request=seen.request_id, error=type(error).__name__)
            return
        finally:
            other.leave()
        if not isinstance(action, SendToModel | ImmediateResponse) or action.cause in BY_LOAD:
            self._metrics.ended("undecided")
            return
        self._metered(lambda: self._compare(seen, ending_of(action)))

    def _compare(self, seen: Seen, ending: Ending) -> None:
        active, candidate = (ending, seen.ending) if seen.by_candidate else (seen.ending, ending)
        if self._metrics.compared(active, candidate) or not self._may_log(active.words, candidate.words):
            return
        log_buffered(
            "shadow_differs",
            request=seen.request_id,
            active=active.words,
            candidate=candidate.words,
            active_guards=", ".join(sorted(active.guards)),
            candidate_guards=", ".join(sorted(candidate.guards)),
        )

    async def _action(self, candidate: Generation, seen: Seen) -> Action:
        end = monotonic() + candidate.budget
        state: State
        state, action = self._metered(lambda: advance(candidate.rules, AwaitsHeaders(), seen.headers))
        size = 0
        if isinstance(action, Continue) and seen.body is not None:
            size = thread_work(seen.body, candidate)
            event = RequestBody(seen.body, Budget.of(candidate.budget, lambda: monotonic() > end))
            state, action = await self._step(candidate, state, event, size, end)
        if isinstance(action, NeedSignals):
            found = await candidate.signals(action, loop_time(end))
            state, action = await self._step(candidate, state, found, size, end)
        return action

    async def _step(
        self, candidate: Generation, state: State, event: Event, size: int, end: float
    ) -> tuple[State, Action]:
        def step() -> tuple[State, Action]:
            return self._metered(lambda: advance(candidate.rules, state, event))

        if not size:
            return step()
        try:
            return await self._threads.run(loop_time(end), size, step)
        except OverloadedError:
            return advance(candidate.rules, state, Failure(Cause.OVERLOADED))
        except TimeoutError:
            return advance(candidate.rules, state, Failure(Cause.TIMEOUT))

    def _metered(self, work: Callable[[], Result]) -> Result:
        begun = thread_time()
        try:
            return work()
        finally:
            self.budget.spend(thread_time() - begun)

    def _may_log(self, active: str, candidate: str) -> bool:
        """Return whether this difference was logged less often than it may be."""
        pair = active, candidate
        if pair not in self._sampled and len(self._sampled) >= MAX_SAMPLED:
            return False
        self._sampled[pair] += 1
        return self._sampled[pair] <= SAMPLES
