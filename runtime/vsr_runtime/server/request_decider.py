"""Decides the request of one stream: by its policy or a candidate, the response cache, and the limits."""

from __future__ import annotations

from dataclasses import replace

from vsr_runtime.decision.request.events import Event, ImmediateResponse, RequestBody, SendToModel
from vsr_runtime.decision.request.states import AwaitsBody, State
from vsr_runtime.server.clients import UNKNOWN
from vsr_runtime.server.decision_records import DecisionRecords
from vsr_runtime.server.decision_runner import DecisionRunner, loop_time
from vsr_runtime.server.exchange import Exchange
from vsr_runtime.server.generation import Generation
from vsr_runtime.server.limits import Limits
from vsr_runtime.server.model_observer import ModelObserver
from vsr_runtime.server.shadow.share import Share
from vsr_runtime.server.wire import BodyMode


class RequestDecider:
    """Decides the requests of all streams.

    Args:
        runner: runs the state machine.
        records: compares decisions with those of a candidate.
        limits: counts what requests use.
        share: a candidate that decides a share of requests; None for none.
    """

    def __init__(self, runner: DecisionRunner, records: DecisionRecords, limits: Limits, share: Share | None) -> None:
        self._runner = runner
        self._records = records
        self._share = share
        self.limits = limits
        self.observer = ModelObserver()

    async def decide(
        self, exchange: Exchange, state: State, event: Event, begun: float
    ) -> SendToModel | ImmediateResponse:
        """Decide a request, answer it from the cache if that is possible, and apply the limits."""
        if self._share is not None and isinstance(event, RequestBody):
            state, event = await self._share.draw(exchange, state, event, begun, self._runner)
        state = self.with_observations(exchange.generation, state)

        async def decide(moved: str | None = None) -> SendToModel | ImmediateResponse:
            now = replace(state, moved=moved) if moved and isinstance(state, AwaitsBody) else state
            decided = await self._decided_by_policy(exchange, now, event, begun)
            if exchange.shadowed is not None and isinstance(event, RequestBody):
                self._records.compare(exchange, event.body, decided)
            cached = isinstance(decided, SendToModel) and decided.cache_key is not None
            if cached and (exchange.mode is not BodyMode.STREAMED or exchange.reply_in_parts):
                generation = exchange.generation
                return await generation.answered(decided, loop_time(begun + generation.budget))
            return decided

        rates = (exchange.drawn.active if exchange.drawn else exchange.generation).rules.program.rates
        if rates is None:
            return await decide()
        decided, exchange.charge = await self.limits.apply(rates, await decide(), exchange.client or UNKNOWN, decide)
        return decided

    async def _decided_by_policy(
        self, exchange: Exchange, state: State, event: Event, begun: float
    ) -> SendToModel | ImmediateResponse:
        """Let the policy of the request decide."""
        if self._share is None:
            return await self._runner.decide(exchange.generation, state, event, begun)
        return await self._share.decide(exchange, state, event, begun, self._runner, self.with_observations)

    def with_observations(self, generation: Generation, state: State) -> State:
        """Return the state with what decisions must know of models."""
        if generation.wanted is None or not isinstance(state, AwaitsBody):
            return state
        return replace(state, observed=self.observer.snapshot(generation.wanted))
