"""Drives the response side of a stream: every message is answered, and nothing ends in OK before all was checked."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from time import monotonic
from typing import Any

from vsr_runtime.decision.deadline import Budget
from vsr_runtime.decision.program.program import GUARD_WORK
from vsr_runtime.decision.request.events import GuardMatch, ImmediateResponse, ResponsePlan
from vsr_runtime.decision.request.response_events import (
    BodyMode,
    BodyOutput,
    DetectionsReady,
    ForwardHeaders,
    NeedDetections,
    ResponseAction,
    ResponseBody,
    ResponseDone,
    ResponseError,
    ResponseEvent,
    ResponseHeaders,
    ResponseTrailers,
)
from vsr_runtime.decision.request.response_machine import (
    AwaitsResponseHeaders,
    AwaitsWhole,
    Recording,
    ResponseState,
    advance_response,
    record_output,
)
from vsr_runtime.log import Field, log
from vsr_runtime.server.decision_runner import LARGE_WORK, weight
from vsr_runtime.server.duplex_reply import DuplexReply, parts, passed_trailers
from vsr_runtime.server.exchange import Exchange, format_guards
from vsr_runtime.server.metrics import Metrics
from vsr_runtime.server.model_observer import Watch
from vsr_runtime.server.readers.remote import LARGE_BODY, RemoteReading
from vsr_runtime.server.shadow.share import Share
from vsr_runtime.server.thread_pool import OverloadedError, ThreadPool
from vsr_runtime.server.transport.stream import Outcome, Status, Stream
from vsr_runtime.server.wire_response import from_response, to_response_event


class ResponseHandler:
    """The handler of all responses.

    Args:
        readers: threads for large bodies.
        metrics: counts findings.
        hold: counts bytes in and out of work.
        remote: reads large responses in processes; None if threads do.
        audit: records what guards found; None for nowhere.
        share: counts by policy; None without a candidate that decides.
    """

    def __init__(
        self,
        readers: ThreadPool,
        metrics: Metrics,
        hold: Callable[[int], None],
        remote: RemoteReading | None = None,
        audit: Callable[[Exchange, str, dict[str, Field]], None] | None = None,
        share: Share | None = None,
    ) -> None:
        self._share = share
        self._audit = audit
        self._readers = readers
        self._remote = remote
        self._metrics = metrics
        self._hold = hold

    async def follow(
        self,
        stream: Stream,
        plan: ResponsePlan,
        exchange: Exchange,
        first: Any = None,  # noqa: ANN401 - protobuf classes built at run time have no static type
    ) -> Outcome:
        """Exchange messages until nothing of the response is left to read. ``first`` was read before.

        Returns:
            The last message, with which the stream ends in OK; otherwise the error status and its reason.
        """
        state: ResponseState = AwaitsResponseHeaders(plan, exchange.generation.rules.max_body)
        while message := first or await stream.read():
            first = None
            end = monotonic() + exchange.generation.budget
            budget = Budget.of(exchange.generation.budget, lambda end=end: monotonic() > end)  # type: ignore[misc] # a default binds
            event = to_response_event(message, budget)
            if exchange.response is not None:
                exchange.response.report.observe(event)
            size = len(event.body) if isinstance(event, ResponseBody) else 0
            try:
                self._hold(size)
                state, action = await self._metered(exchange, state, event, end)
                if isinstance(action, ImmediateResponse) and plan.cors:
                    action = replace(action, headers=(*action.headers, *plan.cors))
                self._note(exchange, action)
                if isinstance(action, BodyOutput) and action.cacheable is not None:
                    exchange.generation.keep(plan, action.cacheable)
                answer = from_response(event, action).SerializeToString()
                if isinstance(state, ResponseDone):
                    return bytes(answer)
                await stream.write(answer)
            except ResponseError as error:
                return Status.FAILED_PRECONDITION, str(error)
            except (OverloadedError, TimeoutError):
                return Status.UNAVAILABLE, "the response could not be read in time"
            finally:
                self._hold(-size)
        return Status.CANCELLED, "the client no longer waits for the response"

    async def follow_in_parts(self, stream: Stream, plan: ResponsePlan, exchange: Exchange) -> Outcome:
        """Exchange messages until all that the client gets of the response was sent back.

        Returns:
            As `follow`.
        """
        most = exchange.generation.rules.max_body
        reply = DuplexReply(plan, most)
        state: ResponseState = AwaitsResponseHeaders(plan, most)
        held = 0
        try:
            while message := await stream.read():
                end = monotonic() + exchange.generation.budget
                budget = Budget.of(exchange.generation.budget, lambda end=end: monotonic() > end)  # type: ignore[misc] # a default binds
                event = to_response_event(message, budget)
                if exchange.response is not None:
                    exchange.response.report.observe(event)
                size = len(event.body) if isinstance(event, ResponseBody) else 0
                self._hold(size)
                held += size
                state, answers, last = await self._in_parts(exchange, state, event, reply, end)
                if answers or last:
                    self._hold(-held)
                    held = 0
                for answer in answers[:-1] if last else answers:
                    await stream.write(answer)
                if last:
                    return answers[-1]
        except ResponseError as error:
            return Status.FAILED_PRECONDITION, str(error)
        except (OverloadedError, TimeoutError):
            return Status.UNAVAILABLE, "the response could not be read in time"
        finally:
            self._hold(-held)
        return Status.CANCELLED, "the client no longer waits for the response"

    async def _in_parts(
        self, exchange: Exchange, state: ResponseState, event: ResponseEvent, reply: DuplexReply, end: float
    ) -> tuple[ResponseState, list[bytes], bool]:
        """Return the next state, the messages to send, and whether the stream ends with the last of them."""
        if isinstance(state, ResponseDone):  # nothing of it is read
            if isinstance(event, ResponseBody):
                return state, [*parts(event.body, end=event.end_of_stream)], event.end_of_stream
            return state, [passed_trailers()], True
        trailers = isinstance(event, ResponseTrailers)
        if trailers:
            event = reply.document(Budget.of(exchange.generation.budget, lambda: monotonic() > end)) or event
        elif isinstance(event, ResponseBody):
            gathered = reply.gather(event)
            if gathered is None:
                return state, [], False
            event = gathered
        state, action = await self._metered(exchange, state, event, end)
        self._note(exchange, action)
        if isinstance(action, BodyOutput) and action.cacheable is not None:
            exchange.generation.keep(reply.plan, action.cacheable)
        return state, *reply.answers(event, action, trailers=trailers)

    async def _metered(
        self, exchange: Exchange, state: ResponseState, event: ResponseEvent, end: float
    ) -> tuple[ResponseState, ResponseAction]:
        """Take the steps, and read what the response used: what nobody else reads comes in parts."""
        charge, watch = exchange.charge, exchange.watch
        meter = None if charge is None else charge.meter
        if meter is None and watch is None:
            return await self._advance(exchange, state, event, end)
        if charge is not None and meter is not None:
            if isinstance(event, ResponseHeaders):
                charge.begun = True
                meter.begin(dict(event.headers))
            elif isinstance(event, ResponseBody):
                meter.feed(event.body)
        if watch is not None:
            _observe(watch, event)
        state, action = await self._advance(exchange, state, event, end)
        opened = isinstance(event, ResponseHeaders) and not event.end_of_stream
        if opened and isinstance(action, ForwardHeaders) and action.mode is BodyMode.NONE:
            return Recording(None), replace(action, mode=BodyMode.STREAMED)
        return state, action

    async def _advance(
        self, exchange: Exchange, state: ResponseState, event: ResponseEvent, end: float
    ) -> tuple[ResponseState, ResponseAction]:
        """Take the steps until there is an action for the gateway, where they take as long as they may."""
        generation, work = exchange.generation, 0
        if isinstance(event, ResponseBody):
            size = len(event.body)
            work = size if size >= LARGE_BODY else weight(event.body)
            if self._remote and isinstance(state, AwaitsWhole) and event.end_of_stream:
                plan = state.plan
                if self._remote.takes(generation, size, work * GUARD_WORK * len(plan.guards)):
                    action = await self._remote.response(generation, replace(plan, record=None), event.body, end)
                    return ResponseDone(), await self._recorded(state, event, action, end)
        state, step = await self._step(state, event, work, generation.budget)
        while isinstance(step, NeedDetections):
            until = asyncio.get_running_loop().time() + end - monotonic()
            looks = DetectionsReady(await generation.looks(step.detector_texts, until))
            state, step = await self._step(state, looks, work, generation.budget)
        return state, step

    async def _recorded(
        self, state: AwaitsWhole, event: ResponseBody, action: ResponseAction, end: float
    ) -> ResponseAction:
        """Record an output for the cache. Parsing a large one takes long, so a thread does it."""
        if state.recorder is None:
            return action
        until = asyncio.get_running_loop().time() + end - monotonic()
        return await self._readers.run(until, len(event.body), partial(record_output, state.recorder, event, action))

    async def _step(
        self, state: ResponseState, event: ResponseEvent, work: int, budget: float
    ) -> tuple[ResponseState, ResponseAction | NeedDetections]:
        if work * GUARD_WORK < LARGE_WORK:
            return advance_response(state, event)
        until = asyncio.get_running_loop().time() + budget
        return await self._readers.run(until, work, partial(advance_response, state, event))

    def _note(self, exchange: Exchange, action: ResponseAction) -> None:
        """Log and count what guards found: names, never text."""
        if isinstance(action, ForwardHeaders):
            self._guarded(exchange, action.guards)
            if action.guards:
                self._log(exchange, {"guards": format_guards(action.guards)})
            return
        blocked = action if isinstance(action, ImmediateResponse) else action.rejection
        if blocked is not None:
            self._metrics.blocked(blocked, exchange.model)
            if self._share is not None:
                self._share.blocked(exchange, blocked)
            if exchange.response is not None:
                exchange.response.report.refused(blocked.code)
        if isinstance(action, BodyOutput):
            self._guarded(exchange, action.guards)
        guards = format_guards(action.guards)
        if blocked is not None:
            self._log(exchange, {"status": blocked.status, "code": blocked.code, "guards": guards})
        elif guards:
            self._log(exchange, {"guards": guards})

    def _guarded(self, exchange: Exchange, guards: tuple[GuardMatch, ...]) -> None:
        self._metrics.guarded(guards, "response")
        if self._share is not None:
            self._share.guarded(exchange, guards)

    def _log(self, exchange: Exchange, details: dict[str, Field]) -> None:
        fields = {"request": exchange.request_id, **details}
        log("response", **fields)
        if self._audit is not None:
            self._audit(exchange, "response", fields)


def _observe(watch: Watch, event: ResponseEvent) -> None:
    """Pass an event of a response to the watch."""
    if isinstance(event, ResponseHeaders):
        watch.begin(dict(event.headers))
    elif isinstance(event, ResponseBody):
        watch.feed(event.body, last=event.end_of_stream)
    elif isinstance(event, ResponseTrailers):
        watch.end()
