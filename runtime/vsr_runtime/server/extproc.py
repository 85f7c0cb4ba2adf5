"""Serves ext_proc's Process: one stream is one request, and it ends in OK only after its decision was sent."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from time import monotonic, time
from typing import Any

from vsr_runtime.decision.apis.endpoints import Api
from vsr_runtime.decision.request.events import (
    Action,
    Cause,
    Continue,
    Event,
    ImmediateResponse,
    LetPass,
    RequestBody,
    RequestHeaders,
    ResponsePlan,
    SendToModel,
)
from vsr_runtime.decision.request.immediate_responses import undecided_response
from vsr_runtime.decision.request.request_machine import advance
from vsr_runtime.decision.request.states import AwaitsBody, AwaitsHeaders, OutOfOrderError, State
from vsr_runtime.log import Field, flush, log, log_buffered
from vsr_runtime.server.agentgateway import MARK, read_vouched, sender_of
from vsr_runtime.server.audit.writer import AuditLog
from vsr_runtime.server.clients import CLIENT, UNKNOWN, FairShares, address_of, client_of, is_attempt
from vsr_runtime.server.decision_metadata import decision_metadata
from vsr_runtime.server.decision_runner import DecisionRunner, loop_time
from vsr_runtime.server.duplex import read_upload, upload_messages
from vsr_runtime.server.exchange import Exchange, HeldBytes, describe, id_of, who
from vsr_runtime.server.generation import Generation
from vsr_runtime.server.limits import Limits
from vsr_runtime.server.local_reply import (
    ReplyBegunError,
    begins_reply,
    may_be_generated,
    pass_reply,
    read_request_part,
    sends_reply_in_parts,
)
from vsr_runtime.server.messages import EXT_PROC_SERVICE, ProcessingRequest
from vsr_runtime.server.metrics import Metrics
from vsr_runtime.server.model_observer import ModelObserver
from vsr_runtime.server.readers.pool import ReaderPool
from vsr_runtime.server.readers.remote import RemoteReading
from vsr_runtime.server.responses import ResponseHandler
from vsr_runtime.server.shadow.classifiers import record
from vsr_runtime.server.shadow.shadow import Shadow
from vsr_runtime.server.thread_pool import OverloadedError
from vsr_runtime.server.trace import Tracing, carrier_of
from vsr_runtime.server.transport.stream import MAX_STREAMS, Method, Methods, Outcome, Status, Stream
from vsr_runtime.server.upload_timeout import UploadTimeouts
from vsr_runtime.server.wire import BodyMode, ModeError, check_mode, encoded, to_event

FLUSH = 0.1
"""Seconds that the log line of a decision may be buffered: writing each line separately costs as much as deciding."""
_UNDECIDED = (Status.INTERNAL, "the stream ended before a decision")
_STOPPING = (Status.UNAVAILABLE, "the runtime is stopping")


First = RequestHeaders | RequestBody


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
        self._agentgateway = agentgateway
        self._metrics = metrics or Metrics(generation.rules.program)
        self._tracing = tracing
        self._shadow, self._audit = shadow, audit
        self._share = shadow.share if shadow else None
        if shadow:
            record(generation)
        self._open: set[asyncio.Task[Any]] = set()
        self._following: set[asyncio.Task[Any]] = set()
        self._upload_timeouts = UploadTimeouts()
        self._streams, self._bytes = FairShares(), FairShares()
        self._draining = False
        self._flushing = False
        self._remote = RemoteReading(pool, self._metrics.reader_ended)
        self._decision_runner = DecisionRunner(self._metrics.holds, max_held, self._remote)
        self._responses = ResponseHandler(
            self._decision_runner.readers,
            self._metrics,
            self._decision_runner.count,
            self._remote,
            self._record if audit else None,
            self._share,
        )
        self._limits = Limits(self._metrics, clock)
        self._observer = ModelObserver()
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
        state = self._with_observations(generation, state)
        return await self._decision_runner.decide(generation, state, RequestBody(body), begun)

    async def drain(self, grace: float, following: float = 0) -> None:
        """Wait for open streams to decide, then for responses that are being read to end.

        Then end them with UNAVAILABLE. New streams get UNAVAILABLE once the first wait is over.

        Args:
            grace: seconds for the first wait.
            following: seconds for the second.
        """
        if undecided := self._open - self._following:
            await asyncio.wait(undecided, timeout=grace)
        self._draining = True
        for task in self._open - self._following:
            task.cancel()
        if self._following:
            await asyncio.wait(self._following, timeout=following)
        for task in self._open:
            task.cancel()

    def swap(self, generation: Generation) -> None:
        """Serve new streams with another generation; open streams finish with theirs."""
        if self._shadow:
            record(generation)
        before, self._generation = self._generation, generation
        self._remote.prepare(generation)
        self._limits.ledger.keep(generation.rules.program.rates)
        self._keep_observed()
        before.retire()

    def share_changed(self) -> None:
        """Get ready for another candidate that decides."""
        self._keep_observed()
        if self._share is not None and self._share.generation is not None:
            self._remote.prepare(self._share.generation)

    def _keep_observed(self) -> None:
        wanted = self._generation.wanted.models if self._generation.wanted else frozenset[str]()
        self._observer.keep(wanted | self._share.wanted if self._share is not None else wanted)

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
        self._upload_timeouts.begin(task)
        exchange = Exchange(self._generation)
        if self._generation.wanted is not None:
            exchange.begun = monotonic()
        outcome: Outcome | None = None
        try:
            outcome = await self._outcome(task, exchange, stream)
        finally:
            self._open.discard(task)
            self._following.discard(task)
            self._upload_timeouts.end(task)
            if exchange.client is not None:
                self._streams.add(exchange.client, -1)
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
            return await self._converse(task, exchange, stream)
        except asyncio.CancelledError:
            if late := self._upload_timeouts.lost(task):
                task.uncancel()
                self._note(exchange, late, None)
                return encoded(late, metadata=self._metadata(exchange, late))
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

    async def _converse(self, task: asyncio.Task[Any], exchange: Exchange, stream: Stream) -> Outcome:
        """Exchange messages until there is a decision, or until the gateway itself has replied."""
        message = await stream.read()
        if not message:
            return _UNDECIDED
        exchange.client = sender_of(message) if self._agentgateway else client_of(message)
        CLIENT.set(exchange.client)
        self._streams.add(exchange.client, 1)
        self._upload_timeouts.assign(task, exchange.client)
        in_parts = sends_reply_in_parts(message)
        if begins_reply(message):
            if exchange.generation.reads_responses and may_be_generated(message):
                return await self._follow_undecided(task, exchange, stream, message)
            return await pass_reply(stream, message, in_parts=in_parts)
        if (cause := self._refusal(exchange.client)) is not None:
            return self._refuse(exchange, cause)
        try:
            return await self._converse_request(task, exchange, stream, message)
        except ReplyBegunError as begun:
            return await pass_reply(stream, begun.message, in_parts=in_parts)

    def _refusal(self, client: bytes) -> Cause | None:
        """Return why no request is taken now; None if it is."""
        if self._audit is not None and self._audit.refuses:
            return Cause.AUDIT
        return Cause.OVERLOADED if self._streams.over(client, MAX_STREAMS) else None

    async def _follow_undecided(
        self,
        task: asyncio.Task[Any],
        exchange: Exchange,
        stream: Stream,
        message: Any,  # noqa: ANN401 - protobuf classes built at run time have no static type
    ) -> Outcome:
        """Let all guards read a success that nobody has decided on: the gateway's filter may skip requests."""
        check_mode(message, responses=True)
        if sends_reply_in_parts(message):
            raise ModeError("responses of requests that were not read cannot be read in parts")
        self._upload_timeouts.end(task)
        self._following.add(task)
        plan = ResponsePlan(Api.CHAT, exchange.generation.rules.program.on_response)
        return await self._responses.follow(stream, plan, exchange, message)

    async def _converse_request(
        self,
        task: asyncio.Task[Any],
        exchange: Exchange,
        stream: Stream,
        message: Any,  # noqa: ANN401 - as above
    ) -> Outcome:
        """Exchange messages until there is a decision.

        Raises:
            ReplyBegunError: the gateway replied before the body was complete.
        """
        generation = exchange.generation
        debug_headers = generation.rules.debug_headers is not None or generation.rules.program.cors is not None
        attempt = exchange.client is UNKNOWN and not self._agentgateway and is_attempt(message)
        exchange.mode = check_mode(
            message,
            responses=generation.reads_responses and not attempt,
            debug_headers=debug_headers and not attempt,
        )
        if self._agentgateway and exchange.mode is not BodyMode.STREAMED:
            raise ModeError("agentgateway limits bodies that it buffers; set requestBodyMode FullDuplexStreamed")
        exchange.reply_in_parts = exchange.mode is BodyMode.STREAMED and sends_reply_in_parts(message)
        first = self._first_event(exchange, message, attempt=attempt)
        exchange.request_id = "" if isinstance(first, RequestBody) else id_of(first)
        if self._tracing and isinstance(first, RequestHeaders):
            exchange.carrier = carrier_of(first)
            exchange.path = next((value for name, value in first.headers if name == ":path"), "")
        state, action = advance(generation.rules, AwaitsHeaders(attempt), first)
        exchange.who = state.client if isinstance(state, AwaitsBody) else None
        if not isinstance(action, Continue):
            return await self._decided_at_once(task, exchange, stream, action)
        if (
            self._share is not None
            and not attempt
            and isinstance(state, AwaitsBody)
            and isinstance(first, RequestHeaders)
        ):
            self._share.begin(exchange, state, first)
        client = exchange.client or UNKNOWN
        held = HeldBytes(partial(self._count, client))
        stream.add_done_callback(held.release)
        if exchange.mode is BodyMode.STREAMED:
            del message, first
            return await self._converse_in_parts(task, exchange, state, held, stream)
        await stream.write(encoded(action))
        del message, first  # a client that sends no body must not keep its headers in memory
        message = await read_request_part(stream)
        if not message:
            return _UNDECIDED
        self._upload_timeouts.end(task)
        begun = exchange.arrived = monotonic()
        if self._bytes.over(client, self._decision_runner.most(generation)):
            return self._refuse(exchange, Cause.FULL)
        event = to_event(message, announced=exchange.mode is BodyMode.WHOLE)
        held.add(len(event.body) if isinstance(event, RequestBody) else 0)
        decided = await self._decide(exchange, state, event, begun)
        self._note(exchange, decided, begun)
        answer = encoded(decided, metadata=self._metadata(exchange, decided))
        if not isinstance(decided, SendToModel) or decided.response is None:
            return answer
        await stream.write(answer)
        held.release()
        return await self._follow(task, exchange, stream, decided)

    def _first_event(self, exchange: Exchange, message: Any, *, attempt: bool) -> First:  # noqa: ANN401 - as above
        """Read the first message, with what the gateway vouches for."""
        identity = exchange.generation.rules.program.identity
        first = to_event(message, announced=exchange.mode is BodyMode.WHOLE)
        if not isinstance(first, RequestHeaders):
            return first
        if self._shadow is not None and not attempt:
            exchange.shadowed = self._shadow.observe(first, message)
        if self._agentgateway:
            first, exchange.vouched = read_vouched(first, message, identity)
            return replace(first, address=exchange.vouched.address)
        return replace(first, address=address_of(message)) if exchange.generation.trusts_addresses else first

    async def _decide(
        self, exchange: Exchange, state: State, event: Event, begun: float
    ) -> SendToModel | ImmediateResponse:
        """Decide a request, answer it from the cache if that is possible, and apply the limits."""
        if self._share is not None and isinstance(event, RequestBody):
            state, event = await self._share.draw(exchange, state, event, begun, self._decision_runner)
        state = self._with_observations(exchange.generation, state)

        async def decide(moved: str | None = None) -> SendToModel | ImmediateResponse:
            now = replace(state, moved=moved) if moved and isinstance(state, AwaitsBody) else state
            decided = await self._decided_by_policy(exchange, now, event, begun)
            if exchange.shadowed is not None and isinstance(event, RequestBody):
                self._compare(exchange, event.body, decided)
            cached = isinstance(decided, SendToModel) and decided.cache_key is not None
            if cached and (exchange.mode is not BodyMode.STREAMED or exchange.reply_in_parts):
                generation = exchange.generation
                return await generation.answered(decided, loop_time(begun + generation.budget))
            return decided

        rates = (exchange.drawn.active if exchange.drawn else exchange.generation).rules.program.rates
        if rates is None:
            return await decide()
        decided, exchange.charge = await self._limits.apply(rates, await decide(), exchange.client or UNKNOWN, decide)
        return decided

    async def _decided_by_policy(
        self, exchange: Exchange, state: State, event: Event, begun: float
    ) -> SendToModel | ImmediateResponse:
        """Let the policy of the request decide."""
        if self._share is None:
            return await self._decision_runner.decide(exchange.generation, state, event, begun)
        return await self._share.decide(exchange, state, event, begun, self._decision_runner, self._with_observations)

    async def _decided_at_once(
        self, task: asyncio.Task[Any], exchange: Exchange, stream: Stream, action: Action
    ) -> Outcome:
        """End a request that needs no body: with a response, at its model, or undecided if it is a preflight."""
        if isinstance(action, LetPass):
            return encoded(action)
        if isinstance(action, ImmediateResponse):
            self._compare(exchange, None, action)
            self._note(exchange, action, None)
            return encoded(action, metadata=self._metadata(exchange, action))
        if not isinstance(action, SendToModel):
            raise OutOfOrderError(f"{type(action).__name__} before the body")
        self._compare(exchange, None, action)
        self._note(exchange, action, monotonic())
        known = exchange.vouched
        sent = known.apply(action) if known else action
        message = encoded(sent, bodiless=True, metadata=self._metadata(exchange, action))
        if not self._follows(exchange, action):
            return message
        self._upload_timeouts.end(task)
        await stream.write(message)
        return await self._follow(task, exchange, stream, action)

    def _with_observations(self, generation: Generation, state: State) -> State:
        """Return the state with what decisions must know of models."""
        if generation.wanted is None or not isinstance(state, AwaitsBody):
            return state
        return replace(state, observed=self._observer.snapshot(generation.wanted))

    def _follows(self, exchange: Exchange, action: SendToModel) -> bool:
        """Whether the stream goes on: agentgateway sends every response to whom it has sent the request."""
        return action.response is not None or (exchange.vouched is not None and exchange.reply_in_parts)

    async def _follow(
        self, task: asyncio.Task[Any], exchange: Exchange, stream: Stream, action: SendToModel
    ) -> Outcome:
        """Read the response of a decided request to its end."""
        exchange.model = action.model
        if exchange.generation.wanted is not None and exchange.arrived:
            exchange.watch = self._observer.watch(action, exchange.begun, exchange.arrived)
        if self._tracing and exchange.decided is not None:
            provider = exchange.generation.providers.get(action.model, "")
            exchange.response = self._tracing.responding(
                exchange.decided, action.model, path=exchange.path, provider=provider
            )
        self._following.add(task)
        plan = action.response
        if exchange.reply_in_parts:
            return await self._responses.follow_in_parts(stream, plan or ResponsePlan(Api.CHAT), exchange)
        if plan is None:
            raise RuntimeError("no plan for the response")
        return await self._responses.follow(stream, plan, exchange)

    async def _converse_in_parts(
        self,
        task: asyncio.Task[Any],
        exchange: Exchange,
        state: State,
        held: HeldBytes,
        stream: Stream,
    ) -> Outcome:
        """Gather the parts of a body, decide, and send the body back in parts."""
        generation, runner, client = exchange.generation, self._decision_runner, exchange.client or UNKNOWN
        most = runner.most(generation)
        upload = await read_upload(
            stream, held, generation.rules.max_body, lambda: runner.full(generation) or self._bytes.over(client, most)
        )
        if upload is None:
            return _UNDECIDED
        self._upload_timeouts.end(task)
        if self._bytes.over(client, most):
            return self._refuse(exchange, Cause.FULL)
        begun = exchange.arrived = monotonic()
        decided = await self._decide(exchange, state, RequestBody(upload.body), begun)
        self._note(exchange, decided, begun)
        metadata = self._metadata(exchange, decided)
        if isinstance(decided, ImmediateResponse):
            return encoded(decided, metadata=metadata)
        known = exchange.vouched
        sent = upload_messages(known.apply(decided) if known else decided, upload, metadata)
        if self._follows(exchange, decided):
            for message in sent:
                await stream.write(message)
            held.release()
            return await self._follow(task, exchange, stream, decided)
        *before, last = sent
        for message in before:
            await stream.write(message)
        return last

    def _count(self, client: bytes, size: int) -> None:
        """Add to the bytes in work, or subtract."""
        self._bytes.add(client, size)
        self._decision_runner.count(size)

    def _refuse(self, exchange: Exchange, cause: Cause) -> bytes:
        """Refuse a request of a client that uses more than its share."""
        response = undecided_response(cause)
        self._note(exchange, response, None)
        return encoded(response, metadata=self._metadata(exchange, response))

    @staticmethod
    def _metadata(exchange: Exchange, action: SendToModel | ImmediateResponse) -> bytes:
        """Return the dynamic metadata of a decision: agentgateway's mark, and the decision for access logs."""
        mark = MARK if exchange.vouched and isinstance(action, SendToModel) else b""
        # The gateway is configured by the active policy, whichever policy decides.
        active = exchange.drawn.active if exchange.drawn else exchange.generation
        if not active.access_log_metadata:
            return mark
        # Serialised structs add up: these are two fields.
        return mark + decision_metadata(exchange.request_id, action, exchange.generation.digest)

    def _compare(self, exchange: Exchange, body: bytes | None, decided: SendToModel | ImmediateResponse) -> None:
        """Let a candidate decide the request, too, once: what limits and caches make of it is not compared."""
        if self._shadow is not None and exchange.shadowed is not None:
            by_candidate = exchange.drawn is not None and exchange.drawn.policy == "candidate"
            self._shadow.put(exchange.shadowed, exchange.request_id, body, decided, by_candidate=by_candidate)
            exchange.shadowed = None

    def _note(self, exchange: Exchange, action: SendToModel | ImmediateResponse, begun: float | None) -> None:
        """Log, count and trace a decision."""
        event, fields = describe(exchange.request_id, action)
        log_buffered(event, **fields)
        if self._audit is not None and action.cause is not Cause.AUDIT:
            self._record(exchange, event, fields)
        if self._tracing and begun is not None:
            exchange.decided = self._tracing.decided(
                exchange.carrier,
                exchange.request_id,
                action,
                begun,
                path=exchange.path,
                policy=exchange.generation.digest,
            )
        if not self._flushing:
            self._flushing = True
            asyncio.get_running_loop().call_later(FLUSH, self._flush)
        span = exchange.decided
        self._metrics.decided(
            action,
            None if begun is None else monotonic() - begun,
            None if span is None else (span.trace_id, span.span_id),
        )
        if self._share is not None:
            self._share.note(exchange, action, begun)

    def _record(self, exchange: Exchange, event: str, fields: dict[str, Field]) -> None:
        """Add a record to the audit log: what was logged, the policy, and who asked."""
        if self._audit is not None:
            known = who(exchange.who)
            client = {"client": known} if known else {}
            self._audit.put({"event": event, **fields, "policy": exchange.generation.digest, **client})

    def _flush(self) -> None:
        self._flushing = False
        flush()
