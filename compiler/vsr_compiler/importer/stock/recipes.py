"""Recipes: which names lead to one, and a configuration with it alone, with which a policy is compared."""

from __future__ import annotations

from typing import Any

DEFAULT = "default"
"""The recipe to which the router's own names lead: the decisions outside recipes, unless one has this name."""
Json = dict[str, Any]


def names(config: Json, recipe: str) -> list[str]:
    """Return the names that lead to a recipe, besides the router's own."""
    entries = [entry for entry in _dicts(config.get("entrypoints")) if str(entry.get("recipe")) == recipe]
    listed = [name for entry in entries for name in entry.get("model_names") or ()]
    return list(dict.fromkeys(str(name) for name in listed))


def alone(config: Json, recipe: str, names: list[str]) -> Json:
    """Return a configuration whose router has these names, and that recipe as its routing."""
    kept = {key: value for key, value in config.items() if key not in {"recipes", "entrypoints"}}
    own = next((one for one in _dicts(config.get("recipes")) if str(one.get("name")) == recipe), None)
    shared = _dict(config.get("routing"))
    if own is not None:
        routing = {"modelCards": shared.get("modelCards") or [], **_dict(own.get("routing"))}
        if shared.get("strategy") is not None:
            routing.setdefault("strategy", shared["strategy"])
        kept["routing"] = routing
    if not names:
        return kept
    general = dict(_dict(kept.get("global")))
    router = dict(_dict(general.get("router")))
    older = [str(router.pop("auto_model_name"))] if router.get("auto_model_name") else ["MoM"]
    listed = router.get("auto_model_names") or ["vllm-sr/auto", "auto", *older]
    router["auto_model_names"] = list(dict.fromkeys([*(listed if recipe == DEFAULT else ()), *names]))
    return {**kept, "global": {**general, "router": router}}


def _dict(value: object) -> Json:
    return value if isinstance(value, dict) else {}


def _dicts(value: object) -> list[Json]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []
