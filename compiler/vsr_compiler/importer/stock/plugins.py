"""Plugins of a decision as fields of a route."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from vsr_compiler.diagnostics import Span
from vsr_compiler.importer.coverage import covered
from vsr_compiler.importer.losses import names_secret
from vsr_compiler.importer.stock.context import Context
from vsr_compiler.importer.values import Fields, boolean, texts
from vsr_schemas.headers import is_protected

ALIASES = {
    "semantic-cache": "response_cache",
    "semantic_cache": "response_cache",
    "response-cache": "response_cache",
    "system-prompt": "system_prompt",
    "fast-response": "fast_response",
    "header-mutation": "header_mutation",
    "request-params": "request_params",
}
OBSERVES = {"router_replay": "records of decisions: the runtime has its own decision log"}
EFFECTS = {
    "memory": "memory of earlier conversations",
    "rag": "retrieval of documents",
    "tool_selection": "selection of tools by similarity",
    "context_compression": "compression of the conversation",
    "prompt_cache": "marks for the provider's prompt cache",
    "shadow_dispatch": "copies of requests to another model",
    "image_gen": "generation of images",
    "hallucination": "warnings about hallucinations in responses",
}
"""What is lost with plugins that the policy language has no field for."""


@dataclass(slots=True)
class Effects:
    """What the plugins of a decision do.

    Attributes:
        fields: Fields of the route.
        respond: The text of a fixed answer; None without one.
        at: Where the fixed answer is.
        guards: Plugins of older releases and for responses that protect: type, fields and place.
        lost: Types of plugins, and other fields, that were lost in part or in whole.
    """

    fields: dict[str, Any] = field(default_factory=dict)
    respond: str | None = None
    at: Span | None = None
    guards: list[tuple[str, Fields, Span]] = field(default_factory=list)
    lost: set[str] = field(default_factory=set)


def effects(context: Context, decision: Fields, name: str) -> Effects:
    """Return what the plugins of a decision do. A plugin that is not enabled does nothing."""
    found = Effects()
    for index, node in enumerate(decision.items("plugins")):
        plugin = Fields.of(node, f"decisions.{name}.plugins[{index}]", decision.at("plugins"))
        type_ = plugin.text("type").lower()
        type_ = ALIASES.get(type_, type_)
        configuration = plugin.fields("configuration")
        span = plugin.value_at("type")
        context.leftovers(plugin)
        if boolean(configuration.take("enabled")) is False:
            context.group("VSR527", "parts that are switched off", f"{name}: {type_}", span)
            covered(configuration.node)
            continue
        if type_ in {"pii", "jailbreak", "response_jailbreak"}:
            found.guards.append((type_, configuration, span))
            found.lost.add(type_)
        elif type_ in OBSERVES:
            found.lost.add(type_)
            context.group("VSR527", OBSERVES[type_], name, span)
            covered(configuration.node)
        elif type_ in EFFECTS:
            found.lost.add(type_)
            context.lose("VSR526", f"decision `{name}` loses {EFFECTS[type_]} (`{type_}`)", span)
            covered(configuration.node)
        elif type_ in READERS:
            before = context.job.losses.number
            READERS[type_](context, configuration, found, name)
            found.at = span if type_ == "fast_response" else found.at
            context.leftovers(configuration)
            if context.job.losses.number > before:
                found.lost.add(type_)
        else:
            found.lost.add(type_)
            context.lose("VSR526", f"the plugin `{type_}` of decision `{name}` is not known", span)
            covered(configuration.node)
    return found


def _system_prompt(context: Context, fields: Fields, found: Effects, name: str) -> None:
    del context, name
    prompt, mode = fields.text("system_prompt"), fields.text("mode").lower()
    if prompt.strip():
        found.fields["systemPrompt"] = {"text": prompt, "mode": "insert"} if mode != "replace" else prompt


def _fast_response(context: Context, fields: Fields, found: Effects, name: str) -> None:
    del context
    found.respond = fields.text("message") or f"This request is answered by {name}."


def _headers(context: Context, fields: Fields, found: Effects, name: str) -> None:
    changed: dict[str, Any] = {}
    for key in ("add", "update"):
        for node in fields.items(key):
            pair = Fields.of(node, fields.where, fields.span)
            header, value = pair.text("name").lower(), pair.text("value")
            if names_secret(header):
                context.job.losses.secrets.add(pair.take("value"))
                message = f"decision `{name}` sends a key in the header `{header}`, which is not copied"
                context.lose("VSR529", message, pair.value_at("name"), "Give the endpoint an `apiKey` instead.")
            elif is_protected(header) or not header or "$" in value:
                context.lose(
                    "VSR526", f"decision `{name}` sets the header `{header}`, which no route can set", pair.span
                )
            else:
                changed.setdefault("set", {})[header] = value
    for header in [header.lower() for header in texts(fields.take("delete"))]:
        if is_protected(header):
            continue  # the gateway removes it from every request
        changed.setdefault("remove", []).append(header)
    if changed:
        found.fields["headers"] = changed


def _cache(context: Context, fields: Fields, found: Effects, name: str) -> None:
    store = context.cache
    if store is not None and store.boolean("enabled") is False:
        context.group("VSR527", "caches whose store is not enabled", name, fields.span)
        covered(fields.node)
        fields.taken.update(fields.node.entries)
        return
    semantic = fields.fields("semantic")
    similarity = semantic.number("similarity_threshold")
    own = fields.number("similarity_threshold")
    mode = fields.text("mode").lower() or "semantic"
    ttl = fields.integer("ttl_seconds")
    if store is not None:
        own = store.number("similarity_threshold") if own is None else own
        ttl = store.integer("ttl_seconds") if ttl is None else ttl
    similarity = own if similarity is None else similarity
    scope = fields.text("scope").lower()
    cache: dict[str, Any] = {}
    if mode != "exact":
        cache["similarity"] = min(max(0.8 if similarity is None else similarity, 0), 1)
        what = "caches by similarity whose threshold was chosen for another encoder"
        context.group("VSR528", what, name, fields.span, "Test them with prompts, or remove `similarity`.")
    if ttl is not None and ttl > 0:
        cache["ttl"] = f"{ttl}s"
    if scope == "global":
        cache["scope"] = "global"
    elif scope != "user":
        context.group("VSR525", "caches that each client has for itself in the policy", name, fields.span)
    fields.taken.update({"request_controls", "personalized", "revision", "allow_request_controls", "control_header"})
    found.fields["cache"] = cache


def _params(context: Context, fields: Fields, found: Effects, name: str) -> None:
    params: dict[str, Any] = {}
    for key, own in (("max_tokens_limit", "maxTokens"), ("max_n", "maxN")):
        value = fields.integer(key)
        if value is not None and value > 0:
            params[own] = value
    if blocked := fields.texts("blocked_params"):
        params["block"] = blocked
    for key in ("strip_unknown", "default_max_tokens"):
        if fields.has(key) and boolean(fields.take(key)) is not False:
            context.lose("VSR526", f"decision `{name}` loses `{key}` of request_params", fields.at(key))
            covered(fields.take(key))
    fields.taken.update({"strip_unknown", "default_max_tokens"})
    if params:
        found.fields["params"] = params


def _tools(context: Context, fields: Fields, found: Effects, name: str) -> None:
    mode = fields.text("mode").lower()
    allow, block = fields.texts("allow_tools"), fields.texts("block_tools")
    for key in ("semantic_selection", "strip_tool_history", "dynamic_retrieval"):
        if fields.has(key) and boolean(fields.take(key)) is not False:
            context.lose("VSR526", f"decision `{name}` loses `{key}` of tools", fields.at(key))
            covered(fields.take(key))
    fields.taken.update({"semantic_selection", "strip_tool_history", "dynamic_retrieval", "strategy"})
    if mode == "none":
        found.fields["tools"] = "none"
    elif allow or block:
        found.fields["tools"] = {key: value for key, value in (("allow", allow), ("block", block)) if value}


READERS: dict[str, Callable[[Context, Fields, Effects, str], None]] = {
    "system_prompt": _system_prompt,
    "fast_response": _fast_response,
    "header_mutation": _headers,
    "response_cache": _cache,
    "request_params": _params,
    "tools": _tools,
}
