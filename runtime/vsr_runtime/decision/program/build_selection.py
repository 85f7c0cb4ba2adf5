"""Reads the algorithms by which decisions select one of their models."""

from __future__ import annotations

from collections.abc import Mapping

from vsr_runtime.decision.selection.selectors import (
    Candidate,
    Ceilings,
    LatencyAware,
    MultiFactor,
    Selection,
    Selector,
    Weights,
)
from vsr_runtime.errors import config_error
from vsr_schemas.routerconfig import v0_4_0 as contract

_DEFAULT_PERCENTILE = 95


def read_selection(
    place: str, decision: contract.Decision, config: contract.RouterConfig, split: Mapping[str, int] | None
) -> Selection | None:
    """Return how a decision selects its model; None if it does not depend on what is observed.

    Raises:
        UserError: the algorithm lacks what it needs, or shares are stated as well.
    """
    algorithm = decision.algorithm
    if algorithm is None or algorithm.type == "static" or len(decision.modelRefs) < 2:  # noqa: PLR2004 - nothing to select
        return None
    if split is not None:
        raise config_error(
            f"splits.{decision.name}", f"the decision selects its model by {algorithm.type}; remove one", "runtime.yaml"
        )
    return Selection(_selector(f"{place}.algorithm", algorithm), _candidates(decision, config))


def _selector(place: str, algorithm: contract.Algorithm) -> Selector:
    if algorithm.type == "latency_aware":
        latency = algorithm.latency_aware
        if latency is None or not (latency.tpot_percentile or latency.ttft_percentile):
            raise config_error(
                f"{place}.latency_aware", "must have tpot_percentile or ttft_percentile, from 1 to 100, or both"
            )
        return LatencyAware(latency.tpot_percentile or None, latency.ttft_percentile or None)
    factors = algorithm.multi_factor or contract.MultiFactor()
    weights, most = factors.weights, factors.slo or contract.MultiFactorCeilings()
    own = factors.latency_percentile
    return MultiFactor(
        Weights.normalised(weights.quality, weights.latency, weights.cost, weights.load) if weights else Weights(),
        Ceilings(most.max_tpot_ms, most.max_ttft_ms, most.max_cost_per_1m, most.max_inflight),
        own if 0 < own <= 100 else _DEFAULT_PERCENTILE,  # noqa: PLR2004 - per cent
        # If none is left, `fail` is answered by the decision's first model, as every failed selection of the stock's.
        "first" if (factors.on_no_candidates or "").lower() in ("first", "fail") else "cheapest",
    )


def _candidates(decision: contract.Decision, config: contract.RouterConfig) -> tuple[Candidate, ...]:
    cards = {card.name: card for card in config.routing.modelCards}
    prices = {model.name: model.pricing.prompt_per_1m for model in config.providers.models if model.pricing}
    return tuple(
        Candidate(
            ref.lora_name or ref.model,
            ref.model,
            (cards[ref.model].quality_score if ref.model in cards else None) or 0.0,
            prices.get(ref.model, 0.0),
        )
        for ref in decision.modelRefs
    )
