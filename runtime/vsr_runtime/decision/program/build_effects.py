"""Builds the effects of a decision from its plugins, and the fields that switch reasoning for a family of models.

Source of the fields: the families of release 0.4.0 and what its ext_proc writes (``req_filter_reason.go``).
"""

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
from vsr_schemas.headers import is_protected
from vsr_schemas.routerconfig import v0_4_0 as contract
from vsr_schemas.routerconfig.reasoning_0_4_0 import Family

_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,256}")
_HEADER_VALUE = re.compile(r"(?:[!-~](?:[ -~]{0,4094}[!-~])?)?")
_REQUIRED_FIELDS = ("model", "messages", "prompt", "input")
"""Fields that no plugin may remove from a request."""
VLLM_PROVIDER = "vllm"
"""The provider whose chat templates take the effort. Others read it at the top level of the body."""
DEEPSEEK_PROVIDER = "deepseek"
"""The provider that has its own switch."""
_DEFAULT_EFFORT = "medium"
"""The effort if neither the decision nor the family states one."""
_Fields = dict[str, Json | Removed]


def build_effects(place: str, decision: contract.Decision) -> Effects:
    """Return the effects of a decision's plugins.

    Raises:
        UserError: a plugin is duplicated, or cannot be executed.
    """
    plugins = decision.plugins or []
    check_unique(f"{place}.plugins", [plugin.type for plugin in plugins])
    effects = Effects()
    for i, plugin in enumerate(plugins):
        where = f"{place}.plugins[{i}].configuration"
        match plugin:
            case contract.FastResponsePlugin(configuration=plugin_config):
                if len(plugins) > 1:
                    raise config_error(
                        f"{place}.plugins", "fast_response cannot be combined with other plugins; remove them"
                    )
                effects = replace(effects, static_response=plugin_config.message)
            case contract.SystemPromptPlugin(configuration=plugin_config):
                effects = replace(effects, system_prompt=SystemPrompt(plugin_config.system_prompt, plugin_config.mode))
            case contract.HeaderMutationPlugin(configuration=plugin_config):
                updates, deletes = _header_changes(where, plugin_config)
                effects = replace(effects, set_headers=updates, remove_headers=deletes)
            case contract.RequestParamsPlugin(configuration=plugin_config):
                effects = replace(effects, params=_parameter_limits(where, plugin_config))
            case contract.ResponseCachePlugin(configuration=plugin_config):
                effects = replace(effects, cache=_cache_policy(where, plugin_config))
            case contract.ToolsPlugin(configuration=plugin_config):
                effects = replace(effects, tools=_tool_filter(where, plugin_config))
    return effects


def _header_changes(
    place: str, plugin_config: contract.HeaderMutation
) -> tuple[tuple[tuple[str, str], ...], tuple[str, ...]]:
    updates = tuple((pair.name.lower(), pair.value) for pair in plugin_config.update)
    deletes = tuple(name.lower() for name in plugin_config.delete)
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
            raise config_error(place, f"{name[:80]!r} is not a header name")
        if is_protected(name):
            raise config_error(
                place, f"the header {name!r} must not be changed: routing, identity or framing depends on it"
            )


def _parameter_limits(place: str, plugin_config: contract.RequestParams) -> ParameterLimits:
    blocked = tuple(plugin_config.blocked_params or ())
    check_unique(f"{place}.blocked_params", blocked)
    if kept := sorted({name.casefold() for name in blocked} & set(_REQUIRED_FIELDS)):
        raise config_error(f"{place}.blocked_params", f"{kept[0]!r} is required in a request and cannot be removed")
    for name in ("max_tokens_limit", "max_n"):
        limit = getattr(plugin_config, name)
        if limit is not None and limit < 1:
            raise config_error(f"{place}.{name}", "must be at least 1")
    return ParameterLimits(blocked, plugin_config.max_tokens_limit, plugin_config.max_n)


def _cache_policy(place: str, plugin_config: contract.ResponseCache) -> CachePolicy:
    if (plugin_config.semantic is None) != (plugin_config.mode == "exact"):
        raise config_error(f"{place}.semantic", "is required by, and only allowed with, the mode exact_then_semantic")
    similarity = plugin_config.semantic.similarity_threshold if plugin_config.semantic else None
    shared = plugin_config.scope == "global"
    scope = "user" if shared else plugin_config.scope
    return CachePolicy(float(plugin_config.ttl_seconds), similarity, shared=shared, scope=scope)


def _tool_filter(place: str, plugin_config: contract.Tools) -> ToolFilter:
    lists = [tools for tools in (plugin_config.allow_tools, plugin_config.block_tools) if tools is not None]
    if plugin_config.mode == "none":
        if lists:
            raise config_error(place, "mode none removes all tools; remove the lists, or use mode filtered")
        return NO_TOOLS
    if not lists:
        raise config_error(place, "mode filtered needs allow_tools or block_tools")
    allow = None if plugin_config.allow_tools is None else frozenset(plugin_config.allow_tools)
    return ToolFilter(allow, frozenset(plugin_config.block_tools or ()))


def build_reasoning(family: Family, *, on: bool, effort: str | None, provider: str = VLLM_PROVIDER) -> Reasoning:
    """Return the fields for one model of a decision.

    A client's own ``reasoning_effort`` is always replaced or removed. A family that cannot be switched off keeps its
    default if reasoning is not requested.

    Raises:
        ValueError: the family does not support this effort.
    """
    if effort is not None and not on:
        raise ValueError("an effort needs use_reasoning: true")
    top: _Fields = {"reasoning_effort": REMOVED}
    if family.type != "reasoning_effort":
        if effort is not None:
            raise ValueError("the model's family only switches reasoning on and off; remove the effort")
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
        raise ValueError(
            f"the effort {effort!r} is not supported by the family; use one of: {', '.join(family.levels)}"
        )
    fallback = family.default or (_DEFAULT_EFFORT if _DEFAULT_EFFORT in family.levels else family.levels[0])
    return effort or fallback


def _can_disable(family: Family) -> bool:
    return "disabled" in family.modes
