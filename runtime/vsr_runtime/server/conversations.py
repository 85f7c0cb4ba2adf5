"""Exchanges the messages of one stream with the gateway, until its request is decided and its response read."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from functools import partial
from time import monotonic
from typing import Any

from vsr_runtime.decision.apis.endpoints import Api
from vsr_runtime.decision.request.events import (
    Action,
    Cause,
    Continue,
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
from vsr_runtime.server.agentgateway import read_vouched, sender_of
from vsr_runtime.server.clients import CLIENT, UNKNOWN, FairShares, address_of, client_of, is_attempt
from vsr_runtime.server.decision_records import DecisionRecords
from vsr_runtime.server.decision_runner import DecisionRunner
from vsr_runtime.server.duplex import read_upload, upload_messages
from vsr_runtime.server.exchange import Exchange, HeldBytes, id_of
from vsr_runtime.server.local_reply import (
    ReplyBegunError,
    begins_reply,
    may_be_generated,
    pass_reply,
    read_request_part,
    sends_reply_in_parts,
)
from vsr_runtime.server.request_decider import RequestDecider
from vsr_runtime.server.responses import ResponseHandler
from vsr_runtime.server.shadow.shadow import Shadow
from vsr_runtime.server.trace import Tracing, carrier_of
from vsr_runtime.server.transport.stream import MAX_STREAMS, Outcome, Status, Stream
from vsr_runtime.server.upload_timeout import UploadTimeouts
from vsr_runtime.server.wire import BodyMode, ModeError, check_mode, encoded, to_event

_UNDECIDED = (Status.INTERNAL, "the stream ended before a decision")
First = RequestHeaders | RequestBody


class Conversations:
    """Exchanges the messages of all streams.

    Args:
        decider: decides requests.
        runner: counts the bytes of bodies in work.
        responses: reads responses.
        records: records decisions.
        tracing: makes spans of responses; None for none.
        shadow: a candidate that decides requests, too; None for none.
        agentgateway: whether the gateway is agentgateway, and not an Envoy.
    """

    def __init__(
        self,
        decider: RequestDecider,
        runner: DecisionRunner,
        responses: ResponseHandler,
        records: DecisionRecords,
        tracing: Tracing | None,
        shadow: Shadow | None,
        *,
        agentgateway: bool,
    ) -> None:
        self._decider, self._runner, self._responses, self._records = decider, runner, responses, records
        self._agentgateway = agentgateway
        self._tracing = tracing
        self._shadow, self._share = shadow, shadow.share if shadow else None
        self.following: set[asyncio.Task[Any]] = set()
        """The streams whose requests are decided, and whose responses are read."""
        self.upload_timeouts = UploadTimeouts()
        self.streams, self._held = FairShares(), FairShares()  # by client

    async def converse(self, task: asyncio.Task[Any], exchange: Exchange, stream: Stream) -> Outcome:
        """Exchange messages until there is a decision, or until the gateway itself has replied."""
        message = await stream.read()
        if not message:
            return _UNDECIDED
        exchange.client = sender_of(message) if self._agentgateway else client_of(message)
        CLIENT.set(exchange.client)
        self.streams.add(exchange.client, 1)
        self.upload_timeouts.assign(task, exchange.client)
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
        if self._records.refuses:
            return Cause.AUDIT
        return Cause.OVERLOADED if self.streams.over(client, MAX_STREAMS) else None

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
        self.upload_timeouts.end(task)
        self.following.add(task)
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
        held = HeldBytes(partial(self.count, client))
        stream.add_done_callback(held.release)
        if exchange.mode is BodyMode.STREAMED:
            del message, first
            return await self._converse_in_parts(task, exchange, state, held, stream)
        await stream.write(encoded(action))
        del message, first  # a client that sends no body must not keep its headers in memory
        message = await read_request_part(stream)
        if not message:
            return _UNDECIDED
        self.upload_timeouts.end(task)
        begun = exchange.arrived = monotonic()
        if self._held.over(client, self._runner.most(generation)):
            return self._refuse(exchange, Cause.FULL)
        event = to_event(message, announced=exchange.mode is BodyMode.WHOLE)
        held.add(len(event.body) if isinstance(event, RequestBody) else 0)
        decided = await self._decider.decide(exchange, state, event, begun)
        self._records.note(exchange, decided, begun)
        answer = encoded(decided, metadata=self._records.metadata(exchange, decided))
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

    async def _decided_at_once(
        self, task: asyncio.Task[Any], exchange: Exchange, stream: Stream, action: Action
    ) -> Outcome:
        """End a request that needs no body: with a response, at its model, or undecided if it is a preflight."""
        if isinstance(action, LetPass):
            return encoded(action)
        if isinstance(action, ImmediateResponse):
            self._records.compare(exchange, None, action)
            self._records.note(exchange, action, None)
            return encoded(action, metadata=self._records.metadata(exchange, action))
        if not isinstance(action, SendToModel):
            raise OutOfOrderError(f"{type(action).__name__} before the body")
        self._records.compare(exchange, None, action)
        self._records.note(exchange, action, monotonic())
        known = exchange.vouched
        sent = known.apply(action) if known else action
        message = encoded(sent, bodiless=True, metadata=self._records.metadata(exchange, action))
        if not self._follows(exchange, action):
            return message
        self.upload_timeouts.end(task)
        await stream.write(message)
        return await self._follow(task, exchange, stream, action)

    def _follows(self, exchange: Exchange, action: SendToModel) -> bool:
        """Whether the stream goes on: agentgateway sends every response to whom it has sent the request."""
        return action.response is not None or (exchange.vouched is not None and exchange.reply_in_parts)

    async def _follow(
        self, task: asyncio.Task[Any], exchange: Exchange, stream: Stream, action: SendToModel
    ) -> Outcome:
        """Read the response of a decided request to its end."""
        exchange.model = action.model
        if exchange.generation.wanted is not None and exchange.arrived:
            exchange.watch = self._decider.observer.watch(action, exchange.begun, exchange.arrived)
        if self._tracing and exchange.decided is not None:
            provider = exchange.generation.providers.get(action.model, "")
            exchange.response = self._tracing.responding(
                exchange.decided, action.model, path=exchange.path, provider=provider
            )
        self.following.add(task)
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
        generation, runner, client = exchange.generation, self._runner, exchange.client or UNKNOWN
        most = runner.most(generation)
        upload = await read_upload(
            stream, held, generation.rules.max_body, lambda: runner.full(generation) or self._held.over(client, most)
        )
        if upload is None:
            return _UNDECIDED
        self.upload_timeouts.end(task)
        if self._held.over(client, most):
            return self._refuse(exchange, Cause.FULL)
        begun = exchange.arrived = monotonic()
        decided = await self._decider.decide(exchange, state, RequestBody(upload.body), begun)
        self._records.note(exchange, decided, begun)
        metadata = self._records.metadata(exchange, decided)
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

    def count(self, client: bytes, size: int) -> None:
        """Add to the bytes in work, or subtract."""
        self._held.add(client, size)
        self._runner.count(size)

    def _refuse(self, exchange: Exchange, cause: Cause) -> bytes:
        """Refuse a request of a client that uses more than its share."""
        response = undecided_response(cause)
        self._records.note(exchange, response, None)
        return encoded(response, metadata=self._records.metadata(exchange, response))
