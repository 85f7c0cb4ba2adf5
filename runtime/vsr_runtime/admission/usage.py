"""Which signals and plugins the decisions of a config use."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from vsr_runtime.admission.models import plugin_name

LISTS = {
    "keyword": "keywords",
    "embedding": "embeddings",
    "domain": "domains",
    "user_feedback": "user_feedbacks",
    "reask": "reasks",
    "preference": "preferences",
    "authz": "role_bindings",
    "event": "events",
    "classifier": "classifiers",
}
"""The list of a type of signal, where it is not called like the type."""


@dataclass(frozen=True, slots=True)
class Usage:
    """What decisions, numbers derived from signals and signals that have conditions name.

    Attributes:
        signals: list and name of each signal that is named.
        plugins: the plugins that are not switched off. Tools are listed if they may be chosen by similarity.
    """

    signals: frozenset[tuple[str, str]]
    plugins: frozenset[str]

    def lists(self) -> frozenset[str]:
        """Return the lists of which a signal is used."""
        return frozenset(kind for kind, _ in self.signals)


def list_of(kind: object) -> str:
    """Return the list that has the signals of a type."""
    name = str(kind).replace("-", "_")
    return LISTS.get(name, name)


def usage(document: object) -> Usage:
    """Return what a config uses. A name is used if anything that has a type and a name has both."""
    signals: set[tuple[str, str]] = set()
    plugins: set[str] = set()
    for place in _routings(document):
        for key, value in place.items():
            if key != "modelCards":
                _collect(value, signals, plugins)
    return Usage(frozenset(signals), frozenset(plugins))


def _routings(document: object) -> Iterator[dict[Any, Any]]:
    if not isinstance(document, dict):
        return
    recipes = document.get("recipes")
    for owner in (document, *(recipes if isinstance(recipes, list) else ())):
        if isinstance(owner, dict) and isinstance(routing := owner.get("routing"), dict):
            yield routing


def _collect(value: object, signals: set[tuple[str, str]], plugins: set[str]) -> None:
    if isinstance(value, list):
        for one in value:
            _collect(one, signals, plugins)
    elif isinstance(value, dict):
        if "type" in value and "name" in value:
            name = str(value["name"])
            signals |= {(list_of(value["type"]), one) for one in (name, name.rpartition(":")[0])}
        configuration = value.get("configuration")
        if "type" in value and not _is_idle(plugin_name(value["type"]), configuration):
            plugins.add(plugin_name(value["type"]))
        if "members" in value and isinstance(value["members"], list):
            names = {str(one) for one in [*value["members"], value.get("default")]}
            signals |= {(kind, one) for kind in ("domains", "embeddings") for one in names}
        for one in value.values():
            _collect(one, signals, plugins)


def _is_idle(plugin: str, configuration: object) -> bool:
    """Return whether a plugin does nothing for which it would need something else of the config."""
    if not isinstance(configuration, dict):
        return False
    by_name = configuration.get("mode") == "none" or configuration.get("semantic_selection") is False
    return configuration.get("enabled") is False or (plugin == "tools" and by_name)
