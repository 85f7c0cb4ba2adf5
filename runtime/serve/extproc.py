"""Serves ext_proc's Process: one stream is one request, and it ends in OK only after its decision was sent."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from time import monotonic
from typing import Any

import grpc

from runtime.output import flush, log
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
from runtime.request.machine import Fresh, OutOfOrderError, State, advance
from runtime.serve.duplex import SlowError, gathered, heard, in_parts, too_slow
from runtime.serve.exchange import Exchange, Held, id_of, log_action
from runtime.serve.generation import Generation
from runtime.serve.messages import EXT_PROC_SERVICE, ProcessingRequest
from runtime.serve.metrics import Metrics
from runtime.serve.responses import Responses
from runtime.serve.trace import Tracing, carrier_of
from runtime.serve.wire import BodyMode, ModeError, check_mode, encoded, to_event
from runtime.serve.workers import OverloadedError, Workers

LARGE_BODY = 256 << 10
"""Bytes from which a body is read in a thread: parsing it would hold up every other request."""
LARGE_WORK = 4 << 20
"""Steps of looking for patterns, at the worst, from which a body is read in a thread: some 20 ms."""
MAX_HELD = 256 << 20
"""Bytes of bodies in work at a time, unless one body may be larger than a quarter of it: then four of those."""
FLUSH = 0.1
"""Seconds that the log line of a decision may wait for others: writing each by itself costs as much as deciding."""
_READERS = 2
_HANDOVER = 64 << 10
"""Bytes that handing a body to a thread is as much work as. Without it, what small bodies take by the byte would make
a large one before them look endless, and shed what comes after it."""
_WAITING = 256
_UNDECIDED = (grpc.StatusCode.INTERNAL, "the stream ended before a decision")
_STOPPING = (grpc.StatusCode.UNAVAILABLE, "the runtime is stopping")


class Processor:
    """The handler of all streams.

    Args:
        generation: serves streams that begin, until another is swapped in.
        metrics: where decisions are counted.
        max_held: bytes of bodies in work at a time; by default as `MAX_HELD` says.
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
        self._max_held = max_held
        self._tracing = tracing
        self._held = 0
        self._open: set[asyncio.Task[Any]] = set()
        self._draining = False
        self._flushing = False
        self._readers = Workers("read", threads=_READERS, max_pending=_WAITING)
        self._responses = Responses(self._readers, self._metrics, self._count)

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
        self._count(size)
        try:
            if self._full(generation):
                raise OverloadedError
            yield generation
        finally:
            self._count(-size)
            generation.leave()

    async def decided(
        self, generation: Generation, headers: RequestHeaders, body: bytes, begun: float
    ) -> Route | Answer:
        """What would become of a request, found as for a gateway, but neither logged nor counted as one."""
        state, action = advance(generation.rules, Fresh(), headers)
        if isinstance(action, Answer):
            return action
        return await self._decide(generation, state, RequestBody(body), begun)

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
        exchange = Exchange(self._generation)
        try:
            outcome = await self._outcome(task, exchange, context)
        finally:
            self._open.discard(task)
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
            return await self._converse(exchange, context)
        except asyncio.CancelledError:
            if not self._draining:  # the gateway has gone: nobody hears an answer
                raise
            task.uncancel()
            return _STOPPING
        except SlowError:
            self._note(exchange, too_slow(), None)
            return encoded(too_slow())
        except (ModeError, OutOfOrderError) as error:
            return grpc.StatusCode.FAILED_PRECONDITION, str(error)
        except Exception as error:  # noqa: BLE001 - whatever it is, the stream must not end in OK
            return grpc.StatusCode.INTERNAL, f"internal error ({type(error).__name__})"
        finally:
            exchange.generation.leave()

    async def _converse(self, exchange: Exchange, context: Any) -> bytes | tuple[Any, str]:  # noqa: ANN401 - as above
        """Exchange messages until there is a decision."""
        message = await heard(context)
        if message is grpc.aio.EOF:
            return _UNDECIDED
        generation = exchange.generation
        told = generation.rules.tells is not None
        exchange.mode = check_mode(message, responses=generation.reads_responses, tells=told)
        first = to_event(message, announced=exchange.mode is BodyMode.WHOLE)
        exchange.request_id = "" if isinstance(first, RequestBody) else id_of(first)
        if self._tracing and isinstance(first, RequestHeaders):
            exchange.carrier = carrier_of(first)
        state, action = advance(exchange.generation.rules, Fresh(), first)
        if isinstance(action, Answer):
            self._note(exchange, action, None)
            return encoded(action)
        if not isinstance(action, Continue):
            raise OutOfOrderError(f"{type(action).__name__} before the body")
        held = Held(self._count)
        context.add_done_callback(held.release)
        if exchange.mode is BodyMode.STREAMED:
            return await self._converse_in_parts(exchange, state, held, context)
        await context.write(encoded(action))
        del message, first  # who sends no body has no headers held either
        message = await heard(context)
        if message is grpc.aio.EOF:
            return _UNDECIDED
        begun = monotonic()
        event = to_event(message, announced=exchange.mode is BodyMode.WHOLE)
        held.add(len(event.body) if isinstance(event, RequestBody) else 0)
        decided = await self._decide(exchange.generation, state, event, begun)
        decided = await exchange.generation.answered(decided, _loop_time(begun + exchange.generation.budget))
        self._note(exchange, decided, begun)
        if not isinstance(decided, Route) or decided.response is None:
            return encoded(decided)
        exchange.model = decided.model
        await context.write(encoded(decided))
        held.release()
        return await self._responses.follow(context, decided.response, exchange)

    async def _converse_in_parts(
        self,
        exchange: Exchange,
        state: State,
        held: Held,
        context: Any,  # noqa: ANN401 - as above
    ) -> bytes | tuple[Any, str]:
        """Gather the parts of a body, decide, and send all of it back in parts."""
        generation = exchange.generation
        upload = await gathered(context, held, generation.rules.max_body, lambda: self._full(generation))
        if upload is None:
            return _UNDECIDED
        begun = monotonic()
        if isinstance(upload, Answer):
            decided: Route | Answer = upload
        else:
            decided = await self._decide(generation, state, RequestBody(upload.body), begun)
        self._note(exchange, decided, begun)
        if isinstance(decided, Answer) or isinstance(upload, Answer):
            return encoded(decided)
        *before, last = in_parts(decided, upload)
        for each in before:
            await context.write(each)
        return last

    async def _decide(self, generation: Generation, state: State, event: Event, begun: float) -> Route | Answer:
        """What becomes of the request, in the time that is left since its body was there."""
        if isinstance(event, RequestBody):
            end = begun + generation.budget
            size, timed = len(event.body), RequestBody(event.body, lambda: monotonic() > end)
            if size < LARGE_BODY and size * generation.work < LARGE_WORK and not self._full(generation):
                state, action = advance(generation.rules, state, timed)
            else:
                state, action = await self._read(generation, state, timed, end)
        else:
            state, action = advance(generation.rules, state, event)
        if isinstance(action, NeedSignals):
            until = _loop_time(begun + generation.budget)
            state, action = advance(generation.rules, state, await generation.signals(action, until))
        if not isinstance(action, Route | Answer):
            raise OutOfOrderError(f"{type(action).__name__} after the body")
        return action

    def _full(self, generation: Generation) -> bool:
        """Whether more bodies are in work than may be."""
        most = max(MAX_HELD, 4 * generation.rules.max_body) if self._max_held is None else self._max_held
        return self._held > most

    async def _read(self, generation: Generation, state: State, event: RequestBody, end: float) -> tuple[State, Action]:
        """Read a body in a thread, since that takes long, and not at all where too many are in work."""
        rules = generation.rules
        if self._full(generation):
            return advance(rules, state, Failure(Cause.FULL))
        work = partial(advance, rules, state, event)
        try:
            return await self._readers.run(_loop_time(end), len(event.body) + _HANDOVER, work)
        except OverloadedError:
            return advance(rules, state, Failure(Cause.OVERLOADED))
        except TimeoutError:
            return advance(rules, state, Failure(Cause.TIMEOUT))

    def _count(self, size: int) -> None:
        self._held += size
        self._metrics.holds(self._held)

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


def _loop_time(moment: float) -> float:
    """A moment of the monotonic clock by the event loop's."""
    return moment - monotonic() + asyncio.get_running_loop().time()
