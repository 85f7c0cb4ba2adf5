"""The stock router's config in the words of release 0.3.0, from that of release 0.4.0.

``analysis.stock_router_release`` refuses what the older contract has no words for. What would get lost here in
spite of that is a ValidationError, since the older schema refuses unknown fields.
"""

from __future__ import annotations

from typing import Any

from vsr_compiler.releases.semantic_router import AUTO, other_auto_names
from vsr_schemas.routerconfig import engine_0_3_0 as older
from vsr_schemas.routerconfig import engine_0_4_0 as later
from vsr_schemas.routerconfig.reasoning_0_4_0 import FAMILIES, Family

Json = dict[str, Any]


def older_config(config: later.RouterConfig) -> older.RouterConfig:
    """Return a config in the older words.

    Raises:
        ValidationError: It uses something that the older contract has no word for.
    """
    body: Json = config.model_dump(mode="json", by_alias=True, exclude_none=True)
    reasoning = {model.name: model.reasoning for model in config.providers.models if model.reasoning}
    families = {name: one.family for name, one in reasoning.items() if one.family is not None}
    defaults = body["providers"]["defaults"]
    body["providers"]["defaults"] = {"default_model": defaults["model"], **_families(families)}
    body["providers"]["models"] = [_model(model) for model in body["providers"]["models"]]
    for rule in body["routing"]["signals"].get("context", ()):
        rule.setdefault("min_tokens", "0")
        rule.setdefault("max_tokens", older.UNBOUNDED_TOKENS)
    for decision in body["routing"]["decisions"]:
        decision["rules"].pop("on_unknown", None)
        for ref in decision["modelRefs"]:
            _default_effort(ref, FAMILIES[families[ref["model"]]] if ref["model"] in families else None)
    body["global"] = _global(body["global"])
    return older.RouterConfig.model_validate(body)


def _families(families: dict[str, str]) -> Json:
    used = sorted(set(families.values()))
    tables = {name: {"type": FAMILIES[name].type, "parameter": FAMILIES[name].parameter} for name in used}
    return {"reasoning_families": tables} if tables else {}


def _model(model: Json) -> Json:
    refs = [{key: value for key, value in ref.items() if key != "provider"} for ref in model["backend_refs"]]
    reasoning = {"reasoning_family": model["reasoning"]["family"]} if "reasoning" in model else {}
    return {key: value for key, value in model.items() if key != "reasoning"} | {"backend_refs": refs} | reasoning


def _default_effort(ref: Json, family: Family | None) -> None:
    """Write the default effort of a family, which the older engine does not know."""
    if family is not None and ref["use_reasoning"] and family.type == "reasoning_effort" and family.default:
        ref.setdefault("reasoning_effort", family.default)


def _global(body: Json) -> Json:
    names = other_auto_names(body["router"]["auto_model_names"])
    if len(names) > 1:
        raise ValueError(f"release 0.3.0 takes one auto-model name beside `{AUTO}`")
    body["router"] = {"auto_model_name": names[0] if names else AUTO, "clear_route_cache": True}
    body["services"]["router_replay"] = {"enabled": False}
    body["stores"] = {"semantic_cache": body["stores"].pop("response_cache"), **body["stores"]}
    modules = body.get("model_catalog", {}).get("modules", {})
    for module in (modules.get("prompt_guard"), modules.get("classifier", {}).get("pii")):
        if module is not None:
            del module["on_error"]
    return body
