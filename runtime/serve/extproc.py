"""Serves ext_proc's Process: one stream is one request, and it ends in OK only after its decision was sent."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import grpc

from runtime.output import log
from runtime.request.events import Action, Answer, Cause, Event, Failure, NeedSignals, RequestHeaders, Route
from runtime.request.machine import Decided, Fresh, OutOfOrderError, Rules, State, advance
from runtime.serve.classify import ClassifierPool
from runtime.serve.messages import EXT_PROC_SERVICE, ProcessingRequest, ProcessingResponse
from runtime.serve.wire import ModeError, check_mode, from_action, to_event

LARGE_BODY = 256 << 10
"""Bytes from which a body is read in a thread: parsing it would hold up every other request."""
_ID_LENGTH = 128
_STOPPING = (grpc.StatusCode.UNAVAILABLE, "the runtime is stopping")


@dataclass(slots=True)
class Exchange:
    """What one stream knows of its request besides the machine's state."""

    request_id: str = ""
    announced: bool = False


class Processor:
    """The handler of all streams."""

    def __init__(self, rules: Rules, pool: ClassifierPool | None, budget: float) -> None:
        self._rules = rules
        self._pool = pool
        self._budget = budget
        self._open: set[asyncio.Task[Any]] = set()
        self._draining = False
        self._parsers = ThreadPoolExecutor(1, thread_name_prefix="parse")

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

    async def drain(self, patience: float) -> None:
        """Give open streams some seconds to decide, then end them with UNAVAILABLE, and every later one too."""
        if self._open:
            await asyncio.wait(self._open, timeout=patience)
        self._draining = True
        for task in self._open:
            task.cancel()

    def close(self) -> None:
        """Let go of the threads."""
        self._parsers.shutdown(wait=False, cancel_futures=True)

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
            await context.abort(code, reason)

    async def _outcome(self, task: asyncio.Task[Any], context: Any) -> tuple[Any, str]:  # noqa: ANN401 - as above
        """The error status to end with and its reason; None once the decision is sent."""
        if self._draining:
            return _STOPPING
        try:
            return await self._converse(context)
        except asyncio.CancelledError:
            if not self._draining:  # the gateway has gone: nobody hears an answer
                raise
            task.uncancel()
            return _STOPPING
        except (ModeError, OutOfOrderError) as error:
            return grpc.StatusCode.FAILED_PRECONDITION, str(error)
        except Exception as error:  # noqa: BLE001 - whatever it is, the stream must not end in OK
            return grpc.StatusCode.INTERNAL, f"internal error ({type(error).__name__})"

    async def _converse(self, context: Any) -> tuple[Any, str]:  # noqa: ANN401 - as above
        """Exchange messages until the decision is sent."""
        state: State = Fresh()
        exchange = Exchange()
        while (message := await context.read()) is not grpc.aio.EOF:
            until = asyncio.get_running_loop().time() + self._budget
            if isinstance(state, Fresh):
                check_mode(message)
                exchange.announced = message.HasField("protocol_config")
            event = to_event(message, announced=exchange.announced)
            if isinstance(event, RequestHeaders):
                exchange.request_id = _request_id(event)
            state, action = await self._step(state, event, len(message.request_body.body))
            if isinstance(action, NeedSignals):
                state, action = advance(self._rules, state, await self._signals(action, until))
            if isinstance(action, NeedSignals):
                raise OutOfOrderError("signals were asked for twice")
            _log(exchange.request_id, action)
            await context.write(from_action(action))
            if isinstance(state, Decided):
                return None, ""
        return grpc.StatusCode.INTERNAL, "the stream ended before a decision"

    async def _step(self, state: State, event: Event, size: int) -> tuple[State, Action]:
        if size < LARGE_BODY:
            return advance(self._rules, state, event)
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._parsers, advance, self._rules, state, event)

    async def _signals(self, action: NeedSignals, until: float) -> Event:
        if self._pool is None:
            return Failure(Cause.BROKEN)
        return await self._pool.signals(action.text, until)


def _request_id(event: RequestHeaders) -> str:
    """The gateway's id for the request, cut to a bounded length since a client may have chosen it."""
    return next((value[:_ID_LENGTH] for key, value in event.headers if key == "x-request-id"), "")


def _log(request_id: str, action: Action) -> None:
    """One line a decision: names and numbers, never text of the request."""
    if isinstance(action, Route):
        signals = action.signals
        log(
            "decision",
            request=request_id,
            model=action.model,
            route=action.route,
            named=signals is None,
            category=signals.category if signals else None,
            probability=round(signals.probability, 4) if signals and signals.probability is not None else None,
        )
    elif isinstance(action, Answer):
        log("answer", request=request_id, status=action.status, code=action.code)
