"""``rates`` of the runtime's settings."""

from __future__ import annotations

from vsr_compiler import ir
from vsr_schemas.runtime_identity import ClientTestSettings
from vsr_schemas.runtime_limits import WINDOWS, PriceSettings, RateSettings, RatesSettings


def rates_settings(policy: ir.Policy) -> RatesSettings | None:
    """Return the limits of one router; None if it counts for none. Environments say how many replicas share them."""
    counting = [limit for limit in policy.limits if not limit.by_gateway]
    if not counting:
        return None
    by_name = {model.name: model for model in policy.models}
    prices = {model.name: _price(by_name[model.base or model.name]) for model in policy.models}
    counted = any(limit.unit == "dollars" for limit in counting)
    return RatesSettings(
        limits=[_limit(limit) for limit in counting],
        prices={name: price for name, price in prices.items() if price is not None} if counted else None,
    )


def _limit(limit: ir.Limit) -> RateSettings:
    return RateSettings(
        name=limit.name,
        per=list(limit.per),
        clients=[ClientTestSettings(attribute=test.attribute, values=list(test.values)) for test in limit.clients]
        or None,
        models=None if limit.models is None else [model.name for model in limit.models],
        routes=None if limit.routes is None else list(limit.routes),
        unit=limit.unit,
        amount=limit.amount,
        window=WINDOWS[limit.window],
        over=None if limit.over is None else limit.over.name,
    )


def _price(model: ir.Model) -> PriceSettings | None:
    if model.price is None:
        return None
    prompt, completion = model.price
    cached = prompt if model.cached_price is None else model.cached_price
    return PriceSettings(prompt=prompt, completion=completion, cached=cached)
