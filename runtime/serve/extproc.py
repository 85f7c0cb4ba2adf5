"""Serves ext_proc's Process: one stream is one request, and it ends in OK only after its decision was sent."""

from __future__ import annotations

import asyncio
from functools import partial
from time import monotonic
from typing import Any

import grpc

from runtime.output import log
from runtime.request.events import (
    Action,
    Answer,
    Cause,
    Continue,
    Event,
    Failure,
    NeedSignals,
    RequestBody,
    RequestHeaders,
    Route,
)
from runtime.request.machine import Decided, Fresh, OutOfOrderError, State, advance
from runtime.serve.exchange import Exchange, id_of, log_action
from runtime.serve.generation import Generation
from runtime.serve.messages import EXT_PROC_SERVICE, ProcessingRequest, ProcessingResponse
from runtime.serve.metrics import Metrics
from runtime.serve.wire import ModeError, check_mode, from_action, to_event
from runtime.serve.workers import OverloadedError, Workers

LARGE_BODY = 256 << 10
"""Bytes from which a body is read in a thread: parsing it would hold up every other request."""
LARGE_WORK = 4 << 20
"""Steps of looking for patterns, at the worst, from which a body is read in a thread: some 20 ms."""
MAX_HELD = 256 << 20
"""Bytes of bodies in work at a time, unless one body may be larger than a quarter of it: then four of those."""
_READERS = 2
_HANDOVER = 64 << 10
"""Bytes that handing a body to a thread is as much work as. Without it, what small bodies take by the byte would make
a large one before them look endless, and shed what comes after it."""
_WAITING = 256
_STOPPING = (grpc.StatusCode.UNAVAILABLE, "the runtime is stopping")


class Processor:
    """The handler of all streams.

    Args:
        generation: serves streams that begin, until another is swapped in.
        metrics: where decisions are counted.
        max_held: bytes of bodies in work at a time; by default as `MAX_HELD` says.
    """

    def __init__(self, generation: Generation, metrics: Metrics | None = None, max_held: int | None = None) -> None:
        self._generation = generation
        self._metrics = metrics or Metrics(generation.rules.program)
        self._max_held = max_held
        self._held = 0
        self._open: set[asyncio.Task[Any]] = set()
        self._draining = False
        self._readers = Workers("read", threads=_READERS, max_pending=_WAITING)

    def handler(self) -> Any:  # noqa: ANN401 - grpc ships no types
        """The gRPC handler of the service."""
        method = grpc.stream_stream_rpc_method_handler(
            self.process, ProcessingRequest.FromString, ProcessingResponse.SerializeToString
        )
        return grpc.method_handlers_generic_handler(EXT_PROC_SERVICE, {"Process": method})

    @property
    def open_streams(self) -> int:
        """Streams that have not ended."""
        return len(self._open)

    @property
    def generation(self) -> Generation:
        """What serves streams that begin."""
        return self._generation

    async def drain(self, patience: float) -> None:
        """Give open streams some seconds to decide, then end them with UNAVAILABLE, and every later one too."""
        if self._open:
            await asyncio.wait(self._open, timeout=patience)
        self._draining = True
        for task in self._open:
            task.cancel()

    def swap(self, generation: Generation) -> None:
        """Let another generation serve what begins from now on; streams that are open end with theirs."""
        before, self._generation = self._generation, generation
        before.retire()

    def close(self) -> None:
        """Let go of the threads."""
        self._generation.retire()
        self._readers.close()

    async def process(self, _: object, context: Any) -> None:  # noqa: ANN401 - grpc ships no types
        """Drive one stream. Envoy takes OK before a decision for a pass, so every other way out is an error status."""
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("not in a task")
        self._open.add(task)
        try:
            code, reason = await self._outcome(task, context)
        finally:
            self._open.discard(task)
        if code is not None:
            log("aborted", status=code.name, reason=reason)
            self._metrics.failed("aborted")
            await context.abort(code, reason)

    async def _outcome(self, task: asyncio.Task[Any], context: Any) -> tuple[Any, str]:  # noqa: ANN401 - as above
        """The error status to end with and its reason; None once the decision is sent."""
        if self._draining:
            return _STOPPING
        exchange = Exchange(self._generation)
        try:
            with exchange.generation.in_use():
                return await self._converse(exchange, context)
        except asyncio.CancelledError:
            if not self._draining:  # the gateway has gone: nobody hears an answer
                raise
            task.uncancel()
            return _STOPPING
        except (ModeError, OutOfOrderError) as error:
            return grpc.StatusCode.FAILED_PRECONDITION, str(error)
        except Exception as error:  # noqa: BLE001 - whatever it is, the stream must not end in OK
            return grpc.StatusCode.INTERNAL, f"internal error ({type(error).__name__})"

    async def _converse(self, exchange: Exchange, context: Any) -> tuple[Any, str]:  # noqa: ANN401 - as above
        """Exchange messages until the decision is sent."""
        state: State = Fresh()
        while (message := await context.read()) is not grpc.aio.EOF:
            begun, until = monotonic(), asyncio.get_running_loop().time() + exchange.generation.budget
            if isinstance(state, Fresh):
                check_mode(message)
                exchange.announced = message.HasField("protocol_config")
            event = to_event(message, announced=exchange.announced)
            if isinstance(event, RequestHeaders):
                exchange.request_id = id_of(event)
            size = len(event.body) if isinstance(event, RequestBody) else 0
            try:
                self._hold(size)
                state, action = await self._decide(exchange.generation, state, event, until)
                self._note(exchange.request_id, action, begun if size else None)
                await context.write(from_action(action))
            finally:
                self._hold(-size)
            if isinstance(state, Decided):
                return None, ""
        return grpc.StatusCode.INTERNAL, "the stream ended before a decision"

    async def _decide(
        self, generation: Generation, state: State, event: Event, until: float
    ) -> tuple[State, Continue | Route | Answer]:
        """One step, and what it asks for."""
        if isinstance(event, RequestBody):
            state, action = await self._read(generation, state, event, until)
        else:
            state, action = advance(generation.rules, state, event)
        if isinstance(action, NeedSignals):
            found = await generation.pool.signals(action.text, until) if generation.pool else Failure(Cause.BROKEN)
            state, action = advance(generation.rules, state, found)
        if isinstance(action, NeedSignals):
            raise OutOfOrderError("signals were asked for twice")
        return state, action

    async def _read(
        self, generation: Generation, state: State, event: RequestBody, until: float
    ) -> tuple[State, Action]:
        """Read a body: in a thread where that takes long, and not at all where too many are in work."""
        size, rules = len(event.body), generation.rules
        if self._held > (max(MAX_HELD, 4 * rules.max_body) if self._max_held is None else self._max_held):
            return advance(rules, state, Failure(Cause.FULL))
        end = monotonic() + until - asyncio.get_running_loop().time()
        timed = RequestBody(event.body, lambda: monotonic() > end)
        if size < LARGE_BODY and size * generation.work < LARGE_WORK:
            return advance(rules, state, timed)
        try:
            return await self._readers.run(until, size + _HANDOVER, partial(advance, rules, state, timed))
        except OverloadedError:
            return advance(rules, state, Failure(Cause.OVERLOADED))
        except TimeoutError:
            return advance(rules, state, Failure(Cause.TIMEOUT))

    def _hold(self, size: int) -> None:
        """Count bytes in and out of work."""
        if size:
            self._held += size
            self._metrics.holds(self._held)

    def _note(self, request_id: str, action: Action, begun: float | None) -> None:
        """Log and count a decision."""
        log_action(request_id, action)
        if isinstance(action, Route | Answer):
            self._metrics.decided(action, None if begun is None else monotonic() - begun)
