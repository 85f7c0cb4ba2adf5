"""Plugins of a route: what it does besides choosing a model."""

from __future__ import annotations

from vsr_compiler import ir
from vsr_schemas.routerconfig import v0_4_0 as stock


def plugins(route: ir.Route) -> list[stock.Plugin]:
    """Return the plugins of a route, sorted by name."""
    enabled: list[stock.Plugin] = []
    if route.respond is not None:
        enabled.append(
            stock.FastResponsePlugin(type="fast_response", configuration=stock.FastResponse(message=route.respond))
        )
    if route.header_edits:
        enabled.append(stock.HeaderMutationPlugin(type="header_mutation", configuration=_headers(route)))
    if route.max_tokens is not None or route.max_n is not None or route.block_params:
        limits = stock.RequestParams(
            blocked_params=list(route.block_params) or None, max_tokens_limit=route.max_tokens, max_n=route.max_n
        )
        enabled.append(stock.RequestParamsPlugin(type="request_params", configuration=limits))
    if route.cache is not None:
        enabled.append(stock.ResponseCachePlugin(type="response_cache", configuration=_cache(route.cache)))
    if route.system_prompt is not None:
        text, mode = route.system_prompt
        prompt = stock.SystemPrompt.model_validate({"system_prompt": text, "mode": mode})
        enabled.append(stock.SystemPromptPlugin(type="system_prompt", configuration=prompt))
    if route.no_tools or route.allow_tools or route.block_tools:
        enabled.append(stock.ToolsPlugin(type="tools", configuration=_tools(route)))
    return enabled


def _cache(cache: ir.Cache) -> stock.ResponseCache:
    alike = cache.similarity
    return stock.ResponseCache.model_validate(
        {
            "mode": "exact" if alike is None else "exact_then_semantic",
            "scope": cache.scope,
            "semantic": None if alike is None else stock.CacheSemantic(similarity_threshold=alike),
            "ttl_seconds": cache.ttl // 1000,
        }
    )


def _headers(route: ir.Route) -> stock.HeaderMutation:
    return stock.HeaderMutation(
        update=[stock.HeaderPair(name=name, value=value) for name, value in route.header_edits if value is not None],
        delete=[name for name, value in route.header_edits if value is None],
    )


def _tools(route: ir.Route) -> stock.Tools:
    if route.no_tools:
        return stock.Tools(mode="none")
    return stock.Tools(
        mode="filtered", allow_tools=list(route.allow_tools) or None, block_tools=list(route.block_tools) or None
    )
