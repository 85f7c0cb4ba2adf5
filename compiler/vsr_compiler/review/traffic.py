"""Summarises a router folder for comparison: routes, models, guards and settings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from vsr_compiler import ir

Shares = Mapping[str, float]
"""Shares in per cent by model or endpoint; they add up to 100 unless empty."""
CLUSTER = ".svc.cluster.local"
_ROUTE_OWN = frozenset({"name", "description", "priority", "rules", "modelRefs", "plugins"})


@dataclass(frozen=True, slots=True)
class RouteSummary:
    """A decision: its condition, its models, and all other fields."""

    when: str
    models: Shares
    rest: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ModelSummary:
    """A model name: the shares of its endpoints, their addresses in and outside the cluster, and all other fields."""

    endpoints: Shares
    inside: Mapping[str, str]
    outside: frozenset[str]
    rest: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Traffic:
    """A router folder. Routes are in order of evaluation."""

    default: str
    auto: tuple[str, ...]
    models: Mapping[str, ModelSummary]
    routes: Mapping[str, RouteSummary]
    categories: Mapping[str, Any]
    signals: Mapping[str, Any]
    guards: Mapping[str, Mapping[str, Any]]
    classifiers: Mapping[str, Any]
    settings: Mapping[str, Any]
    identity: Mapping[str, Any] = field(default_factory=dict)


def read_traffic(config: Any, runtime: Any) -> Traffic:  # noqa: ANN401 - two untrusted files
    """Summarise ``config.yaml`` and ``runtime.yaml``. Missing or malformed parts count as empty."""
    providers, routing = _map(config, "providers"), _map(config, "routing")
    splits, fallbacks = _map(runtime, "splits"), _map(runtime, "fallbacks")
    decisions = sorted(_list(routing, "decisions"), key=lambda decision: -_number(decision.get("priority"), 0))
    cards = _named(_list(routing, "modelCards"))
    signals = {kind: items for kind, items in _map(routing, "signals").items() if kind != "domains"}
    return Traffic(
        default=str(_map(providers, "defaults").get("model", "")),
        auto=_texts(_map(_map(config, "global"), "router").get("auto_model_names")),
        models={name: _model(model, cards.get(name, {})) for name, model in _named(_list(providers, "models")).items()},
        routes={
            name: _route(decision, _map(splits, name), _map(fallbacks, name))
            for name, decision in _named(decisions).items()
        },
        categories=_named(_list(_map(routing, "signals"), "domains")),
        signals=signals,
        guards={name: guard for name, guard in _map(runtime, "guards").items() if isinstance(guard, dict)},
        classifiers=_map(runtime, "classifiers"),
        settings={
            key: value
            for key, value in _dict(runtime).items()
            if key not in {"apiVersion", "kind", "policy", "guards", "classifiers", "splits", "fallbacks", "identity"}
        },
        identity=_map(runtime, "identity"),
    )


def condition_words(rules: Any) -> str:  # noqa: ANN401 - part of the same files
    """Return the rules of a decision in words: ``category math and not keyword urgent``."""
    return _phrase(_dict(rules)).text


def _phrase(rules: Mapping[str, Any]) -> ir.Phrase:
    if "conditions" not in rules:
        kind = "category" if rules.get("type") == "domain" else str(rules.get("type", "?"))
        return ir.Phrase(f"{kind} {rules.get('name', '?')}")
    parts = [_phrase(part) for part in _list(rules, "conditions")]
    match str(rules.get("operator", "AND")).upper():
        case "NOT":
            return ir.negated_phrase(ir.any_phrase(parts))
        case "OR":
            return ir.any_phrase(parts)
        case _:
            return ir.all_phrase(parts)


def _route(decision: Mapping[str, Any], split: Mapping[str, Any], fallback: Mapping[str, Any]) -> RouteSummary:
    refs = [ref for ref in _list(decision, "modelRefs") if "model" in ref]
    models = [str(ref.get("lora_name") or ref["model"]) for ref in refs]
    weights = {model: _number(share, 0) for model, share in split.items()} or {
        model: _number(ref.get("weight"), 1) for model, ref in zip(models, refs, strict=True)
    }
    rest = {key: value for key, value in decision.items() if key not in _ROUTE_OWN} | _plugins(decision)
    for ref in refs:
        options = {key: value for key, value in ref.items() if key not in {"model", "lora_name", "weight"}}
        rest |= {key.removeprefix("use_"): value for key, value in options.items()}
    if fallback:
        rest |= {"fallback": ", ".join(_texts(fallback.get("models"))), "attempts": fallback.get("attempts")}
    return RouteSummary(condition_words(decision.get("rules")), shares(weights), rest)


def _plugins(decision: Mapping[str, Any]) -> dict[str, Any]:
    """Return the configuration of a route's plugins by kind, or the plain list if a kind is repeated."""
    plugins = _list(decision, "plugins")
    by_kind = {str(plugin.get("type")): plugin.get("configuration", {}) for plugin in plugins}
    if len(by_kind) == len(plugins):
        return by_kind
    return {"plugins": decision.get("plugins")}


def _model(provider: Mapping[str, Any], card: Mapping[str, Any]) -> ModelSummary:
    refs = _list(provider, "backend_refs")
    places = [(str(ref.get("name")), str(ref.get("endpoint", ""))) for ref in refs]
    inside = {name: place for name, place in places if CLUSTER in place}
    outside = {place for _, place in places if CLUSTER not in place}
    rest = {key: value for key, value in {**card, **provider}.items() if key not in {"name", "backend_refs"}}
    weights = {str(ref.get("name")): _number(ref.get("weight"), 1) for ref in refs}
    return ModelSummary(shares(weights), inside, frozenset(outside), rest)


def shares(weights: Mapping[str, float]) -> dict[str, float]:
    """Return weights as per cent, without names of weight 0."""
    total = sum(weights.values())
    return {name: 100 * weight / total for name, weight in weights.items() if weight > 0} if total > 0 else {}


def _dict(value: Any) -> dict[str, Any]:  # noqa: ANN401 - as above
    return value if isinstance(value, dict) else {}


def _map(value: Any, key: str) -> dict[str, Any]:  # noqa: ANN401 - as above
    return _dict(_dict(value).get(key))


def _list(value: Any, key: str) -> list[dict[str, Any]]:  # noqa: ANN401 - as above
    items = _dict(value).get(key)
    return [item for item in items if isinstance(item, dict)] if isinstance(items, list) else []


def _named(items: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {str(item["name"]): item for item in items if "name" in item}


def _texts(value: Any) -> tuple[str, ...]:  # noqa: ANN401 - as above
    return tuple(map(str, value)) if isinstance(value, list) else ()


def _number(value: Any, default: float) -> float:  # noqa: ANN401 - as above
    return value if isinstance(value, int | float) and not isinstance(value, bool) else default
