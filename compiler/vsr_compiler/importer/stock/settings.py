"""Global settings of the stock router: what clients notice of them, and what the gateway or the runtime does itself."""

from __future__ import annotations

from typing import Any

from vsr_compiler.diagnostics import Span
from vsr_compiler.importer.coverage import covered
from vsr_compiler.importer.stock.context import Context
from vsr_compiler.importer.values import Fields, child, text
from vsr_compiler.syntax.nodes import Mapping, Node
from vsr_schemas.headers import is_protected

OWN = "settings of services that the gateway or the runtime does itself"
WINDOWS = {"minute": ("1m", 1), "hour": ("1h", 1), "day": ("1d", 1), "second": ("1m", 60)}
NOBODY = "127.0.0.1/32"
"""Addresses of the front end that says who users are: nobody, until somebody writes them."""
USER, GROUPS = "x-auth-request-user", "x-auth-request-groups"
"""Headers of a front end, instead of those that no client may send."""
OLDER, OLDER_AUTO = "0.3.0", ("auto",)
"""A release that has fewer names for itself."""
AUTO_MODELS = ("vllm-sr/auto", "auto", "MoM")
"""The stock router's names for itself, unless its settings have others."""


def prepare(context: Context, settings: Fields) -> None:
    """Remember settings on which signals and plugins depend."""
    catalog, stores = settings.fields("model_catalog"), settings.fields("stores")
    context.cache = _open(stores, "response_cache") or _open(stores, "semantic_cache")
    modules, system = catalog.fields("modules"), catalog.fields("system")
    guard = modules.fields("prompt_guard")
    data = modules.fields("classifier").fields("pii")
    for module, key in ((guard, "prompt_guard"), (data, "pii_classifier")):
        module.taken.update(module.node.entries)
        if not module.has("model_id") and system.has(key):
            module.node.entries.setdefault("model_id", system.node.entries[key])
    context.guard_settings = {"prompt_guard": guard, "pii": data}
    context.encoder = _encoder(catalog.fields("embeddings").fields("semantic"))


def _open(stores: Fields, key: str) -> Fields | None:
    """Return the settings of a store, all of which count as read; None without any."""
    if not stores.has(key):
        return None
    found = stores.fields(key)
    found.taken.update(found.node.entries)
    return found


def _encoder(semantic: Fields) -> str:
    """Return the model of sentence vectors that the source names; empty for the default."""
    kind = semantic.fields("embedding_config").text("model_type").lower()
    paths = {key.removesuffix("_model_path"): text(value) for key, _, value in semantic.rest() if key.endswith("_path")}
    chosen = paths.get(kind) or next(iter(paths.values()), "")
    return chosen.rpartition("/")[2] or kind


def apply(context: Context, settings: Fields) -> None:
    """Add the names of the router, limits and identity, and report the rest."""
    router, services = settings.fields("router"), settings.fields("services")
    covered(router.take("auto_model_name"))  # the list of names has precedence
    base: tuple[str, ...] = OLDER_AUTO if context.job.options.release == OLDER else AUTO_MODELS[:2]
    names = router.texts("auto_model_names") or list(dict.fromkeys((*base, router.text("auto_model_name") or "MoM")))
    taken = context.job.draft.mapping("models")
    own = [name for name in names if name.strip() and name not in taken]
    context.job.draft.mapping("router")["autoModels"] = own or ["auto"]
    if router.boolean("skip_processing") or child(router.node, "skip_processing", "enabled") is not None:
        _skip(context, router)
    _limits(context, services.fields("ratelimit"))
    _identity(context, services.fields("authz"))
    tools = settings.fields("integrations").fields("tools")
    if tools.boolean("enabled"):
        message = "the stock router adds tools to requests by similarity, and the policy does not"
        context.lose("VSR526", message, tools.at("enabled"), "Let clients send the tools.")
        covered(tools.node)
    elif tools.has("enabled"):
        context.group("VSR527", "parts that are switched off", "global.integrations.tools", tools.at("enabled"))
        covered(tools.node)
    for section in ("router", "services", "stores", "integrations", "model_catalog"):
        part = settings.node.entries.get(section)
        if part is not None:
            _services(context, section, part[1])
    settings.taken.update({"router", "services", "stores", "integrations", "model_catalog"})
    context.leftovers(settings)


def _services(context: Context, section: str, node: Node) -> None:
    read = {"auto_model_names", "auto_model_name", "skip_processing", "ratelimit", "authz", "tools"}
    read |= {"modules", "response_cache", "semantic_cache"}  # read in parts; what is left is swept
    if isinstance(node, Mapping):
        for key, (span, value) in node.entries.items():
            if key not in read:
                context.group("VSR527", OWN, f"global.{section}.{key}", span)
                covered(value)


def _skip(context: Context, router: Fields) -> None:
    if (text(child(router.node, "skip_processing", "enabled"))).lower() == "true":
        message = "clients can skip the stock router by a header; no request passes the policy's guards"
        context.lose("VSR525", message, router.at("skip_processing"))


def _limits(context: Context, settings: Fields) -> None:
    """Add the limits of local limiters."""
    settings.taken.add("fail_open")
    for provider in [Fields.of(node, "ratelimit.providers", settings.span) for node in settings.items("providers")]:
        kind = provider.text("type")
        provider.taken.update({"address", "domain"})
        if kind == "envoy-ratelimit":
            message = "limits of an external rate limit service are in that service, not in the source"
            context.lose("VSR526", message, provider.span, "Write them as `limits`.")
        for index, node in enumerate(provider.items("rules")):
            _limit(context, Fields.of(node, f"ratelimit.rules[{index}]", provider.span))
        context.leftovers(provider)
    context.leftovers(settings)


def _limit(context: Context, rule: Fields) -> None:
    match = rule.fields("match")
    window, factor = WINDOWS.get(rule.text("unit").lower(), ("1m", 1))
    requests, tokens = rule.integer("requests_per_unit"), rule.integer("tokens_per_unit")
    only = {key: value for key in ("user", "group", "model") if (value := match.text(key)) not in {"", "*"}}
    for index, (unit, count) in enumerate((("requests", requests), ("tokens", tokens))):
        if not count or count < 1:
            continue
        body: dict[str, Any] = {"name": (rule.text("name") or "limit") + ("-tokens" if index and requests else "")}
        body["per"] = "client"
        chosen: dict[str, str] = {}
        if "user" in only:
            chosen["user"] = only["user"]
        if "group" in only:
            chosen["role"] = only["group"]
        if "model" in only and only["model"] in context.models:
            chosen["model"] = context.models[only["model"]]
        if chosen:
            body["for"] = chosen
        context.needs_identity |= bool({"user", "group"} & set(only))
        context.job.draft.append("limits", {**body, unit: count * factor, "window": window})
        if factor > 1:
            message = f"the limit `{body['name']}` counts seconds; the policy counts minutes"
            context.lose("VSR525", message, rule.span)
    rule.taken.update({"name", "match", "unit"})
    context.leftovers(rule)


def _identity(context: Context, settings: Fields) -> None:
    """Add who clients are, if signals or limits depend on it."""
    headers = settings.fields("identity")
    user = headers.text("user_id_header") or "x-authz-user-id"
    groups = headers.text("user_groups_header") or "x-authz-user-groups"
    user, groups = (
        own if is_protected(name.lower()) else name.lower() for name, own in ((user, USER), (groups, GROUPS))
    )
    used = any(signal.type == "authz" and signal.used for signal in context.signals.values())
    if settings.has("providers"):
        message = "keys that the stock router adds for each user are not carried over"
        context.lose("VSR526", message, settings.at("providers"), "Give each endpoint its `apiKey`.")
        covered(settings.take("providers"))
    settings.taken.update({"providers", "fail_open"})
    context.leftovers(settings)
    if not used and not context.needs_identity:
        return
    context.job.draft.sections["identity"] = {"gatewayHeader": {"from": [NOBODY], "user": user, "role": groups}}
    context.job.draft.comment(("identity",), "Write the addresses of the front end that authenticates users.")
    message = f"the stock router believes every identity header; the policy believes `{user}` from `{NOBODY}`"
    hint = "Write under `identity` who authenticates users, and from which addresses they come."
    context.lose("VSR525", message, settings.span, hint)


def entrypoints(context: Context, names: list[str], span: Span, *, only: bool) -> None:
    """Add the names of the imported recipe to those of the router, which lead to another one if ``only``."""
    router = context.job.draft.mapping("router")
    if only:
        left = [name for name in router["autoModels"] if name not in names]
        router["autoModels"] = [name for name in router["autoModels"] if name in names]
        listed = ", ".join(f"`{name}`" for name in left)
        message = f"{listed} lead to the default recipe of the source, so they are no names of the policy"
        context.lose("VSR525", message, span, "Add them to `autoModels` if clients should use them.")
    for name in names:
        if name not in router["autoModels"] and name not in context.job.draft.mapping("models"):
            router["autoModels"].append(name)
