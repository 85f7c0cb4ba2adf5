"""Providers and model cards as endpoints and models."""

from __future__ import annotations

import re
from typing import Any

from vsr_compiler.diagnostics import Span
from vsr_compiler.importer.coverage import covered
from vsr_compiler.importer.draft import label
from vsr_compiler.importer.losses import is_reference
from vsr_compiler.importer.places import Address, address, endpoint, has_key, placeholder
from vsr_compiler.importer.stock.context import Context
from vsr_compiler.importer.stock.providers import OWN_SERVERS, PROVIDERS
from vsr_compiler.importer.values import Fields, text
from vsr_compiler.syntax.nodes import Mapping, Scalar
from vsr_schemas.routerconfig.reasoning_0_4_0 import FAMILIES

PROSE = "descriptions of models have no effect on decisions here"
GATEWAY = "the gateway or the model server does this"
CARD = dict.fromkeys(
    [
        "display_name",
        "publisher",
        "presentation",
        "distribution",
        "family",
        "revision",
        "released_at",
        "knowledge_cutoff",
        "lifecycle",
        "param_size",
        "max_output_tokens",
        "description",
        "capabilities",
        "modalities",
        "modality",
        "tags",
        "quality_score",
    ],
    PROSE,
)
PROVIDER = {"catalog": PROSE, "reliability": GATEWAY}
_SCHEMAS = {"azure-openai": "azure-openai", "anthropic": "anthropic", "anthropic-compatible": "anthropic", "cohere": ""}
_VARIABLE = re.compile(r"\$\{?([A-Za-z_][A-Za-z0-9_]*)")


def models(context: Context, providers: Fields, routing: Fields) -> None:
    """Add all models with their endpoints."""
    cards = {card.text("name"): card for card in _each(routing.items("modelCards"), "modelCards", routing.span)}
    entries = {item.text("name"): item for item in _each(providers.items("models"), "providers.models", providers.span)}
    defaults = providers.fields("defaults")
    families = defaults.fields("reasoning_families")
    families.taken.update(families.node.entries)
    context.default_effort = defaults.text("reasoning_effort") or defaults.text("default_reasoning_effort")
    for name in dict.fromkeys((*entries, *cards)):
        if not name:
            continue
        item, card = entries.get(name), cards.get(name)
        _model(context, name, item or Fields(Mapping(card.span if card else providers.span)), card, families)
    defaults.taken.update({"model", "default_model"})
    context.leftovers(defaults)
    context.leftovers(providers, {"external_models": GATEWAY})


def _each(nodes: list[Any], where: str, span: Span) -> list[Fields]:
    return [Fields.of(node, f"{where}[{index}]", span) for index, node in enumerate(nodes)]


def ensure(context: Context, name: str, span: Span) -> str:
    """Return the model of a name, which gets a placeholder if the source defines none."""
    if name not in context.models:
        _model(context, name, Fields(Mapping(span)), None, Fields(Mapping(span)))
    return context.models[name]


def _model(context: Context, name: str, item: Fields, card: Fields | None, families: Fields) -> None:
    job, span = context.job, item.value_at("name")
    own = job.names.new("model", name, span, key="model")
    context.models.setdefault(name, own)
    body: dict[str, Any] = {"endpoints": _endpoints(context, own, item, span)}
    if id_ := _provider_model(item, name):
        body["providerModel"] = id_
    if card is not None:
        _card(context, own, body, card)
    if price := _price(item.fields("pricing")):
        body["price"] = price
    family = _family(context, own, item, families)
    context.families[own] = family
    if family:
        body["reasoningFamily"] = family
    known = job.draft.mapping("models")
    known[own] = body
    for adapter in [name for name, base in context.bases.items() if base == own and name not in known]:
        # A server outside the compiler serves an adapter under its own name, like any model.
        known[adapter] = {key: value for key, value in body.items() if key != "providerModel"}
        job.draft.comment(("models", adapter), f"An adapter of {own}, by the name under which its server has it.")
    item.taken.update({"name", "api_format", "external_model_ids", "provider_model_id"})
    context.leftovers(item, PROVIDER)


def _card(context: Context, own: str, body: dict[str, Any], card: Fields) -> None:
    size = card.integer("context_window_size")
    if size is not None and size > 0:
        body["context"] = size
    for index, node in enumerate(card.items("loras")):
        adapter = Fields.of(node, f"{card.where}.loras[{index}]", card.span)
        name = adapter.text("name")
        if not name:
            continue
        new = context.job.names.new("model", name, adapter.value_at("name"), key=("adapter", own))
        context.models.setdefault(name, new)
        context.bases[new] = own
        context.leftovers(adapter, {"description": PROSE})
    card.taken.add("name")
    context.leftovers(card, CARD)


def _provider_model(item: Fields, name: str) -> str:
    """Return the provider's name of a model, if it differs."""
    ids = item.fields("external_model_ids")
    found = item.text("provider_model_id") or next((text(value) for _, _, value in ids.rest()), "")
    return "" if found == name or is_reference(found) else found


def _price(fields: Fields) -> dict[str, float]:
    prompt, completion = fields.number("prompt_per_1m"), fields.number("completion_per_1m")
    cached = fields.number("cached_input_per_1m")
    if fields.text("currency").upper() == "USD":
        fields.taken.add("currency")
    if prompt is None and completion is None:
        return {}
    found = {"prompt": max(prompt or 0, 0), "completion": max(completion or 0, 0)}
    if cached is not None and 0 <= cached <= found["prompt"]:
        found["cachedPrompt"] = cached
    return found


def _family(context: Context, own: str, item: Fields, families: Fields) -> str:
    """Return the catalogued family of a model; empty if there is none like it."""
    inline = item.fields("reasoning")
    name = inline.text("family") or item.text("reasoning_family")
    span = inline.value_at("family") if inline.has("family") else item.value_at("reasoning_family")
    definition = families.fields(name) if name else inline
    inline.taken.update(inline.node.entries)
    if name and not inline.has("type") and not families.has(name):
        if name in FAMILIES:
            return name
    elif name in FAMILIES and _fits(name, definition):
        return name
    if not name and not inline.node.entries:
        return ""
    for known in FAMILIES:
        if definition.has("type") and _fits(known, definition) and "disabled" in FAMILIES[known].modes:
            return known
    if (near := _near(name, definition)) is not None:
        return near
    message = f"the reasoning of model `{own}` is none of the known families, so it cannot be switched"
    context.lose("VSR526", message, span, "Set `reasoningFamily` to the family whose switch is the same.")
    return ""


def _fits(name: str, definition: Fields) -> bool:
    family = FAMILIES[name]
    return (family.type, family.parameter) == (definition.text("type"), definition.text("parameter"))


def _near(name: str, definition: Fields) -> str | None:
    """Return the family that older contracts mean by a name that 0.4.0 does not have."""
    if definition.text("type") in {"reasoning_effort", "top_level_reasoning_effort"} or name.startswith("gpt"):
        return "gpt"
    return name if name in FAMILIES else None


def _endpoints(context: Context, own: str, item: Fields, span: Span) -> str | list[str] | dict[str, int]:
    refs = _each(item.items("backend_refs"), f"{item.where}.backend_refs", span)
    found: dict[str, int] = {}
    outside: list[str] = []
    for ref in refs:
        name = _backend(context, own, ref, item, several=len(refs) > 1)
        weight = ref.integer("weight")
        ref.taken.update({"type", "name"})
        context.leftovers(ref, {"chat_path": GATEWAY})
        if name is None:
            continue
        if "external" in context.job.draft.mapping("endpoints")[name]:
            outside.append(name)
        found[name] = found.get(name, 0) + (1 if weight is None else max(weight, 0))
    if not found:
        message = f"model `{own}` has no backend in the source"
        return placeholder(context.job, own, span, message)
    if outside and len(found) > 1:
        inside = [name for name in found if name not in outside]
        kept = inside or outside[:1]
        words = ", ".join(f"`{name}`" for name in kept)
        message = f"model `{own}` has backends inside and outside the cluster, or several outside: only {words} stay"
        context.lose("VSR526", message, span, "Make a model of each backend, and share requests by a `split`.")
        for name in [name for name in found if name not in kept]:
            del found[name]
            context.job.draft.mapping("endpoints").pop(name, None)
    if len(found) == 1:
        return next(iter(found))
    return list(found) if len(set(found.values())) == 1 else found


def _backend(context: Context, own: str, ref: Fields, item: Fields, *, several: bool) -> str | None:
    provider = (ref.text("provider") or ref.text("type")).lower()
    where = _address(context, own, ref, provider)
    key = _key(context, own, ref, provider)
    for entry, at, _ in ref.fields("extra_headers").rest():
        covered(ref.take("extra_headers"))
        context.lose(
            "VSR526", f"the header `{entry}` of a backend of `{own}` is not sent", at, "Set it by the gateway."
        )
    if where is None:
        return None
    schema = _SCHEMAS.get(provider, "")
    if item.text("api_format") == "anthropic":
        schema = "anthropic"
    version = ref.text("api_version")
    if version and schema == "azure-openai" and not where.query:
        where = Address(where.host, where.port, where.tls, where.path, f"api-version={version}")
    wanted = f"{own}-{ref.text('name') or 'backend'}" if several else own
    return endpoint(context.job, wanted, where, ref.span, key=key, schema=schema if where.tls else "")


def _address(context: Context, own: str, ref: Fields, provider: str) -> Address | None:
    """Return the address of a backend; None if the source has none that can be used."""
    tls = ref.text("protocol").lower() == "https"
    for field in ("base_url", "endpoint"):
        value = ref.text(field)
        if not value:
            continue
        if is_reference(value) or "$" in value:
            message = (
                f"the address of `{own}` is in the environment (`{_variable(value)}`), which an import does not read"
            )
            context.lose("VSR534", message, ref.value_at(field), "Write the address at the endpoint.")
            return None
        if has_key(value):
            message = f"the address of `{own}` has a key or a password, which is not copied"
            context.lose("VSR529", message, ref.value_at(field), "Give the endpoint an `apiKey`, and revoke this key.")
        found = address(value, tls=tls)
        if found is not None and found.host not in {"dummy", "placeholder", "unused"}:
            ref.taken.update({"endpoint", "base_url"})
            return found
    if provider in PROVIDERS:
        return address(PROVIDERS[provider][0])
    if provider and provider not in OWN_SERVERS:
        message = f"the provider `{provider}` of `{own}` is not known"
        context.lose("VSR531", message, ref.value_at("provider"), "Write its URL at the endpoint.")
    return None


def _variable(value: str) -> str:
    match = _VARIABLE.search(value)
    return match[1] if match else "a variable"


def _key(context: Context, own: str, ref: Fields, provider: str) -> dict[str, str] | None:
    """Return the reference to the key of a backend. The key itself is never read."""
    inline, variable = ref.take("api_key"), ref.text("api_key_env")
    header, prefix = ref.text("auth_header").lower(), ref.text("auth_prefix")
    covered(inline)  # each way below reports it
    if isinstance(inline, Scalar) and is_reference(inline.text):
        variable = variable or _variable(inline.text)
    elif isinstance(inline, Scalar) and inline.text:
        context.job.losses.secrets.add(inline)
        hint = "Put the key into a Secret with this name. The key in the source should be revoked."
        name = label(own) or "provider"
        message = f"the key of `{own}` is not copied; the policy refers to the Secret `{name}`"
        context.lose("VSR529", message, inline.span, hint)
        return _reference(name, "api-key", header, prefix)
    if variable:
        name = label(variable.removesuffix("_API_KEY").removesuffix("_KEY").removesuffix("_TOKEN")) or label(own)
        what = "keys from the environment, to which the policy refers as Secrets"
        context.group("VSR529", what, f"{variable} => Secret {name}", ref.span, "Create these Secrets.")
        return _reference(name or "provider", variable, header, prefix)
    del provider
    return None


def _reference(secret: str, key: str, header: str, prefix: str) -> dict[str, str]:
    found = {"secret": secret, "key": key}
    if header and header != "authorization":
        found["header"] = header
        if prefix:
            found["prefix"] = f"{prefix.strip()} "
    return found
