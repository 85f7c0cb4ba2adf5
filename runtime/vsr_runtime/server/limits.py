"""Applies the limits of use to decided requests, and counts what their responses used."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from time import time

from vsr_runtime.decision.limits.ledger import Admitted, Exceeded, Ledger
from vsr_runtime.decision.limits.rules import Rates
from vsr_runtime.decision.request.events import ImmediateResponse, SendToModel
from vsr_runtime.decision.request.limit_refusal import refusal
from vsr_runtime.decision.request.usage import UsageMeter
from vsr_runtime.server.metrics import Metrics

Decided = SendToModel | ImmediateResponse


class Limits:
    """The limits of all requests of one process.

    Args:
        metrics: counts refused and moved requests.
        clock: the time since 1970, in seconds.
    """

    def __init__(self, metrics: Metrics, clock: Callable[[], float] = time) -> None:
        self._metrics, self._clock = metrics, clock
        self.ledger = Ledger()

    async def apply(
        self, rates: Rates | None, decided: Decided, address: bytes, again: Callable[[str], Awaitable[Decided]]
    ) -> tuple[Decided, Charge | None]:
        """Count a request for a model; decide it ``again`` for another model, or refuse it, if it is above a limit."""
        for _ in range(2 * len(rates.limits) + 2 if rates else 0):
            if rates is None or not isinstance(decided, SendToModel) or decided.claim is None or decided.attempt:
                return decided, None
            outcome = self.ledger.admit(rates, decided.claim, address, self._clock())
            if isinstance(outcome, Admitted):
                return decided, Charge(self.ledger, rates, outcome, decided, self._metrics)
            if outcome.model is None:
                return self._refused(decided, outcome), None
            self._metrics.limited(outcome.rate.name, "moved")
            decided = await again(outcome.model)
        if rates is not None and isinstance(decided, SendToModel):
            raise RuntimeError("limits lead a request in a circle")
        return decided, None

    def _refused(self, decided: SendToModel, exceeded: Exceeded) -> ImmediateResponse:
        if decided.claim is None:
            raise RuntimeError("a request that does not count")
        self._metrics.limited(exceeded.rate.name, "refused")
        return refusal(decided.claim, exceeded)


class Charge:
    """What a request counts as, until its response has ended."""

    def __init__(self, ledger: Ledger, rates: Rates, admitted: Admitted, sent: SendToModel, metrics: Metrics) -> None:
        self._ledger, self._rates, self._admitted, self._metrics = ledger, rates, admitted, metrics
        self._model = sent.model
        claim = sent.claim
        self.meter = UsageMeter(claim.api, claim.estimate) if claim is not None and rates.reads_usage else None
        self.begun = False

    def settle(self) -> None:
        """Count what the response used. If it never began, the request counts as what it may have used."""
        meter, self.meter = self.meter, None
        if meter is None or not self.begun:
            return
        usage = meter.result()
        self._ledger.settle(self._rates, self._admitted, usage)
        self._metrics.used(self._model, usage.prompt, usage.completion)
