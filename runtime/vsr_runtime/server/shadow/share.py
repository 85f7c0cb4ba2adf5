"""Lets a candidate decide a share of all conversations, and the active policy the rest and whatever goes wrong."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from time import monotonic

from vsr_runtime.decision.deadline import Budget, BudgetExceededError, DeadlineExceededError
from vsr_runtime.decision.request.events import (
    Cause,
    Continue,
    Event,
    GuardMatch,
    ImmediateResponse,
    RequestBody,
    RequestHeaders,
    SendToModel,
)
from vsr_runtime.decision.request.parsed_request import ReadBody
from vsr_runtime.decision.request.request_machine import advance
from vsr_runtime.decision.request.share import drawn_by, is_drawn
from vsr_runtime.decision.request.states import AwaitsBody, AwaitsHeaders, State
from vsr_runtime.log import log
from vsr_runtime.server.decision_runner import DecisionRunner, loop_time
from vsr_runtime.server.drawn import Drawn
from vsr_runtime.server.exchange import Exchange
from vsr_runtime.server.generation import Generation
from vsr_runtime.server.policy_metrics import Policy, PolicyMetrics
from vsr_runtime.server.readers.remote import LARGE_BODY
from vsr_runtime.server.thread_pool import OverloadedError

LOGGED = 100
"""Failures of one candidate that are logged."""


@dataclass(frozen=True, slots=True)
class Sharing:
    """A candidate that decides.

    Attributes:
        active: the key of the active policy that it was compared with, in whose place it may decide.
        generation: the candidate, as it decides.
        mirror: the active policy, as it decides the candidate's requests to compare; None if it cannot.
    """

    active: int
    generation: Generation
    mirror: Generation | None

    def retire(self) -> None:
        """Let the last streams end."""
        self.generation.retire()
        if self.mirror is not None:
            self.mirror.retire()


class Share:
    """The share of a candidate.

    Args:
        metrics: counts.
        percent: per cent of all conversations.
    """

    def __init__(self, metrics: PolicyMetrics, percent: float) -> None:
        self._metrics = metrics
        self._percent = percent
        self._sharing: Sharing | None = None
        self._logged = 0
        metrics.begin()

    @property
    def wanted(self) -> frozenset[str]:
        """The models that are observed for the candidate."""
        wanted = self._sharing.generation.wanted if self._sharing is not None else None
        return wanted.models if wanted is not None else frozenset()

    @property
    def generation(self) -> Generation | None:
        """The candidate that decides."""
        return self._sharing.generation if self._sharing is not None else None

    @property
    def mirror(self) -> Generation | None:
        """The active policy, as it decides the candidate's requests to compare."""
        return self._sharing.mirror if self._sharing is not None else None

    def swap(self, sharing: Sharing | None) -> None:
        """Let another candidate decide, or none."""
        before, self._sharing = self._sharing, sharing
        self._logged = 0
        self._metrics.share(self._percent if sharing is not None else 0)
        if before is not None:
            before.retire()

    def begin(self, exchange: Exchange, state: AwaitsBody, first: RequestHeaders) -> None:
        """Read the headers of a request for the candidate, too."""
        if self._sharing is None or self._sharing.active != exchange.generation.key:
            self._metrics.fell_back("missing")
            return
        generation = self._sharing.generation
        try:
            own, action = advance(generation.rules, AwaitsHeaders(), first)
            accepted = own if isinstance(own, AwaitsBody) and isinstance(action, Continue) else None
        except Exception as error:  # noqa: BLE001 - whatever it is, the active policy can decide
            self._log(exchange, type(error).__name__)
            accepted = None
        exchange.drawn = Drawn(generation, accepted, exchange.generation, state)
        generation.enter()
        if generation.wanted is not None and not exchange.begun:
            exchange.begun = monotonic()

    def end(self, exchange: Exchange) -> None:
        """End a request."""
        if exchange.drawn is not None:
            exchange.drawn.candidate.leave()

    async def draw(
        self, exchange: Exchange, state: State, event: RequestBody, begun: float, runner: DecisionRunner
    ) -> tuple[State, RequestBody]:
        """Return the state of the policy that decides the request, and the body, which is read once."""
        drawn = exchange.drawn
        if drawn is None or not isinstance(state, AwaitsBody):
            return state, event
        drawn.policy = "active"
        found = await self._drawn_by(drawn.active, state, event.body, begun + drawn.active.budget, runner)
        if found is None:
            return self._fall_back(exchange, drawn, "late"), event
        key, read = found
        event = replace(event, read=read)
        if not is_drawn(key, self._percent):
            return state, event
        if drawn.state is None:
            return self._fall_back(exchange, drawn, "headers"), event
        drawn.policy = "candidate"
        exchange.generation = drawn.candidate
        return drawn.state, event

    async def _drawn_by(
        self, active: Generation, state: AwaitsBody, body: bytes, end: float, runner: DecisionRunner
    ) -> tuple[bytes, ReadBody | None] | None:
        """Return by what a request is drawn, and its body as it was read; None if that is not known in time."""
        expired = Budget.of(active.budget, lambda: monotonic() > end)
        work = partial(drawn_by, active.rules, state, body, expired)
        try:
            if len(body) < LARGE_BODY or state.key is not None:
                return work()
            return await runner.readers.run(loop_time(end), len(body), work)
        except (OverloadedError, TimeoutError, DeadlineExceededError, BudgetExceededError):
            return None

    async def decide(
        self,
        exchange: Exchange,
        state: State,
        event: Event,
        begun: float,
        runner: DecisionRunner,
        observed: Callable[[Generation, State], State],
    ) -> SendToModel | ImmediateResponse:
        """Let the policy that was drawn decide; if the candidate is broken, let the active one."""
        drawn = exchange.drawn
        if drawn is None or drawn.policy != "candidate":
            return await runner.decide(exchange.generation, state, event, begun)
        try:
            decided = await runner.decide(drawn.candidate, state, event, begun)
        except Exception as error:  # noqa: BLE001 - whatever it is, the active policy can decide
            self._log(exchange, type(error).__name__)
            reason = "failed"
        else:
            if not (isinstance(decided, ImmediateResponse) and decided.cause is Cause.BROKEN):
                return decided
            self._log(exchange, "a classifier or detector does not answer")
            reason = "broken"
        own = self._fall_back(exchange, drawn, reason)
        if isinstance(own, AwaitsBody) and isinstance(state, AwaitsBody):
            own = replace(own, moved=state.moved)
        return await runner.decide(drawn.active, observed(drawn.active, own), event, begun)

    def _fall_back(self, exchange: Exchange, drawn: Drawn, reason: str) -> State:
        """Let the active policy decide, and count it."""
        self._metrics.fell_back(reason)
        exchange.generation, exchange.drawn = drawn.active, None
        drawn.candidate.leave()
        return drawn.active_state

    def _log(self, exchange: Exchange, reason: str) -> None:
        self._logged += 1
        if self._logged <= LOGGED:
            log("candidate_failed", request=exchange.request_id, reason=reason)

    def note(self, exchange: Exchange, action: SendToModel | ImmediateResponse, begun: float | None) -> None:
        """Count a decision by its policy."""
        if (policy := _policy(exchange)) is not None:
            self._metrics.decided(policy, action, None if begun is None else monotonic() - begun)

    def guarded(self, exchange: Exchange, matches: tuple[GuardMatch, ...]) -> None:
        """Count what guards found in a response."""
        if (policy := _policy(exchange)) is not None:
            self._metrics.guarded(policy, matches, "response")

    def blocked(self, exchange: Exchange, answer: ImmediateResponse) -> None:
        """Count a response that was blocked."""
        if (policy := _policy(exchange)) is not None:
            self._metrics.blocked(policy, answer)


def _policy(exchange: Exchange) -> Policy | None:
    return exchange.drawn.policy if exchange.drawn is not None else None
