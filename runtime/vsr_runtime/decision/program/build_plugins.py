"""The plugins of a decision made ready."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace

from vsr_runtime.decision.program.effects import NO_TOOLS, Caching, Effects, Params, SystemPrompt, ToolFilter
from vsr_runtime.decision.program.refuse import refuse, unique
from vsr_schemas.headers import PROTECTED
from vsr_schemas.routerconfig import v0_4_0 as contract

_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,256}")
_VALUE = re.compile(r"(?:[!-~](?:[ -~]{0,4094}[!-~])?)?")
_KEPT = ("model", "messages", "prompt", "input")
"""Without these a request is none."""


def effects(place: str, decision: contract.Decision) -> Effects:
    """What the decision's plugins do.

    Raises:
        UserError: a plugin stands twice, or cannot be executed as it is.
    """
    plugins = decision.plugins or []
    unique(f"{place}.plugins", [plugin.type for plugin in plugins])
    found = Effects()
    for i, plugin in enumerate(plugins):
        where = f"{place}.plugins[{i}].configuration"
        match plugin:
            case contract.FastResponsePlugin(configuration=given):
                if len(plugins) > 1:
                    raise refuse(
                        f"{place}.plugins", "fast_response leaves nothing to do for other plugins; remove them"
                    )
                found = replace(found, respond=given.message)
            case contract.SystemPromptPlugin(configuration=given):
                found = replace(found, system_prompt=SystemPrompt(given.system_prompt, given.mode))
            case contract.HeaderMutationPlugin(configuration=given):
                updates, deletes = _headers(where, given)
                found = replace(found, set_headers=updates, remove_headers=deletes)
            case contract.RequestParamsPlugin(configuration=given):
                found = replace(found, params=_params(where, given))
            case contract.ResponseCachePlugin(configuration=given):
                found = replace(found, cache=_cache(where, given))
            case contract.ToolsPlugin(configuration=given):
                found = replace(found, tools=_tools(where, given))
    return found


def _headers(place: str, given: contract.HeaderMutation) -> tuple[tuple[tuple[str, str], ...], tuple[str, ...]]:
    updates = tuple((pair.name.lower(), pair.value) for pair in given.update)
    deletes = tuple(name.lower() for name in given.delete)
    unique(place, [*(name for name, _ in updates), *deletes])
    _check_names(place, [*(name for name, _ in updates), *deletes])
    for name, value in updates:
        if not _VALUE.fullmatch(value):
            raise refuse(
                f"{place}.update", f"the value of {name!r} must be printable ASCII, without blanks at the ends"
            )
    return updates, deletes


def _check_names(place: str, names: Iterable[str]) -> None:
    for name in names:
        if not _NAME.fullmatch(name):
            raise refuse(place, f"{name[:80]!r} is no name of a header")
        if name in PROTECTED:
            raise refuse(place, f"the header {name!r} must not be changed: routing, identity or framing rest on it")


def _params(place: str, given: contract.RequestParams) -> Params:
    blocked = tuple(given.blocked_params or ())
    unique(f"{place}.blocked_params", blocked)
    if kept := sorted({name.casefold() for name in blocked} & set(_KEPT)):
        raise refuse(f"{place}.blocked_params", f"{kept[0]!r} is what makes a request; it cannot be removed")
    for name in ("max_tokens_limit", "max_n"):
        limit = getattr(given, name)
        if limit is not None and limit < 1:
            raise refuse(f"{place}.{name}", "must be at least 1")
    return Params(blocked, given.max_tokens_limit, given.max_n)


def _cache(place: str, given: contract.ResponseCache) -> Caching:
    """Who is in which team or tenant is said by headers that the gateway strips, so nobody could be told by them."""
    if given.scope not in {"user", "global"}:
        raise refuse(f"{place}.scope", f"{given.scope} is not supported; use user or global")
    if (given.semantic is None) != (given.mode == "exact"):
        raise refuse(f"{place}.semantic", "belongs to the mode exact_then_semantic, which needs it")
    similarity = given.semantic.similarity_threshold if given.semantic else None
    return Caching(float(given.ttl_seconds), similarity, shared=given.scope == "global")


def _tools(place: str, given: contract.Tools) -> ToolFilter:
    lists = [each for each in (given.allow_tools, given.block_tools) if each is not None]
    if given.mode == "none":
        if lists:
            raise refuse(place, "mode none removes all tools; remove the lists, or use mode filtered")
        return NO_TOOLS
    if not lists:
        raise refuse(place, "mode filtered needs allow_tools or block_tools")
    allow = None if given.allow_tools is None else frozenset(given.allow_tools)
    return ToolFilter(allow, frozenset(given.block_tools or ()))
