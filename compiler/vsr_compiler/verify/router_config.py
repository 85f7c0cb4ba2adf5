"""Router configurations in ConfigMaps: the models that they select, and whether they have guards."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from vsr_compiler.diagnostics import CompileError
from vsr_compiler.verify.manifest import (
    Manifest,
    Path,
    as_mapping,
    as_mappings,
    as_string,
    as_string_map,
    as_strings,
    value_at,
)
from vsr_compiler.verify.manifest_index import ManifestIndex, cached_per_index
from vsr_compiler.verify.stream import Budget, parse_documents

_GUARDS = ("prompt_guard", "pii_model", "jailbreak", "pii")


@dataclass(frozen=True, slots=True)
class Routing:
    """The header that routes of others match, in lower case, and its value for each model."""

    header: str
    values: Mapping[str, str]


@dataclass(frozen=True, slots=True, eq=False)
class RouterConfig:
    """A router's configuration.

    Attributes:
        source: The ConfigMap.
        path: Path of the file in the ConfigMap.
        models: Names that a decision or the default selects.
        routable_models: ``models``, and the names that a client may request.
        routing: The header that routes of others match and its value for each model; None if the routes are ours.
    """

    source: Manifest
    path: Path
    models: frozenset[str]
    routable_models: frozenset[str]
    routing: Routing | None = None


@cached_per_index
def router_configs(index: ManifestIndex) -> Iterator[RouterConfig]:
    """Return the router configurations, recognised by their `providers` or `model_config` and their decisions."""
    for source in index.of_kind("ConfigMap", ""):
        files = as_string_map(source.body.get("data"))
        for key, text in files.items():
            if key.endswith((".yaml", ".yml")) and ("providers:" in text or "model_config:" in text):
                body = embedded_document(index, text)
                models = _selected_models(body)
                if models:
                    fallbacks, attempts = _attempts(index, files)
                    models |= fallbacks
                    routable = frozenset(models | attempts | _described_models(body))
                    yield RouterConfig(source, ("data", key), frozenset(models), routable, _routing(index, files))


def has_guards(index: ManifestIndex) -> bool:
    """Whether any router configuration has guards, which a router that fails open would bypass."""
    for source in index.of_kind("ConfigMap", ""):
        for text in as_string_map(source.body.get("data")).values():
            body = embedded_document(index, text) if "guard" in text or "pii" in text or "jailbreak" in text else {}
            if body.get("guards") or any(_is_enabled(body, name) for name in _GUARDS):
                return True
    return False


def _is_enabled(body: dict[str, Any], name: str) -> bool:
    """Whether a block with this name is enabled anywhere in a configuration."""
    stack: list[object] = [body]
    while stack:
        node = stack.pop()
        if isinstance(node, dict):
            block = node.get(name)
            if block and (not isinstance(block, dict) or block.get("enabled", True)):
                return True
            stack += node.values()
        elif isinstance(node, list):
            stack += node
    return False


def _selected_models(body: dict[str, Any]) -> set[str]:
    routing = as_mapping(body.get("routing")) or body
    models = {as_string(value_at(body, "providers", "defaults", "model")), as_string(body.get("default_model"))}
    for decision in as_mappings(routing.get("decisions")):
        for ref in as_mappings(decision.get("modelRefs")):
            models.add(as_string(ref.get("lora_name")) or as_string(ref.get("model")))
    return models - {""}


def _attempts(index: ManifestIndex, files: Mapping[str, str]) -> tuple[set[str], set[str]]:
    """Return the models that requests fall back to, and the names of routes with several attempts."""
    models: set[str] = set()
    routes: set[str] = set()
    for text in files.values():
        if "fallbacks:" in text:
            for one in as_mapping(embedded_document(index, text).get("fallbacks")).values():
                models |= set(as_strings(as_mapping(one).get("models")))
                routes |= set(as_string_map(as_mapping(one).get("routes")).values())
    return models, routes


def _routing(index: ManifestIndex, files: Mapping[str, str]) -> Routing | None:
    """Return what the router writes for routes of others."""
    for text in files.values():
        if "routing:" in text and "RuntimeSettings" in text:
            routing = as_mapping(embedded_document(index, text).get("routing"))
            header = as_string(routing.get("header")).lower()
            models = as_mapping(routing.get("models"))
            if header:
                return Routing(header, {name: as_string(as_mapping(own).get("value")) for name, own in models.items()})
    return None


@cached_per_index
def foreign_headers(index: ManifestIndex) -> Iterator[str]:
    """Return the headers that routers write for routes of others."""
    yield from dict.fromkeys(config.routing.header for config in router_configs(index) if config.routing is not None)


def _described_models(body: dict[str, Any]) -> set[str]:
    """Return the models that the configuration describes, their adapters, and the auto-model names."""
    cards = [*as_mappings(value_at(body, "providers", "models")), *as_mappings(value_at(body, "routing", "modelCards"))]
    adapters = {as_string(lora.get("name")) for card in cards for lora in as_mappings(card.get("loras"))}
    auto_names = set(as_strings(value_at(body, "global", "router", "auto_model_names")))
    names = {as_string(card.get("name")) for card in cards}
    return names | set(as_mapping(body.get("model_config"))) | adapters | auto_names


def embedded_document(index: ManifestIndex, text: str) -> dict[str, Any]:
    """Return the YAML mapping in a text; empty if the text is not one."""
    document = index.documents.get(text)
    return index.cached(("embedded", text), lambda: _parsed(text)) if document is None else document


def _parsed(text: str) -> dict[str, Any]:
    try:
        for body, _ in parse_documents(text.encode(errors="replace"), "", Budget()):
            return as_mapping(body)
    except CompileError:
        return {}
    return {}
