"""Writes what the stock router does without out in the words of the models, and older words in newer ones."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from typing import Any

from vsr_runtime.admission.models import plugin_name


def complete(document: object) -> Any:  # noqa: ANN401 - YAML
    """Return a config with the parts that the stock router treats as optional. The document stays as it is.

    Model cards are optional, and so is the default model if no request needs it. The strategy may be under ``global``,
    where that of ``routing`` goes before it. ``auto_model_name`` is one name beside those of the default.
    """
    if not isinstance(document, dict):
        return document
    completed = deepcopy(document)
    if completed.get("routing") is None:
        completed["routing"] = {}
    routing = completed["routing"]
    if isinstance(routing, dict):
        routing["modelCards"] = routing.get("modelCards") or []
    _providers(completed)
    _caches(completed)
    router = _inner(completed, "global", "router")
    name = router.get("auto_model_name")
    if name is None or isinstance(name, str):
        router.pop("auto_model_name", None)
    if isinstance(name, str) and name and router.get("auto_model_names") is None:
        router["auto_model_names"] = list(dict.fromkeys(["vllm-sr/auto", "auto", name]))
    strategy = router.get("strategy")
    if isinstance(routing, dict) and (strategy == "priority" or not completed.get("recipes")):
        router.pop("strategy", None)
        if strategy and routing.get("strategy") is None and not completed.get("recipes"):
            routing["strategy"] = strategy
    return completed


def _providers(document: dict[Any, Any]) -> None:
    """Take models from their cards if providers have none, and the default from what serves every request.

    The stock router answers 400 where no decision holds and there is no default. Where one always holds, it never does.
    """
    providers = document.setdefault("providers", {})
    if providers is None:
        providers = document["providers"] = {}
    if not isinstance(providers, dict):
        return
    if not providers.get("models"):
        cards = _list(_inner(document, "routing"), "modelCards")
        providers["models"] = [{"name": card["name"]} for card in cards if "name" in card]
    models = _list(providers, "models")
    for model in models:
        if model.get("backend_refs") is None:
            model["backend_refs"] = []
    defaults = providers.get("defaults") or {}
    if not isinstance(defaults, dict) or defaults.get("model") or not models:
        return
    only = models[0].get("name") if len(models) == 1 else _always(document)
    if only is not None:
        providers["defaults"] = {**defaults, "model": only}


def _always(document: dict[Any, Any]) -> Any:  # noqa: ANN401 - YAML
    """Return the model of a decision that always holds, if each profile has one; None if a request may have none."""
    profiles = [_list(_inner(owner, "routing"), "decisions") for owner in (document, *_list(document, "recipes"))]
    profiles = [decisions for decisions in profiles if decisions]
    refs = [_list(one, "modelRefs") for decisions in profiles for one in decisions if not _conditions(one)]
    chosen = [own[0].get("model") for own in refs if own]
    every = all(any(not _conditions(one) and _list(one, "modelRefs") for one in decisions) for decisions in profiles)
    without = any(not one.get("modelRefs") and not _answers(one) for decisions in profiles for one in decisions)
    return chosen[0] if chosen and every and not without else None


def _conditions(decision: dict[Any, Any]) -> bool:
    """Return whether something must hold for a decision."""
    rules = decision.get("rules") or {}
    if not isinstance(rules, dict) or rules.get("type") or rules.get("conditions"):
        return True
    return str(rules.get("operator") or "AND").strip().upper() != "AND"


def _answers(decision: dict[Any, Any]) -> bool:
    """Return whether a decision answers by itself."""
    return any(plugin.get("type") == "fast_response" for plugin in _list(decision, "plugins"))


def _caches(document: dict[Any, Any]) -> None:
    """Write the lifetime that the store of answers states into the decisions that cache and do not say."""
    ttl = _inner(document, "global", "stores", "response_cache").pop("ttl_seconds", None)
    for plugin in _plugins(document):
        configuration = plugin.get("configuration")
        if not isinstance(configuration, dict) or plugin_name(plugin.get("type")) != "response_cache":
            continue
        if ttl and configuration.get("ttl_seconds") is None:
            configuration["ttl_seconds"] = ttl


def _plugins(document: dict[Any, Any]) -> Iterator[dict[Any, Any]]:
    for owner in (document, *_list(document, "recipes")):
        for decision in _list(_inner(owner, "routing"), "decisions"):
            yield from _list(decision, "plugins")


def _list(owner: dict[Any, Any], name: str) -> list[dict[Any, Any]]:
    value = owner.get(name)
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def _inner(document: dict[Any, Any], *path: str) -> dict[Any, Any]:
    """Return an inner mapping; an empty one if there is none."""
    here: Any = document
    for step in path:
        here = here.get(step)
        if not isinstance(here, dict):
            return {}
    return here  # type: ignore[no-any-return]
