"""The plugins of a decision made ready."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace

from vsr_runtime.decision.program.effects import (
    NO_TOOLS,
    REMOVED,
    CachePolicy,
    Effects,
    Json,
    ParameterLimits,
    Reasoning,
    Removed,
    SystemPrompt,
    ToolFilter,
)
from vsr_runtime.errors import check_unique, config_error
from vsr_schemas.headers import PROTECTED
from vsr_schemas.routerconfig import v0_4_0 as contract
from vsr_schemas.routerconfig.reasoning_0_4_0 import Family

_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,256}")
_HEADER_VALUE = re.compile(r"(?:[!-~](?:[ -~]{0,4094}[!-~])?)?")
_REQUIRED_FIELDS = ("model", "messages", "prompt", "input")
"""Without these a request is none."""


def build_effects(place: str, decision: contract.Decision) -> Effects:
    """What the decision's plugins do.

    Raises:
        UserError: a plugin stands twice, or cannot be executed as it is.
    """
    plugins = decision.plugins or []
    check_unique(f"{place}.plugins", [plugin.type for plugin in plugins])
    found = Effects()
    for i, plugin in enumerate(plugins):
        where = f"{place}.plugins[{i}].configuration"
        match plugin:
            case contract.FastResponsePlugin(configuration=given):
                if len(plugins) > 1:
                    raise config_error(
                        f"{place}.plugins", "fast_response leaves nothing to do for other plugins; remove them"
                    )
                found = replace(found, static_response=given.message)
            case contract.SystemPromptPlugin(configuration=given):
                found = replace(found, system_prompt=SystemPrompt(given.system_prompt, given.mode))
            case contract.HeaderMutationPlugin(configuration=given):
                updates, deletes = _header_changes(where, given)
                found = replace(found, set_headers=updates, remove_headers=deletes)
            case contract.RequestParamsPlugin(configuration=given):
                found = replace(found, params=_parameter_limits(where, given))
            case contract.ResponseCachePlugin(configuration=given):
                found = replace(found, cache=_cache_policy(where, given))
            case contract.ToolsPlugin(configuration=given):
                found = replace(found, tools=_tool_filter(where, given))
    return found


def _header_changes(place: str, given: contract.HeaderMutation) -> tuple[tuple[tuple[str, str], ...], tuple[str, ...]]:
    updates = tuple((pair.name.lower(), pair.value) for pair in given.update)
    deletes = tuple(name.lower() for name in given.delete)
    check_unique(place, [*(name for name, _ in updates), *deletes])
    _check_header_names(place, [*(name for name, _ in updates), *deletes])
    for name, value in updates:
        if not _HEADER_VALUE.fullmatch(value):
            raise config_error(
                f"{place}.update", f"the value of {name!r} must be printable ASCII, without blanks at the ends"
            )
    return updates, deletes


def _check_header_names(place: str, names: Iterable[str]) -> None:
    for name in names:
        if not _HEADER_NAME.fullmatch(name):
            raise config_error(place, f"{name[:80]!r} is no name of a header")
        if name in PROTECTED:
            raise config_error(
                place, f"the header {name!r} must not be changed: routing, identity or framing rest on it"
            )


def _parameter_limits(place: str, given: contract.RequestParams) -> ParameterLimits:
    blocked = tuple(given.blocked_params or ())
    check_unique(f"{place}.blocked_params", blocked)
    if kept := sorted({name.casefold() for name in blocked} & set(_REQUIRED_FIELDS)):
        raise config_error(f"{place}.blocked_params", f"{kept[0]!r} is what makes a request; it cannot be removed")
    for name in ("max_tokens_limit", "max_n"):
        limit = getattr(given, name)
        if limit is not None and limit < 1:
            raise config_error(f"{place}.{name}", "must be at least 1")
    return ParameterLimits(blocked, given.max_tokens_limit, given.max_n)


def _cache_policy(place: str, given: contract.ResponseCache) -> CachePolicy:
    """Who is in which team or tenant is said by headers that the gateway strips, so nobody could be told by them."""
    if given.scope not in {"user", "global"}:
        raise config_error(f"{place}.scope", f"{given.scope} is not supported; use user or global")
    if (given.semantic is None) != (given.mode == "exact"):
        raise config_error(f"{place}.semantic", "belongs to the mode exact_then_semantic, which needs it")
    similarity = given.semantic.similarity_threshold if given.semantic else None
    return CachePolicy(float(given.ttl_seconds), similarity, shared=given.scope == "global")


def _tool_filter(place: str, given: contract.Tools) -> ToolFilter:
    lists = [each for each in (given.allow_tools, given.block_tools) if each is not None]
    if given.mode == "none":
        if lists:
            raise config_error(place, "mode none removes all tools; remove the lists, or use mode filtered")
        return NO_TOOLS
    if not lists:
        raise config_error(place, "mode filtered needs allow_tools or block_tools")
    allow = None if given.allow_tools is None else frozenset(given.allow_tools)
    return ToolFilter(allow, frozenset(given.block_tools or ()))


VLLM_PROVIDER = "vllm"
"""The provider whose chat templates take the effort. Others read it at the top of the body."""
DEEPSEEK_PROVIDER = "deepseek"
"""The provider that has a switch of its own."""
_DEFAULT_EFFORT = "medium"
"""Where neither the decision nor the family states one."""

_Fields = dict[str, Json | Removed]


def build_reasoning(family: Family, *, on: bool, effort: str | None, provider: str = VLLM_PROVIDER) -> Reasoning:
    """The fields for one model of a decision.

    A client's own ``reasoning_effort`` never stays beside them. A family that cannot be switched off is left to its own
    default where reasoning is not asked for.

    Raises:
        ValueError: the family does not take this effort.
    """
    if effort is not None and not on:
        raise ValueError("an effort needs use_reasoning: true")
    top: _Fields = {"reasoning_effort": REMOVED}
    if family.type != "reasoning_effort":
        if effort is not None:
            raise ValueError("the model's family knows reasoning on and off only; remove the effort")
        return Reasoning(top, {family.parameter: _switch(family, on=on)})
    value = _effort(family, effort) if on else family.disabled
    template: _Fields = {}
    if family.activation_parameter:
        template[family.activation_parameter] = on if on or _can_disable(family) else REMOVED
    template |= {flag: value == level if on else REMOVED for level, flag in family.effort_flags}
    if not family.effort_flags:
        place = template if provider == VLLM_PROVIDER else top
        place[family.parameter] = REMOVED if value is None else value
    if provider == DEEPSEEK_PROVIDER:
        top["thinking"] = {"type": "enabled" if on else "disabled"}
    return Reasoning(top, template, value)


def _switch(family: Family, *, on: bool) -> Json | Removed:
    if not on and not _can_disable(family):
        return REMOVED
    if family.type == "chat_template_kwargs":
        return on
    if not on:
        return "disabled"
    return "enabled" if "enabled" in family.modes else family.modes[0]


def _effort(family: Family, effort: str | None) -> str:
    if effort is not None and effort not in family.levels:
        raise ValueError(f"the effort {effort!r} is none of the family's: {', '.join(family.levels)}")
    fallback = family.default or (_DEFAULT_EFFORT if _DEFAULT_EFFORT in family.levels else family.levels[0])
    return effort or fallback


def _can_disable(family: Family) -> bool:
    return "disabled" in family.modes
