"""What a response costs, for limits that the gateway counts: AI Gateway writes it into the metadata of the response."""

from __future__ import annotations

import json

from vsr_compiler import ir
from vsr_compiler.manifests.objects import Body
from vsr_compiler.targets.ai_gateway import backends
from vsr_compiler.targets.envoy_gateway.rate_limits import DOLLARS, TOKENS, counted, digits

_MILLION = 6


def costs(policy: ir.Policy) -> Body:
    """Return the field `llmRequestCosts` of every route; empty if no limit needs it.

    All routes have the same, since AI Gateway 0.4.0 takes one of them for each key.
    """
    units = {limit.unit for limit in counted(policy)}
    found: list[Body] = []
    if "tokens" in units:
        found.append({"metadataKey": TOKENS, "type": "TotalToken"})
    if "dollars" in units:
        found.append({"metadataKey": DOLLARS, "type": "CEL", "cel": _dollars(policy)})
    return {"llmRequestCosts": found} if found else {}


def _dollars(policy: ir.Policy) -> str:
    """Return the expression of the cost by model, rounded up. A model with an unknown name costs as the dearest."""
    by_name = {model.name: model for model in policy.models}
    prices: dict[str, tuple[float, float, float]] = {}
    for model in policy.models:
        base = by_name[model.base or model.name]
        if base.price is None:
            continue
        prompt, completion = base.price
        price = (prompt, completion, prompt if base.cached_price is None else base.cached_price)
        for name in {
            model.served_name,
            *(backends.name_at(endpoint, model.served_name) for endpoint, _ in model.endpoints),
        }:
            prices[name] = _dearer(price, prices.get(name, price))
    dearest = (0.0, 0.0, 0.0)
    for price in prices.values():
        dearest = _dearer(price, dearest)
    scale = 10.0 ** (digits(policy) - _MILLION)
    cases = "".join(
        f"model == {json.dumps(name)} ? {_cost(price, scale)} : "
        for name, price in sorted(prices.items())
        if price != dearest
    )
    return f"uint({cases}{_cost(dearest, scale)})"


def _dearer(one: tuple[float, float, float], other: tuple[float, float, float]) -> tuple[float, float, float]:
    return max(one[0], other[0]), max(one[1], other[1]), max(one[2], other[2])


def _cost(price: tuple[float, float, float], scale: float) -> str:
    prompt, completion, cached = (_decimal(part * scale) for part in price)
    full = f"double(input_tokens) * {prompt} + double(output_tokens) * {completion} + 0.999999"
    if cached == prompt:
        return full
    some = f"double(input_tokens - cached_input_tokens) * {prompt} + double(cached_input_tokens) * {cached}"
    return f"(cached_input_tokens > input_tokens ? {full} : {some} + double(output_tokens) * {completion} + 0.999999)"


def _decimal(number: float) -> str:
    """Return a number as a literal of CEL's type double.

    >>> _decimal(2), _decimal(0.00000025)
    ('2.0', '0.00000025')
    """
    text = f"{number:.12f}".rstrip("0")
    return f"{text}0" if text.endswith(".") else text
