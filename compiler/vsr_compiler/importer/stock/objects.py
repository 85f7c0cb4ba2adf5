"""Kubernetes objects of the stock router in the layout of 0.3: IntelligentPool, IntelligentRoute, SemanticRouter."""

from __future__ import annotations

import re
from typing import Any

from vsr_compiler.importer.stock.legacy import canonical
from vsr_compiler.importer.values import child, items, make, number, text
from vsr_compiler.syntax.nodes import Mapping, Node, Sequence

POOL, ROUTE, OPERATOR = "IntelligentPool", "IntelligentRoute", "SemanticRouter"
GROUP = "vllm.ai/"
COLLECTIONS = {"contextRules": "context", "factCheckRules": "fact_check"}
MILLION = 1e6


def kind_of(node: Mapping) -> str:
    """Return the kind of an object of the stock router; empty if it is none."""
    kind = text(child(node, "kind"))
    own = text(child(node, "apiVersion")).startswith(GROUP)
    return kind if own and kind in {POOL, ROUTE, OPERATOR} else ""


def snake(node: Node, *, deep: bool = True) -> Node:
    """Return a value whose keys are spelled as in configurations: `caseSensitive` is `case_sensitive`."""
    if isinstance(node, Mapping):
        entries = {
            re.sub(r"(?<=[a-z0-9])([A-Z])", lambda match: f"_{match[1].lower()}", key): (
                span,
                snake(value) if deep else value,
            )
            for key, (span, value) in node.entries.items()
        }
        return Mapping(node.span, entries)
    return Sequence(node.span, [snake(item) for item in node.items]) if isinstance(node, Sequence) else node


def merged(base: Mapping | None, pools: list[Mapping], routes: list[Mapping]) -> Mapping:
    """Return a configuration with the models of pools and the routing of routes, which replace those of the base."""
    first = (pools + routes)[0]
    own = Mapping(first.span, dict(base.entries) if base is not None else {})
    providers = child(base, "providers")
    entries = dict(providers.entries) if isinstance(providers, Mapping) else {}
    defaults = child(providers, "defaults")
    kept = dict(defaults.entries) if isinstance(defaults, Mapping) else {}
    cards: list[Node] = []
    models = {text(child(item, "name")): item for item in items(child(providers, "models"))}
    for pool in pools:
        spec = child(pool, "spec")
        if (name := child(spec, "defaultModel")) is not None:
            kept["default_model"] = (name.span, name)
        for item in items(child(spec, "models")):
            _pool_model(item, models, cards)
    entries["defaults"] = (first.span, Mapping(first.span, kept))
    entries["models"] = (first.span, Sequence(first.span, list(models.values())))
    own.entries["providers"] = (first.span, Mapping(first.span, entries))
    own.entries["routing"] = (first.span, _routing(child(base, "routing"), routes, cards, first))
    return own


def _pool_model(item: Node, models: dict[str, Node], cards: list[Node]) -> None:
    name = text(child(item, "name"))
    known = models.get(name)
    body: dict[str, Any] = (
        {key: value for key, (_, value) in known.entries.items()} if isinstance(known, Mapping) else {}
    )
    body["name"] = child(item, "name")
    if (family := child(item, "reasoningFamily")) is not None:
        body["reasoning_family"] = family
    price = {
        "prompt_per_1m": child(item, "pricing", "inputTokenPrice"),
        "completion_per_1m": child(item, "pricing", "outputTokenPrice"),
    }
    found = {key: round((number(value) or 0) * MILLION, 9) for key, value in price.items() if value is not None}
    if found:
        body["pricing"] = found
    models[name] = make(body, item.span)
    cards.append(make({"name": child(item, "name"), "loras": child(item, "loras")}, item.span))


def _routing(base: Node | None, routes: list[Mapping], cards: list[Node], first: Mapping) -> Mapping:
    entries = dict(base.entries) if isinstance(base, Mapping) else {}
    if cards:
        entries["modelCards"] = (first.span, Sequence(first.span, cards))
    if not routes:
        return Mapping(first.span, entries)
    signals: dict[str, list[Node]] = {}
    decisions: list[Node] = []
    for route in routes:
        spec = child(route, "spec")
        collections = child(spec, "signals")
        for key, (_, value) in (collections.entries if isinstance(collections, Mapping) else {}).items():
            signals.setdefault(COLLECTIONS.get(key, key), []).extend(snake(item) for item in items(value))
        decisions += [_decision(item) for item in items(child(spec, "decisions"))]
    entries["signals"] = (first.span, make(signals, first.span))
    entries["decisions"] = (first.span, make(decisions, first.span))
    return Mapping(first.span, entries)


def _decision(item: Node) -> Node:
    if not isinstance(item, Mapping):
        return item
    entries = dict(item.entries)
    if "signals" in entries:
        entries["rules"] = entries.pop("signals")
    if "modelRefs" in entries:
        at, refs = entries["modelRefs"]
        # The controller takes the first reference only.
        entries["modelRefs"] = (at, Sequence(refs.span, [_ref(ref) for ref in items(refs)[:1]]))
    return Mapping(item.span, entries)


def _ref(ref: Node) -> Node:
    """Return a model reference. Keys that the kind does not have, such as `use_reasoning`, are pruned as there."""
    names = {
        "model": "model",
        "loraName": "lora_name",
        "useReasoning": "use_reasoning",
        "reasoningEffort": "reasoning_effort",
    }
    entries = ref.entries if isinstance(ref, Mapping) else {}
    return Mapping(ref.span, {names[key]: entry for key, entry in entries.items() if key in names})


def operator(node: Mapping) -> Mapping:
    """Return the configuration of a SemanticRouter: its flat settings, and its endpoints as models."""
    spec = child(node, "spec")
    config = child(spec, "config")
    own = canonical(config if isinstance(config, Mapping) else Mapping(node.span))
    namespace = text(child(node, "metadata", "namespace"))
    models = [_served(item, namespace) for item in items(child(spec, "vllmEndpoints"))]
    cards = [
        make({"name": child(item, "model"), "loras": child(item, "loras")}, item.span)
        for item in items(child(spec, "vllmEndpoints"))
    ]
    providers = child(own, "providers")
    if isinstance(providers, Mapping):
        providers.entries["models"] = (node.span, Sequence(node.span, [*items(child(providers, "models")), *models]))
    routing = child(own, "routing")
    if isinstance(routing, Mapping):
        routing.entries["modelCards"] = (node.span, Sequence(node.span, [*items(child(routing, "modelCards")), *cards]))
    return own


def _served(item: Node, namespace: str) -> Node:
    backend = child(item, "backend")
    service = child(backend, "service")
    host, port = text(child(service, "name")), text(child(service, "port"))
    where = text(child(service, "namespace")) or namespace
    if name := text(child(backend, "inferenceServiceName")):
        host, port = f"{name}-predictor", "8080"
    body: dict[str, Any] = {"name": child(item, "model"), "reasoning_family": child(item, "reasoningFamily")}
    if host:
        ref = {
            "name": child(item, "name"),
            "endpoint": f"{host}{f'.{where}' if where else ''}:{port or 8000}",
            "weight": child(item, "weight"),
        }
        body["backend_refs"] = [
            make({key: value for key, value in ref.items() if value is not None}, (backend or item).span)
        ]
    return make(body, item.span)
