"""Models in the router's config: backends, cards and references."""

from __future__ import annotations

from vsr_compiler import ir
from vsr_schemas.routerconfig import v0_4_0 as stock


def provider_model(model: ir.Model) -> stock.ProviderModel:
    """Return a model with its backends, price and reasoning family."""
    refs = [_backend_ref(endpoint, weight) for endpoint, weight in model.endpoints]
    price = model.price
    return stock.ProviderModel(
        name=model.name,
        backend_refs=refs,
        provider_model_id=model.provider_model,
        pricing=None if price is None else stock.Pricing(prompt_per_1m=price[0], completion_per_1m=price[1]),
        reasoning=None if model.reasoning is None else stock.Reasoning(family=model.reasoning.family),
    )


def _backend_ref(endpoint: ir.Endpoint, weight: int) -> stock.BackendRef:
    """Return a backend, without an API key: the file is committed to the repository."""
    provider, name = endpoint.provider, endpoint.service.name
    if provider is None:
        return stock.BackendRef(name=name, endpoint=endpoint.service.authority, weight=weight, provider="vllm")
    address = f"{provider.host}:{provider.port}"
    return stock.BackendRef(name=name, endpoint=address, protocol="https", weight=weight, provider="openai")


def cards(policy: ir.Policy, bases: list[ir.Model]) -> list[stock.ModelCard]:
    """Return the context size and the adapters of each model."""
    adapters: dict[str, list[stock.Lora]] = {}
    for model in policy.models:
        if model.base is not None:
            adapters.setdefault(model.base, []).append(stock.Lora(name=model.name))
    return [
        stock.ModelCard(name=model.name, context_window_size=model.context, loras=adapters.get(model.name))
        for model in bases
    ]


def model_ref(route: ir.Route, model: ir.Model) -> stock.ModelRef:
    """Return the model, or the base with its adapter. An effort enables reasoning."""
    return stock.ModelRef(
        model=model.base or model.name,
        lora_name=model.name if model.base else None,
        use_reasoning=bool(route.reasoning or route.effort),
        reasoning_effort=route.effort,
    )
