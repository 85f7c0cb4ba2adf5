"""Prepares a stock router's config: leaves out what changes nothing here, and refuses the rest with a reason."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from vsr_schemas.routerconfig import stock_decisions as stock

_Json = dict[str, Any]
CACHES = frozenset({"response_cache", "response-cache", "semantic-cache", "semantic_cache"})


@dataclass(slots=True)
class Admission:
    """What was found in a config.

    Attributes:
        ignored: what was left out, and why.
        refused: what the runtime cannot execute, and why.
        ours: whether the compiler wrote the config, so that ``runtime.yaml`` binds its conditions of classifiers.
    """

    ours: bool = False
    ignored: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)

    def drop(self, place: str, holder: _Json, reasons: Mapping[str, str]) -> None:
        """Leave fields out."""
        for name in [name for name in holder if name in reasons]:
            del holder[name]
            self.ignored.append(f"{place}.{name}: {reasons[name]}")


def admit(document: object, *, ours: bool = False) -> Admission:
    """Change a config to what the runtime executes. What is not in the form of a config is left to its validation."""
    found = Admission(ours)
    if not isinstance(document, dict):
        return found
    for place, model in _items(document.get("providers"), "models", "providers"):
        found.drop(place, model, stock.MODEL_IGNORED)
        if model.get("api_format") == "openai":
            del model["api_format"]
            found.ignored.append(f"{place}.api_format: it is the default")
        elif "api_format" in model:
            found.refused.append(f"{place}.api_format: the runtime does not translate between APIs; remove it")
        for at, ref in _items(model, "backend_refs", place):
            if ref.pop("api_key", None):
                found.refused.append(
                    f"{at}.api_key: keys are not read from this file; put it into a Secret, give that to the container "
                    "as a variable, and name the variable as api_key_env"
                )
    _routing(document.get("routing"), "routing", found)
    for place, recipe in _items(document, "recipes", ""):
        _routing(recipe.get("routing"), f"{place}.routing", found)
    return found


def _routing(routing: object, place: str, found: Admission) -> None:
    for at, decision in _items(routing, "decisions", place):
        found.drop(at, decision, stock.DECISION_IGNORED)
        if decision.get("rules") == {}:
            del decision["rules"]  # it always holds
        _rules(decision.get("rules"), f"{at}.rules", found)
        _algorithm(decision, at, found)
        _plugins(decision, at, found)


def _algorithm(decision: _Json, at: str, found: Admission) -> None:
    """Leave out what chooses between models where there is one, and name what cannot be executed."""
    algorithm = decision.get("algorithm")
    kind = algorithm.get("type") if isinstance(algorithm, dict) else None
    if not isinstance(algorithm, dict) or not isinstance(kind, str):
        return
    refs = decision.get("modelRefs")
    one = isinstance(refs, list) and len(refs) == 1 and algorithm.get("minimum_candidates", 1) in (0, 1)
    if kind not in stock.ALGORITHMS_REFUSED and not (one and kind in stock.SELECTORS):
        return
    del decision["algorithm"]
    if kind in stock.SELECTORS and one:
        found.ignored.append(f"{at}.algorithm: {kind} has one model to choose from")
        return
    reason = f"{kind} is not executed here: {stock.ALGORITHMS_REFUSED[kind]}"
    found.refused.append(f"{at}.algorithm: {reason}; use static, or a split of runtime.yaml")


def _plugins(decision: _Json, at: str, found: Admission) -> None:
    """Leave out plugins that are off or change nothing, and name those that cannot be executed."""
    plugins = decision.get("plugins")
    if not isinstance(plugins, list):
        return
    kept = []
    for i, plugin in enumerate(plugins):
        kind = plugin.get("type") if isinstance(plugin, dict) else None
        place = f"{at}.plugins[{i}]"
        if not isinstance(kind, str):
            kept.append(plugin)
            continue
        configuration = plugin.get("configuration")
        named = kind in stock.PLUGINS_IGNORED or kind in stock.PLUGINS_REFUSED
        off = isinstance(configuration, dict) and configuration.get("enabled") is False
        if named and off:
            found.ignored.append(f"{place}: {kind} is switched off")
        elif kind in stock.PLUGINS_IGNORED:
            found.ignored.append(f"{place}: {kind}: {stock.PLUGINS_IGNORED[kind]}")
        elif kind in stock.PLUGINS_REFUSED:
            found.refused.append(f"{place}: {kind} is not executed here: {stock.PLUGINS_REFUSED[kind]}; remove it")
        else:
            kept.append(plugin)
            if kind in CACHES and isinstance(configuration, dict) and not off:
                _cache(configuration, f"{place}.configuration", found)
    decision["plugins"] = kept


def _cache(configuration: _Json, place: str, found: Admission) -> None:
    for name, reason in stock.CACHE_REFUSED.items():
        value = configuration.pop(name, None)
        off = not value or (isinstance(value, dict) and value.get("enabled") is False)
        if not off:
            found.refused.append(f"{place}.{name}: {reason}; remove it")


def _rules(rules: object, place: str, found: Admission) -> None:
    """Name the conditions that are not executed. A config's depth is bounded when it is read."""
    if not isinstance(rules, dict):
        return
    kind = rules.get("type")
    bound = found.ours and kind == "classifier"
    if isinstance(kind, str) and kind in stock.CONDITIONS_REFUSED and not bound:
        reason = stock.CONDITIONS_REFUSED[kind]
        found.refused.append(f"{place}: conditions of type {kind} are not executed here ({reason}); remove it")
    if isinstance(operator := rules.get("operator"), str):
        rules["operator"] = operator.strip().upper()
    conditions = rules.get("conditions")
    for i, part in enumerate(conditions if isinstance(conditions, list) else ()):
        _rules(part, f"{place}.conditions[{i}]", found)


def _items(holder: object, name: str, place: str) -> Iterator[tuple[str, _Json]]:
    """Yield the objects of a list in an object, and where they are."""
    items = holder.get(name) if isinstance(holder, dict) else None
    for i, item in enumerate(items if isinstance(items, list) else ()):
        if isinstance(item, dict):
            yield f"{place}.{name}[{i}]".lstrip("."), item
