"""``router/`` for our runtime: config in the stock router's format, and settings that it cannot express."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from vsr_compiler import ir
from vsr_compiler.ir.signals import JailbreakSignal, LabelSignal, PiiSignal
from vsr_compiler.routerconfig import credentials, signals
from vsr_compiler.routerconfig.identity import identity_settings
from vsr_compiler.routerconfig.limits import rates_settings
from vsr_compiler.routerconfig.models import cards, model_ref, provider_model
from vsr_compiler.routerconfig.plugins import plugins
from vsr_schemas import runtime as settings
from vsr_schemas.apis import API_PATHS, ApiPath
from vsr_schemas.pii import allowed_types
from vsr_schemas.routerconfig import v0_4_0 as stock


def router_config(policy: ir.Policy) -> stock.RouterConfig:
    """Return the policy in the format of the stock router."""
    decisions = [_decision(route, len(policy.routes) - rank) for rank, route in enumerate(policy.routes)]
    if policy.default_route is not None:
        decisions.append(_decision(policy.default_route, 0))
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
    """Return the settings that the stock router's format cannot express.

    Args:
        policy: The linked policy.
        heads: The classifiers with their compiled heads, by name.
    """
    router = policy.router
    splits = {route.name: {model.name: share for model, share in route.models} for route in policy.routes}
    return settings.RuntimeSettings(
        apiVersion="vsr.dev/v1alpha1",
        kind="RuntimeSettings",
        policy=policy.name,
        deadline=router.deadline,
        limits=settings.LimitSettings(
            maxBody=router.max_body, maxMessage=router.max_message, models=_prefixes(policy) or None
        ),
        overflow="reject" if router.overflow == "reject" else None,
        apis=list(policy.apis) or None,
        cors=_cors(policy.gateway.cors),
        classifiers=dict(heads),
        splits={name: shares for name, shares in splits.items() if len(shares) > 1} or None,
        credentials={model.name: credentials.settings_of(policy, model.keyed) for model in policy.models if model.keyed}
        or None,
        guards={guard.name: _guard(guard) for guard in policy.guards} or None,
        cache=_cache(policy),
        onFailure="default-model" if router.fails_open else None,
        responseHeaders=None if router.response_headers == "never" else router.response_headers,
        accessLogMetadata=True if router.access_log_metadata else None,
        detectors=_detectors(policy),
        fallbacks=_fallbacks(policy),
        stickiness=_stickiness(policy),
        identity=identity_settings(policy),
        rates=rates_settings(policy),
        ask=_ask(policy),
    )


def _ask(policy: ir.Policy) -> settings.AskSettings:
    """Return how the ask is found, and what reads the whole request instead."""
    rules = policy.ask
    whole = ["category"] if policy.classifier is not None and policy.classifier.of == "request" else []
    for signal in policy.signals:
        if signal.of == "request":
            whole += [f"{kind}:{name}" for kind, name in signals.signal_names(signal)]
    return settings.AskSettings(
        profiles=rules.profiles if rules.profiles == "builtin" else list(rules.profiles) or "none",
        markers=[
            settings.MarkerSettings(open=marker.open, close=marker.close, holds=marker.holds)
            for marker in rules.markers
        ]
        or None,
        wholeRequest=whole or None,
    )


def _fallbacks(policy: ir.Policy) -> dict[str, settings.FallbackSettings] | None:
    """Return the attempts of routes. Which failures count, and for how long a model is waited, is the gateway's."""
    return {
        route.name: settings.FallbackSettings(
            routes={model.name: ir.chain_name(route, model) for model, _ in route.models},
            models=[model.name for model in route.retry.models],
            attempts=route.retry.attempts,
        )
        for route in policy.retrying
        if route.retry is not None
    } or None


def _stickiness(policy: ir.Policy) -> settings.StickinessSettings | None:
    """Return how conversations stay with a model. With `mode: none` too, state at a provider must be located."""
    stickiness = policy.stickiness
    if stickiness is None:
        return None
    own = {route.name: _route_stickiness(route.stickiness) for route in policy.routes if route.stickiness is not None}
    default = stickiness.default
    discounts = {
        model.name: round(1 - model.cached_price / model.price[0], 6)
        for model in policy.models
        if model.price is not None and model.cached_price is not None and model.price[0]
    }
    uses_margin = any(one.margin for one in (default, *(route.stickiness for route in policy.routes)) if one)
    return settings.StickinessSettings(
        mode=default.mode,
        margin=default.margin or None,
        order=[model.name for model in stickiness.order] or None,
        keyHeader=stickiness.key_header,
        stateHeader=stickiness.state_header,
        key=stickiness.key,
        discounts=(discounts or None) if uses_margin else None,
        routes=own or None,
    )


def _route_stickiness(stickiness: ir.RouteStickiness) -> settings.RouteStickinessSettings:
    return settings.RouteStickinessSettings(mode=stickiness.mode, margin=stickiness.margin or None)


def model_prefix(policy: ir.Policy, model: ir.Model) -> Literal["/v1/"] | None:
    """Return the prefix of the paths that have a route to a model; None for every path.

    Providers have their API below it, except Cohere, and so has the route for requests that the router has not decided.
    """
    provider = model.provider.provider if model.provider else None
    if provider is not None and provider.api.schema == "cohere":
        return None
    return "/v1/" if model.external or policy.router.fails_open else None


def provider_apis(model: ir.Model) -> list[ApiPath] | None:
    """Return the APIs that the provider of a model has for requests that nobody translates; None for all."""
    provider = model.provider.provider if model.provider else None
    if provider is None or provider.api.paths is None:
        return None
    return [path for path in API_PATHS if path in provider.api.paths]


def _prefixes(policy: ir.Policy) -> dict[str, settings.ModelLimitSettings]:
    """Return the limits of models that do not have every path, on whatever target."""
    limits = {
        model.name: settings.ModelLimitSettings(prefix=model_prefix(policy, model), apis=provider_apis(model))
        for model in policy.models
    }
    return {name: limit for name, limit in limits.items() if limit != settings.ModelLimitSettings()}


def _cors(cors: ir.Cors | None) -> settings.CorsSettings | None:
    if cors is None:
        return None
    return settings.CorsSettings(
        allowOrigins=list(cors.origins),
        allowHeaders=list(cors.headers),
        exposeHeaders=list(cors.exposed) or None,
        allowCredentials=True if cors.credentials else None,
        maxAge=cors.max_age,
    )


def _cache(policy: ir.Policy) -> settings.CacheSettings | None:
    """Return the response cache settings, with an encoder if a route compares requests by similarity."""
    caches = [route.cache for route in policy.routes if route.cache is not None]
    if not caches:
        return None
    by_similarity = any(cache.similarity is not None for cache in caches)
    encoder = policy.router.encoder
    known = settings.EncoderSettings(repo=encoder.repo, sha256=encoder.sha256, precision="int8")
    return settings.CacheSettings(encoder=known if by_similarity else None, store=_store(policy.router.cache))


def _store(store: ir.CacheStore | None) -> settings.CacheStoreSettings | None:
    """Return where replicas share responses; None if each process keeps its own."""
    if store is None:
        return None
    return settings.CacheStoreSettings(
        address=store.address, tls=store.tls, login=store.password is not None, ca=store.ca is not None
    )


def settings_for(body: Mapping[str, Any], policy: ir.Policy) -> dict[str, Any]:
    """Return runtime settings with the devices and precisions of a policy's classifiers, and its replicas for limits.

    Args:
        body: The settings of the base.
        policy: The policy as an environment resolves it.
    """
    by_name = {classifier.name: classifier for classifier in policy.classifiers}
    classifiers = {
        name: classifier
        if "checkpoint" not in classifier
        else classifier
        | {
            "checkpoint": classifier["checkpoint"]
            | {"device": by_name[name].device, "precision": by_name[name].precision}
        }
        for name, classifier in body["classifiers"].items()
    }
    rates = {"rates": body["rates"] | {"replicas": max(1, policy.router.replicas)}} if "rates" in body else {}
    return {**body, "classifiers": classifiers, **rates}


def with_limits(
    body: Mapping[str, Any],
    max_body: int,
    models: Mapping[str, settings.ModelLimitSettings],
    apis: Sequence[ApiPath] | None = None,
) -> dict[str, Any]:
    """Return runtime settings with the limits of a target.

    Args:
        body: The settings of the policy.
        max_body: The limit of every request in bytes.
        models: Further limits of single models.
        apis: The served paths of models that say nothing else; None for all.
    """
    limits = settings.LimitSettings(
        maxBody=max_body,
        maxMessage=max_body + settings.FRAME_BYTES,
        apis=None if apis is None else list(apis),
        models=dict(models) or None,
    )
    return {**body, "limits": limits.model_dump(mode="json", exclude_none=True)}


def _detectors(policy: ir.Policy) -> settings.DetectorSettings | None:
    """Return the detectors of signals; the rule of a signal cannot name one."""
    attacks = {
        signal.name: signal.kind.detector.name for signal in policy.signals if isinstance(signal.kind, JailbreakSignal)
    }
    personal = {
        signal.name: signal.kind.detector.name
        for signal in policy.signals
        if isinstance(signal.kind, PiiSignal) and signal.kind.detector is not None
    }
    labels = {
        signal.name: settings.LabelSettings(classifier=signal.kind.classifier.name, labels=list(signal.kind.labels))
        for signal in policy.signals
        if isinstance(signal.kind, LabelSignal)
    }
    if not (attacks or personal or labels):
        return None
    return settings.DetectorSettings(jailbreak=attacks or None, pii=personal or None, labels=labels or None)


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


def _signals(policy: ir.Policy) -> stock.Signals:
    """Return the signals by collection."""
    rules = signals.collected(policy, _pii)
    return stock.Signals.model_validate(
        {"domains": [signals.domain(category) for category in policy.categories], **rules}
    )


def _pii(name: str, body: PiiSignal) -> stock.PiiRule:
    """Return the rule of a PII signal. The format lists allowed types, the policy the types to detect."""
    allowed = allowed_types(body.types)
    return stock.PiiRule(name=name, threshold=body.threshold, pii_types_allowed=allowed, include_history=True)


def _decision(route: ir.Route, priority: int) -> stock.Decision:
    target = " or ".join(model.name for model, _ in route.models) or "a fixed answer"
    return stock.Decision(
        name=route.name,
        description=f"Route {route.name} to {target}",
        priority=priority,
        rules=stock.RuleNode.model_validate(signals.rules(route.when, lambda _: "domain")),
        modelRefs=[model_ref(route, model) for model, _ in route.models],
        plugins=plugins(route) or None,
    )
