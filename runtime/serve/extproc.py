"""Serves ext_proc's Process: one stream is one request, and it ends in OK only after its decision was sent."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic
from typing import Any

import grpc

from runtime.output import flush, log
from runtime.request.events import (
    Answer,
    Continue,
    RequestBody,
    RequestHeaders,
    Route,
)
from runtime.request.machine import Fresh, OutOfOrderError, State, advance
from runtime.serve.deciding import Deciding, loop_time
from runtime.serve.duplex import gathered, in_parts
from runtime.serve.exchange import Exchange, Held, id_of, log_action
from runtime.serve.generation import Generation
from runtime.serve.messages import EXT_PROC_SERVICE, ProcessingRequest
from runtime.serve.metrics import Metrics
from runtime.serve.patience import Patience, too_slow
from runtime.serve.responses import Responses
from runtime.serve.trace import Tracing, carrier_of
from runtime.serve.wire import BodyMode, ModeError, check_mode, encoded, to_event
from runtime.serve.workers import OverloadedError

FLUSH = 0.1
"""Seconds that the log line of a decision may wait for others: writing each by itself costs as much as deciding."""
_UNDECIDED = (grpc.StatusCode.INTERNAL, "the stream ended before a decision")
_STOPPING = (grpc.StatusCode.UNAVAILABLE, "the runtime is stopping")


class Processor:
    """The handler of all streams.

    Args:
        generation: serves streams that begin, until another is swapped in.
        metrics: where decisions are counted.
        max_held: bytes of bodies in work at a time; by default as `Deciding` says.
        tracing: makes spans of decisions; None for none.
    """

    def __init__(
        self,
        generation: Generation,
        metrics: Metrics | None = None,
        max_held: int | None = None,
        tracing: Tracing | None = None,
    ) -> None:
        self._generation = generation
        self._metrics = metrics or Metrics(generation.rules.program)
        self._tracing = tracing
        self._open: set[asyncio.Task[Any]] = set()
        self._patience = Patience()
        self._draining = False
        self._flushing = False
        self._deciding = Deciding(self._metrics.holds, max_held)
        self._responses = Responses(self._deciding.readers, self._metrics, self._deciding.count)

    def handler(self) -> Any:  # noqa: ANN401 - grpc ships no types
        """The gRPC handler of the service."""
        # On the wire it is a stream either way. As the result of a "unary" method the last message leaves together with
        # the status, in one operation less. Messages before it are written; like it they are bytes already.
        method = grpc.stream_unary_rpc_method_handler(self.process, ProcessingRequest.FromString, None)
        return grpc.method_handlers_generic_handler(EXT_PROC_SERVICE, {"Process": method})

    @property
    def open_streams(self) -> int:
        """Streams that have not ended."""
        return len(self._open)

    @property
    def stalled(self) -> bool:
        """Whether the classifier that serves has come to a halt."""
        pool = self._generation.pool
        return pool is not None and not pool.healthy

    @property
    def generation(self) -> Generation:
        """What serves streams that begin."""
        return self._generation

    @contextmanager
    def visit(self, size: int) -> Iterator[Generation]:
        """Hold the generation that serves, and count bytes as in work, for a request that came another way.

        Raises:
            OverloadedError: too much is in work.
        """
        generation = self._generation
        generation.enter()
        self._deciding.count(size)
        try:
            if self._deciding.full(generation):
                raise OverloadedError
            yield generation
        finally:
            self._deciding.count(-size)
            generation.leave()

    async def decided(
        self, generation: Generation, headers: RequestHeaders, body: bytes, begun: float
    ) -> Route | Answer:
        """What would become of a request, found as for a gateway, but neither logged nor counted as one."""
        state, action = advance(generation.rules, Fresh(), headers)
        if isinstance(action, Answer):
            return action
        return await self._deciding.decide(generation, state, RequestBody(body), begun)

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
        self._deciding.close()
        if self._tracing:
            self._tracing.close()
        flush()

    async def process(self, _: object, context: Any) -> bytes:  # noqa: ANN401 - grpc ships no types
        """Drive one stream and return its last message, with which it ends in OK.

        Envoy takes OK before a decision for a pass, so every other way out is an error status.
        """
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("not in a task")
        self._open.add(task)
        self._patience.begin(task)
        exchange = Exchange(self._generation)
        try:
            outcome = await self._outcome(task, exchange, context)
        finally:
            self._open.discard(task)
            self._patience.end(task)
        if isinstance(outcome, bytes):
            return outcome
        code, reason = outcome
        log("aborted", status=code.name, reason=reason)
        self._metrics.failed("aborted", exchange.model)
        await context.abort(code, reason)
        raise RuntimeError("aborting came back")

    async def _outcome(
        self,
        task: asyncio.Task[Any],
        exchange: Exchange,
        context: Any,  # noqa: ANN401 - as above
    ) -> bytes | tuple[Any, str]:
        """The decision's message; without one, the error status to end with and its reason."""
        if self._draining:
            return _STOPPING
        exchange.generation.enter()
        try:
            return await self._converse(task, exchange, context)
        except asyncio.CancelledError:
            if self._patience.lost(task):
                task.uncancel()
                self._note(exchange, too_slow(), None)
                return encoded(too_slow())
            if not self._draining:  # the gateway has gone: nobody hears an answer
                raise
            task.uncancel()
            return _STOPPING
        except (ModeError, OutOfOrderError) as error:
            return grpc.StatusCode.FAILED_PRECONDITION, str(error)
        except Exception as error:  # noqa: BLE001 - whatever it is, the stream must not end in OK
            return grpc.StatusCode.INTERNAL, f"internal error ({type(error).__name__})"
        finally:
            exchange.generation.leave()

    async def _converse(
        self,
        task: asyncio.Task[Any],
        exchange: Exchange,
        context: Any,  # noqa: ANN401 - as above
    ) -> bytes | tuple[Any, str]:
        """Exchange messages until there is a decision."""
        message = await context.read()
        if message is grpc.aio.EOF:
            return _UNDECIDED
        generation = exchange.generation
        told = generation.rules.tells is not None
        exchange.mode = check_mode(message, responses=generation.reads_responses, tells=told)
        first = to_event(message, announced=exchange.mode is BodyMode.WHOLE)
        exchange.request_id = "" if isinstance(first, RequestBody) else id_of(first)
        if self._tracing and isinstance(first, RequestHeaders):
            exchange.carrier = carrier_of(first)
        state, action = advance(generation.rules, Fresh(), first)
        if isinstance(action, Answer):
            self._note(exchange, action, None)
            return encoded(action)
        if not isinstance(action, Continue):
            raise OutOfOrderError(f"{type(action).__name__} before the body")
        held = Held(self._deciding.count)
        context.add_done_callback(held.release)
        if exchange.mode is BodyMode.STREAMED:
            return await self._converse_in_parts(task, exchange, state, held, context)
        await context.write(encoded(action))
        del message, first  # who sends no body has no headers held either
        message = await context.read()
        if message is grpc.aio.EOF:
            return _UNDECIDED
        self._patience.end(task)
        begun = monotonic()
        event = to_event(message, announced=exchange.mode is BodyMode.WHOLE)
        held.add(len(event.body) if isinstance(event, RequestBody) else 0)
        decided = await self._deciding.decide(generation, state, event, begun)
        if isinstance(decided, Route) and decided.lookup is not None:
            decided = await generation.answered(decided, loop_time(begun + generation.budget))
        self._note(exchange, decided, begun)
        if not isinstance(decided, Route) or decided.response is None:
            return encoded(decided)
        exchange.model = decided.model
        await context.write(encoded(decided))
        held.release()
        return await self._responses.follow(context, decided.response, exchange)

    async def _converse_in_parts(
        self,
        task: asyncio.Task[Any],
        exchange: Exchange,
        state: State,
        held: Held,
        context: Any,  # noqa: ANN401 - as above
    ) -> bytes | tuple[Any, str]:
        """Gather the parts of a body, decide, and send all of it back in parts."""
        generation = exchange.generation
        upload = await gathered(context, held, generation.rules.max_body, lambda: self._deciding.full(generation))
        if upload is None:
            return _UNDECIDED
        self._patience.end(task)
        begun = monotonic()
        decided = await self._deciding.decide(generation, state, RequestBody(upload.body), begun)
        self._note(exchange, decided, begun)
        if isinstance(decided, Answer):
            return encoded(decided)
        *before, last = in_parts(decided, upload)
        for each in before:
            await context.write(each)
        return last

    def _note(self, exchange: Exchange, action: Route | Answer, begun: float | None) -> None:
        """Log, count and trace a decision."""
        log_action(exchange.request_id, action)
        if self._tracing and begun is not None:
            self._tracing.decided(exchange.carrier, exchange.request_id, action, begun)
        if not self._flushing:
            self._flushing = True
            asyncio.get_running_loop().call_later(FLUSH, self._flush)
        self._metrics.decided(action, None if begun is None else monotonic() - begun)

    def _flush(self) -> None:
        self._flushing = False
        flush()
