"""Serves ext_proc's Process: one stream is one request, and it ends in OK only after its decision was sent."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic, time
from typing import Any

from vsr_runtime.decision.request.events import ImmediateResponse, RequestBody, RequestHeaders, SendToModel
from vsr_runtime.decision.request.request_machine import advance
from vsr_runtime.decision.request.states import AwaitsHeaders, OutOfOrderError
from vsr_runtime.log import flush, log
from vsr_runtime.server.audit.writer import AuditLog
from vsr_runtime.server.conversations import Conversations
from vsr_runtime.server.decision_records import DecisionRecords
from vsr_runtime.server.decision_runner import DecisionRunner
from vsr_runtime.server.exchange import Exchange
from vsr_runtime.server.generation import Generation
from vsr_runtime.server.limits import Limits
from vsr_runtime.server.messages import EXT_PROC_SERVICE, ProcessingRequest
from vsr_runtime.server.metrics import Metrics
from vsr_runtime.server.readers.pool import ReaderPool
from vsr_runtime.server.readers.remote import RemoteReading
from vsr_runtime.server.request_decider import RequestDecider
from vsr_runtime.server.responses import ResponseHandler
from vsr_runtime.server.shadow.classifiers import record
from vsr_runtime.server.shadow.shadow import Shadow
from vsr_runtime.server.thread_pool import OverloadedError
from vsr_runtime.server.trace import Tracing
from vsr_runtime.server.transport.stream import Method, Methods, Outcome, Status, Stream
from vsr_runtime.server.wire import ModeError, encoded

_STOPPING = (Status.UNAVAILABLE, "the runtime is stopping")


class Processor:
    """The handler of all streams.

    Args:
        generation: serves new streams, until another is swapped in.
        metrics: counts decisions.
        max_held: bytes of bodies in work at a time; by default as `DecisionRunner` says.
        tracing: makes spans of decisions; None for none.
        pool: processes that read large bodies; None if threads do.
        clock: the seconds since 1970, for limits.
        shadow: a candidate that decides requests, too; None for none.
        audit: where decisions are recorded; None for nowhere.
        agentgateway: whether the gateway is agentgateway, and not an Envoy.
    """

    def __init__(  # noqa: PLR0913 - one a part of the server
        self,
        generation: Generation,
        metrics: Metrics | None = None,
        max_held: int | None = None,
        tracing: Tracing | None = None,
        pool: ReaderPool | None = None,
        clock: Callable[[], float] = time,
        shadow: Shadow | None = None,
        audit: AuditLog | None = None,
        *,
        agentgateway: bool = False,
    ) -> None:
        self._generation = generation
        self._metrics = metrics or Metrics(generation.rules.program)
        self._tracing = tracing
        self._shadow, self._audit = shadow, audit
        self._share = shadow.share if shadow else None
        if shadow:
            record(generation)
        self._open: set[asyncio.Task[Any]] = set()
        self._draining = False
        self._remote = RemoteReading(pool, self._metrics.reader_ended)
        self._decision_runner = DecisionRunner(self._metrics.holds, max_held, self._remote)
        self._records = DecisionRecords(self._metrics, tracing, shadow, audit)
        responses = ResponseHandler(
            self._decision_runner.readers,
            self._metrics,
            self._decision_runner.count,
            self._remote,
            self._records.record if audit else None,
            self._share,
        )
        limits = Limits(self._metrics, clock)
        self._decider = RequestDecider(self._decision_runner, self._records, limits, self._share)
        self._conversations = Conversations(
            self._decider,
            self._decision_runner,
            responses,
            self._records,
            tracing,
            shadow,
            agentgateway=agentgateway,
        )
        self._remote.prepare(generation)

    def methods(self) -> Methods:
        """The gRPC service, for a transport."""
        return {(EXT_PROC_SERVICE, "Process"): Method(ProcessingRequest.FromString, self.process)}

    @property
    def open_streams(self) -> int:
        """Streams that have not ended."""
        return len(self._open)

    @property
    def stalled(self) -> bool:
        """Whether the current classifier makes no progress."""
        pool = self._generation.pool
        return pool is not None and not pool.healthy

    @property
    def generation(self) -> Generation:
        """The generation that serves new streams."""
        return self._generation

    @contextmanager
    def hold(self, size: int) -> Iterator[Generation]:
        """Hold the current generation and count bytes as in work, for a request of the HTTP API.

        Raises:
            OverloadedError: too many bytes are in work.
        """
        generation = self._generation
        generation.enter()
        self._decision_runner.count(size)
        try:
            if self._decision_runner.full(generation):
                raise OverloadedError
            yield generation
        finally:
            self._decision_runner.count(-size)
            generation.leave()

    async def decided(
        self, generation: Generation, headers: RequestHeaders, body: bytes, begun: float
    ) -> SendToModel | ImmediateResponse:
        """Decide a request as for a gateway, without logging or counting it."""
        state, action = advance(generation.rules, AwaitsHeaders(), headers)
        if isinstance(action, ImmediateResponse | SendToModel):
            return action
        state = self._decider.with_observations(generation, state)
        return await self._decision_runner.decide(generation, state, RequestBody(body), begun)

    async def drain(self, grace: float, following: float = 0) -> None:
        """Wait for open streams to decide, then for responses that are being read to end.

        Then end them with UNAVAILABLE. New streams get UNAVAILABLE once the first wait is over.

        Args:
            grace: seconds for the first wait.
            following: seconds for the second.
        """
        if undecided := self._open - self._conversations.following:
            await asyncio.wait(undecided, timeout=grace)
        self._draining = True
        for task in self._open - self._conversations.following:
            task.cancel()
        if self._conversations.following:
            await asyncio.wait(self._conversations.following, timeout=following)
        for task in self._open:
            task.cancel()

    def swap(self, generation: Generation) -> None:
        """Serve new streams with another generation; open streams finish with theirs."""
        if self._shadow:
            record(generation)
        before, self._generation = self._generation, generation
        self._remote.prepare(generation)
        self._decider.limits.ledger.keep(generation.rules.program.rates)
        self._keep_observed()
        before.retire()

    def share_changed(self) -> None:
        """Get ready for another candidate that decides."""
        self._keep_observed()
        if self._share is not None and self._share.generation is not None:
            self._remote.prepare(self._share.generation)

    def _keep_observed(self) -> None:
        wanted = self._generation.wanted.models if self._generation.wanted else frozenset[str]()
        self._decider.observer.keep(wanted | self._share.wanted if self._share is not None else wanted)

    def close(self) -> None:
        """Stop the threads."""
        self._generation.retire()
        self._decision_runner.close()
        self._remote.close()
        if self._shadow:
            self._shadow.close()
        if self._audit:
            self._audit.close()
        if self._tracing:
            self._tracing.close()
        flush()

    async def process(self, stream: Stream) -> Outcome:
        """Drive one stream to its end: the last message, with which it ends in OK, or an error status.

        Envoy lets a request pass if the stream ends in OK before a decision, so every other end is an error.
        """
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("not in a task")
        self._open.add(task)
        self._conversations.upload_timeouts.begin(task)
        exchange = Exchange(self._generation)
        if self._generation.wanted is not None:
            exchange.begun = monotonic()
        outcome: Outcome | None = None
        try:
            outcome = await self._outcome(task, exchange, stream)
        finally:
            self._open.discard(task)
            self._conversations.following.discard(task)
            self._conversations.upload_timeouts.end(task)
            if exchange.client is not None:
                self._conversations.streams.add(exchange.client, -1)
            if exchange.charge is not None:
                exchange.charge.settle()
            if exchange.watch is not None:
                exchange.watch.close()
            if exchange.response is not None:
                exchange.response.end(outcome)
        if not isinstance(outcome, bytes):
            status, reason = outcome
            log("aborted", status=status.name, reason=reason)
            self._metrics.failed("aborted", exchange.model)
        return outcome

    async def _outcome(self, task: asyncio.Task[Any], exchange: Exchange, stream: Stream) -> Outcome:
        """The message of the decision; otherwise the error status and its reason."""
        if self._draining:
            return _STOPPING
        generation = exchange.generation
        generation.enter()
        try:
            return await self._conversations.converse(task, exchange, stream)
        except asyncio.CancelledError:
            if late := self._conversations.upload_timeouts.lost(task):
                task.uncancel()
                self._records.note(exchange, late, None)
                return encoded(late, metadata=self._records.metadata(exchange, late))
            if not self._draining:  # the gateway has gone
                raise
            task.uncancel()
            return _STOPPING
        except (ModeError, OutOfOrderError) as error:
            return Status.FAILED_PRECONDITION, str(error)
        except Exception as error:  # noqa: BLE001 - whatever it is, the stream must not end in OK
            return Status.INTERNAL, f"internal error ({type(error).__name__})"
        finally:
            generation.leave()
            if self._share is not None:
                self._share.end(exchange)
