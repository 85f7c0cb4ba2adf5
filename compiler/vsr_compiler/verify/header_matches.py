"""Headers that routes match exactly, among them the header in which the router writes the selected model."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from vsr_compiler.verify.manifest import Manifest, Path, as_string
from vsr_compiler.verify.manifest_index import ManifestIndex, cached_per_index
from vsr_schemas.headers import SELECTED_MODEL


class HeaderMatch(NamedTuple):
    """A header that a rule of a route matches exactly.

    Attributes:
        route: The route.
        name: Name of the header, in lower case.
        value: The value that it must have.
        path: Path of the value.
        rule: Path of the rule.
    """

    route: Manifest
    name: str
    value: str
    path: Path
    rule: Path


@cached_per_index
def header_matches(index: ManifestIndex) -> Iterator[HeaderMatch]:
    """Return every exact header match of the routes."""
    for route in index.routes:
        for rule, _ in route.entries("spec", "rules"):
            for match, _ in route.entries(*rule, "matches"):
                for path, header in route.entries(*match, "headers"):
                    if header.get("type", "Exact") == "Exact":
                        name, value = as_string(header.get("name")).lower(), as_string(header.get("value"))
                        yield HeaderMatch(route, name, value, (*path, "value"), rule)


def header_matches_of(index: ManifestIndex, route: Manifest) -> list[HeaderMatch]:
    """Return the exact header matches of one route."""

    def compute() -> dict[int, list[HeaderMatch]]:
        by_route: dict[int, list[HeaderMatch]] = {}
        for match in header_matches(index):
            by_route.setdefault(id(match.route), []).append(match)
        return by_route

    return index.cached("header matches by route", compute).get(id(route), [])


def model_routes(index: ManifestIndex) -> dict[str, list[Manifest]]:
    """Return the routes that match the selected model's header, by the namespaces of their Gateways."""
    return index.cached("model_routes", lambda: _model_routes(index))


def _model_routes(index: ManifestIndex) -> dict[str, list[Manifest]]:
    by_namespace: dict[str, list[Manifest]] = {}
    routes = {id(match.route): match.route for match in header_matches(index) if match.name == SELECTED_MODEL}
    for route in routes.values():
        for namespace in {namespace for namespace, _ in index.gateways_of(route)}:
            by_namespace.setdefault(namespace, []).append(route)
    return by_namespace
