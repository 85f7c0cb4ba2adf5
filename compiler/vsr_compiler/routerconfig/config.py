"""``router/``: the stock router's config and our runtime's settings, one per policy, whatever the target."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from vsr_compiler import ir
from vsr_compiler.ir.signals import JailbreakSignal, PiiSignal
from vsr_compiler.routerconfig import signals
from vsr_compiler.routerconfig.plugins import plugins
from vsr_runtime.inference.encoder_files import KNOWN
from vsr_schemas import runtime as settings
from vsr_schemas.pii import ALL_TYPES
from vsr_schemas.routerconfig import v0_4_0 as stock

CONFIG, SETTINGS = "config.yaml", "runtime.yaml"
"""File names in ``router/``. Heads are called ``<classifier>.safetensors``."""


def router_config(policy: ir.Policy) -> stock.RouterConfig:
    """The policy in the stock router's contract."""
    decisions = [_decision(route, len(policy.routes) - rank) for rank, route in enumerate(policy.routes)]
    bases = [model for model in policy.models if model.base is None]
    return stock.RouterConfig.model_validate(
        {
            "providers": stock.Providers(
                defaults=stock.ProviderDefaults(model=policy.default.name),
                models=[provider_model(model) for model in bases],
            ),
            "routing": stock.Routing(modelCards=cards(policy, bases), signals=_signals(policy), decisions=decisions),
            "global": stock.Global(router=stock.RouterGlobal(auto_model_names=list(policy.router.auto_models))),
        }
    )


def runtime_settings(policy: ir.Policy, heads: Mapping[str, settings.ClassifierSettings]) -> settings.RuntimeSettings:
    """What the stock contract has no word for."""
    router = policy.router
    splits = {route.name: {model.name: share for model, share in route.models} for route in policy.routes}
    return settings.RuntimeSettings(
        apiVersion="vsr.dev/v1alpha1",
        kind="RuntimeSettings",
        policy=policy.name,
        deadline=router.deadline,
        limits=settings.LimitSettings(maxBody=router.max_body, maxMessage=router.max_message),
        classifiers=dict(heads),
        splits={name: shares for name, shares in splits.items() if len(shares) > 1} or None,
        credentials={
            model.name: settings.CredentialSettings(file=model.provider.credential)
            for model in policy.models
            if model.provider
        }
        or None,
        guards={guard.name: _guard(guard) for guard in policy.guards} or None,
        cache=_cache(policy),
        onFailure="default-model" if router.fails_open else None,
        responseHeaders=None if router.response_headers == "never" else router.response_headers,
        detectors=_detectors(policy),
    )


def _cache(policy: ir.Policy) -> settings.CacheSettings | None:
    """The bounds on kept answers, and what compares requests where some route asks for that."""
    caches = [route.cache for route in policy.routes if route.cache is not None]
    if not caches:
        return None
    compares = any(cache.similarity is not None for cache in caches)
    known = settings.EncoderSettings(repo=settings.MINILM, sha256=KNOWN[settings.MINILM].weights, precision="int8")
    return settings.CacheSettings(encoder=known if compares else None)


def moved(body: Mapping[str, Any], policy: ir.Policy) -> dict[str, Any]:
    """The settings as an environment has them that brings checkpoints to another device."""
    found = {classifier.name: classifier for classifier in policy.classifiers}
    classifiers = {
        name: given
        if "checkpoint" not in given
        else given
        | {"checkpoint": given["checkpoint"] | {"device": found[name].device, "precision": found[name].precision}}
        for name, given in body["classifiers"].items()
    }
    return {**body, "classifiers": classifiers}


def _detectors(policy: ir.Policy) -> settings.DetectorSettings | None:
    """Who is asked for the signals whose rule has no word for that."""
    attacks = {each.name: each.kind.detector.name for each in policy.signals if isinstance(each.kind, JailbreakSignal)}
    personal = {
        each.name: each.kind.detector.name
        for each in policy.signals
        if isinstance(each.kind, PiiSignal) and each.kind.detector is not None
    }
    return settings.DetectorSettings(jailbreak=attacks or None, pii=personal or None) if attacks or personal else None


def _guard(guard: ir.Guard) -> settings.GuardSettings:
    return settings.GuardSettings.model_validate(
        {
            "types": list(guard.types) or None,
            "patterns": list(guard.patterns) or None,
            "builtin": list(guard.builtin) or None,
            "detector": guard.detector.name if guard.detector else None,
            "threshold": guard.threshold,
            "action": guard.action.name,
            "model": guard.action.model.name if isinstance(guard.action, ir.RouteTo) else None,
            "on": guard.on,
            "onError": guard.on_error,
            "unreadable": guard.unreadable,
            "maxTokens": guard.max_tokens,
            "unmask": guard.unmask or None,
            "exempt": [model.name for model in guard.exempt] or None,
        }
    )


def provider_model(model: ir.Model) -> stock.ProviderModel:
    """A model with where it is served, what it costs and how it reasons."""
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
    """Never with a key: this file can be read by whoever reads the repository."""
    provider, name = endpoint.provider, endpoint.service.name
    if provider is None:
        return stock.BackendRef(name=name, endpoint=endpoint.service.authority, weight=weight, provider="vllm")
    address = f"{provider.host}:{provider.port}"
    return stock.BackendRef(name=name, endpoint=address, protocol="https", weight=weight, provider="openai")


def cards(policy: ir.Policy, bases: list[ir.Model]) -> list[stock.ModelCard]:
    """What the router knows of each model: its context and its adapters."""
    adapters: dict[str, list[stock.Lora]] = {}
    for model in policy.models:
        if model.base is not None:
            adapters.setdefault(model.base, []).append(stock.Lora(name=model.name))
    return [
        stock.ModelCard(name=model.name, context_window_size=model.context, loras=adapters.get(model.name))
        for model in bases
    ]


def _signals(policy: ir.Policy) -> stock.Signals:
    """The signals by collection."""
    found = signals.collected(policy, _pii)
    return stock.Signals.model_validate({"domains": [domain(category) for category in policy.categories], **found})


def _pii(name: str, body: PiiSignal) -> stock.PiiRule:
    """The contract names what may be there; the policy what is looked for."""
    allowed = sorted(ALL_TYPES - set(body.types))
    return stock.PiiRule(name=name, threshold=body.threshold, pii_types_allowed=allowed, include_history=True)


def domain(category: ir.Category) -> stock.Domain:
    """A category, tied to the stock classifier's label where it is one."""
    mmlu = [category.name] if category.name in stock.MMLU_CATEGORIES else None
    return stock.Domain(name=category.name, description=category.description, mmlu_categories=mmlu)


def _decision(route: ir.Route, priority: int) -> stock.Decision:
    target = " or ".join(model.name for model, _ in route.models) or "a fixed answer"
    return stock.Decision(
        name=route.name,
        description=f"Route {route.name} to {target}",
        priority=priority,
        rules=stock.RuleNode.model_validate(signals.rules(route.when, lambda _: "domain")),
        modelRefs=[ref(route, model) for model, _ in route.models],
        plugins=plugins(route) or None,
    )


def ref(route: ir.Route, model: ir.Model) -> stock.ModelRef:
    """The model, or the adapter of its base. An effort switches reasoning on."""
    return stock.ModelRef(
        model=model.base or model.name,
        lora_name=model.name if model.base else None,
        use_reasoning=bool(route.reasoning or route.effort),
        reasoning_effort=route.effort,
    )
