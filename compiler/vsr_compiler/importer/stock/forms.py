"""The forms in which configurations of the stock router are found, detected by their content."""

from __future__ import annotations

from vsr_compiler.importer.sources import Part
from vsr_compiler.importer.stock import dsl, objects, own_output
from vsr_compiler.importer.values import child, items, text
from vsr_compiler.syntax.nodes import Mapping, Node, Scalar

CONFIG, LEGACY = "router config", "router config of release 0.1 or 0.2"
DSL = "program of the router's DSL"
SETTINGS = "runtime settings"
CONFIG_MAP, VALUES = "ConfigMap with a router config", "Helm values with a router config"
CANONICAL = frozenset({"providers", "routing", "recipes", "entrypoints", "global"})
FLAT = frozenset(
    {
        *("categories", "vllm_endpoints", "model_config", "default_model", "reasoning_families", "keyword_rules"),
        *("embedding_rules", "decisions", "signals", "prompt_guard", "classifier", "bert_model", "semantic_cache"),
        *("default_reasoning_effort", "response_cache"),
    }
)
"""Keys of the root in layouts before 0.3."""


def recognise(part: Part) -> str:
    """Return the form of a document; empty if it is none of the stock router's."""
    if part.node is None:
        return DSL if dsl.is_program(part.text) else ""
    if not isinstance(part.node, Mapping):
        return ""
    if own_output.is_settings(part):
        return SETTINGS
    return objects.kind_of(part.node) or config_form(part.node) or _wrapped(part.node)


def config_form(node: Node | None) -> str:
    """Return the form of a configuration itself; empty if a node is none."""
    if not isinstance(node, Mapping):
        return ""
    keys = set(node.entries)
    if "apiVersion" in keys and "kind" in keys:
        return ""
    routing, providers = child(node, "routing"), child(node, "providers")
    if keys & CANONICAL and (
        (isinstance(routing, Mapping) and set(routing.entries) & {"decisions", "signals", "modelCards", "models"})
        or text(child(node, "version")).startswith("v0")
        or (isinstance(providers, Mapping) and set(providers.entries) & {"models", "defaults", "default_model"})
        or isinstance(child(node, "global", "model_catalog"), Mapping)
        or "recipes" in keys
    ):
        return CONFIG
    listed = items(child(node, "vllm_endpoints")) or isinstance(child(node, "model_config"), Mapping)
    if listed or (len(keys & FLAT) >= 2 and items(child(node, "decisions")) + items(child(node, "categories"))):  # noqa: PLR2004
        return LEGACY
    signals = child(node, "signals")
    if "decisions" in keys and (isinstance(signals, Mapping) or isinstance(providers, Mapping)):
        return LEGACY
    return ""


def _wrapped(node: Mapping) -> str:
    if text(child(node, "kind")) == "ConfigMap":
        return CONFIG_MAP if any(looks_like_config(value) for _, value in data_of(node)) else ""
    if "kind" not in node.entries and config_form(child(node, "config")):
        return VALUES
    return ""


def data_of(node: Mapping) -> list[tuple[str, Scalar]]:
    """Return the texts of a ConfigMap by their keys."""
    data = child(node, "data")
    entries = data.entries.items() if isinstance(data, Mapping) else ()
    return [(key, value) for key, (_, value) in entries if isinstance(value, Scalar)]


def looks_like_config(value: Scalar) -> bool:
    """Return whether a text may be a configuration, without reading it."""
    lines = {line.split(":", 1)[0] for line in value.text.split("\n") if line[:1].isalpha() and ":" in line}
    return bool(lines & CANONICAL and "version" in lines) or len(lines & FLAT) >= 2  # noqa: PLR2004
