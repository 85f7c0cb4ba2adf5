"""The router's configuration inside ConfigMaps: which models it can select, and whether it guards."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from vsr_compiler.diagnostics import CompileError
from vsr_compiler.verify.manifest import Manifest, Path, dig, labels, rows, table, text, texts
from vsr_compiler.verify.manifest_index import World, shared
from vsr_compiler.verify.stream import Budget, documents

_GUARDS = ("prompt_guard", "pii_model", "jailbreak", "pii")


@dataclass(frozen=True, slots=True, eq=False)
class Config:
    """A router's configuration.

    Attributes:
        source: The ConfigMap.
        path: Its key.
        models: The names that a decision or the default can select.
        known: These, and those that a client may ask for by name.
    """

    source: Manifest
    path: Path
    models: frozenset[str]
    known: frozenset[str]


@shared
def configs(world: World) -> Iterator[Config]:
    """The configurations in the ConfigMaps, known by their `providers` or `model_config` and their decisions."""
    for source in world.of("ConfigMap", ""):
        for key, value in labels(source.body.get("data")).items():
            if key.endswith((".yaml", ".yml")) and ("providers:" in value or "model_config:" in value):
                body = embedded(world, value)
                models = _models(body)
                if models:
                    yield Config(source, ("data", key), frozenset(models), frozenset(models | _named(body)))


def guarded(world: World) -> bool:
    """Whether any configuration among the objects has guards: a router that fails open then lets requests past them."""
    for source in world.of("ConfigMap", ""):
        for value in labels(source.body.get("data")).values():
            body = embedded(world, value) if "guard" in value or "pii" in value or "jailbreak" in value else {}
            if body.get("guards") or any(_on(body, name) for name in _GUARDS):
                return True
    return False


def _on(body: dict[str, Any], name: str) -> bool:
    """Whether a block of a name is on, anywhere in a configuration."""
    waiting: list[object] = [body]
    while waiting:
        node = waiting.pop()
        if isinstance(node, dict):
            block = node.get(name)
            if block and (not isinstance(block, dict) or block.get("enabled", True)):
                return True
            waiting += node.values()
        elif isinstance(node, list):
            waiting += node
    return False


def _models(body: dict[str, Any]) -> set[str]:
    routing = table(body.get("routing")) or body
    found = {text(dig(body, "providers", "defaults", "model")), text(body.get("default_model"))}
    for decision in rows(routing.get("decisions")):
        for ref in rows(decision.get("modelRefs")):
            found.add(text(ref.get("lora_name")) or text(ref.get("model")))
    return found - {""}


def _named(body: dict[str, Any]) -> set[str]:
    """The models that the configuration describes, their adapters, and the names that leave the choice to it."""
    cards = [*rows(dig(body, "providers", "models")), *rows(dig(body, "routing", "modelCards"))]
    adapters = {text(lora.get("name")) for card in cards for lora in rows(card.get("loras"))}
    auto = set(texts(dig(body, "global", "router", "auto_model_names")))
    return {text(card.get("name")) for card in cards} | set(table(body.get("model_config"))) | adapters | auto


def embedded(world: World, value: str) -> dict[str, Any]:
    """A YAML mapping inside a text; empty where it is none."""
    known = world.known.get(value)
    return world.once(("embedded", value), lambda: _parsed(value)) if known is None else known


def _parsed(value: str) -> dict[str, Any]:
    try:
        for body, _ in documents(value.encode(errors="replace"), "", Budget()):
            return table(body)
    except CompileError:
        return {}
    return {}
