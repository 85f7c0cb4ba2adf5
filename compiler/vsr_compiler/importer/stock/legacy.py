"""Layouts of releases 0.1 and 0.2 in the layout of 0.3: flat sections, scored models of categories, named endpoints."""

from __future__ import annotations

from typing import Any

from vsr_compiler.diagnostics import Span
from vsr_compiler.importer.values import boolean, child, items, make, number, text, texts
from vsr_compiler.syntax.nodes import Mapping, Node, Sequence

SIGNALS = {
    "keyword_rules": "keywords",
    "embedding_rules": "embeddings",
    "categories": "domains",
    "fact_check_rules": "fact_check",
    "user_feedback_rules": "user_feedbacks",
    "reask_rules": "reasks",
    "preference_rules": "preferences",
    "language_rules": "language",
    "context_rules": "context",
    "structure_rules": "structure",
    "conversation_rules": "conversation",
    "complexity_rules": "complexity",
    "modality_rules": "modality",
    "role_bindings": "role_bindings",
    "jailbreak_rules": "jailbreak",
    "jailbreak": "jailbreak",
    "pii_rules": "pii",
    "pii": "pii",
}
"""Collections of signals by their key in flat layouts."""
DEFAULTS = ("default_model", "default_reasoning_effort", "reasoning_families")
MOVED = {
    "prompt_guard": ("model_catalog", "modules", "prompt_guard"),
    "embedding_models": ("model_catalog", "embeddings", "semantic"),
    "semantic_cache": ("stores", "response_cache"),
    "response_cache": ("stores", "response_cache"),
    "auto_model_name": ("router", "auto_model_name"),
    "auto_model_names": ("router", "auto_model_names"),
    "tools": ("integrations", "tools"),
    "ratelimit": ("services", "ratelimit"),
    "authz": ("services", "authz"),
}
"""Where settings are in the layout of 0.3. Others are services without effect on decisions."""
ROUTING = ("strategy", "projections")
TOP = frozenset({"version", "listeners", "providers", "routing", "global", "signals", "decisions", "setup"})
PROTECTIONS = "protections of every request"
"""Key of the protections that these releases have for all requests. No source has it."""
RANK = 100
"""Priority of the decisions that categories become."""


def canonical(node: Mapping) -> Mapping:
    """Return a configuration of an older layout in the layout of 0.3. Positions stay those of the source."""
    own = Mapping(node.span)
    for key in ("version", "listeners", "setup", "entrypoints", "recipes"):
        if key in node.entries:
            own.entries[key] = node.entries[key]
    _put(own, ("global",), child(node, "global") or Mapping(node.span), node.span)
    _settings(node, own)
    _signals(node, own)
    decisions = child(node, "routing", "decisions") or child(node, "decisions")
    if decisions is not None:
        _put(own, ("routing", "decisions"), decisions, node.span)
    for key in ROUTING:
        if key in node.entries:
            own_routing = child(own, "routing")
            if isinstance(own_routing, Mapping):
                own_routing.entries[key] = node.entries[key]
    _providers(node, own)
    if not items(decisions) and items(child(node, "categories")):
        _by_category(node, own)
        _protections(node, own)
    return own


def _put(root: Mapping, path: tuple[str, ...], value: Node, span: Span) -> None:
    """Set a value at a path; mappings on the way are copied, not shared with the source."""
    here = root
    for key in path[:-1]:
        entry = here.entries.get(key)
        below = Mapping(
            entry[1].span if entry else span, dict(entry[1].entries) if entry and isinstance(entry[1], Mapping) else {}
        )
        here.entries[key] = (entry[0] if entry else span, below)
        here = below
    here.entries[path[-1]] = (here.entries[path[-1]][0] if path[-1] in here.entries else span, value)


def _settings(node: Mapping, own: Mapping) -> None:
    known = {
        *TOP,
        *SIGNALS,
        *DEFAULTS,
        *ROUTING,
        "vllm_endpoints",
        "model_config",
        "provider_profiles",
        "entrypoints",
        "recipes",
    }
    for key, (span, value) in node.entries.items():
        if key in MOVED:
            _put(own, ("global", *MOVED[key]), value, span)
        elif key == "classifier":
            if (pii := child(value, "pii_model")) is not None:
                _put(own, ("global", "model_catalog", "modules", "classifier", "pii"), pii, span)
        elif key not in known:
            _put(own, ("global", "services", key), value, span)


def _signals(node: Mapping, own: Mapping) -> None:
    signals = child(node, "routing", "signals") or child(node, "signals")
    _put(own, ("routing",), Mapping(node.span, dict(_entries(child(node, "routing")))), node.span)
    _put(own, ("routing", "signals"), Mapping(node.span, dict(_entries(signals))), node.span)
    for key, collection in SIGNALS.items():
        value = child(node, key)
        if isinstance(value, Sequence):
            value = Sequence(value.span, [_domain(item) if key == "categories" else item for item in value.items])
            _put(own, ("routing", "signals", collection), value, node.entries[key][0])


def _domain(category: Node) -> Node:
    """Return a category as a domain: how requests of it are served is in decisions."""
    if not isinstance(category, Mapping):
        return category
    kept = {key: entry for key, entry in category.entries.items() if key in {"name", "description", "mmlu_categories"}}
    return Mapping(category.span, kept)


def _entries(node: Node | None) -> dict[str, tuple[Span, Node]]:
    return node.entries if isinstance(node, Mapping) else {}


def _providers(node: Mapping, own: Mapping) -> None:
    old = child(node, "providers")
    span = old.span if old is not None else node.span
    defaults = Mapping(span, dict(_entries(child(old, "defaults"))))
    for key in DEFAULTS:
        for source in (node, old):
            if isinstance(source, Mapping) and key in source.entries:
                defaults.entries.setdefault(key, source.entries[key])
    models: list[Node] = [_provider(item) for item in items(child(old, "models"))]
    endpoints = {text(child(item, "name")): item for item in items(child(node, "vllm_endpoints"))}
    cards: list[Node] = list(items(child(node, "routing", "modelCards")) or items(child(node, "routing", "models")))
    cards += [_card(text(child(item, "name")), item) for item in items(child(old, "models"))]
    for name, (at, body) in _entries(child(node, "model_config")).items():
        models.append(_configured(name, at, body, endpoints, child(node, "provider_profiles")))
        cards.append(_card(name, body))
    _put(own, ("providers",), Mapping(span), span)
    _put(own, ("providers", "defaults"), defaults, span)
    _put(own, ("providers", "models"), Sequence(span, models), span)
    _put(own, ("routing", "modelCards"), Sequence(span, cards), span)


def _card(name: str, body: Node) -> Node:
    kept: dict[str, Any] = {"name": make(name, body.span)}
    kept |= {key: child(body, key) for key in ("context_window_size", "loras") if child(body, key) is not None}
    return make(kept, body.span)


MODEL = frozenset(
    {
        *("name", "reasoning_family", "reasoning", "pricing", "provider_model_id", "api_format", "external_model_ids"),
        *("backend_refs", "reliability"),
    }
)
DESCRIBES = frozenset(
    {
        *("param_size", "context_window_size", "description", "capabilities", "loras", "quality_score", "modality"),
        "tags",
    }
)


def _provider(item: Node) -> Node:
    """Return a model of the layout of 0.2, whose endpoints have their addresses."""
    if not isinstance(item, Mapping):
        return item
    kept = {key: entry for key, entry in item.entries.items() if key not in {*DESCRIBES, "endpoints", "access_key"}}
    refs = [_with_key(ref, item) for ref in items(child(item, "endpoints"))]
    if refs and "backend_refs" not in kept:
        kept["backend_refs"] = (item.entries["endpoints"][0], Sequence(item.span, refs))
    return Mapping(item.span, kept)


def _with_key(ref: Node, item: Mapping) -> Node:
    if not isinstance(ref, Mapping) or "access_key" not in item.entries:
        return ref
    return Mapping(ref.span, {**ref.entries, "api_key": item.entries["access_key"]})


def _configured(name: str, at: Span, body: Node, endpoints: dict[str, Node], profiles: Node | None) -> Node:
    """Return a model of `model_config`, with the addresses of its endpoints."""
    kept: dict[str, Any] = {"name": make(name, at)}
    for key, (_, value) in _entries(body).items():
        if key in MODEL:
            kept[key] = value
        elif key == "model_id":
            kept["provider_model_id"] = value
        elif key not in {*DESCRIBES, "preferred_endpoints", "pii_policy", "access_key"}:
            kept[key] = value
    named = [endpoints[item] for item in texts(child(body, "preferred_endpoints")) if item in endpoints]
    refs = [_ref(found, child(body, "access_key"), profiles) for found in named]
    if not refs and len(endpoints) == 1:
        refs = [_ref(next(iter(endpoints.values())), child(body, "access_key"), profiles)]
    if refs:
        kept["backend_refs"] = refs
    return make(kept, body.span)


def _ref(found: Node, key: Node | None, profiles: Node | None) -> dict[str, Any]:
    host, port = text(child(found, "address")), text(child(found, "port"))
    profile = child(profiles, text(child(found, "provider_profile")))
    ref: dict[str, Any] = {
        "name": child(found, "name"),
        "weight": child(found, "weight"),
        "provider": child(found, "type"),
    }
    if host:
        at = child(found, "address")
        ref["endpoint"] = make(f"{host}:{port}" if port else host, at.span if at is not None else found.span)
    if profile is not None:
        ref |= {"base_url": child(profile, "base_url"), "provider": child(profile, "type")}
    ref["protocol"] = child(found, "protocol")
    ref["api_key"] = child(found, "api_key") or key
    return {name: value for name, value in ref.items() if value is not None}


def _by_category(node: Mapping, own: Mapping) -> None:
    """Add a decision for each category: its best model, as release 0.1 chooses it."""
    store = child(node, "semantic_cache")
    found: list[Node] = []
    for category in items(child(node, "categories")):
        name = text(child(category, "name"))
        scores = sorted(items(child(category, "model_scores")), key=lambda item: -(number(child(item, "score")) or 0))
        refs = [_scored(item) for item in scores]
        plugins: list[dict[str, Any]] = []
        if (prompt := child(category, "system_prompt")) is not None:
            plugins.append({"type": "system_prompt", "configuration": {"system_prompt": prompt, "mode": "replace"}})
        cached = boolean(child(category, "semantic_cache_enabled"))
        if cached or (cached is None and boolean(child(store, "enabled"))):
            settings = {"similarity_threshold": child(category, "semantic_cache_similarity_threshold")}
            plugins.append({"type": "response_cache", "configuration": settings})
        body = {
            "name": child(category, "name"),
            "priority": RANK,
            "rules": {"operator": "OR", "conditions": [{"type": "domain", "name": name}]},
            "modelRefs": refs,
            "plugins": plugins,
        }
        found.append(make(body, category.span))
    _put(own, ("routing", "decisions"), Sequence(node.span, found), node.span)


def _scored(item: Node) -> Node:
    kept = {key: child(item, key) for key in ("model", "lora_name", "use_reasoning", "reasoning_effort")}
    return make({key: value for key, value in kept.items() if value is not None}, item.span)


def _protections(node: Mapping, own: Mapping) -> None:
    """Add what release 0.1 refuses for every request: attacks, and personal data that a model must not get."""
    found: list[dict[str, Any]] = []
    guard = child(node, "prompt_guard")
    if guard is not None and boolean(child(guard, "enabled")):
        found.append({"type": "jailbreak", "threshold": child(guard, "threshold"), "at": make("", guard.span)})
    exempt: list[str] = []
    policies: list[Node] = []
    for name, (_, body) in _entries(child(node, "model_config")).items():
        policy = child(body, "pii_policy")
        if policy is None or boolean(child(policy, "allow_by_default")) is not False:
            exempt.append(name)
        else:
            policies.append(policy)
    if policies:
        allowed = set(texts(child(policies[0], "pii_types_allowed")))
        for policy in policies[1:]:
            allowed &= set(texts(child(policy, "pii_types_allowed")))
        found.append(
            {"type": "pii", "pii_types_allowed": sorted(allowed), "except": exempt, "at": make("", policies[0].span)}
        )
    if found:
        _put(own, (PROTECTIONS,), make(found, node.span), node.span)
