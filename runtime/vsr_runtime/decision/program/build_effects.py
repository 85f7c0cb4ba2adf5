"""Builds the effects of a decision from its plugins."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace

from vsr_runtime.decision.program.effects import (
    NO_TOOLS,
    CachePolicy,
    Effects,
    ParameterLimits,
    SystemPrompt,
    ToolFilter,
)
from vsr_runtime.errors import check_unique, config_error
from vsr_schemas.headers import is_protected
from vsr_schemas.routerconfig import v0_4_0 as contract

_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,256}")
_HEADER_VALUE = re.compile(r"(?:[!-~](?:[ -~]{0,4094}[!-~])?)?")
CACHE_NAMES = frozenset({"response_cache", "response-cache", "semantic-cache", "semantic_cache"})
"""The names of the plugin that caches responses, by release."""
_CACHE = "response_cache"
_SIMILARITY, _TTL = 0.8, 3600
"""The stock router's defaults for its cache."""
_REQUIRED_FIELDS = ("model", "messages", "prompt", "input")
"""Fields that no plugin may remove from a request."""


def build_effects(place: str, decision: contract.Decision) -> Effects:
    """Return the effects of a decision's plugins.

    Raises:
        UserError: a plugin is duplicated, or cannot be executed.
    """
    plugins = decision.plugins or []
    check_unique(f"{place}.plugins", [_CACHE if plugin.type in CACHE_NAMES else plugin.type for plugin in plugins])
    answer = next((one.configuration for one in plugins if isinstance(one, contract.FastResponsePlugin)), None)
    effects = Effects()
    for i, plugin in enumerate(plugins):
        where = f"{place}.plugins[{i}].configuration"
        match plugin:
            case contract.SystemPromptPlugin(configuration=prompt) if prompt.enabled and prompt.system_prompt:
                effects = replace(effects, system_prompt=SystemPrompt(prompt.system_prompt, prompt.mode))
            case contract.HeaderMutationPlugin(configuration=plugin_config):
                updates, deletes = _header_changes(where, plugin_config)
                effects = replace(effects, set_headers=updates, remove_headers=deletes)
            case contract.RequestParamsPlugin(configuration=plugin_config):
                effects = replace(effects, params=_parameter_limits(where, plugin_config))
            case contract.ResponseCachePlugin(configuration=plugin_config) if plugin_config.enabled:
                effects = replace(effects, cache=_cache_policy(where, plugin_config))
            case contract.ToolsPlugin(configuration=plugin_config) if plugin_config.enabled:
                effects = replace(effects, tools=_tool_filter(where, plugin_config))
    # A fixed answer is given before any other plugin would act.
    return effects if answer is None else Effects(static_response=answer.message)


def _header_changes(
    place: str, plugin_config: contract.HeaderMutation
) -> tuple[tuple[tuple[str, str], ...], tuple[str, ...]]:
    updates = tuple((pair.name.lower(), pair.value) for pair in (*(plugin_config.add or ()), *plugin_config.update))
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
    for name in ("max_tokens_limit", "max_n", "default_max_tokens"):
        limit = getattr(plugin_config, name)
        if limit is not None and limit < 1:
            raise config_error(f"{place}.{name}", "must be at least 1")
    return ParameterLimits(
        blocked,
        plugin_config.max_tokens_limit,
        plugin_config.max_n,
        plugin_config.default_max_tokens,
        bool(plugin_config.strip_unknown),
    )


def _cache_policy(place: str, plugin_config: contract.ResponseCache) -> CachePolicy | None:
    """Return how responses are cached; None if they are not, because they would expire at once."""
    if plugin_config.semantic is not None and plugin_config.mode == "exact":
        raise config_error(f"{place}.semantic", "does not go with the mode exact; remove it, or change the mode")
    if plugin_config.semantic is not None and plugin_config.similarity_threshold is not None:
        raise config_error(f"{place}.similarity_threshold", "is the older place of semantic; keep one of them")
    similarity = None
    if plugin_config.mode != "exact":
        older = plugin_config.similarity_threshold
        similarity = plugin_config.semantic.similarity_threshold if plugin_config.semantic else older or _SIMILARITY
    shared = plugin_config.scope == "global"
    ttl = _TTL if plugin_config.ttl_seconds is None else plugin_config.ttl_seconds
    return (
        CachePolicy(float(ttl), similarity, shared=shared, scope="user" if shared else plugin_config.scope)
        if ttl
        else None
    )


def _tool_filter(place: str, plugin_config: contract.Tools) -> ToolFilter | None:
    lists = [tools for tools in (plugin_config.allow_tools, plugin_config.block_tools) if tools is not None]
    if plugin_config.mode == "none":
        if lists:
            raise config_error(place, "mode none removes all tools; remove the lists, or use mode filtered")
        return NO_TOOLS
    if plugin_config.mode == "passthrough":
        if lists:
            raise config_error(place, "mode passthrough keeps all tools; remove the lists, or use mode filtered")
        return None
    if not lists:
        raise config_error(place, "mode filtered needs allow_tools or block_tools")
    allow = None if plugin_config.allow_tools is None else frozenset(plugin_config.allow_tools)
    return ToolFilter(allow, frozenset(plugin_config.block_tools or ()))
